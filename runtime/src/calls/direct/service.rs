//! Calls with typed requests and answers.

use std::fmt;
use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use super::items::DirectItems;
use super::local::{self, Begun, answer, begin, check};
use super::raw::Raw;
use super::received::ReceivedItems;
use crate::calls::client::Answer;
use crate::calls::protocol::Reply;
use crate::calls::returns::Returns;
use crate::calls::server::{Call, Service};
use crate::error::CallError;
use crate::message::Message;
use crate::peer::Peer;

/// Calls a service without a socket, to test it: requests are encoded and handled as if they had been received.
///
/// [`call`](Self::call) and [`items`](Self::items) panic if the test asks for an answer that does not fit the call.
///
/// ```
/// use datagrammar::calls::{CallError, Context, Direct};
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
/// impl SumsHandler for Adder {
///     fn add(&self, cx: &Context, left: u64, right: u64) -> Result<u64, String> {
///         match cx.peer() {
///             Some(Peer { uid: 0, .. }) => left.checked_add(right).ok_or("too much".into()),
///             _ => Err("you may not".into()),
///         }
///     }
/// }
///
/// let direct = Direct::new(SumsService(Adder)).peer(Peer::new(0, 0));
/// let mut answer = direct.call::<SumsAddAnswer>(&Sums::Add { left: 1, right: 2 })?;
/// assert_eq!(answer.decode()?, 3);
///
/// let direct = Direct::new(SumsService(Adder)).peer(Peer::new(1000, 1000));
/// let mut answer = direct.call::<SumsAddAnswer>(&Sums::Add { left: 1, right: 2 })?;
/// assert!(matches!(answer.decode(), Err(CallError::Answered(why)) if why == "you may not"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Direct<S> {
    service: Arc<S>,
    peer: Option<Arc<Peer>>,
    deadline: Option<Instant>,
    /// The connection of [`exchange`](Self::exchange), after its first use.
    raw: Mutex<Option<Raw>>,
}

impl<S: Service + 'static> Direct<S> {
    /// Creates a caller of `service`.
    pub fn new(service: S) -> Self {
        Self { service: Arc::new(service), peer: None, deadline: None, raw: Mutex::new(None) }
    }

    /// Sets the peer that handlers see. By default, there is none, as over vsock.
    #[must_use]
    pub fn peer(self, peer: Peer) -> Self {
        Self { peer: Some(Arc::new(peer)), raw: Mutex::new(None), ..self }
    }

    /// Sets the deadline that handlers see. A call whose handler answers later fails with [`CallError::TimedOut`].
    #[must_use]
    pub fn deadline(self, deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// Makes a call without an answer. Returns when the handler returns. If the call has an answer, it is dropped.
    ///
    /// # Errors
    ///
    /// [`CallError::NotSent`]: the request cannot be encoded.
    pub fn notify(&self, request: &Request<'_, S>) -> Result<(), CallError> {
        handle(&*self.service, local::notify(self.peer.as_ref(), request)?);
        Ok(())
    }

    /// Makes a call, and waits for its answer. The handler runs on this thread.
    ///
    /// # Errors
    ///
    /// A [`CallError`].
    ///
    /// # Panics
    ///
    /// If the call has no answer, is answered with items, or has an answer other than `R`: the test is wrong.
    #[track_caller]
    pub fn call<R: Reply + 'static>(
        &self,
        request: &Request<'_, S>,
    ) -> Result<Answer<R>, CallError> {
        check::<S::Protocol>(request, Returns::answer::<R>());
        let begun = begin(self.peer.as_ref(), self.deadline, request)?;
        handle(&*self.service, begun.call);
        // The handler may have moved its responder to another thread. Dropping the responder also answers.
        iter::from_fn(|| begun.outputs.recv()).find_map(answer).unwrap_or(Err(CallError::Failed))
    }

    /// Makes a call that is answered with items. The handler runs on a thread of its own, at most 16 items
    /// ahead, as over a connection.
    ///
    /// # Errors
    ///
    /// [`CallError::NotSent`]: the request cannot be encoded.
    ///
    /// # Panics
    ///
    /// If the call has no items, or items of another type: the test is wrong.
    #[track_caller]
    pub fn items<I: Message + 'static>(
        &self,
        request: &Request<'_, S>,
    ) -> Result<DirectItems<I>, CallError> {
        check::<S::Protocol>(request, Returns::items::<I>());
        let Begun { call, running, outputs } = begin(self.peer.as_ref(), self.deadline, request)?;
        let service = Arc::clone(&self.service);
        thread::spawn(move || handle(&*service, call));
        Ok(DirectItems(ReceivedItems::new(outputs, running)))
    }

    /// Gives the service a datagram of a client, and returns the datagrams that the service sends until the call ends
    /// or waits for more credit. All datagrams belong to one connection. See [the wire](crate::wire) for the bytes.
    ///
    /// The datagram is an ordinary frame or a part of a call: a request, a cancellation or credit. Anything else is
    /// ignored, such as a bundle or a piece of a longer frame. A datagram has no descriptors here. A handler that
    /// waits for anything but credit blocks this method: test it with [`items`](Self::items).
    ///
    /// ```
    /// use datagrammar::calls::{Context, Direct};
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
    /// impl SumsHandler for Adder {
    ///     fn add(&self, _cx: &Context, left: u64, right: u64) -> u64 {
    ///         left + right
    ///     }
    /// }
    ///
    /// let direct = Direct::new(SumsService(Adder));
    /// // A request without a deadline, of the call 7.
    /// let request = b"\0\x05\0\0\0\0\x07\0\0\0\0\0\0\0\x01\x02\x03";
    /// assert_eq!(direct.exchange(request), [b"\0\x06\0\0\0\0\x07\0\0\0\0\0\0\0\x01\x05"]);
    /// // The protocol has no call with tag 9.
    /// let request = b"\0\x05\0\0\0\0\x08\0\0\0\0\0\0\0\x09";
    /// assert_eq!(direct.exchange(request), [b"\0\x06\x01\0\0\0\x08\0\0\0\0\0\0\0"]);
    /// ```
    pub fn exchange(&self, datagram: &[u8]) -> Vec<Vec<u8>> {
        let mut raw = self.raw.lock().unwrap_or_else(PoisonError::into_inner);
        let raw = raw.get_or_insert_with(|| Raw::new(self.peer.as_ref()));
        let open = raw.accept(datagram, |call| match call.has_items() {
            true => {
                let service = Arc::clone(&self.service);
                thread::spawn(move || handle(&*service, call));
            }
            false => handle(&*self.service, call),
        });
        open.map_or_else(|| raw.queued(), |open| raw.until_quiet(&open))
    }
}

/// A request of the protocol of a service.
type Request<'r, S> = <<S as Service>::Protocol as Message>::Borrowed<'r>;

/// Calls the handler. If the handler panics, its caller gets an error.
fn handle<S: Service>(service: &S, call: Call<S::Protocol>) {
    // The panic hook has reported it, and dropping the call has answered it.
    _ = catch_unwind(AssertUnwindSafe(|| service.handle(call)));
}

impl<S> fmt::Debug for Direct<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direct").field("peer", &self.peer).finish_non_exhaustive()
    }
}
