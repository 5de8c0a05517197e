//! The client that derived clients wrap.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use ::tokio::time::timeout_at;

use super::driver::Driver;
use super::items::Items;
use super::link::{Handle, Link};
use crate::address::Address;
use crate::calls::{
    Answer, Answers, CallError, CallFrame, Core, Observer, Outlet, Protocol, Reply, Returns,
    SpanOutcome, Trace, check_returns,
};
use crate::error::OpenError;
use crate::message::Message as _;
use crate::owned_frame::OwnedFrame;
use crate::tokio::{Connection, Sender};

/// Calls over one connection, from any number of tasks.
///
/// Clones share the connection. See [`Client`](crate::calls::Client).
///
/// The client spawns a task that sends the requests and receives the answers. Requests that are made before the task
/// runs share datagrams. When the last client, call and [`Items`] of the connection are dropped, the task sends the
/// queued requests, and ends.
///
/// A request is encoded and queued when the call is made. So each call takes memory at once, even if the socket is
/// full: bound the number of concurrent calls.
pub struct Client<P> {
    handle: Arc<Handle>,
    deadline: Option<Instant>,
    protocol: PhantomData<fn(P)>,
}

impl<P: Protocol + 'static> Client<P> {
    /// Creates a client that calls over `connection`.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    #[must_use]
    pub fn new(connection: Connection<P, Answers<P>>) -> Self {
        Self::with_observer(connection, Observer::default())
    }

    /// Creates a client that calls over `connection`, and shows each queued request and each received answer to
    /// `observer`: see [`Client::observed`](crate::calls::Client::observed). The observer runs in the tasks that call
    /// and in the client's task, and must not block.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    #[must_use]
    pub fn observed(
        connection: Connection<P, Answers<P>>,
        observer: impl Fn(CallFrame) + Send + Sync + 'static,
    ) -> Self {
        Self::with_observer(connection, Observer::new(observer))
    }

    fn with_observer(connection: Connection<P, Answers<P>>, observer: Observer) -> Self {
        let (sender, mut receiver) = connection.split();
        receiver.inner_mut().accept_calls();
        let Sender { inner, outbound } = sender;
        let link = Arc::new(Link::new(Core::new(Outlet::new(inner), observer)));
        ::tokio::spawn(Driver::new(Arc::clone(&link), receiver, outbound));
        Self { handle: Arc::new(Handle(link)), deadline: None, protocol: PhantomData }
    }

    /// Connects to the server at `address`.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::connect`].
    ///
    /// # Panics
    ///
    /// As [`Connection::connect`].
    pub async fn connect(address: &Address) -> Result<Self, OpenError> {
        Ok(Self::new(Connection::connect(address).await?))
    }
}

