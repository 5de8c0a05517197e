//! The connection of a blocking client, shared by all of its calls.

use std::fmt;
use std::os::fd::AsFd as _;
use std::sync::{Arc, TryLockError};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use super::core::Core;
use super::wakers::Wakers;
use crate::calls::deadline::has_passed;
use crate::calls::frame::Observer;
use crate::calls::full::{Full, HowToWait};
use crate::calls::outlet::Outlet;
use crate::calls::park::{park_until, waker};
use crate::calls::protocol::{Answers, Protocol};
use crate::calls::sync::{Mutex, MutexGuard};
use crate::calls::wake::wake_all;
use crate::connection::Connection;
use crate::error::{CallError, SendError};
use crate::message::Message;
use crate::outbox;
use crate::receiver::{Part, Receiver};
use crate::sys::{self, DatagramFd, Readiness};
use crate::wait::Wait;

/// How often a thread that waits for room checks whether it must receive.
const RECHECK: Duration = Duration::from_millis(10);

/// The most receives of a thread that only checks for an item: more than a socket usually holds. So a server that
/// sends without end does not hold up the thread.
const MAX_QUEUED: u32 = 1024;

/// A connection that any number of threads call over. One of the threads that wait for an answer receives for all. It
/// hands each answer to its thread, and appoints another waiting thread when it has its own answer.
pub(crate) struct Link<P> {
    fd: DatagramFd,
    core: Core,
    receiver: Mutex<Receiver<Answers<P>>>,
}

impl<P: Protocol> Link<P> {
    pub(crate) fn new(connection: Connection<P, Answers<P>>, observer: Observer) -> Self {
        let (sender, mut receiver) = connection.split();
        receiver.accept_calls();
        // An answer then takes one system call. A waiting thread holds up to 16 KiB, less than its stack. A client
        // without a waiting thread holds no more than other receivers.
        receiver.set_eager();
        let core = Core::new(Outlet::new(sender), observer);
        Self { fd: receiver.fd().clone(), core, receiver: Mutex::new(receiver) }
    }

    /// Sends a request that has no answer, and waits for room until `deadline`.
    pub(crate) fn notify<M: Message>(
        &self,
        request: &M,
        deadline: Option<Instant>,
    ) -> Result<(), CallError> {
        self.wait_for_space(request, deadline)?;
        let queued = self.core.notify(request)?;
        let mut full = Full::default();
        // Other threads wait for the later parts.
        while !self.core.flush_to(queued.end) && !self.core.is_sent(&queued) {
            if has_passed(deadline) {
                // The request stays queued, and is sent with the next call.
                return Err(CallError::TimedOut);
            }
            self.wait_for_room(deadline, &mut full);
            self.core.table().check()?;
        }
        self.core.check_notified(&queued)
    }

    /// Queues a request for one answer, or for `items`, and sends it if there is room. Waits while too much is queued.
    /// Returns its id.
    pub(crate) fn begin<M: Message>(
        &self,
        request: &M,
        items: bool,
        deadline: Option<Instant>,
    ) -> Result<u64, CallError> {
        self.wait_for_space(request, deadline)?;
        let (id, _sending) = self.core.begin(request, items, deadline)?;
        self.core.flush();
        Ok(id)
    }

    /// Waits for the answer of a call.
    pub(crate) fn wait_for_answer(
        &self,
        id: u64,
        deadline: Option<Instant>,
    ) -> Result<Part, CallError> {
        let answer = self.wait(id, deadline, |core, waker| core.poll_answer(id, waker));
        answer.unwrap_or_else(|| self.give_up(id))
    }

    /// Waits for the next item of a call, `None` at the end.
    pub(crate) fn wait_for_item(
        &self,
        id: u64,
        deadline: Option<Instant>,
    ) -> Result<Option<Part>, CallError> {
        let polled = self.wait(id, deadline, |core, waker| core.poll_item(id, waker));
        let polled = polled.unwrap_or_else(|| self.give_up(id));
        if self.core.follow_up(id, &polled) {
            self.core.flush();
        }
        polled.map(|(item, _)| item)
    }

    /// Waits until a call has an answer or an item, or has ended. Returns `false` if `deadline` passes first. Receives
    /// the parts that are already in the socket even after the deadline.
    pub(crate) fn is_ready_by(&self, id: u64, deadline: Instant) -> bool {
        self.receive_queued(id);
        self.wait(id, Some(deadline), |core, waker| core.poll_ready(id, waker)).is_some()
    }

    /// Receives the parts that are already in the socket, unless another thread receives, or until a call has an answer
    /// or an item, or has ended.
    fn receive_queued(&self, id: u64) {
        let _leaving = Leaving(self);
        let Some(mut receiver) = self.try_receiver() else { return };
        for _ in 0..MAX_QUEUED {
            if self.core.is_ready(id) || !self.receive(&mut receiver, Wait::Try) {
                return;
            }
        }
    }

