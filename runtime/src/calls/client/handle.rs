//! The client that derived clients wrap.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::answer::Answer;
use super::begun::Begun;
use super::check::check;
use super::items::Items;
use super::link::Link;
use super::pending::PendingCall;
use crate::address::Address;
use crate::calls::frame::{CallFrame, Observer};
use crate::calls::protocol::{Answers, Protocol, Reply};
use crate::calls::returns::Returns;
use crate::calls::trace::{SpanOutcome, Trace};
use crate::connection::Connection;
use crate::error::{CallError, OpenError};
use crate::message::Message as _;

/// Calls over one connection, from any number of threads.
///
/// Clones share the connection.
///
/// The derive makes a client with a method for each call, which wraps this one.
///
/// ```
/// use datagrammar::calls::{Client, Script};
/// use datagrammar::{Message, Protocol};
///
/// #[derive(Message, Protocol)]
/// enum Sums {
///     #[message(tag = 1, reply = u64)]
///     Add { left: u64, right: u64 },
/// }
///
/// let (connection, mut script) = Script::<Sums>::new()?;
/// script.expect(|call| matches!(call, Sums::Add { left: 1, .. })).answer::<SumsAddAnswer>(Ok(3));
/// let playing = script.play();
///
/// let client = Client::<Sums>::new(connection);
/// let mut answer = client.call::<SumsAddAnswer>(&Sums::Add { left: 1, right: 2 })?;
/// assert_eq!(answer.decode()?, 3);
/// assert_eq!((client.in_flight(), client.dropped()), (0, 0));
/// drop(client);
/// playing.finish()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Client<P: Protocol> {
    link: Arc<Link<P>>,
    deadline: Option<Instant>,
}

impl<P: Protocol> Client<P> {
    /// Creates a client that calls over `connection`.
    #[must_use]
    pub fn new(connection: Connection<P, Answers<P>>) -> Self {
        Self { link: Arc::new(Link::new(connection, Observer::default())), deadline: None }
    }

