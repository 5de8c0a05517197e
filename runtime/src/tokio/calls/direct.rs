//! Calls a service without a socket, to test it.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, ready};
use std::time::Instant;

use ::tokio::time::timeout;

use super::direct_items::DirectItems;
use super::service::Service;
use crate::calls::{
    Answer, Begun, CallError, Outputs, RECHECK, Raw, ReceivedItems, Reply, Returns, Running,
    answer, begin, check, notify,
};
use crate::message::Message;
use crate::peer::Peer;

/// Calls a service without a socket.
///
/// See [`Direct`](crate::calls::Direct). Each handler runs in a task of its own.
///
/// ```
/// use datagrammar::calls::{CallError, Context};
/// use datagrammar::tokio::calls::Direct;
/// use datagrammar::{Message, Peer, Protocol};
///
/// #[derive(Message, Protocol)]
/// enum Sums {
///     #[message(tag = 1, reply = Result<u64, String>)]
///     Add { left: u64, right: u64 },
/// }
///
/// /// Adds for root.
/// struct Adder;
///
/// impl SumsTokioHandler for Adder {
///     async fn add(&self, cx: &Context, left: u64, right: u64) -> Result<u64, String> {
///         match cx.peer() {
///             Some(Peer { uid: 0, .. }) => left.checked_add(right).ok_or("too much".into()),
///             _ => Err("you may not".into()),
///         }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let direct = Direct::new(SumsTokioService(Adder)).peer(Peer::new(0, 0));
/// let mut answer = direct.call::<SumsAddAnswer>(&Sums::Add { left: 1, right: 2 }).await?;
/// assert_eq!(answer.decode()?, 3);
///
/// let direct = Direct::new(SumsTokioService(Adder)).peer(Peer::new(1000, 1000));
/// let mut answer = direct.call::<SumsAddAnswer>(&Sums::Add { left: 1, right: 2 }).await?;
/// assert!(matches!(answer.decode(), Err(CallError::Answered(why)) if why == "you may not"));
/// # Ok(())
/// # }
/// ```
pub struct Direct<S> {
    service: Arc<S>,
    peer: Option<Arc<Peer>>,
    deadline: Option<Instant>,
    /// The connection of [`exchange`](Self::exchange). The mutex is never locked: it makes this `Sync`.
    raw: Mutex<Raw>,
}

/// A request of the protocol of a service.
type Request<'r, S> = <<S as Service>::Protocol as Message>::Borrowed<'r>;

impl<S: Service> Direct<S> {
    /// Creates a caller of `service`.
    pub fn new(service: S) -> Self {
        Self {
            service: Arc::new(service),
            peer: None,
            deadline: None,
            raw: Mutex::new(Raw::new(None)),
        }
    }

    /// Sets the peer that handlers see. By default, there is none, as over vsock.
    #[must_use]
    pub fn peer(self, peer: Peer) -> Self {
        let peer = Arc::new(peer);
        Self { raw: Mutex::new(Raw::new(Some(&peer))), peer: Some(peer), ..self }
    }

    /// Sets the deadline that handlers see. A call whose handler answers later fails with [`CallError::TimedOut`].
    #[must_use]
    pub fn deadline(self, deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// Makes a call without an answer. The call begins before this returns; the future waits until the handler ends. If
    /// the call has an answer, it is dropped.
    ///
    /// # Errors
    ///
    /// [`CallError::NotSent`]: the request cannot be encoded.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn notify(
        &self,
        request: &Request<'_, S>,
    ) -> impl Future<Output = Result<(), CallError>> + Send + use<S> {
        let begun = notify(self.peer.as_ref(), request);
        let handled = begun.map(|call| ::tokio::spawn(Arc::clone(&self.service).handle(call)));
        async move {
            // Fails if the handler has panicked, which the panic hook has reported.
            _ = handled?.await;
            Ok(())
        }
    }

