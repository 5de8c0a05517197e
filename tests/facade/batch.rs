//! Batches: messages collected one by one and sent together.

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use datagrammar::tokio as awaited;
use datagrammar::{Message, SendAllError, Wait};

use crate::runtime::{block_on, retry_all};
use crate::sender::Sender;

/// See [`datagrammar::Batch`].
pub struct Batch<Tx: Message> {
    inner: awaited::Batch<Tx>,
}

#[expect(missing_docs, reason = "they are those of the blocking endpoint")]
impl<Tx: Message> Batch<Tx> {
    #[must_use]
    pub fn new(sender: Sender<Tx>) -> Self {
        Self { inner: awaited::Batch::new(sender.inner) }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    #[must_use]
    pub fn buffer(&self) -> &[u8] {
        self.inner.buffer()
    }

    pub fn push(&mut self, message: &Tx::Borrowed<'_>, wait: Wait) -> Result<(), SendAllError> {
        match wait {
            Wait::Block => block_on(self.inner.push(message)),
            _ => retry_all(wait, |_| self.inner.try_push(message).map(|()| 0)).map(|_| ()),
        }
    }

    pub fn flush(&mut self, wait: Wait) -> Result<usize, SendAllError> {
        match wait {
            Wait::Block => block_on(self.inner.flush()),
            _ => retry_all(wait, |_| self.inner.try_flush()),
        }
    }

    #[expect(clippy::result_large_err, reason = "the error returns the batch")]
    pub fn into_inner(mut self, wait: Wait) -> Result<Sender<Tx>, (Self, SendAllError)> {
        if wait != Wait::Block
            && !self.inner.buffer().is_empty()
            && let Err(error) = self.flush(wait)
        {
            return Err((self, error));
        }
        match block_on(self.inner.into_inner()) {
            Ok(inner) => Ok(Sender { inner }),
            Err((inner, error)) => Err((Self { inner }, error)),
        }
    }
}

impl<Tx: Message> AsFd for Batch<Tx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

impl<Tx: Message> AsRawFd for Batch<Tx> {
    fn as_raw_fd(&self) -> RawFd {
        self.inner.as_raw_fd()
    }
}

impl<Tx: Message> fmt::Debug for Batch<Tx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
