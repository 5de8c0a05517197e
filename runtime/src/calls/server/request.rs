//! Accepts the parts that a client sends: calls, and cancellations and credit for running calls.

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

/// The result of a receive.
#[derive(Debug)]
pub(crate) enum Received<P> {
    Call(Call<P>),
    /// A part that needs no handler, and was processed.
    Nothing,
    End,
}

impl Session {
    /// Takes the part that `receiver` has just received. Begins a call if it is a request. Ends the session at the end
    /// of the connection.
    ///
    /// Call this before the next receive, because the next part may concern this call.
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
            CallKind::Request => match self.begin(id, from_millis(number), has_items::<P>(frame)) {
                Ok(running) => {
                    let frame = receiver.take_part(range).into_frame();
                    let call = Call::new(frame, Arc::clone(self), running, Some(id));
                    return Ok(Received::Call(call));
                }
                Err(status) => self.refuse(id, status),
            },
            CallKind::Cancel => self.cancel(id),
            CallKind::Credit => self.add_credit(id, number),
            // A client that sends these breaks the rules, but does no harm.
            CallKind::Reply | CallKind::Item | CallKind::End => {}
        }
        // The part may have come with descriptors.
        drop(receiver.take_part(range));
        Ok(Received::Nothing)
    }
}

fn has_items<P: Protocol>(frame: &[u8]) -> bool {
    P::tag_of(frame).is_ok_and(|tag| P::returns(tag).has_items())
}
