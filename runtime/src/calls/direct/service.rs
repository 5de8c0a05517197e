//! Calls with typed requests and answers.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Instant;

use super::items::DirectItems;
use super::local::{frame, handle, session};
use super::raw::Raw;
use crate::calls::client::Answer;
use crate::calls::memory::Sent;
use crate::calls::protocol::{Protocol, Reply};
use crate::calls::server::{Call, Running, Service};
use crate::calls::status::Status;
use crate::error::{CallError, SendError};
use crate::message::Message;
use crate::owned_frame::OwnedFrame;
use crate::peer::Peer;

/// The only call of its session.
const ID: u64 = 1;

/// Calls a service without a socket, to test it: requests are encoded and handled as if they had been received.
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
    /// The connection of [`exchange`](Self::exchange), once it is used.
    raw: Mutex<Option<Raw>>,
}

impl<S: Service + 'static> Direct<S> {
    /// Calls `service`.
    pub fn new(service: S) -> Self {
        Self { service: Arc::new(service), peer: None, deadline: None, raw: Mutex::new(None) }
    }

    /// Sets who calls. Nobody is known by default, as over vsock.
    #[must_use]
    pub fn peer(self, peer: Peer) -> Self {
        Self { peer: Some(Arc::new(peer)), raw: Mutex::new(None), ..self }
    }

    /// Sets the deadline that handlers see.
    #[must_use]
    pub fn deadline(self, deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// Makes a call without an answer. Returns when the handler does.
    ///
    /// # Errors
    ///
    /// [`CallError::NotSent`]: the request cannot be encoded.
    pub fn notify(&self, request: &Request<'_, S>) -> Result<(), CallError> {
        let frame = encode(request)?;
        let (session, _sent) = session(self.peer.clone());
        let running = Arc::new(Running::new(None, false));
        handle(&*self.service, Call::new(frame, session, running, None));
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
    /// If the call is answered with items: the test is wrong.
    #[track_caller]
    pub fn call<R: Reply>(&self, request: &Request<'_, S>) -> Result<Answer<R>, CallError> {
        let has_items = <S::Protocol as Protocol>::has_items(request.tag());
        assert!(!has_items, "{} is answered with items: call Direct::items", request.name());
        let (call, _running, sent) = self.begin(request)?;
        handle(&*self.service, call);
        // The handler may have handed its responder to another thread. Dropping that answers, too.
        let answer = sent.into_iter().find(|sent| sent.is_last_of(ID)).ok_or(CallError::Failed)?;
        match answer.head().and_then(|head| Status::new(head.number).into_error()) {
            Some(error) => Err(error),
            None => Ok(Answer::new(frame(answer))),
        }
    }

    /// Makes a call that is answered with items. The handler runs on a thread of its own, and is at most 16 items
    /// ahead, as over a connection.
    ///
    /// # Errors
    ///
    /// [`CallError::NotSent`]: the request cannot be encoded.
    ///
    /// # Panics
    ///
    /// If the call is not answered with items: the test is wrong.
    #[track_caller]
    pub fn items<I: Message>(&self, request: &Request<'_, S>) -> Result<DirectItems<I>, CallError> {
        let has_items = <S::Protocol as Protocol>::has_items(request.tag());
        assert!(has_items, "{} is not answered with items: call Direct::call", request.name());
        let (call, running, sent) = self.begin(request)?;
        let service = Arc::clone(&self.service);
        thread::spawn(move || handle(&*service, call));
        Ok(DirectItems::new(sent, running))
    }

    /// Gives the service a datagram of a client, and returns what it sends until the call ends or waits for more
    /// credit. All datagrams belong to one connection. See [the wire](crate::wire) for the bytes.
    ///
    /// The datagram is an ordinary frame or a part of a call: a request, a cancellation or credit. Anything else is
    /// ignored, like a bundle or a piece of a longer frame. No descriptors come with it. A handler that
    /// waits for something else than credit holds this function up: test it with [`items`](Self::items).
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
    /// // Nobody knows the call with tag 9.
    /// let request = b"\0\x05\0\0\0\0\x08\0\0\0\0\0\0\0\x09";
    /// assert_eq!(direct.exchange(request), [b"\0\x06\x01\0\0\0\x08\0\0\0\0\0\0\0"]);
    /// ```
    pub fn exchange(&self, datagram: &[u8]) -> Vec<Vec<u8>> {
        let mut raw = self.raw.lock().unwrap_or_else(PoisonError::into_inner);
        let raw = raw.get_or_insert_with(|| Raw::new(self.peer.clone()));
        raw.exchange(&self.service, datagram)
    }

    fn begin(&self, request: &Request<'_, S>) -> Result<Begun<S>, CallError> {
        let frame = encode(request)?;
        let (session, sent) = session(self.peer.clone());
        let is_stream = <S::Protocol as Protocol>::has_items(request.tag());
        let running = session.begin(ID, self.deadline, is_stream).ok_or(CallError::Failed)?;
        let call = Call::new(frame, session, Arc::clone(&running), Some(ID));
        Ok((call, running, sent))
    }
}

/// A call that has begun, and what the service sends for it.
type Begun<S> = (Call<<S as Service>::Protocol>, Arc<Running>, mpsc::Receiver<Sent>);

/// A request of the protocol of a service.
type Request<'r, S> = <<S as Service>::Protocol as Message>::Borrowed<'r>;

fn encode<P: Message>(request: &P::Borrowed<'_>) -> Result<OwnedFrame<P>, CallError> {
    let not_sent = |error| CallError::NotSent(Arc::new(SendError::Encode(error)));
    OwnedFrame::encode(request).map_err(not_sent)
}

impl<S> fmt::Debug for Direct<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direct").field("peer", &self.peer).finish_non_exhaustive()
    }
}
