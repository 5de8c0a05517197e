//! The way back to the client.

use std::io::IoSlice;

use crate::calls::protocol::Encoded;
use crate::calls::status::Status;
use crate::error::SendError;
use crate::message::Message;
use crate::owned_frame::OwnedFrame;
use crate::sender::Sender;
use crate::transport::Outgoing;
use crate::wait::Wait;
use crate::wire::{CallHead, CallKind, HEAD_LEN};

/// Sends answers to the client. Sends nothing for a call that wants no answer.
pub(super) struct Replies<'s> {
    pub(super) sender: &'s mut Sender<Encoded>,
    pub(super) id: Option<u64>,
}

impl Replies<'_> {
    pub(super) fn frame<M: Message>(
        &mut self,
        kind: CallKind,
        frame: &OwnedFrame<M>,
    ) -> Result<(), SendError> {
        let Some(id) = self.id else { return Ok(()) };
        let head = CallHead { kind, number: Status::Done as u32, id }.to_bytes();
        let sent = frame.send(|frame| {
            let mut slices = vec![IoSlice::new(&head)];
            slices.extend_from_slice(frame.slices);
            let len = HEAD_LEN + frame.len;
            let part = Outgoing { slices: &slices, descriptors: frame.descriptors, len };
            self.sender.send_outgoing(part, Wait::Block)
        });
        sent.map(|_len| ())
    }

    pub(super) fn status(&mut self, kind: CallKind, status: Status) -> Result<(), SendError> {
        let Some(id) = self.id else { return Ok(()) };
        let head = CallHead { kind, number: status as u32, id }.to_bytes();
        let slices = [IoSlice::new(&head)];
        let part = Outgoing { slices: &slices, descriptors: &[], len: HEAD_LEN };
        self.sender.send_outgoing(part, Wait::Block)
    }
}
