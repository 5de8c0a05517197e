//! A connection of a server: the running calls, and the outlet for their answers.

use std::fmt;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use super::caller::Caller;
use super::calls::{Calls, Counts, Old};
use super::context::Running;
use super::on_error::OnError;
use crate::backlog::HeldFrame;
use crate::calls::bell::Bell;
use crate::calls::full::{Full, HowToWait};
use crate::calls::outlet::Outlet;
use crate::calls::ready::Ready;
use crate::calls::room::Room;
use crate::calls::status::Status;
use crate::calls::sync::atomic::{AtomicBool, Ordering};
use crate::calls::unsent::Unsent;
use crate::error::{Error, SendError};
use crate::message::Message;
use crate::peer::Peer;
use crate::sys::{self, DatagramFd, Readiness};
use crate::wire::{CallHead, CallKind};

/// How often a thread that waits for room checks whether the connection has ended.
const RECHECK: Duration = Duration::from_millis(100);

/// The state that all calls of a connection share.
pub(crate) struct Session {
    /// `None` for a session in memory.
    pub(super) fd: Option<DatagramFd>,
    pub(super) outlet: Outlet<Calls>,
    pub(super) counts: Counts,
    pub(super) caller: Arc<Caller>,
    /// Wakes the task that sends the queued answers. `None` if the answering threads send.
    pub(super) bell: Option<Bell>,
    /// The tasks that wait until less is queued, if a task sends.
    room: Room,
    /// Whether the connection ends when everything is sent.
    pub(super) is_closing: AtomicBool,
    /// Whether no more answers can be sent.
    is_broken: AtomicBool,
    on_error: OnError,
}

impl Session {
    /// Creates a session whose answers are sent by the threads that make them.
    pub(crate) fn new(
        fd: impl Into<Option<DatagramFd>>,
        outlet: Outlet<Calls>,
        peer: Option<impl Into<Arc<Peer>>>,
    ) -> Self {
        Self {
            fd: fd.into(),
            outlet,
            counts: Counts::default(),
            caller: Arc::new(Caller::new(peer.map(Into::into))),
            bell: None,
            room: Room::default(),
            is_closing: AtomicBool::new(false),
            is_broken: AtomicBool::new(false),
            on_error: OnError::default(),
        }
    }

    /// Creates a session whose answers are sent by a task, which the bell wakes.
    pub(crate) fn driven(fd: DatagramFd, outlet: Outlet<Calls>, peer: Option<Peer>) -> Self {
        Self { bell: Some(Bell::default()), ..Self::new(fd, outlet, peer) }
    }

    /// Makes the session report errors to `on_error`.
    pub(crate) fn telling(self, on_error: OnError) -> Self {
        Self { on_error, ..self }
    }

    /// Reports an error that no handler gets.
    pub(crate) fn tell(&self, error: impl Into<Error>) {
        self.on_error.tell(self.caller.peer.as_deref(), error);
    }

    /// Begins a call, or fails with the status to answer: see [`Calls::begin`].
    #[inline]
    pub(crate) fn begin(
        &self,
        id: u64,
        deadline: Option<Instant>,
        is_stream: bool,
    ) -> Result<Arc<Running>, Status> {
        let mut old = Old::default();
        let mut calls = self.outlet.lock();
        let begun = calls.begin(id, &self.caller, (deadline, is_stream), &mut old)?;
        self.counts.add(is_stream);
        Ok(begun)
    }

    /// Begins a call that has no id, and so no answer.
    pub(crate) fn begin_unanswered(&self, is_stream: bool) -> Arc<Running> {
        Arc::new(Running::new(Arc::clone(&self.caller), None, is_stream))
    }

    /// Tells the handler of a call that its caller has cancelled it. The call runs until its handler ends.
    pub(crate) fn cancel(&self, id: u64) {
        self.running(id).into_iter().for_each(|running| running.cancel());
    }

    /// Tells the handlers of all calls that their callers no longer wait.
    pub(crate) fn cancel_all(&self) {
        let calls = self.outlet.lock().all();
        calls.iter().for_each(|running| running.cancel());
    }

    /// Lets the handler of a call send `more` items.
    pub(crate) fn add_credit(&self, id: u64, more: u32) {
        self.running(id).into_iter().for_each(|running| running.add_credit(more));
    }

    /// Returns a running call.
    pub(crate) fn running(&self, id: u64) -> Option<Arc<Running>> {
        self.outlet.lock().get(id)
    }

    /// Ends the connection, and cancels all calls.
    pub(crate) fn end(&self) {
        self.is_broken.store(true, Ordering::Release);
        // Not by closing the descriptor: handlers that still run keep it open.
        self.shutdown();
        let calls = self.outlet.lock().end_all(&self.counts);
        calls.iter().for_each(|(_id, running)| running.cancel());
        self.admit();
    }

    /// Waits until less is queued, if a task sends. Without a task, the answering threads wait when they send.
    pub(crate) fn poll_room(&self, waker: &Waker) -> Poll<()> {
        match &self.bell {
            Some(_) => self.room.poll(waker, || self.has_room()),
            None => Poll::Ready(()),
        }
    }

    /// Wakes the tasks that wait for room, if there is room or the connection has ended.
    #[inline]
    pub(crate) fn admit(&self) {
        self.room.admit(|| self.has_room());
    }

    #[inline]
    fn has_room(&self) -> bool {
        !self.outlet.is_full() || self.is_broken()
    }

