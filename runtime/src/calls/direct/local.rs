//! Calls over a connection in memory.

use std::sync::Arc;
use std::time::Instant;

use crate::calls::client::Answer;
use crate::calls::memory::{Memory, Outputs, Sent};
use crate::calls::outlet::Outlet;
use crate::calls::protocol::{Protocol, Reply};
use crate::calls::returns::Returns;
use crate::calls::server::{Call, Running, Session};
use crate::calls::status::Status;
use crate::error::{CallError, SendError};
use crate::message::{Descriptors, Message};
use crate::owned_frame::OwnedFrame;
use crate::peer::Peer;
use crate::wire::HEAD_LEN;

/// The only call of its connection.
const ID: u64 = 1;

/// A call that has begun, and the parts that the service sends for it.
pub(crate) struct Begun<P> {
    pub(crate) call: Call<P>,
    pub(crate) running: Arc<Running>,
    pub(crate) outputs: Outputs,
}

/// Begins a call on a connection of its own.
pub(crate) fn begin<P: Protocol>(
    peer: Option<&Arc<Peer>>,
    deadline: Option<Instant>,
    request: &P::Borrowed<'_>,
) -> Result<Begun<P>, CallError> {
    let frame = encode(request)?;
    let (session, outputs) = session(peer);
    let is_stream = P::returns(request.tag()).has_items();
    let running = session.begin(ID, deadline, is_stream).map_err(|_| CallError::Failed)?;
    let call = Call::new(frame, session, Arc::clone(&running), Some(ID));
    Ok(Begun { call, running, outputs })
}

/// Begins a call without an answer.
pub(crate) fn notify<P: Protocol>(
    peer: Option<&Arc<Peer>>,
    request: &P::Borrowed<'_>,
) -> Result<Call<P>, CallError> {
    let frame = encode(request)?;
    let (session, _) = session(peer);
    let running = session.begin_unanswered(false);
    Ok(Call::new(frame, session, running, None))
}

/// Returns a connection, and the parts that the service sends over it.
pub(super) fn session(peer: Option<&Arc<Peer>>) -> (Arc<Session>, Outputs) {
    let (memory, outputs) = Memory::new();
    (Arc::new(Session::new(None, Outlet::in_memory(memory), peer.cloned())), outputs)
}

/// Returns the answer, if `sent` ends the call.
pub(crate) fn answer<R: Reply>(sent: Sent) -> Option<Result<Answer<R>, CallError>> {
    if !sent.ends(ID) {
        return None;
    }
    Some(match sent.head().and_then(|head| Status::new(head.number).into_error()) {
        Some(error) => Err(error),
        None => Ok(Answer::new(frame(sent))),
    })
}

/// Returns the frame after the head.
pub(super) fn frame<M: Message>(sent: Sent) -> OwnedFrame<M> {
    OwnedFrame::with_start(sent.bytes, HEAD_LEN, Descriptors::from(sent.descriptors))
}

/// Checks that a request has the kind of answer that the test asks for.
#[track_caller]
pub(crate) fn check<P: Protocol>(request: &P::Borrowed<'_>, asked: Returns) {
    let (name, returns) = (request.name(), P::returns(request.tag()));
    match (returns.has_items(), asked.has_items()) {
        _ if returns.is_nothing() => panic!("{name} has no answer: call Direct::notify"),
        (true, false) => panic!("{name} is answered with items: call Direct::items"),
        (false, true) => panic!("{name} is not answered with items: call Direct::call"),
        _ => assert!(returns.fits(asked), "{name} has {returns}, not {asked}"),
    }
}

fn encode<P: Message>(request: &P::Borrowed<'_>) -> Result<OwnedFrame<P>, CallError> {
    let not_sent = |error| CallError::NotSent(Arc::new(SendError::Encode(error)));
    OwnedFrame::encode(request).map_err(not_sent)
}
