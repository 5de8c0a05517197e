//! The receiving half of a connection.

use std::fmt;
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Instant;

use datagrammar::tokio as awaited;
use datagrammar::{Frame, Limits, Message, OwnedFrame, RecvError, Wait};

use crate::runtime::{block_on, block_until};

/// See [`datagrammar::Receiver`].
pub struct Receiver<Rx> {
    pub(crate) inner: awaited::Receiver<Rx>,
}

#[expect(missing_docs, reason = "they are those of the blocking endpoint")]
impl<Rx: Message> Receiver<Rx> {
    pub fn recv(&mut self) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        block_on(self.inner.recv())
    }

    pub fn try_recv(&mut self) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        self.inner.try_recv()
    }

    pub fn recv_deadline(&mut self, deadline: Instant) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        block_on(self.inner.recv_deadline(deadline))
    }

    pub fn recv_owned(&mut self, wait: Wait) -> Result<Option<OwnedFrame<Rx>>, RecvError> {
        match wait {
            Wait::Block => block_on(self.inner.recv_owned()),
            Wait::Try => self.inner.try_recv_owned(),
            Wait::Until(deadline) => match self.inner.try_recv_owned() {
                Err(RecvError::WouldBlock) => block_until(deadline, self.inner.recv_owned())
                    .unwrap_or(Err(RecvError::TimedOut)),
                result => result,
            },
        }
    }

    pub fn peek_len(&mut self, wait: Wait) -> Result<Option<usize>, RecvError> {
        match wait {
            Wait::Block => block_on(self.inner.peek_len()),
            Wait::Try => self.inner.try_peek_len(),
            Wait::Until(deadline) => match self.inner.try_peek_len() {
                Err(RecvError::WouldBlock) => {
                    block_until(deadline, self.inner.peek_len()).unwrap_or(Err(RecvError::TimedOut))
                }
                result => result,
            },
        }
    }

    #[must_use]
    pub fn pending(&self) -> usize {
        self.inner.pending()
    }

    pub fn set_limits(&mut self, limits: Limits) {
        self.inner.set_limits(limits);
    }

    pub fn restore(&mut self, unread: Vec<Vec<u8>>) {
        self.inner.restore(unread);
    }

    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.inner.shutdown(how)
    }
}

impl<Rx> AsFd for Receiver<Rx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

impl<Rx> AsRawFd for Receiver<Rx> {
    fn as_raw_fd(&self) -> RawFd {
        self.inner.as_raw_fd()
    }
}

impl<Rx> fmt::Debug for Receiver<Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