    /// Creates a client that calls over `connection`, and shows each sent request and each received answer to
    /// `observer`. The observer runs on the threads that call, before they get their answers, so it should be fast.
    ///
    /// If the observer panics over a request, so does the method that makes the call, and the call is cancelled. If it
    /// panics over an answer, the call gets the answer.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use std::sync::Arc;
    ///
    /// use datagrammar::calls::{CallFrameKind, Client, Script};
    /// use datagrammar::{Message, Protocol};
    ///
    /// #[derive(Message, Protocol)]
    /// enum Sums {
    ///     #[message(tag = 1, reply = u64)]
    ///     Add { left: u64, right: u64 },
    /// }
    ///
    /// let (connection, mut script) = Script::<Sums>::new()?;
    /// script.expect(|_| true).answer::<SumsAddAnswer>(Ok(3));
    /// let playing = script.play();
    ///
    /// let received = Arc::new(AtomicUsize::new(0));
    /// let counter = Arc::clone(&received);
    /// let client = SumsClient::from(Client::observed(connection, move |frame| {
    ///     println!("{:?} of {:?}: {} bytes", frame.kind, frame.call, frame.len);
    ///     if frame.kind == CallFrameKind::Reply {
    ///         counter.fetch_add(frame.len, Ordering::Relaxed);
    ///     }
    /// }));
    /// assert_eq!(client.add(1, 2)?, 3);
    /// assert_eq!(received.load(Ordering::Relaxed), 14 + 2);
    /// playing.finish()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn observed(
        connection: Connection<P, Answers<P>>,
        observer: impl Fn(CallFrame) + Send + Sync + 'static,
    ) -> Self {
        let link = Link::new(connection, Observer::new(observer));
        Self { link: Arc::new(link), deadline: None }
    }

    /// Connects to the server at `address`.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::connect`].
    pub fn connect(address: &Address) -> Result<Self, OpenError> {
        Ok(Self::new(Connection::connect(address)?))
    }

    /// Returns a client for the same connection whose calls fail with [`CallError::TimedOut`] at `deadline`. The
    /// deadline travels to the server.
    #[must_use]
    pub fn deadline(&self, deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..self.clone() }
    }

    /// Makes a call without an answer, and waits for room in the socket until the deadline. The deadline does not
    /// travel: if there is room, the request is sent even after it.
    ///
    /// # Errors
    ///
    /// [`CallError::NotSent`], [`CallError::Disconnected`]; [`CallError::TimedOut`] if there was no room: the request
    /// is still queued, and is sent with the next call.
    pub fn notify(&self, request: &P::Borrowed<'_>) -> Result<(), CallError> {
        let trace = Trace::client(request.name());
        let sent = self.link.notify(request, self.deadline);
        trace.end(|| SpanOutcome::of_result(&sent));
        sent
    }

    /// Makes a call, and waits for its answer.
    ///
    /// # Errors
    ///
    /// A [`CallError`].
    pub fn call<R: Reply + 'static>(
        &self,
        request: &P::Borrowed<'_>,
    ) -> Result<Answer<R>, CallError> {
        self.start(request)?.wait()
    }

    /// Makes a call, without waiting for its answer. So one thread can have several calls in flight, and can give up a
    /// call by dropping it. The client receives answers only while a thread waits for one.
    ///
    /// The client that the derive makes has no such method, but `as_ref` returns the client that it wraps:
    ///
    /// ```
    /// # use datagrammar::calls::{CallError, PendingCall};
    /// # use datagrammar::{Message, Protocol};
    /// #[derive(Message, Protocol)]
    /// enum Sums {
    ///     #[message(tag = 1, reply = u64)]
    ///     Add { left: u64, right: u64 },
    /// }
    ///
    /// /// Returns the sums, which the server computes at the same time.
    /// fn sums(client: &SumsClient, of: &[(u64, u64)]) -> Result<Vec<u64>, CallError> {
    ///     let start = |&(left, right)| {
    ///         client.as_ref().start::<SumsAddAnswer>(&Sums::Add { left, right })
    ///     };
    ///     let calls = of.iter().map(start).collect::<Result<Vec<_>, _>>()?;
    ///     calls.into_iter().map(|call| call.wait()?.decode()).collect()
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CallError::NotSent`], [`CallError::Disconnected`]; [`CallError::TimedOut`] if the deadline has passed;
    /// [`CallError::WrongType`].
    pub fn start<R: Reply + 'static>(
        &self,
        request: &P::Borrowed<'_>,
    ) -> Result<PendingCall<P, R>, CallError> {
        self.begin(request, Returns::answer::<R>()).map(PendingCall::new)
    }

    /// Makes a call that is answered with items.
    ///
    /// # Errors
    ///
    /// [`CallError::NotSent`], [`CallError::Disconnected`]; [`CallError::TimedOut`] if the deadline has passed;
    /// [`CallError::WrongType`].
    pub fn items<I: 'static>(&self, request: &P::Borrowed<'_>) -> Result<Items<P, I>, CallError> {
        self.begin(request, Returns::items::<I>()).map(Items::new)
    }

    /// Makes a call that has the answer `asked`.
    fn begin(&self, request: &P::Borrowed<'_>, asked: Returns) -> Result<Begun<P>, CallError> {
        let trace = Trace::client(request.name());
        let begun = check::<P>(request, asked)
            .and_then(|()| self.link.begin(request, asked.has_items(), self.deadline));
        match begun {
            Ok(id) => {
                trace.id(id);
                Ok(Begun::new(Arc::clone(&self.link), id, self.deadline, trace))
            }
            Err(error) => {
                trace.end(|| SpanOutcome::of_error(&error));
                Err(error)
            }
        }
    }

    /// Returns how many calls have no answer yet.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.link.in_flight()
    }

    /// Returns how many answers were dropped because they belonged to no call: they were late, forged, or of the wrong
    /// kind.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.link.dropped()
    }
}

impl<P: Protocol> Clone for Client<P> {
    fn clone(&self) -> Self {
        Self { link: Arc::clone(&self.link), deadline: self.deadline }
    }
}

impl<P: Protocol> fmt::Debug for Client<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}
