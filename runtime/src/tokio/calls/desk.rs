//! The task of a connection of a server.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use ::tokio::task::coop::has_budget_remaining;

use super::busy_poll::BusyPoll;
use super::gate::{Gate, Load, Permit};
use super::gathering::Gathering;
use super::held::Held;
use super::look::Look;
use super::spares::{Room, Spares, Task};
use super::turn::Turn;
use super::writer::Writer;
use crate::calls::{Bell, Call, Protocol, Received, Session, Status};
use crate::error::RecvError;
use crate::tokio::Receiver;
use crate::tokio::outbound::Outbound;

/// The number of bytes of unsent answers beyond which no request is read.
const MAX_UNSENT: usize = 1024 * 1024;

/// The bounds of one connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) calls: usize,
    pub(super) streams: usize,
}

/// Receives requests, begins calls, and sends their answers.
pub(super) struct Desk<P, H, F> {
    handle: H,
    bounds: Bounds,
    gate: Arc<Gate>,
    load: Arc<Load>,
    session: Arc<Session>,
    receiver: Receiver<P>,
    writer: Writer<Session>,
    held: Held<P>,
    spares: Arc<Spares<F>>,
    /// Room for the next handler.
    room: Option<Room<F>>,
    gathering: Gathering,
    look: Look,
    pub(super) busy_poll: BusyPoll,
    turn: Turn,
    /// The number of parts that were ever received.
    received: u64,
}

