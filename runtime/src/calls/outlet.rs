//! Sends parts of calls over a connection that many threads share.

use std::io::IoSlice;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
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

/// A sender that many threads share. While one of them sends, or the socket is full, the parts of the others queue up,
/// and then travel in few datagrams. No call waits for room.
#[derive(Debug)]
pub(crate) struct Outlet {
    writer: Mutex<Writer>,
    backlog: Mutex<Backlog>,
    /// Whether the last datagram had more than one part.
    is_shared: AtomicBool,
    /// How many bytes are queued and not sent.
    unsent: AtomicUsize,
    /// How many bytes were sent.
    sent: AtomicU64,
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
        Self {
            writer,
            backlog: Mutex::default(),
            is_shared: AtomicBool::new(false),
            unsent: AtomicUsize::new(0),
            sent: AtomicU64::new(0),
        }
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
        self.unsent.fetch_add(HEAD_LEN, Ordering::Relaxed);
        self.backlog().push(&[IoSlice::new(&bytes)], HEAD_LEN);
    }

    fn queue(&self, part: Outgoing<'_>) -> Result<(), SendError> {
        let len = part.len;
        if Bundle::admits(len, part.descriptors.len()) {
            self.unsent.fetch_add(len, Ordering::Relaxed);
            self.backlog().push(part.slices, part.len);
            return Ok(());
        }
        self.push_held(HeldFrame::copy(part, Vec::new())?);
        Ok(())
    }

    /// Queues a part that was encoded earlier.
    pub(crate) fn push_held(&self, part: HeldFrame) {
        self.unsent.fetch_add(part.len(), Ordering::Relaxed);
        self.backlog().push_held(part);
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
                let (count, len, buffer) = datagram.into_parts();
                self.is_shared.store(count > 1, Ordering::Relaxed);
                self.unsent.fetch_sub(len, Ordering::Relaxed);
                self.sent.fetch_add(len as u64, Ordering::Relaxed);
                let unused = self.backlog().keep_bundle(buffer);
                drop(unused);
            }
            drop(writer);
            if self.backlog().is_empty() {
                return true;
            }
        }
    }

    /// Returns whether parts lately shared datagrams, so that it is worth waiting for others.
    pub(crate) fn is_shared(&self) -> bool {
        self.is_shared.load(Ordering::Relaxed)
    }

    /// Returns how many bytes are queued and not sent, those of a datagram that is sent in part included.
    pub(crate) fn unsent(&self) -> usize {
        self.unsent.load(Ordering::Relaxed)
    }

    /// Returns how many bytes were sent.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
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
