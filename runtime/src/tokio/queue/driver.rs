//! The driver of a queue, which sends the queued messages.

use std::fmt;
use std::future::poll_fn;
use std::io::IoSlice;
use std::os::fd::{AsFd as _, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::handle::Queue;
use super::idle::Idle;
use super::shared::{Aftermath, Phase, Shared};
use crate::backlog::Datagram;
use crate::error::{SendAllError, SendError};
use crate::message::Message;
use crate::tokio::Sender;
use crate::transport::Outgoing;
use crate::wait::Wait;

impl<Tx: Message + 'static> Sender<Tx> {
    /// Puts a queue in front of the sender, so that many tasks can send. Returns a handle to clone for each task, and
    /// the driver to spawn. See [`Queue`].
    ///
    /// `capacity` is the most bytes of encoded frames that may be queued, including those that the driver is sending.
    /// Further sends wait. Each descriptor takes another 4 KiB, so that a peer that does not read cannot make the
    /// queue hold all descriptors that the process may have. A frame longer than the capacity is queued only when the
    /// queue is empty. For most programs, 64 KiB is enough: one full bundle.
    #[must_use = "the driver sends the queued frames: spawn it"]
    pub fn into_queue(self, capacity: usize) -> (Queue<Tx>, QueueDriver<Tx>) {
        let shared = Arc::new(Shared::new(self.inner.fd().kind(), capacity));
        let queue = Queue::new(Arc::clone(&shared));
        (queue, QueueDriver { running: Box::pin(run(self, Ending(shared))) })
    }
}

/// Sends the messages of a [`Queue`].
///
/// It is a future to spawn, or to poll with others.
///
/// When the queue is closed, or all its handles are dropped, the driver sends the queued messages and returns the
/// sender. Dropping the driver ends the queue, and queued messages are not sent.
///
/// After an error, nothing more is sent, and all senders get [`SendError::Closed`]. The [`SendAllError`] counts the
/// messages that were sent, in the order of their numbers. So its `sent` is also the number of the first unsent
/// message. If that message is large, some of its pieces may have been sent.
///
/// ```
/// use datagrammar::tokio::{Connection, Sender};
/// use datagrammar::{Message, SendAllError, SendError};
///
/// #[derive(Message)]
/// enum Event {
///     #[message(tag = 1)]
///     Opened,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (ours, theirs) = Connection::<Event, Event>::pair()?;
/// let (queue, driver) = ours.tx.into_queue(1024);
/// assert_eq!(queue.send(&Event::Opened).await?, 0);
/// drop(theirs);
/// let result: Result<Sender<Event>, SendAllError> = driver.await;
/// assert!(matches!(result, Err(SendAllError { sent: 0, error: SendError::Disconnected, .. })));
/// assert!(matches!(queue.send(&Event::Opened).await, Err(SendError::Closed)));
/// # Ok(())
/// # }
/// ```
#[must_use = "the driver sends the queued frames: spawn it"]
pub struct QueueDriver<Tx> {
    running: Pin<Box<dyn Future<Output = Result<Sender<Tx>, SendAllError>> + Send>>,
}

impl<Tx> Future for QueueDriver<Tx> {
    type Output = Result<Sender<Tx>, SendAllError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.running.as_mut().poll(cx)
    }
}

impl<Tx> fmt::Debug for QueueDriver<Tx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueDriver").finish_non_exhaustive()
    }
}

/// Ends the queue when the driver returns or is dropped.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.close(Phase::Ended);
    }
}

async fn run<Tx: Message>(
    mut sender: Sender<Tx>,
    ending: Ending,
) -> Result<Sender<Tx>, SendAllError> {
    let shared = &ending.0;
    match send_queued(&mut sender, shared).await {
        Ok(()) => Ok(sender),
        Err(error) => Err(SendAllError { sent: shared.lock().sent() as usize, error }),
    }
}

async fn send_queued<Tx: Message>(
    sender: &mut Sender<Tx>,
    shared: &Shared,
) -> Result<(), SendError> {
    // The rest of a frame that the sender has begun.
    sender.flush().await?;
    let (mut done, mut aftermath, mut idle) = (None, Aftermath::default(), Idle::default());
    let mut poll_next = |cx: &mut Context<'_>, done: &mut Option<Datagram>| {
        let next = shared.poll_next(cx, done, &mut aftermath);
        match &next {
            Poll::Ready(_) => idle.touch(),
            Poll::Pending if aftermath.is_large() => idle.poll(cx, shared, &mut aftermath),
            Poll::Pending => {}
        }
        next
    };
    while let Some(mut datagram) = poll_fn(|cx| poll_next(cx, &mut done)).await {
        send(sender, &mut datagram).await?;
        done = Some(datagram);
    }
    Ok(())
}

async fn send<Tx: Message>(
    sender: &mut Sender<Tx>,
    datagram: &mut Datagram,
) -> Result<(), SendError> {
    let (bytes, descriptors) = datagram.content();
    let (slices, len) = ([IoSlice::new(bytes)], bytes.len());
    let descriptors: Vec<_> = descriptors.iter().map(OwnedFd::as_fd).collect();
    let outgoing = Outgoing { slices: &slices, descriptors: &descriptors, len };
    let Sender { inner, outbound } = sender;
    outbound.write(|| inner.send_outgoing(outgoing, Wait::Try)).await?;
    if sender.pending() > 0 {
        // The sender has copied the rest.
        datagram.free();
    }
    sender.flush().await
}
