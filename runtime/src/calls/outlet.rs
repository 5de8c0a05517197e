//! Sends parts of calls over a connection that many threads share.

use std::io::IoSlice;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use crate::backlog::{Backlog, Datagram, HeldFrame};
use crate::bundle::Bundle;
use crate::calls::protocol::Encoded;
use crate::error::SendError;
use crate::message::Message;
use crate::outbox;
use crate::sender::Sender;
use crate::transport::Outgoing;
use crate::wait::Wait;
use crate::wire::{CallHead, HEAD_LEN};

/// How many bytes may wait before threads that send wait, too: enough to fill a socket.
const MAX_QUEUED: usize = 256 * 1024;

/// A sender that many threads share. While one of them sends, or the socket is full, the parts of the others queue up,
/// and then travel in few datagrams. No call waits for room.
#[derive(Debug)]
pub(crate) struct Outlet {
    writer: Mutex<Writer>,
    backlog: Mutex<Backlog>,
    /// How many bytes wait, and are being sent.
    queued: AtomicUsize,
}

#[derive(Debug)]
struct Writer {
    sender: Sender<Encoded>,
    /// The datagram that had no room, or only for some of its pieces.
    current: Option<Datagram>,
}

impl Outlet {
    pub(crate) fn new<Tx: Message>(sender: Sender<Tx>) -> Self {
        let writer = Mutex::new(Writer { sender: sender.cast(), current: None });
        Self { writer, backlog: Mutex::default(), queued: AtomicUsize::new(0) }
    }

    /// Queues a part of a call, or an ordinary frame without a head.
    ///
    /// # Errors
    ///
    /// [`SendError::Encode`], and those of duplicating descriptors.
    pub(crate) fn push<M: Message>(
        &self,
        head: Option<CallHead>,
        message: &M,
    ) -> Result<(), SendError> {
        match head {
            Some(head) => outbox::send_part(head, message, |part| self.queue(part)),
            None => outbox::send(message, |frame| self.queue(frame)).map(|_len| ()),
        }
    }

    /// Queues a part without a message.
    pub(crate) fn push_head(&self, head: CallHead) {
        let bytes = head.to_bytes();
        self.queued.fetch_add(HEAD_LEN, Ordering::AcqRel);
        self.backlog().push(&[IoSlice::new(&bytes)], HEAD_LEN);
    }

    fn queue(&self, part: Outgoing<'_>) -> Result<(), SendError> {
        let len = part.len;
        if Bundle::admits(len, part.descriptors.len()) {
            self.queued.fetch_add(len, Ordering::AcqRel);
            self.backlog().push(part.slices, part.len);
            return Ok(());
        }
        let held = HeldFrame::copy(part, Vec::new())?;
        self.queued.fetch_add(len, Ordering::AcqRel);
        self.backlog().push_held(held);
        Ok(())
    }

    /// Returns whether so much is queued that whoever sends has to wait.
    pub(crate) fn is_full(&self) -> bool {
        self.queued.load(Ordering::Acquire) > MAX_QUEUED
    }

    /// Sends what is queued, as far as there is room. Returns whether everything was sent, or is being sent by another
    /// thread and is not too much: that one looks again when it is done. `not_sent` learns of errors, with the head of the part that
    /// was not sent, if it is not a bundle.
    pub(crate) fn flush(&self, mut not_sent: impl FnMut(Option<CallHead>, SendError)) -> bool {
        loop {
            let mut writer = match self.writer.try_lock() {
                Ok(writer) => writer,
                Err(TryLockError::Poisoned(writer)) => writer.into_inner(),
                // Who holds it does not wait for room.
                Err(TryLockError::WouldBlock) if self.is_full() => {
                    self.writer.lock().unwrap_or_else(PoisonError::into_inner)
                }
                Err(TryLockError::WouldBlock) => return true,
            };
            loop {
                let begun = writer.current.take();
                let is_begun = begun.is_some();
                let Some(mut datagram) = begun.or_else(|| self.backlog().pop()) else { break };
                match send(&mut writer.sender, &mut datagram, is_begun) {
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
                let (_, len, buffer) = datagram.into_parts();
                self.queued.fetch_sub(len, Ordering::AcqRel);
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
