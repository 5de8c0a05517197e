//! The calls of a client that have no answer yet.

use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::task::{Poll, Waker};

use super::call::Call;
use crate::calls::ids::{self, Ids};
use crate::calls::queue::Queued;
use crate::calls::status::Status;
use crate::error::{CallError, RecvError, SendError};
use crate::receiver::Part;
use crate::wire::CallHead;

/// The most refused requests that are remembered until their callers learn of it.
const MAX_REFUSED: usize = 1024;

/// All calls in flight of one connection.
///
/// The table is locked while its methods run, so they neither wake nor drop a waker: it may own a task, and with it
/// other calls of the same connection. They return the wakers that they remove.
#[derive(Debug, Default)]
pub(crate) struct Table {
    calls: Ids<Call>,
    /// How many of the calls wait for a part from the server.
    open: usize,
    /// Whether a call was ended by this side, so that parts may still arrive for it.
    has_cancelled: bool,
    /// Why no more calls can begin.
    ended: Option<Ended>,
    /// Why requests without an answer were refused, until their callers learn of it. Each has its position in the
    /// queue: see [`Queued::end`].
    refused: VecDeque<(u64, Arc<SendError>)>,
    /// How many answers belonged to no call: they were late, forged, or of the wrong kind.
    dropped: u64,
}

/// Why no more calls can begin.
#[derive(Debug, Clone)]
enum Ended {
    /// Requests can no longer be sent. Holds the position in the queue of the first unsent one.
    Sending(Arc<SendError>, u64),
    /// No more answers come.
    Receiving(Option<Arc<RecvError>>),
}

impl Table {
    /// Fails if no more calls can begin.
    pub(crate) fn check(&self) -> Result<(), CallError> {
        match &self.ended {
            None => Ok(()),
            Some(Ended::Sending(error, _)) => Err(CallError::NotSent(Arc::clone(error))),
            Some(Ended::Receiving(reason)) => Err(CallError::Disconnected(reason.clone())),
        }
    }

    /// Begins a call for one answer, or for `items`. Returns whether no other call waits for something from the server.
    #[inline]
    pub(crate) fn begin(
        &mut self,
        id: u64,
        name: &'static str,
        items: bool,
    ) -> Result<bool, CallError> {
        self.check()?;
        self.calls.insert(id, Call::new(name, items));
        self.open += 1;
        Ok(self.open == 1)
    }

