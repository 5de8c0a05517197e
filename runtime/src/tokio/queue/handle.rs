//! The handle of a queue, through which tasks send.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use ::tokio::task::coop::cooperative;

use super::shared::{Phase, Shared};
use super::turn::{Closed, Turn};
use crate::backlog::room;
use crate::bundle::Bundle;
use crate::error::SendError;
use crate::message::Message;
use crate::outbox;
use crate::owned_frame::OwnedFrame;
use crate::transport::{Outgoing, check_descriptors};

/// A handle through which many tasks send messages of type `Tx` over one connection.
///
/// Clones are cheap, and send through the same queue.
///
/// [`Sender::into_queue`](crate::tokio::Sender::into_queue) creates a queue, and a [`QueueDriver`] that sends the
/// queued messages: spawn the driver. It holds nothing back, but sends each message as soon as it runs and the socket
/// has room. Messages that are queued at that time travel in bundles of up to 64 KiB, so throughput rises under load.
/// A message over 16 KiB or with descriptors gets its own datagram. Messages are sent in the order of their numbers,
/// which [`send`](Self::send) returns.
///
/// After [`close`](Self::close), or when the last handle is dropped, the driver sends the queued messages, and the
/// queue ends. The queue also ends when the driver fails or is dropped. The driver's result says why.
///
/// ```
/// use datagrammar::Message;
/// use datagrammar::tokio::{Connection, Queue};
///
/// #[derive(Message)]
/// enum Event {
///     #[message(tag = 1)]
///     Measured { sensor: u32, value: f64 },
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (ours, mut theirs) = Connection::<Event, Event>::pair()?;
/// let (tx, _rx) = ours.split();
/// let (queue, driver) = tx.into_queue(64 * 1024);
/// let driver = tokio::spawn(driver);
/// for sensor in 0..4 {
///     let queue: Queue<Event> = queue.clone();
///     tokio::spawn(async move {
///         for value in 0..10 {
///             queue.send(&Event::Measured { sensor, value: value.into() }).await?;
///         }
///         Ok::<_, datagrammar::SendError>(())
///     });
/// }
/// drop(queue);
///
/// let mut sum = 0.0;
/// for _ in 0..40 {
///     let Event::Measured { value, .. } = theirs.recv().await?.expect("an event").decode()?;
///     sum += value;
/// }
/// assert_eq!(sum, 180.0);
/// let _tx = driver.await??;
/// # Ok(())
/// # }
/// ```
///
/// [`QueueDriver`]: crate::tokio::QueueDriver
pub struct Queue<Tx> {
    handles: Arc<Handles>,
    message: PhantomData<fn(Tx)>,
}

/// Closes the queue with the last handle.
#[derive(Debug)]
struct Handles(Arc<Shared>);

impl Drop for Handles {
    fn drop(&mut self) {
        self.0.close(Phase::Closing);
    }
}

/// The result of an attempt to queue a frame.
enum Entry<'q> {
    /// The frame is queued, with this number.
    Queued(u64),
    Turn(Turn<'q>),
}