    /// Returns how many calls run.
    pub(crate) fn len(&self) -> usize {
        self.outlet.lock().len()
    }

    /// Does the same as [`counts`](Self::counts), and makes the bell ring when a call ends.
    pub(crate) fn await_end(&self) -> (usize, usize) {
        let mut calls = self.outlet.lock();
        calls.await_end();
        self.counts.get()
    }

    /// Returns how many running calls are answered with items, and how many are not.
    #[inline]
    pub(crate) fn counts(&self) -> (usize, usize) {
        self.counts.get()
    }

    /// Returns whether the connection has ended.
    #[inline]
    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Acquire)
    }

    /// Returns the bell that wakes the task of the connection.
    #[inline]
    pub(crate) fn bell(&self) -> Option<&Bell> {
        self.bell.as_ref()
    }

    /// Returns whether answers share datagrams, so that further answers may join the queued ones.
    #[inline]
    pub(crate) fn is_shared(&self) -> bool {
        self.outlet.is_shared() && self.outlet.unsent() > 0
    }

    /// Returns how many bytes of answers are not sent.
    #[inline]
    pub(crate) fn unsent(&self) -> usize {
        self.outlet.unsent()
    }

    /// Sends the status of a call that does not run, or no longer runs.
    pub(crate) fn refuse(&self, id: u64, status: Status) {
        let is_first = self.push_status(id, status);
        self.flush(is_first);
    }

    /// Sends an item of a call.
    pub(crate) fn item<M: Message>(&self, id: u64, message: &M) -> Result<(), SendError> {
        let head = CallHead { kind: CallKind::Item, number: 0, id };
        let queued = self.outlet.push(head, message)?;
        self.flush(queued.is_first);
        Ok(())
    }

    /// Encodes an item, to be sent later.
    pub(crate) fn hold_item<M: Message>(
        &self,
        id: u64,
        message: &M,
    ) -> Result<HeldFrame, SendError> {
        self.outlet.hold(CallHead { kind: CallKind::Item, number: 0, id }, message)
    }

    /// Sends an item that was encoded earlier.
    pub(crate) fn held_item(&self, item: HeldFrame) {
        let queued = self.outlet.lock().push(Ready::Held(item));
        self.flush(queued.is_first);
    }

    /// Queues the status of a call. Returns whether nothing else was queued.
    pub(super) fn push_status(&self, id: u64, status: Status) -> bool {
        self.outlet.lock().push_head(reply(id, status))
    }

    /// Sends the queued answers, and waits for room, so that the answers of a client that does not read do not pile up.
    /// If the connection has a task, wakes the task to send, but only if this `is_needed`: the thread that queues the
    /// first part wakes it.
    #[inline]
    pub(super) fn flush(&self, is_needed: bool) {
        match &self.bell {
            Some(_) if !is_needed => {}
            Some(bell) => bell.ring(),
            None => self.flush_until(0, None),
        }
    }

    /// Sends the queued answers, and waits for room. If another thread is sending, waits only for the first `end`
    /// bytes.
    pub(super) fn flush_until(&self, end: u64, deadline: Option<Instant>) {
        let mut full = Full::default();
        while !self.send(|not_sent| self.outlet.flush_to(end, not_sent)) && !self.is_broken() {
            let now = Instant::now();
            if deadline.is_some_and(|deadline| now >= deadline) {
                return;
            }
            let recheck = now + RECHECK;
            let until = deadline.map_or(recheck, |deadline| deadline.min(recheck));
            // Memory always has room.
            let Some(fd) = &self.fd else { return };
            match full.wait(fd.as_fd()) {
                HowToWait::Retry => {}
                // If the wait fails, sending fails too, and reports why.
                HowToWait::Poll => _ = sys::wait(fd.as_fd(), Readiness::Writable, Some(until)),
                HowToWait::Pause(pause) => thread::sleep(pause),
            }
        }
    }

    /// Sends the queued answers as far as there is room. Returns whether everything was sent.
    pub(crate) fn try_flush(&self) -> bool {
        self.send(|not_sent| self.outlet.flush(not_sent))
    }

    /// Sends with `flush`. Then cancels the calls that can get no answer: while the outlet sends, nothing may be woken.
    #[inline]
    fn send(&self, flush: impl FnOnce(&mut dyn FnMut(Unsent)) -> bool) -> bool {
        let mut unanswerable = Vec::new();
        let is_flushed = flush(&mut |unsent| self.not_sent(unsent, &mut unanswerable));
        unanswerable.iter().for_each(|running| running.cancel());
        is_flushed
    }

    fn not_sent(&self, unsent: Unsent, unanswerable: &mut Vec<Arc<Running>>) {
        let Unsent { parts, is_last, .. } = unsent;
        if is_last {
            self.is_broken.store(true, Ordering::Release);
            unanswerable.extend(self.outlet.lock().all());
            return;
        }
        for CallHead { id, kind, .. } in parts.into_iter().flatten() {
            if let CallKind::Reply | CallKind::Item = kind {
                self.push_status(id, Status::Failed);
                // No items follow a lost one.
                unanswerable.extend(self.running(id));
            }
        }
    }
}

pub(super) fn reply(id: u64, status: Status) -> CallHead {
    CallHead { kind: CallKind::Reply, number: status as u32, id }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("running", &self.len()).finish_non_exhaustive()
    }
}