    /// Returns the name of a call.
    pub(crate) fn name(&self, id: u64) -> Option<&'static str> {
        self.calls.get(&id).map(|call| call.name)
    }

    /// Notes the position of a call's request in the queue.
    pub(crate) fn note_queued(&mut self, id: u64, queued: Queued) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.queued = Some(queued);
        }
    }

    /// Hands a part from the server to its call, or leaves it where it is if no call wants it. Returns the waker of the
    /// task or thread that waits for it.
    #[inline]
    pub(crate) fn deliver(&mut self, part: &mut Part) -> Option<Waker> {
        let Some(CallHead { kind, number, id }) = part.head else {
            self.dropped += 1;
            return None;
        };
        let Some(call) = self.calls.get_mut(&id) else {
            self.dropped += 1;
            return None;
        };
        let error = Status::new(number).into_error();
        let was_open = call.is_open();
        let fits = call.deliver(kind, part, error);
        let has_ended = was_open && !call.is_open();
        self.open -= usize::from(has_ended);
        self.dropped += u64::from(!fits);
        if fits || has_ended { call.waker.take() } else { None }
    }

    /// Fails one call, whose answer was refused.
    pub(crate) fn fail(&mut self, id: u64, reason: &Arc<RecvError>) -> Option<Waker> {
        self.has_cancelled = true;
        let call = self.calls.get_mut(&id)?;
        self.open -= usize::from(call.fail(|| CallError::Lost(Arc::clone(reason))));
        call.waker.take()
    }

    /// Fails all calls, because an answer was lost that may belong to any of them.
    pub(crate) fn fail_all(&mut self, reason: &Arc<RecvError>) -> Vec<Waker> {
        self.has_cancelled = true;
        self.for_all(|call| call.fail(|| CallError::Lost(Arc::clone(reason))))
    }

    /// Fails all calls, now and later: no more answers come.
    pub(crate) fn end(&mut self, reason: Option<Arc<RecvError>>) -> Vec<Waker> {
        if !matches!(self.ended, Some(Ended::Receiving(_))) {
            self.ended = Some(Ended::Receiving(reason.clone()));
        }
        self.for_all(|call| call.fail(|| CallError::Disconnected(reason.clone())))
    }

    /// Fails one call, whose request was not sent.
    pub(crate) fn not_sent(&mut self, id: u64, error: &Arc<SendError>) -> Option<Waker> {
        let call = self.calls.get_mut(&id)?;
        self.open -= usize::from(call.fail(|| CallError::NotSent(Arc::clone(error))));
        call.waker.take()
    }

    /// Notes why the request without an answer that was queued at `end` was refused.
    pub(crate) fn refuse(&mut self, end: u64, error: Arc<SendError>) {
        if self.refused.len() >= MAX_REFUSED {
            // The oldest caller was dropped, or is very slow.
            self.refused.pop_front();
        }
        self.refused.push_back((end, error));
    }

    /// Fails if the request without an answer that was queued at `end` was not sent, or if no more answers come.
    pub(crate) fn check_notified(&mut self, end: u64) -> Result<(), CallError> {
        if let Some(at) = self.refused.iter().position(|(refused, _)| *refused == end)
            && let Some((_, error)) = self.refused.remove(at)
        {
            return Err(CallError::NotSent(error));
        }
        match &self.ended {
            // This request was sent before sending failed.
            Some(Ended::Sending(_, first)) if end <= *first => Ok(()),
            _ => self.check(),
        }
    }

    /// Fails later calls: no more requests can be sent, from the position `first` in the queue on. Wakes all callers,
    /// to receive the answers that still arrive.
    pub(crate) fn stop(&mut self, error: &Arc<SendError>, first: u64) -> Vec<Waker> {
        self.ended.get_or_insert(Ended::Sending(Arc::clone(error), first));
        self.for_all(|_call| false)
    }

    /// Changes all calls. `change` returns whether a call has just ended.
    fn for_all(&mut self, mut change: impl FnMut(&mut Call) -> bool) -> Vec<Waker> {
        let Self { calls, open, .. } = self;
        calls
            .values_mut()
            .filter_map(|call| {
                *open -= usize::from(change(call));
                call.waker.take()
            })
            .collect()
    }

    /// Takes the answer of a call, which ends the call, or stores the waker. Moves the waker that this one replaces to
    /// `replaced`.
    #[inline]
    pub(super) fn poll_answer(
        &mut self,
        id: u64,
        waker: &Waker,
        replaced: &mut Option<Waker>,
    ) -> Poll<Result<Part, CallError>> {
        let Entry::Occupied(mut call) = self.calls.entry(id) else {
            return Poll::Ready(Err(CallError::Cancelled));
        };
        match call.get_mut().take_answer() {
            Some(answer) => {
                call.remove();
                ids::shrink(&mut self.calls);
                Poll::Ready(answer)
            }
            None => {
                *replaced = call.get_mut().wait(waker);
                Poll::Pending
            }
        }
    }

    /// Takes the next item of a call, `None` at the end, or stores the waker, like [`poll_answer`](Self::poll_answer).
    /// Also returns the credit to give the server.
    pub(super) fn poll_item(
        &mut self,
        id: u64,
        waker: &Waker,
        replaced: &mut Option<Waker>,
    ) -> Poll<Result<(Option<Part>, u32), CallError>> {
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.is_stream()) else {
            return Poll::Ready(Ok((None, 0)));
        };
        if let Some((item, more)) = call.take_item() {
            return Poll::Ready(Ok((Some(item), more)));
        }
        match call.take_end() {
            Some(end) => {
                self.calls.remove(&id);
                ids::shrink(&mut self.calls);
                Poll::Ready(end.map(|()| (None, 0)))
            }
            None => {
                *replaced = call.wait(waker);
                Poll::Pending
            }
        }
    }

    /// Ready if a call has an answer or an item, or has ended. Otherwise stores the waker, like
    /// [`poll_answer`](Self::poll_answer).
    pub(super) fn poll_ready(
        &mut self,
        id: u64,
        waker: &Waker,
        replaced: &mut Option<Waker>,
    ) -> Poll<()> {
        if self.is_ready(id) {
            return Poll::Ready(());
        }
        *replaced = self.calls.get_mut(&id).and_then(|call| call.wait(waker));
        Poll::Pending
    }

    /// Returns whether a call has an answer or an item, or has ended.
    pub(super) fn is_ready(&self, id: u64) -> bool {
        self.calls.get(&id).is_none_or(Call::is_ready)
    }

    /// Removes the waker of a call, if it is `waker`.
    pub(super) fn stop_waiting(&mut self, id: u64, waker: &Waker) -> Option<Waker> {
        let call = self.calls.get_mut(&id)?;
        call.waker.take_if(|stored| stored.will_wake(waker))
    }

    /// Removes a call, and returns it. Also returns whether the server still works on it.
    pub(super) fn forget(&mut self, id: u64) -> Option<(Call, bool)> {
        let call = self.calls.remove(&id)?;
        ids::shrink(&mut self.calls);
        let is_open = call.is_open();
        self.open -= usize::from(is_open);
        self.has_cancelled |= is_open;
        let is_running = call.is_running() && self.ended.is_none();
        Some((call, is_running))
    }

    /// Takes the waker of any waiting call, so that its thread receives.
    pub(crate) fn take_waiting(&mut self) -> Option<Waker> {
        self.calls.values_mut().find_map(|call| call.waker.take())
    }

    /// Returns whether any call waits for a part from the server.
    #[inline]
    pub(crate) fn has_open(&self) -> bool {
        self.open > 0
    }

    /// Returns whether no more parts come, if the server keeps the rules.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.open == 0 && !self.has_cancelled && self.dropped == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.calls.len()
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }
}
