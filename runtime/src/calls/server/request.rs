//! What comes from a client: requests, and what concerns calls that run.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::call::Call;
use super::context::Running;
use super::session::Session;
use crate::calls::protocol::Protocol;
use crate::calls::status::Status;
use crate::error::RecvError;
use crate::message::Message;
use crate::owned_frame::OwnedFrame;
use crate::receiver::{Part, Receiver};
use crate::wire::{CallHead, CallKind};

/// A request that has not begun.
#[derive(Debug)]
pub(crate) struct Request {
    part: Part,
    /// The id and the deadline, unless no answer is wanted.
    call: Option<(u64, Option<Instant>)>,
}

/// What a server received.
#[derive(Debug)]
pub(crate) enum Received {
    Request(Request),
    /// Something that needs no handler, and is done.
    Nothing,
    End,
}

impl Session {
    /// Takes what `receiver` has just received. Ends the session at the end of the connection.
    ///
    /// # Errors
    ///
    /// A fatal [`RecvError`].
    pub(crate) fn accept<Rx: Message>(
        &self,
        receiver: &mut Receiver<Rx>,
        received: Result<Option<Range<usize>>, RecvError>,
    ) -> Result<Received, RecvError> {
        let part = match received {
            Ok(Some(range)) => receiver.take_part_into(range, self.buffers.take()),
            Ok(None) => {
                self.end();
                return Ok(Received::End);
            }
            Err(error) if error.is_fatal() => {
                self.end();
                return Err(error);
            }
            Err(_) => {
                if let Some(CallHead { id, kind: CallKind::Request, .. }) = receiver.take_refused()
                {
                    self.refuse(id, Status::TooLarge);
                }
                return Ok(Received::Nothing);
            }
        };
        let Some(CallHead { kind, number, id }) = part.head else {
            return Ok(Received::Request(Request { part, call: None }));
        };
        match kind {
            CallKind::Request if self.is_stopping() => self.refuse(id, Status::Stopping),
            CallKind::Request => {
                let millis = Duration::from_millis(number.into());
                let deadline = (number > 0).then(|| Instant::now() + millis);
                return Ok(Received::Request(Request { part, call: Some((id, deadline)) }));
            }
            CallKind::Cancel => self.cancel(id),
            CallKind::Credit => self.add_credit(id, number),
            // A client that sends those breaks the rules, and harms nobody.
            CallKind::Reply | CallKind::Item | CallKind::End => {}
        }
        Ok(Received::Nothing)
    }
}

impl Request {
    /// Begins the call. Refuses it, and returns `None`, if a call with its id runs already.
    pub(crate) fn begin<P: Protocol>(self, session: &Arc<Session>) -> Option<Call<P>> {
        let Self { part, call } = self;
        let frame: OwnedFrame<P> = part.into_frame();
        let is_stream = frame.tag().is_ok_and(P::has_items);
        let (running, id) = match call {
            None => (Arc::new(Running::new(None, is_stream)), None),
            Some((id, deadline)) => match session.begin(id, deadline, is_stream) {
                Some(running) => (running, Some(id)),
                None => {
                    session.refuse(id, Status::Malformed);
                    return None;
                }
            },
        };
        Some(Call::new(frame, Arc::clone(session), running, id))
    }
}