impl<Tx: Message> Queue<Tx> {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { handles: Arc::new(Handles(shared)), message: PhantomData }
    }

    /// Queues a message, and waits while the queue is full. Returns the message's number: 0 for the first message
    /// of the queue, and so on.
    ///
    /// The message is encoded when the future is first polled. If it must wait, the future keeps the encoded
    /// frame, and calls get room in the order of arrival. The driver sends a queued message later. If that fails, its
    /// [`SendAllError`](crate::SendAllError) has the number of the first message that was not sent.
    ///
    /// If the future is dropped before it returns, the message is not sent. Do not keep a future without polling
    /// it: its room stays reserved, while other calls wait.
    ///
    /// # Errors
    ///
    /// [`SendError::Encode`]; [`SendError::NoDescriptors`] and [`SendError::TooManyDescriptors`];
    /// [`SendError::Closed`] if the queue is closed, or its driver ends, before the message is queued;
    /// [`SendError::Io`] if there is no memory for a large frame.
    pub async fn send(&self, message: &Tx::Borrowed<'_>) -> Result<u64, SendError> {
        let queued = async {
            match self.encode(message, true)? {
                Entry::Queued(number) => Ok(number),
                Entry::Turn(turn) => turn.await,
            }
        };
        cooperative(queued).await
    }

    /// Queues a message if there is room now. Returns its number, as [`send`](Self::send) does.
    ///
    /// The driver makes room when its task runs. So on a runtime of one thread, a loop that never awaits fills the
    /// queue.
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send), and [`SendError::Full`], also while other calls wait for room.
    pub fn try_send(&self, message: &Tx::Borrowed<'_>) -> Result<u64, SendError> {
        match self.encode(message, false)? {
            Entry::Queued(number) => Ok(number),
            Entry::Turn(turn) => turn.finish(),
        }
    }

    /// Queues an encoded or received frame, and waits while the queue is full. Returns its number, as
    /// [`send`](Self::send) does. To send one message to many peers, encode it once.
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send), and [`SendError::DescriptorsTaken`].
    pub async fn send_frame(&self, frame: &OwnedFrame<Tx>) -> Result<u64, SendError> {
        let queued = async {
            match self.copy(frame, true)? {
                Entry::Queued(number) => Ok(number),
                Entry::Turn(turn) => turn.await,
            }
        };
        cooperative(queued).await
    }

    /// Queues an encoded or received frame if there is room now. With this method, a server that sends to many peers
    /// can skip a slow peer, or close its queue.
    ///
    /// # Errors
    ///
    /// Those of [`send_frame`](Self::send_frame), and [`SendError::Full`], also while other calls wait for room.
    pub fn try_send_frame(&self, frame: &OwnedFrame<Tx>) -> Result<u64, SendError> {
        match self.copy(frame, false)? {
            Entry::Queued(number) => Ok(number),
            Entry::Turn(turn) => turn.finish(),
        }
    }

    #[inline]
    fn encode(&self, message: &Tx::Borrowed<'_>, waits: bool) -> Result<Entry<'_>, SendError> {
        let mut entry = Entry::Queued(0);
        outbox::send(message, |frame| {
            entry = self.enter(frame, waits)?;
            Ok(())
        })?;
        Ok(entry)
    }

    fn copy(&self, frame: &OwnedFrame<Tx>, waits: bool) -> Result<Entry<'_>, SendError> {
        let mut entry = Entry::Queued(0);
        frame.send(|frame| {
            entry = self.enter(frame, waits)?;
            Ok(())
        })?;
        Ok(entry)
    }

    /// Queues a small frame if there is room. Otherwise copies the frame, to be queued in its turn. If there is room
    /// for a large frame, its turn comes at once.
    #[inline]
    fn enter(&self, frame: Outgoing<'_>, waits: bool) -> Result<Entry<'_>, SendError> {
        let shared = self.shared();
        let Outgoing { slices, descriptors, len } = frame;
        if !descriptors.is_empty() {
            check_descriptors(shared.kind, descriptors.len())?;
        }
        let mut state = shared.lock();
        if state.phase() != Phase::Open {
            return Err(SendError::Closed);
        }
        let room = room(len, descriptors.len());
        let is_free = state.is_free(room, shared.capacity);
        if is_free && Bundle::admits(len, descriptors.len()) {
            let queued = state.push(slices, len);
            drop(state);
            return Ok(Entry::Queued(queued.wake()));
        }
        if !is_free && !waits {
            return Err(SendError::Full { len, capacity: shared.capacity });
        }
        let key = state.enter(room, is_free);
        let buffer = state.backlog().buffer(len);
        drop(state);
        Turn::new(shared, key, frame, buffer).map(Entry::Turn)
    }
}

impl<Tx> Queue<Tx> {
    /// Closes the queue for all handles: no more messages can be queued, and waiting calls fail. The driver
    /// sends the queued messages, and returns the sender.
    ///
    /// A peer that does not read makes the driver wait. To give up the queued messages, drop the driver. The connection
    /// ends when the sender and the receiver are dropped too.
    pub fn close(&self) {
        self.shared().close(Phase::Closing);
    }

    /// Returns whether sending fails with [`SendError::Closed`].
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared().lock().phase() != Phase::Open
    }

    /// Waits until sending fails with [`SendError::Closed`], because the queue was closed or its driver has ended.
    ///
    /// The driver notices that the peer is gone only when it next sends. To stop serving a peer that can get no more
    /// answers, wait for `closed` and for a `recv` in one `select!`.
    pub async fn closed(&self) {
        Closed::new(self.shared()).await;
    }

    /// Returns the number of messages that are queued and not yet sent, 0 after the driver has ended.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared().lock().len()
    }

    /// Returns whether all queued messages have been sent, or the driver has ended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the capacity, in bytes of encoded frames.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.shared().capacity
    }

    fn shared(&self) -> &Shared {
        &self.handles.0
    }
}

impl<Tx> Clone for Queue<Tx> {
    fn clone(&self) -> Self {
        Self { handles: Arc::clone(&self.handles), message: PhantomData }
    }
}

impl<Tx> fmt::Debug for Queue<Tx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
