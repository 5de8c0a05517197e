//! Messages that are sent together.

use std::fmt;
use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use crate::error::{SendAllError, SendError};
use crate::message::{BORROW_FROM, Message};
use crate::outbox::{self, MAX_AHEAD};
use crate::sender::Sender;
use crate::transport::{MAX_TOGETHER, Parcel};
use crate::wait::Wait;

/// Collects messages of type `Tx`, and sends up to 32 of them by one system call.
///
/// They go when [`flush`](Self::flush) is called, and before one is pushed to a queue of 32 frames or 64 KiB. Until
/// then, nobody receives them, and clones of the sender overtake them. For messages that are all there, see
/// [`Sender::send_all`].
///
/// Each message is encoded once, when it is pushed. One of 4 KiB or more, and one with descriptors, is not
/// copied into the queue: it is sent at once, after those before it.
///
/// Dropping a queue sends what there is room for and does not tell of the rest: flush it before.
///
/// ```
/// use datagrammar::{Connection, Message, Queue};
///
/// #[derive(Message)]
/// enum Sample {
///     #[message(tag = 1)]
///     Load(f32),
/// }
///
/// let (ours, mut theirs) = Connection::<Sample, Sample>::pair()?;
/// let mut queue: Queue<Sample> = Queue::new(ours.split().0);
/// for load in [0.1, 0.2, 0.3] {
///     queue.push(&Sample::Load(load))?;
/// }
/// assert!(theirs.try_recv().is_err() && queue.len() == 3);
///
/// queue.flush()?;
/// assert!(queue.is_empty());
/// let Sample::Load(load) = theirs.recv()?.expect("a frame").decode()?;
/// assert_eq!(load, 0.1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Queue<Tx: Message> {
    sender: Sender<Tx>,
    /// The frames, one behind the other.
    frames: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl<Tx: Message> Queue<Tx> {
    /// An empty queue.
    #[must_use]
    pub fn new(sender: Sender<Tx>) -> Self {
        Self { sender, frames: Vec::new(), ends: Vec::new() }
    }

    /// How many messages have not been sent.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether all messages have been sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Adds a message. If there is no place for it, sends those before it first, waiting for room as long as
    /// it takes.
    ///
    /// # Errors
    ///
    /// [`SendAllError`]: how many of those before were sent, and why the next one was not, as
    /// [`Sender::send`]. The message has not been added then. What has been added, and not sent, still is in
    /// the queue.
    pub fn push(&mut self, message: &Tx::Borrowed<'_>) -> Result<(), SendAllError> {
        self.push_waiting(message, Wait::Block)
    }

    /// As [`push`](Self::push), but never waits.
    ///
    /// ```
    /// use datagrammar::{Connection, Message, Queue, SendError};
    ///
    /// #[derive(Message)]
    /// enum Sample {
    ///     #[message(tag = 1)]
    ///     Load(f32),
    /// }
    ///
    /// // Nobody receives.
    /// let (ours, theirs) = Connection::<Sample, Sample>::pair()?;
    /// let mut queue = Queue::new(ours.split().0);
    /// let full = loop {
    ///     if let Err(full) = queue.try_push(&Sample::Load(0.5)) {
    ///         break full;
    ///     }
    /// };
    /// assert!(matches!(full.error, SendError::WouldBlock { .. }));
    /// assert_eq!(queue.len(), 32);
    /// # drop(theirs);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push), with [`SendError::WouldBlock`] where there is no room, and
    /// [`SendError::TooLarge`] as [`Sender::try_send`].
    pub fn try_push(&mut self, message: &Tx::Borrowed<'_>) -> Result<(), SendAllError> {
        self.push_waiting(message, Wait::Try)
    }

    /// As [`push`](Self::push), waiting until `deadline` at most.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push), and [`SendError::TimedOut`].
    pub fn push_deadline(
        &mut self,
        message: &Tx::Borrowed<'_>,
        deadline: Instant,
    ) -> Result<(), SendAllError> {
        self.push_waiting(message, Wait::Until(deadline))
    }

    /// Sends all messages, waiting for room as long as it takes. Returns how many were left to
    /// send.
    ///
    /// # Errors
    ///
    /// [`SendAllError`]: how many were sent, and why the next one was not, as [`Sender::send`]. That one and
    /// those after it still are in the queue.
    pub fn flush(&mut self) -> Result<usize, SendAllError> {
        self.flush_waiting(Wait::Block)
    }

    /// Sends the messages that there is room for now.
    ///
    /// # Errors
    ///
    /// As [`flush`](Self::flush), and [`SendError::WouldBlock`].
    pub fn try_flush(&mut self) -> Result<usize, SendAllError> {
        self.flush_waiting(Wait::Try)
    }

    /// Sends all messages, waiting for room until `deadline` at most.
    ///
    /// # Errors
    ///
    /// As [`flush`](Self::flush), and [`SendError::TimedOut`].
    pub fn flush_deadline(&mut self, deadline: Instant) -> Result<usize, SendAllError> {
        self.flush_waiting(Wait::Until(deadline))
    }

    fn push_waiting(&mut self, message: &Tx::Borrowed<'_>, wait: Wait) -> Result<(), SendAllError> {
        let mut sent = 0;
        let result = outbox::send(message, |parcel| {
            let is_small = parcel.descriptors.is_empty() && parcel.len < BORROW_FROM;
            let is_full = self.ends.len() >= MAX_TOGETHER || self.frames.len() >= MAX_AHEAD;
            if is_full || !is_small {
                let before = self.len();
                let flushed = self.flush_waiting(wait);
                sent = before - self.len();
                match flushed {
                    // There is a place for it now.
                    Err(SendAllError { error: SendError::WouldBlock { .. }, .. })
                        if is_small && sent > 0 => {}
                    flushed => _ = flushed.map_err(|stopped| stopped.error)?,
                }
            }
            if !is_small {
                return self.sender.transmit(parcel, wait);
            }
            for slice in parcel.slices {
                self.frames.extend_from_slice(slice);
            }
            self.ends.push(self.frames.len());
            Ok(())
        });
        result.map(|_len| ()).map_err(|error| SendAllError { sent, error })
    }

    fn flush_waiting(&mut self, wait: Wait) -> Result<usize, SendAllError> {
        let mut slices = [IoSlice::new(&[]); MAX_TOGETHER];
        let mut start = 0;
        for (slice, &end) in slices.iter_mut().zip(&self.ends) {
            *slice = IoSlice::new(self.frames.get(start..end).unwrap_or_default());
            start = end;
        }
        let mut parcels = [Parcel::EMPTY; MAX_TOGETHER];
        for (parcel, slice) in parcels.iter_mut().zip(slices.chunks(1)) {
            let len = slice.iter().map(|slice| slice.len()).sum();
            *parcel = Parcel { slices: slice, descriptors: &[], len };
        }
        let count = self.ends.len();
        let result = self.sender.transmit_all(parcels.get(..count).unwrap_or_default(), wait);
        let sent = result.as_ref().map_or_else(|stopped| stopped.sent, |()| count);
        self.remove(sent);
        result.map(|()| count).map_err(|stopped| SendAllError { sent, error: stopped.error })
    }

    /// Removes the first `count` messages.
    fn remove(&mut self, count: usize) {
        let Some(end) = self.ends.drain(..count).next_back() else { return };
        self.frames.drain(..end);
        for left in &mut self.ends {
            *left -= end;
        }
    }
}

impl<Tx: Message> Drop for Queue<Tx> {
    fn drop(&mut self) {
        // As documented: nobody could be told.
        _ = self.try_flush();
    }
}

impl<Tx: Message> AsFd for Queue<Tx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.sender.as_fd()
    }
}

impl<Tx: Message> fmt::Debug for Queue<Tx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("sender", &self.sender)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
