//! The sending half of a connection.

use std::fmt;
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Instant;

use datagrammar::tokio as awaited;
use datagrammar::{Message, OwnedFrame, SendAllError, SendError, Wait};

use crate::runtime::{block_on, block_until, retry, retry_all};

/// See [`datagrammar::Sender`].
pub struct Sender<Tx> {
    pub(crate) inner: awaited::Sender<Tx>,
}

#[expect(missing_docs, reason = "they are those of the blocking endpoint")]
impl<Tx: Message> Sender<Tx> {
    pub fn send(&mut self, message: &Tx::Borrowed<'_>) -> Result<usize, SendError> {
        block_on(self.inner.send(message))
    }

    pub fn try_send(&mut self, message: &Tx::Borrowed<'_>) -> Result<usize, SendError> {
        self.inner.try_send(message)
    }

    pub fn send_deadline(
        &mut self,
        message: &Tx::Borrowed<'_>,
        deadline: Instant,
    ) -> Result<usize, SendError> {
        block_on(self.inner.send_deadline(message, deadline))
    }

    pub fn send_all<'m, 'b, I>(&mut self, messages: I, wait: Wait) -> Result<usize, SendAllError>
    where
        I: IntoIterator<Item = &'m Tx::Borrowed<'b>, IntoIter: Clone>,
        Tx::Borrowed<'b>: 'm,
    {
        if wait == Wait::Block {
            return block_on(self.inner.send_all(messages));
        }
        let messages = messages.into_iter();
        let sent = retry_all(wait, |sent| self.inner.try_send_all(messages.clone().skip(sent)))?;
        self.complete(wait);
        Ok(sent)
    }

    /// Sends the rest of a frame that has begun, like a blocking call with a deadline. At the deadline, the rest stays
    /// pending.
    fn complete(&mut self, wait: Wait) {
        if let Wait::Until(_) = wait {
            match self.flush(wait) {
                Ok(()) | Err(SendError::TimedOut { .. }) => {}
                Err(error) => panic!("the rest of a frame was not sent: {error}"),
            }
        }
    }

    pub fn send_frame(&mut self, frame: &OwnedFrame<Tx>, wait: Wait) -> Result<usize, SendError> {
        match wait {
            Wait::Block => block_on(self.inner.send_frame(frame)),
            _ => {
                let len = retry(wait, || self.inner.try_send_frame(frame))?;
                self.complete(wait);
                Ok(len)
            }
        }
    }

    pub fn pending(&self) -> usize {
        self.inner.pending()
    }

    pub fn flush(&mut self, wait: Wait) -> Result<(), SendError> {
        match wait {
            Wait::Block => block_on(self.inner.flush()),
            Wait::Try => self.inner.try_flush(),
            Wait::Until(deadline) => match self.inner.try_flush() {
                Err(SendError::WouldBlock { len }) => block_until(deadline, self.inner.flush())
                    .unwrap_or(Err(SendError::TimedOut { len })),
                result => result,
            },
        }
    }

    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.inner.shutdown(how)
    }
}

impl<Tx> AsFd for Sender<Tx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

impl<Tx> AsRawFd for Sender<Tx> {
    fn as_raw_fd(&self) -> RawFd {
        self.inner.as_raw_fd()
    }
}

impl<Tx> fmt::Debug for Sender<Tx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
