//! The connection of a client, which all of its calls share.

use std::fmt;
use std::os::fd::AsFd as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use super::table::Table;
use crate::calls::frame::Observer;
use crate::calls::outlet::Outlet;
use crate::calls::park::{park_until, waker};
use crate::calls::protocol::{Answers, Protocol};
use crate::connection::Connection;
use crate::error::{CallError, RecvError};
use crate::message::Message;
use crate::receiver::{Part, Receiver};
use crate::sys::{self, DatagramFd, Readiness};
use crate::wait::Wait;
use crate::wire::{CallHead, CallKind};

/// How often a thread that waits for room looks whether it has to receive.
const RECHECK: Duration = Duration::from_millis(10);

/// A connection that any number of threads call over. One of those that wait for an answer receives for all: it
/// hands the others theirs, and leaves the task to one of them when it has its own.
pub(crate) struct Link<P> {
    fd: DatagramFd,
    outlet: Outlet,
    observer: Observer,
    receiver: Mutex<Receiver<Answers<P>>>,
    table: Mutex<Table>,
}

impl<P: Protocol> Link<P> {
    pub(crate) fn new(connection: Connection<P, Answers<P>>, observer: Observer) -> Self {
        let (sender, mut receiver) = connection.split();
        receiver.accept_calls();
        Self {
            fd: receiver.fd().clone(),
            outlet: Outlet::new(sender),
            observer,
            receiver: Mutex::new(receiver),
            table: Mutex::new(Table::new()),
        }
    }

