//! What blocking and awaited clients share: the calls in flight, and the way out for requests.

use std::sync::{Arc, PoisonError};
use std::task::{Poll, Waker};
use std::time::Instant;

use super::call::is_lost_here;
use super::table::Table;
use crate::calls::deadline::to_millis;
use crate::calls::frame::Observer;
use crate::calls::outlet::{Outlet, Queued};
use crate::calls::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::calls::sync::{Mutex, MutexGuard};
use crate::calls::unsent::Unsent;
use crate::calls::wake::wake_all;
use crate::error::{CallError, RecvError, SendError};
use crate::message::Message;
use crate::receiver::Part;
use crate::wire::{CallHead, CallKind};

/// The most bytes that are queued while further calls are made, of cancelled requests, and in all of requests without
/// an answer. A server that reads nothing bounds a client that goes on calling and cancelling.
const MAX_ABANDONED: usize = 16 * 1024 * 1024;

/// While less is queued, calls do not note where their requests are.
const MAX_UNNOTED: usize = 1024 * 1024;

/// The calls of one connection, and the requests that are not sent yet.
#[derive(Debug)]
pub(crate) struct Core {
    outlet: Outlet,
    pub(super) observer: Observer,
    table: Mutex<Table>,
    /// How many bytes of requests were cancelled before they were sent, and are still queued.
    abandoned: AtomicUsize,
    /// How many bytes will have been sent once none of them is queued.
    abandoned_end: AtomicU64,
}

/// Who sends a request that was queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    /// The caller, at once: no other call is in flight, and the last datagram had one part.
    Now,
    /// The driver, which the caller wakes.
    Soon,
    /// Whoever sends an earlier one, which is still queued.
    Underway,
}

impl Core {
    pub(crate) fn new(outlet: Outlet, observer: Observer) -> Self {
        Self {
            outlet,
            observer,
            table: Mutex::new(Table::new()),
            abandoned: AtomicUsize::new(0),
            abandoned_end: AtomicU64::new(0),
        }
    }

    #[inline]
    pub(crate) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how many bytes are queued and not sent.
    #[inline]
    pub(crate) fn unsent(&self) -> usize {
        self.outlet.unsent()
    }

    /// Queues a request that has no answer. Returns where it waits.
    pub(crate) fn notify<M: Message>(&self, request: &M) -> Result<Queued, CallError> {
        self.table().check()?;
        let len = self.outlet.unsent();
        if len > MAX_ABANDONED {
            return Err(CallError::NotSent(Arc::new(SendError::WouldBlock { len })));
        }
        let pushed = self.outlet.push(None, request);
        let queued = pushed.map_err(|error| CallError::NotSent(Arc::new(error)))?;
        self.observer.sent(None, request, queued.len);
        Ok(queued)
    }

    /// Fails if a request without an answer was refused, or cannot be sent any more.
    pub(crate) fn check_notified(&self, queued: &Queued) -> Result<(), CallError> {
        self.table().check_notified(queued.end)
    }

    /// Returns whether a request was sent, or could not be sent.
    pub(crate) fn is_sent(&self, queued: &Queued) -> bool {
        self.outlet.sent() >= queued.end
    }

    /// Queues a request for one answer, or for `items`. Returns its id, and who sends it.
    pub(crate) fn begin<M: Message>(
        &self,
        request: &M,
        items: bool,
        deadline: Option<Instant>,
    ) -> Result<(u64, Sending), CallError> {
        let abandoned = self.abandoned.load(Ordering::Relaxed);
        if abandoned > MAX_ABANDONED {
            return Err(CallError::NotSent(Arc::new(SendError::WouldBlock { len: abandoned })));
        }
        let number = to_millis(deadline)?;
        let (id, is_alone) = self.table().begin(request.name(), items)?;
        let mut begun = Begun { core: self, id: Some(id), is_queued: false };
        let head = CallHead { kind: CallKind::Request, number, id };
        let pushed = self.outlet.push(Some(head), request);
        let queued = pushed.map_err(|error| CallError::NotSent(Arc::new(error)))?;
        begun.is_queued = true;
        if self.outlet.unsent() > MAX_UNNOTED {
            self.table().note_queued(id, queued);
        }
        self.observer.sent(Some(id), request, queued.len);
        begun.id = None;
        let sending = match is_alone && !self.outlet.is_shared() {
            true => Sending::Now,
            // If the observer panicked over an earlier one, nobody sends that.
            false if queued.is_first || self.observer.is_there() => Sending::Soon,
            false => Sending::Underway,
        };
        Ok((id, sending))
    }