impl<P: Protocol> Client<P> {
    /// Returns a client for the same connection whose calls fail with [`CallError::TimedOut`] at `deadline`.
    /// The deadline travels to the server.
    #[must_use]
    pub fn deadline(&self, deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..self.clone() }
    }

    /// Makes a call without an answer. The request is queued before this returns. The future waits while more than 1
    /// MiB is queued. If the request has more than 16 KiB or descriptors, it also waits until the request is sent. The
    /// deadline does not travel: it only bounds these waits.
    ///
    /// # Errors
    ///
    /// [`CallError::NotSent`], also while more than 16 MiB are queued; [`CallError::Disconnected`];
    /// [`CallError::TimedOut`]: the request stays queued.
    pub fn notify(
        &self,
        request: &P::Borrowed<'_>,
    ) -> impl Future<Output = Result<(), CallError>> + Send + use<P> {
        let handle = Arc::clone(&self.handle);
        let trace = Tracing(Trace::client(request.name()));
        let queued = handle.0.core.notify(request);
        handle.0.bell.ring();
        let deadline = self.deadline;
        let sent = async move {
            let queued = queued?;
            let room = poll_fn(|cx| handle.0.poll_room(cx, &queued));
            match deadline {
                None => room.await,
                Some(deadline) => {
                    timeout_at(deadline.into(), room).await.unwrap_or(Err(CallError::TimedOut))
                }
            }
        };
        async move {
            let sent = sent.await;
            trace.end(|| SpanOutcome::of_result(&sent));
            sent
        }
    }

    /// Makes a call. The request is encoded and queued before this returns; the future waits for the answer.
    /// Dropping the future cancels the call.
    ///
    /// # Errors
    ///
    /// A [`CallError`].
    pub fn call<R: Reply + 'static>(
        &self,
        request: &P::Borrowed<'_>,
    ) -> impl Future<Output = Result<Answer<R>, CallError>> + Send + use<P, R> {
        let trace = Tracing(Trace::client(request.name()));
        let waiting = self.begin(request, Returns::answer::<R>()).map(|id| Waiting::<R> {
            handle: Arc::clone(&self.handle),
            id,
            is_done: false,
            reply: PhantomData,
        });
        waiting.iter().for_each(|waiting| trace.0.id(waiting.id));
        let deadline = self.deadline;
        async move {
            let answered = match (waiting, deadline) {
                (Ok(waiting), None) => waiting.await,
                (Ok(waiting), Some(deadline)) => {
                    timeout_at(deadline.into(), waiting).await.unwrap_or(Err(CallError::TimedOut))
                }
                (Err(error), _) => Err(error),
            };
            trace.end(|| SpanOutcome::of_answer(&answered));
            answered.map(Answer::new)
        }
    }

    /// Makes a call that is answered with items. The request is encoded and queued.
    ///
    /// # Errors
    ///
    /// [`CallError::NotSent`], [`CallError::Disconnected`]; [`CallError::TimedOut`] if the deadline has passed;
    /// [`CallError::WrongType`].
    pub fn items<I: 'static>(&self, request: &P::Borrowed<'_>) -> Result<Items<P, I>, CallError> {
        let trace = Trace::client(request.name());
        match self.begin(request, Returns::items::<I>()) {
            Ok(id) => Ok(Items::new(Arc::clone(&self.handle), id, self.deadline, trace)),
            Err(error) => {
                trace.end(|| SpanOutcome::of_error(&error));
                Err(error)
            }
        }
    }

    /// Returns how many calls have no answer yet.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.handle.0.core.table().len()
    }

    /// Returns how many answers were dropped because they belonged to no call: they were late, forged, or of the wrong
    /// kind.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.handle.0.core.table().dropped()
    }

    /// Makes a call that has the answer `asked`. Returns its id.
    fn begin(&self, request: &P::Borrowed<'_>, asked: Returns) -> Result<u64, CallError> {
        check_returns::<P>(request, asked)?;
        self.handle.0.begin(request, asked.has_items(), self.deadline)
    }
}

/// The span of a call. Dropping it with the future of the call notes that the call was cancelled.
struct Tracing(Trace);

impl Tracing {
    fn end(mut self, outcome: impl FnOnce() -> SpanOutcome) {
        self.0.take().end(outcome);
    }
}

impl Drop for Tracing {
    fn drop(&mut self) {
        self.0.take().end(|| SpanOutcome::CANCELLED);
    }
}

/// Waits for the answer of a call.
struct Waiting<R> {
    handle: Arc<Handle>,
    id: u64,
    is_done: bool,
    reply: PhantomData<fn() -> R>,
}

impl<R: Reply> Future for Waiting<R> {
    type Output = Result<OwnedFrame<R>, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = self.handle.0.core.poll_answer(self.id, cx.waker());
        self.is_done = answer.is_ready();
        answer.map(|part| Ok(part?.into_frame()))
    }
}

impl<R> Drop for Waiting<R> {
    fn drop(&mut self) {
        if !self.is_done {
            self.handle.0.cancel(self.id);
        }
    }
}

impl<P> Clone for Client<P> {
    fn clone(&self) -> Self {
        Self { handle: Arc::clone(&self.handle), deadline: self.deadline, protocol: PhantomData }
    }
}

impl<P> fmt::Debug for Client<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}