    /// Sends a request that has no answer, and waits for room until `deadline`.
    pub(crate) fn notify<M: Message>(
        &self,
        request: &M,
        deadline: Option<Instant>,
    ) -> Result<(), CallError> {
        self.table().check()?;
        let pushed = self.outlet.push(None, request);
        let len = pushed.map_err(|error| CallError::NotSent(Arc::new(error)))?;
        self.observer.sent(None, request, len);
        while !self.flush() {
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                // It is queued, and goes with the next call.
                return Err(CallError::TimedOut);
            }
            self.wait_for_room(deadline);
            self.table().check()?;
        }
        Ok(())
    }

    /// Queues a request for one answer, or for `items`, and sends it if there is room. Returns its id.
    pub(crate) fn begin<M: Message>(
        &self,
        request: &M,
        items: bool,
        deadline: Option<Instant>,
    ) -> Result<u64, CallError> {
        let id = self.table().begin(request.name(), items)?;
        let number = deadline.map_or(0, millis_until);
        let head = CallHead { kind: CallKind::Request, number, id };
        let len = self.outlet.push(Some(head), request).map_err(|error| {
            self.table().forget(id);
            CallError::NotSent(Arc::new(error))
        })?;
        self.observer.sent(Some(id), request, len);
        self.flush();
        Ok(id)
    }

    /// Waits for the answer of a call.
    pub(crate) fn wait_for_answer(
        &self,
        id: u64,
        deadline: Option<Instant>,
    ) -> Result<Part, CallError> {
        self.wait(id, deadline, |table, waker| table.poll_answer(id, waker))
    }

    /// Waits for the next item of a call, `None` at the end.
    pub(crate) fn wait_for_item(
        &self,
        id: u64,
        deadline: Option<Instant>,
    ) -> Result<Option<Part>, CallError> {
        let (item, more) = self.wait(id, deadline, |table, waker| table.poll_item(id, waker))?;
        if more > 0 {
            self.outlet.push_head(CallHead { kind: CallKind::Credit, number: more, id });
            self.flush();
        }
        Ok(item)
    }

    /// Ends a call early, and tells the server.
    pub(crate) fn cancel(&self, id: u64) {
        let is_open = self.table().forget(id);
        if is_open {
            self.outlet.push_head(CallHead { kind: CallKind::Cancel, number: 0, id });
            self.flush();
        }
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.table().len()
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.table().dropped()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `poll` is ready. Meanwhile receives for all calls, and sends what had no room, unless another
    /// thread does.
    fn wait<T>(
        &self,
        id: u64,
        deadline: Option<Instant>,
        mut poll: impl FnMut(&mut Table, &Waker) -> Poll<Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let waker = waker();
        let result = loop {
            if let Poll::Ready(result) = poll(&mut self.table(), &waker) {
                break result;
            }
            // The waker is stored: whoever stops receiving from here on wakes this thread.
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                self.cancel(id);
                break Err(CallError::TimedOut);
            }
            if !self.flush() {
                self.wait_for_room(deadline);
                continue;
            }
            match self.try_receiver() {
                Some(mut receiver) => {
                    self.receive(&mut receiver, deadline.map_or(Wait::Block, Wait::Until));
                }
                None => park_until(deadline),
            }
        };
        self.appoint();
        result
    }

    /// Sends what is queued, as far as there is room. Returns whether everything was sent.
    fn flush(&self) -> bool {
        self.outlet.flush(|head, error| {
            let error = Arc::new(error);
            let wakers = match head {
                Some(head) if !error.is_fatal() => {
                    self.table().not_sent(head.id, &error).into_iter().collect()
                }
                // The answers to earlier requests can still be received.
                _ => self.table().stop(&error),
            };
            wakers.into_iter().for_each(Waker::wake);
        })
    }

    /// Waits for room, and receives meanwhile, unless another thread does: a server may wait until its answers are read
    /// before it reads requests.
    fn wait_for_room(&self, deadline: Option<Instant>) {
        let recheck = Instant::now() + RECHECK;
        let until = deadline.map_or(recheck, |deadline| deadline.min(recheck));
        let mut receiver = self.try_receiver();
        let readiness = if receiver.is_some() { Readiness::Either } else { Readiness::Writable };
        // If it fails, so does sending.
        _ = sys::wait(self.fd.as_fd(), readiness, Some(until));
        if let Some(receiver) = &mut receiver {
            self.receive(receiver, Wait::Try);
        }
        drop(receiver);
        self.appoint();
    }

    fn try_receiver(&self) -> Option<MutexGuard<'_, Receiver<Answers<P>>>> {
        match self.receiver.try_lock() {
            Ok(receiver) => Some(receiver),
            Err(TryLockError::Poisoned(receiver)) => Some(receiver.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Wakes a thread that waits, to receive for all, if nobody does.
    fn appoint(&self) {
        if self.try_receiver().is_some() {
            let waiting = self.table().take_waiting();
            waiting.into_iter().for_each(Waker::wake);
        }
    }

    /// Receives one part, and hands it to its call.
    fn receive(&self, receiver: &mut Receiver<Answers<P>>, wait: Wait) {
        let wakers = match receiver.receive_range(wait) {
            Ok(Some(range)) => {
                let part = receiver.take_part(range);
                self.observer.received::<Answers<P>>(&part, |id| self.table().name(id));
                self.table().deliver(part).into_iter().collect()
            }
            Ok(None) => self.table().end(None),
            Err(RecvError::WouldBlock | RecvError::TimedOut | RecvError::Unfinished { .. }) => {
                return;
            }
            Err(error) if error.is_fatal() => self.table().end(Some(Arc::new(error))),
            Err(error) => {
                let error = Arc::new(error);
                match receiver.take_refused() {
                    Some(head) => self.table().fail(head.id, &error).into_iter().collect(),
                    None => self.table().fail_all(&error),
                }
            }
        };
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl<P> fmt::Debug for Link<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

/// Returns the time until a deadline in milliseconds, at least 1, which says that there is one.
pub(crate) fn millis_until(deadline: Instant) -> u32 {
    let left = deadline.saturating_duration_since(Instant::now());
    u32::try_from(left.as_millis()).unwrap_or(u32::MAX).max(1)
}
