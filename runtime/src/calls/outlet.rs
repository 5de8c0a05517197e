//! Sends parts of calls over a connection that many threads share.

use std::io::IoSlice;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use crate::backlog::{Backlog, Datagram, HeldFrame};
use crate::bundle::Bundle;
use crate::calls::memory::Memory;
use crate::calls::protocol::Encoded;
use crate::error::SendError;
use crate::message::Message;
use crate::outbox;
use crate::sender::Sender;
use crate::transport::Outgoing;
use crate::wait::Wait;
use crate::wire::{CallHead, HEAD_LEN};

/// A sender that many threads share. While one of them sends, or the socket is full, the parts of the others queue up,
/// and then travel in few datagrams. No call waits for room.
#[derive(Debug)]
pub(crate) struct Outlet {
    writer: Mutex<Writer>,
    backlog: Mutex<Backlog>,
}

#[derive(Debug)]
struct Writer {
    sink: Sink,
    /// The datagram that had no room, or only for some of its pieces.
    current: Option<Datagram>,
}

/// Where datagrams go.
#[derive(Debug)]
enum Sink {
    Socket(Sender<Encoded>),
    Memory(Memory),
}

impl Outlet {
    pub(crate) fn new<Tx: Message>(sender: Sender<Tx>) -> Self {
        Self::with_sink(Sink::Socket(sender.cast()))
    }

    /// An outlet that keeps what it sends in memory.
    pub(crate) fn in_memory(memory: Memory) -> Self {
        Self::with_sink(Sink::Memory(memory))
    }

    fn with_sink(sink: Sink) -> Self {
        Self { writer: Mutex::new(Writer { sink, current: None }), backlog: Mutex::default() }
    }

    /// Queues a part of a call, or an ordinary frame without a head. Returns its length in bytes.
    ///
    /// # Errors
    ///
    /// [`SendError::Encode`], and those of duplicating descriptors.
    pub(crate) fn push<M: Message>(
        &self,
        head: Option<CallHead>,
        message: &M,
    ) -> Result<usize, SendError> {
        match head {
            Some(head) => outbox::send_part(head, message, |part| {
                let len = part.len;
                self.queue(part).map(|()| len)
            }),
            None => outbox::send(message, |frame| self.queue(frame)),
        }
    }

    /// Queues a part without a message.
    pub(crate) fn push_head(&self, head: CallHead) {
        let bytes = head.to_bytes();
        self.backlog().push(&[IoSlice::new(&bytes)], HEAD_LEN);
    }

    fn queue(&self, part: Outgoing<'_>) -> Result<(), SendError> {
        if Bundle::admits(part.len, part.descriptors.len()) {
            self.backlog().push(part.slices, part.len);
            return Ok(());
        }
        let held = HeldFrame::copy(part, Vec::new())?;
        self.backlog().push_held(held);
        Ok(())
    }

    /// Sends what is queued, as far as there is room. Returns whether everything was sent, or is being sent by another
    /// thread: that one looks again when it is done. `not_sent` learns of errors, with the head of the part that
    /// was not sent, if it is not a bundle.
    pub(crate) fn flush(&self, mut not_sent: impl FnMut(Option<CallHead>, SendError)) -> bool {
        loop {
            let mut writer = match self.writer.try_lock() {
                Ok(writer) => writer,
                Err(TryLockError::Poisoned(writer)) => writer.into_inner(),
                Err(TryLockError::WouldBlock) => return true,
            };
            loop {
                let begun = writer.current.take();
                let is_begun = begun.is_some();
                let Some(mut datagram) = begun.or_else(|| self.backlog().pop()) else { break };
                match writer.sink.send(&mut datagram, is_begun) {
                    Ok(()) => {}
                    Err(SendError::WouldBlock { .. }) => {
                        writer.current = Some(datagram);
                        return false;
                    }
                    Err(error) => {
                        let head = CallHead::split(datagram.content().0);
                        not_sent(head.map(|(head, _)| head), error);
                    }
                }
                let (_, _, buffer) = datagram.into_parts();
                let unused = self.backlog().keep_bundle(buffer);
                drop(unused);
            }
            drop(writer);
            if self.backlog().is_empty() {
                return true;
            }
        }
    }

    fn backlog(&self) -> MutexGuard<'_, Backlog> {
        self.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink {
    fn send(&mut self, datagram: &mut Datagram, is_begun: bool) -> Result<(), SendError> {
        match self {
            Self::Socket(sender) => send(sender, datagram, is_begun),
            Self::Memory(memory) => memory.push(datagram),
        }
    }
}

/// Sends a datagram, or the rest of one that has begun: see [`Sender::pending`].
fn send(
    sender: &mut Sender<Encoded>,
    datagram: &mut Datagram,
    is_begun: bool,
) -> Result<(), SendError> {
    if !is_begun || sender.pending() == 0 {
        let (bytes, descriptors) = datagram.content();
        let (slices, len) = ([IoSlice::new(bytes)], bytes.len());
        let descriptors: Vec<_> = descriptors.iter().map(OwnedFd::as_fd).collect();
        let outgoing = Outgoing { slices: &slices, descriptors: &descriptors, len };
        sender.send_outgoing(outgoing, Wait::Try)?;
    }
    sender.flush(Wait::Try)
}