    /// Makes a call. The call begins before this returns; the future waits for the answer. Dropping the future cancels
    /// the call.
    ///
    /// # Errors
    ///
    /// A [`CallError`].
    ///
    /// # Panics
    ///
    /// If the call has no answer, is answered with items, or has an answer other than `R`: the test is wrong.
    /// Outside a tokio runtime.
    #[track_caller]
    pub fn call<R: Reply + 'static>(
        &self,
        request: &Request<'_, S>,
    ) -> impl Future<Output = Result<Answer<R>, CallError>> + Send + use<R, S> {
        check::<S::Protocol>(request, Returns::answer::<R>());
        let begun = self.begin(request);
        async move {
            let (mut outputs, _cancel) = begun?;
            let answered = poll_fn(move |cx| {
                loop {
                    match ready!(outputs.poll_recv(cx)).map(answer) {
                        Some(Some(answer)) => return Poll::Ready(answer),
                        Some(None) => {}
                        None => return Poll::Ready(Err(CallError::Failed)),
                    }
                }
            });
            answered.await
        }
    }

    /// Makes a call that is answered with items. The call begins before this returns. The handler is at most 16 items
    /// ahead, as over a connection.
    ///
    /// # Errors
    ///
    /// [`CallError::NotSent`]: the request cannot be encoded.
    ///
    /// # Panics
    ///
    /// If the call has no items, or items of another type: the test is wrong. Outside a tokio runtime.
    #[track_caller]
    pub fn items<I: Message + 'static>(
        &self,
        request: &Request<'_, S>,
    ) -> Result<DirectItems<I>, CallError> {
        check::<S::Protocol>(request, Returns::items::<I>());
        let Begun { call, running, outputs } = begin(self.peer.as_ref(), self.deadline, request)?;
        ::tokio::spawn(Arc::clone(&self.service).handle(call));
        Ok(DirectItems(ReceivedItems::new(outputs, running)))
    }

    /// Gives the service a datagram of a client, and returns the datagrams that the service sends. Waits until the call
    /// ends or waits for more credit, or until the handler of a call without an answer ends. See
    /// [`Direct::exchange`](crate::calls::Direct::exchange).
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with time.
    ///
    /// ```
    /// use datagrammar::calls::Context;
    /// use datagrammar::tokio::calls::Direct;
    /// use datagrammar::{Message, Protocol};
    ///
    /// #[derive(Message, Protocol)]
    /// enum Sums {
    ///     #[message(tag = 1, reply = u64)]
    ///     Add { left: u64, right: u64 },
    /// }
    ///
    /// struct Adder;
    ///
    /// impl SumsTokioHandler for Adder {
    ///     async fn add(&self, _cx: &Context, left: u64, right: u64) -> u64 {
    ///         left + right
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut direct = Direct::new(SumsTokioService(Adder));
    /// // A request without a deadline, of the call 7.
    /// let request = b"\0\x05\0\0\0\0\x07\0\0\0\0\0\0\0\x01\x02\x03";
    /// assert_eq!(direct.exchange(request).await, [b"\0\x06\0\0\0\0\x07\0\0\0\0\0\0\0\x01\x05"]);
    /// # }
    /// ```
    pub async fn exchange(&mut self, datagram: &[u8]) -> Vec<Vec<u8>> {
        let Self { service, raw, .. } = self;
        let raw = raw.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut handling = None;
        let open = raw.accept(datagram, |call| {
            handling = Some(::tokio::spawn(Arc::clone(service).handle(call)));
        });
        let mut all = Vec::new();
        match (open, handling) {
            (Some(open), _) => loop {
                match timeout(RECHECK, poll_fn(|cx| raw.poll_part(&open, cx))).await {
                    Ok(Some((part, is_last))) => {
                        all.push(part);
                        if is_last {
                            break;
                        }
                    }
                    Err(_) if !open.is_quiet() => {}
                    Ok(None) | Err(_) => break,
                }
            },
            // Fails if the handler has panicked, which the panic hook has reported.
            (None, Some(handling)) => _ = handling.await,
            (None, None) => {}
        }
        all.extend(raw.queued());
        all
    }

    /// Begins a call in a task.
    fn begin(&self, request: &Request<'_, S>) -> Result<(Outputs, CancelOnDrop), CallError> {
        let Begun { call, running, outputs } = begin(self.peer.as_ref(), self.deadline, request)?;
        ::tokio::spawn(Arc::clone(&self.service).handle(call));
        Ok((outputs, CancelOnDrop(running)))
    }
}

/// Cancels a call, unless it has ended.
struct CancelOnDrop(Arc<Running>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl<S> fmt::Debug for Direct<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direct").field("peer", &self.peer).finish_non_exhaustive()
    }
}
