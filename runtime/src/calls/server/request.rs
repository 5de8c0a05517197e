//! What comes from a client: calls, and what concerns those that run.

use std::ops::Range;
use std::sync::Arc;

use super::call::Call;
use super::session::Session;
use crate::calls::deadline::from_millis;
use crate::calls::protocol::Protocol;
use crate::calls::status::Status;
use crate::error::RecvError;
use crate::owned_frame::OwnedFrame;
use crate::receiver::Receiver;
use crate::wire::{CallHead, CallKind};

/// What a server received.
#[derive(Debug)]
pub(crate) enum Received<P> {
    Call(Call<P>),
    /// Something that needs no handler, and is done.
    Nothing,
    End,
}

impl Session {
    /// Takes what `receiver` has just received, and begins a call. Ends the session at the end of the connection.
    ///
    /// Call it before anything else is received: it may concern this call.
    ///
    /// # Errors
    ///
    /// A fatal [`RecvError`].
    pub(crate) fn accept<P: Protocol>(
        self: &Arc<Self>,
        receiver: &mut Receiver<P>,
        received: Result<Option<Range<usize>>, RecvError>,
    ) -> Result<Received<P>, RecvError> {
        let range = match received {
            Ok(Some(range)) => range,
            Ok(None) => {
                self.end();
                return Ok(Received::End);
            }
            Err(error) if error.is_fatal() => {
                self.end();
                return Err(error);
            }
            Err(error) => {
                let refused = receiver.take_refused();
                if let Some(CallHead { id, kind: CallKind::Request, .. }) = refused {
                    self.refuse(id, Status::of_refused(&error));
                }
                self.tell(error);
                return Ok(Received::Nothing);
            }
        };
        let Some((CallHead { kind, number, id }, frame)) = receiver.call_part(range.clone()) else {
            let frame: OwnedFrame<P> = receiver.take_part(range).into_frame();
            let running = self.begin_unanswered(has_items::<P>(frame.bytes()));
            return Ok(Received::Call(Call::new(frame, Arc::clone(self), running, None)));
        };
        match kind {
            CallKind::Request if self.is_stopping() => self.refuse(id, Status::Stopping),
            CallKind::Request => {
                match self.begin(id, from_millis(number), has_items::<P>(frame)) {
                    Some(running) => {
                        let frame = receiver.take_part(range).into_frame();
                        let call = Call::new(frame, Arc::clone(self), running, Some(id));
                        return Ok(Received::Call(call));
                    }
                    // Such a call runs already.
                    None => self.refuse(id, Status::Malformed),
                }
            }
            CallKind::Cancel => self.cancel(id),
            CallKind::Credit => self.add_credit(id, number),
            // A client that sends those breaks the rules, and harms nobody.
            CallKind::Reply | CallKind::Item | CallKind::End => {}
        }
        // It may have come with descriptors.
        drop(receiver.take_part(range));
        Ok(Received::Nothing)
    }
}

fn has_items<P: Protocol>(frame: &[u8]) -> bool {
    P::tag_of(frame).is_ok_and(|tag| P::returns(tag).has_items())
}