    /// Ends a call whose deadline has passed.
    fn give_up<T>(&self, id: u64) -> Result<T, CallError> {
        self.cancel(id);
        Err(CallError::TimedOut)
    }

    /// Ends a call early, and tells the server.
    pub(crate) fn cancel(&self, id: u64) {
        self.core.cancel(id, || _ = self.core.flush());
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.core.table().len()
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.core.table().dropped()
    }

    /// Waits until `poll` is ready, or until `deadline`. Meanwhile sends queued parts and receives for all calls,
    /// unless another thread does.
    fn wait<T>(
        &self,
        id: u64,
        deadline: Option<Instant>,
        poll: impl Fn(&Core, &Waker) -> Poll<T>,
    ) -> Option<T> {
        let waker = waker();
        // The request of this call ends at or before this position.
        let end = self.core.queued();
        let mut full = Full::default();
        // Dropped after the receiver is unlocked.
        let _leaving = Leaving(self);
        loop {
            if let Poll::Ready(result) = poll(&self.core, &waker) {
                break Some(result);
            }
            // The waker is stored now, so a thread that stops receiving from here on wakes this one.
            if has_passed(deadline) {
                // Before `leaving` appoints another thread, which must be one that waits.
                self.core.stop_waiting(id, &waker);
                break None;
            }
            if !self.core.flush_to(end) {
                self.wait_for_room(deadline, &mut full);
                continue;
            }
            match self.try_receiver() {
                Some(mut receiver) => {
                    // The previous receiving thread may have received the answer of this call.
                    if let Poll::Ready(result) = poll(&self.core, &waker) {
                        break Some(result);
                    }
                    self.receive(&mut receiver, deadline.map_or(Wait::Block, Wait::Until));
                }
                None => park_until(deadline),
            }
        }
    }

    /// Waits until a request may be queued. Without this wait, cancelled requests would pile up if the server does not
    /// read.
    fn wait_for_space<M: Message>(
        &self,
        request: &M,
        deadline: Option<Instant>,
    ) -> Result<(), CallError> {
        let mut full = Full::default();
        while self.core.is_full() && !self.core.flush() {
            self.core.table().check()?;
            if has_passed(deadline) {
                let late =
                    outbox::send(request, |frame| Err(SendError::TimedOut { len: frame.len }));
                return late.map(|_| ()).map_err(|error| CallError::NotSent(Arc::new(error)));
            }
            self.wait_for_room(deadline, &mut full);
        }
        Ok(())
    }

    /// Waits for room, and meanwhile receives, unless another thread does: a server may read no requests until its
    /// answers are read.
    fn wait_for_room(&self, deadline: Option<Instant>, full: &mut Full) {
        let pause = match full.wait(self.fd.as_fd()) {
            HowToWait::Retry => return,
            HowToWait::Poll => None,
            HowToWait::Pause(pause) => Some(pause),
        };
        let recheck = Instant::now() + pause.unwrap_or(RECHECK);
        let until = deadline.map_or(recheck, |deadline| deadline.min(recheck));
        let _leaving = Leaving(self);
        let mut receiver = self.try_receiver();
        let readiness = match (&receiver, pause) {
            (Some(_), None) => Some(Readiness::Either),
            (Some(_), Some(_)) => Some(Readiness::Readable),
            (None, None) => Some(Readiness::Writable),
            (None, Some(_)) => None,
        };
        match readiness {
            // If the wait fails, sending fails too, and reports why.
            Some(readiness) => _ = sys::wait(self.fd.as_fd(), readiness, Some(until)),
            None => thread::sleep(until.saturating_duration_since(Instant::now())),
        }
        if let Some(receiver) = &mut receiver {
            self.receive(receiver, Wait::Try);
        }
    }

    fn try_receiver(&self) -> Option<MutexGuard<'_, Receiver<Answers<P>>>> {
        match self.receiver.try_lock() {
            Ok(receiver) => Some(receiver),
            Err(TryLockError::Poisoned(receiver)) => Some(receiver.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Wakes a waiting thread to receive for all, unless another thread receives.
    fn appoint(&self) {
        if self.try_receiver().is_some() {
            let waiting = self.core.table().take_waiting();
            wake_all(waiting);
        }
    }

    /// Receives the parts of a datagram, and hands them to their calls. Returns whether there were any.
    fn receive(&self, receiver: &mut Receiver<Answers<P>>, wait: Wait) -> bool {
        let received = receiver.receive_range(wait);
        let is_part = matches!(received, Ok(Some(_)));
        self.core.accept(receiver, received, &mut Wakers::default());
        is_part
    }
}

/// A thread that may have received for all. Dropping this appoints another thread.
struct Leaving<'l, P: Protocol>(&'l Link<P>);

impl<P: Protocol> Drop for Leaving<'_, P> {
    fn drop(&mut self) {
        self.0.appoint();
    }
}

impl<P> fmt::Debug for Link<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}