impl<P, H, F> Desk<P, H, F>
where
    P: Protocol + 'static,
    H: Fn(Call<P>) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    pub(super) fn new(
        handle: H,
        bounds: Bounds,
        gate: Arc<Gate>,
        session: Arc<Session>,
        receiver: Receiver<P>,
        outbound: Outbound,
    ) -> Self {
        let writer = Writer::new(Arc::clone(&session), outbound);
        let (load, spares) = (Arc::new(Load::default()), Arc::new(Spares::new()));
        Self {
            handle,
            bounds,
            gate,
            load,
            session,
            receiver,
            writer,
            held: Held::new(),
            spares,
            room: None,
            gathering: Gathering::default(),
            look: Look::default(),
            busy_poll: BusyPoll::default(),
            turn: Turn::new(),
            received: 0,
        }
    }

    /// Serves the connection. Ready when it has ended.
    pub(super) fn poll_serve(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), RecvError>> {
        let polled = self.poll_turn(cx);
        if polled.is_pending() && !has_budget_remaining() {
            // The runtime has the task's waker until it runs the reactor, and may drop it before: see `Turn`.
            self.turn.begin(cx);
        }
        polled
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), RecvError>> {
        ready!(self.look.poll_deferred(cx));
        let received = self.received;
        self.bell(Bell::disarm);
        loop {
            if let Poll::Ready(ended) = self.poll_requests(cx) {
                return Poll::Ready(ended);
            }
            self.bell(Bell::disarm);
            // The bell may have rung because a call has ended.
            if self.held.is_empty() || !self.admits(self.held.len()) {
                break;
            }
        }
        // The answers to requests that came together are already queued together.
        let is_shared = || self.received == received && self.session.is_shared();
        // The bell stays disarmed meanwhile: the task is already woken.
        ready!(self.gathering.poll(cx, 0, is_shared));
        // Before the flush, so that the flush sends everything that was queued before the connection closes.
        let is_closing = self.session.is_closing();
        let was_full = self.is_full();
        let is_flushed = self.writer.poll_flush(cx).is_ready();
        self.session.admit();
        if is_closing && is_flushed {
            self.session.shutdown();
            self.session.end();
            return Poll::Ready(Ok(()));
        }
        self.busy_poll.count(self.received);
        // While a call runs, its client may send nothing until the call is answered.
        let is_waiting = || is_flushed && self.session.counts().1 == 0;
        self.busy_poll.poll_again(cx, &self.turn, is_waiting);
        self.bell(|bell| bell.arm(cx));
        if was_full && !self.is_full() {
            // To continue reading.
            self.bell(Bell::ring);
        }
        Poll::Pending
    }

    fn poll_requests(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), RecvError>> {
        loop {
            self.begin_held();
            if self.is_full() {
                return Poll::Pending;
            }
            if self.held.is_full(self.bounds.calls) {
                // The remaining requests stay in the socket. If the client disconnects, all calls are cancelled.
                ready!(self.receiver.poll_closed(cx));
            }
            let received = ready!(self.poll_part(cx));
            self.received += 1;
            match self.session.accept(self.receiver.inner_mut(), received)? {
                Received::Call(call) => self.accept(call),
                Received::Nothing => {}
                Received::End => return Poll::Ready(Ok(())),
            }
        }
    }

    /// Polls for the next part. Sometimes waits a turn of the reactor before it looks: see [`Look`].
    fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Range<usize>>, RecvError>> {
        if self.receiver.has_unread() {
            self.look.found_more();
            return self.receiver.poll_range(cx);
        }
        if let Some(checked) = self.look.check(|| self.receiver.look_once(cx)) {
            return Poll::Ready(checked);
        }
        if self.look.defer(cx, &self.turn) {
            return Poll::Pending;
        }
        let received = self.receiver.poll_range(cx);
        self.look.found(received.is_ready());
        received
    }

    fn accept(&mut self, call: Call<P>) {
        if call.has_items() {
            let max = self.bounds.streams;
            // The session has already counted this call.
            match self.load.streams() < max && self.session.counts().0 <= max {
                true => self.handle(call, true),
                false => call.refuse(Status::Busy),
            }
        } else if self.held.is_empty() && self.admits(1) {
            self.handle(call, false);
        } else {
            self.held.push(call);
        }
    }

    /// Begins the calls that may begin.
    fn begin_held(&mut self) {
        while !self.held.is_empty() && self.admits(self.held.len()) {
            match self.held.pop() {
                Some(call) if call.is_over() => call.refuse(Status::TimedOut),
                Some(call) => self.handle(call, false),
                None => return,
            }
        }
    }

    /// Returns whether another call may begin, if `waiting` calls were read and have not begun. If not, the bell rings
    /// when that changes.
    fn admits(&self, waiting: usize) -> bool {
        let max = self.bounds.calls;
        // A handler may end before its call is answered, or after it.
        let has_room = |(_, unanswered): (usize, usize)| unanswered.saturating_sub(waiting) < max;
        self.load.calls() < max
            && (has_room(self.session.counts()) || has_room(self.session.await_end()))
            && self.gate.admits(&self.session)
    }

    fn is_full(&self) -> bool {
        self.session.unsent() > MAX_UNSENT
    }

    /// Polls the handler of a call, and spawns it if it is not ready.
    fn handle(&mut self, call: Call<P>, is_stream: bool) {
        let mut room = self.room.take().unwrap_or_else(|| self.spares.take());
        let trace = call.trace();
        let begin = || {
            room.set(Some((self.handle)(call)));
            // If the future is not ready, its task polls it again.
            let mut cx = Context::from_waker(Waker::noop());
            room.as_mut().as_pin_mut().map(|future| future.poll(&mut cx))
        };
        let polled = catch_unwind(AssertUnwindSafe(|| trace.enter(begin)));
        // If the handler has panicked, the panic hook has reported it, and dropping the call answers it.
        if !matches!(polled, Ok(Some(Poll::Pending))) {
            // Dropping a future may panic, too.
            let emptied = catch_unwind(AssertUnwindSafe(|| room.set(None)));
            self.room = emptied.is_ok().then_some(room);
            return;
        }
        let (gate, load) = (Arc::clone(&self.gate), Arc::clone(&self.load));
        let permit = Permit::new(gate, load, Arc::clone(&self.session), is_stream);
        ::tokio::spawn(Task::new(room, Arc::clone(&self.spares), trace, permit));
    }

    fn bell(&self, act: impl FnOnce(&Bell)) {
        if let Some(bell) = self.session.bell() {
            act(bell);
        }
    }
}

/// Ends the session, even if the runtime drops the task.
impl<P, H, F> Drop for Desk<P, H, F> {
    fn drop(&mut self) {
        self.session.end();
    }
}