    /// Queues what the server has to know after an item was polled: more credit, or that the client lost track of the
    /// items. Returns whether there is such a thing.
    pub(crate) fn follow_up(
        &self,
        id: u64,
        polled: &Result<(Option<Part>, u32), CallError>,
    ) -> bool {
        let (kind, number) = match polled {
            Ok((_, more @ 1..)) => (CallKind::Credit, *more),
            Err(error) if is_lost_here(error) => (CallKind::Cancel, 0),
            _ => return false,
        };
        _ = self.outlet.push_head(CallHead { kind, number, id });
        true
    }

    /// Takes the answer of a call, or stores who waits for it: see [`Table::poll_answer`].
    #[inline]
    pub(crate) fn poll_answer(&self, id: u64, waker: &Waker) -> Poll<Result<Part, CallError>> {
        // Dropped after the table is unlocked.
        let mut replaced = None;
        self.table().poll_answer(id, waker, &mut replaced)
    }

    /// Takes the next item of a call, or stores who waits for it: see [`Table::poll_item`].
    pub(crate) fn poll_item(
        &self,
        id: u64,
        waker: &Waker,
    ) -> Poll<Result<(Option<Part>, u32), CallError>> {
        let mut replaced = None;
        self.table().poll_item(id, waker, &mut replaced)
    }

    /// Ready if a call has an item or has ended. Otherwise stores who waits for it.
    pub(crate) fn poll_has_item(&self, id: u64, waker: &Waker) -> Poll<()> {
        let mut replaced = None;
        self.table().poll_has_item(id, waker, &mut replaced)
    }

    /// Ends a call early. Returns whether the server has to be told; that is queued.
    pub(crate) fn cancel(&self, id: u64) -> bool {
        // Named, so that the table is unlocked before the call is dropped, and its waker.
        let forgotten = self.table().forget(id);
        let Some((call, is_open)) = forgotten else { return false };
        if let Some(Queued { room, end, .. }) = call.queued
            && end > self.outlet.sent()
        {
            self.abandoned_end.fetch_max(end, Ordering::Relaxed);
            self.abandoned.fetch_add(room, Ordering::Relaxed);
        }
        if is_open {
            _ = self.outlet.push_head(CallHead { kind: CallKind::Cancel, number: 0, id });
        }
        is_open
    }

    /// Returns whether requests share datagrams, so that others may come along with what is queued.
    #[inline]
    pub(crate) fn is_shared(&self) -> bool {
        self.outlet.is_shared() && self.outlet.unsent() > 0
    }

    /// Returns whether so much is queued that whoever sends has to wait.
    pub(crate) fn is_full(&self) -> bool {
        self.outlet.is_full()
    }

    /// Returns how many bytes were ever queued.
    pub(crate) fn queued(&self) -> u64 {
        self.outlet.queued()
    }

    /// Sends what is queued, as far as there is room. Returns whether everything was sent: see [`Outlet::flush`].
    pub(crate) fn flush(&self) -> bool {
        self.note_flushed(self.outlet.flush(|unsent| self.not_sent(unsent)))
    }

    /// As [`flush`](Self::flush), for a thread that then sleeps: see [`Outlet::flush_to`].
    pub(crate) fn flush_to(&self, end: u64) -> bool {
        self.note_flushed(self.outlet.flush_to(end, |unsent| self.not_sent(unsent)))
    }

    fn note_flushed(&self, is_flushed: bool) -> bool {
        // If another thread sends, something may be left.
        if is_flushed && self.outlet.sent() >= self.abandoned_end.load(Ordering::Relaxed) {
            self.abandoned.store(0, Ordering::Relaxed);
        }
        is_flushed
    }

    fn not_sent(&self, Unsent { parts, error, is_last, start, end }: Unsent) {
        let error = Arc::new(error);
        for part in parts {
            match part {
                Some(CallHead { kind: CallKind::Request, id, .. }) => {
                    let failed = self.table().not_sent(id, &error);
                    wake_all(failed);
                }
                // Items may still come without more credit.
                Some(_) => {}
                None if is_last => {}
                None => self.table().refuse(end, Arc::clone(&error)),
            }
        }
        if is_last {
            // Whatever it was, the connection is shut down now, and repeating a call over it is of no use.
            let error = match error.is_fatal() {
                true => error,
                false => Arc::new(SendError::Disconnected),
            };
            // The answers to earlier requests can still be received.
            let stopped = self.table().stop(&error, start);
            wake_all(stopped);
        }
    }

    /// Fails all calls, now and later: no more answers come.
    pub(crate) fn end(&self, reason: Option<Arc<RecvError>>) {
        let ended = self.table().end(reason);
        wake_all(ended);
    }
}

/// A call that is about to begin. Ends if its request is not queued, or if encoding it or the observer panics: nobody has
/// its id then.
struct Begun<'c> {
    core: &'c Core,
    /// `None` once the call has begun.
    id: Option<u64>,
    is_queued: bool,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        match self.id {
            Some(id) if self.is_queued => _ = self.core.cancel(id),
            Some(id) => _ = self.core.table().forget(id),
            None => {}
        }
    }
}
