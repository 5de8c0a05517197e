//! The shared core of blocking and async clients: the calls in flight, and the outlet for requests.

use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Instant;

use super::abandoned::Abandoned;
use super::call::is_lost_here;
use super::table::Table;
use crate::calls::deadline::to_millis;
use crate::calls::frame::Observer;
use crate::calls::outlet::Outlet;
use crate::calls::queue::{Locked, Queued};
use crate::calls::sync::atomic::{AtomicU64, Ordering};
use crate::calls::unsent::Unsent;
use crate::calls::wake::wake_all;
use crate::error::{CallError, RecvError, SendError};
use crate::message::Message;
use crate::receiver::Part;
use crate::wire::{CallHead, CallKind};

/// The most bytes of cancelled requests that may be queued when a call is made. For a call without an answer, the most
/// bytes of any requests. So a client that calls and cancels without end is bounded even if its server reads nothing.
const MAX_ABANDONED: usize = 16 * 1024 * 1024;

/// While at most this many bytes are queued, calls do not note the positions of their requests.
const MAX_UNNOTED: usize = 1024 * 1024;

/// The calls of one connection, and the requests that are not sent yet.
#[derive(Debug)]
pub(crate) struct Core {
    outlet: Outlet<Table>,
    pub(super) observer: Observer,
    /// The last id that was used. No id is used twice.
    last: AtomicU64,
    abandoned: Abandoned,
}

/// Which thread or task sends a queued request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    /// The caller, at once: no other call is in flight, and the last datagram had one part.
    Now,
    /// The driver, which the caller wakes.
    Soon,
    /// The sender of an earlier request that is still queued.
    Underway,
}

impl Core {
    pub(crate) fn new(outlet: Outlet<Table>, observer: Observer) -> Self {
        Self { outlet, observer, last: AtomicU64::new(0), abandoned: Abandoned::new() }
    }

    #[inline]
    pub(crate) fn table(&self) -> Locked<'_, Table> {
        self.outlet.lock()
    }

    /// Returns how many bytes are queued and not sent.
    #[inline]
    pub(crate) fn unsent(&self) -> usize {
        self.outlet.unsent()
    }

    /// Queues a request that has no answer. Returns its position in the queue.
    pub(crate) fn notify<M: Message>(&self, request: &M) -> Result<Queued, CallError> {
        self.table().check()?;
        let len = self.outlet.unsent();
        if len > MAX_ABANDONED {
            return Err(CallError::NotSent(Arc::new(SendError::WouldBlock { len })));
        }
        let pushed = self.outlet.push_frame(request);
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

    /// Queues a request for one answer, or for `items`. Returns its id, and which task or thread sends it.
    pub(crate) fn begin<M: Message>(
        &self,
        request: &M,
        items: bool,
        deadline: Option<Instant>,
    ) -> Result<(u64, Sending), CallError> {
        let abandoned = self.abandoned.at_most(|| self.outlet.unsent());
        if abandoned > MAX_ABANDONED {
            return Err(CallError::NotSent(Arc::new(SendError::WouldBlock { len: abandoned })));
        }
        let number = to_millis(deadline)?;
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let (head, name) = (CallHead { kind: CallKind::Request, number, id }, request.name());
        let queued = self.outlet.encode(head, request, |part| {
            let mut table = self.table();
            let is_alone = table.begin(id, name, items)?;
            let queued = table.push(part);
            if self.outlet.unsent() > MAX_UNNOTED {
                table.note_queued(id, queued);
            }
            Ok((is_alone, queued))
        });
        let (is_alone, queued) = queued.map_err(|error| CallError::NotSent(Arc::new(error)))??;
        let mut begun = Begun { core: self, id: Some(id) };
        self.observer.sent(Some(id), request, queued.len);
        begun.id = None;
        let sending = match is_alone && !self.outlet.is_shared() {
            true => Sending::Now,
            // An earlier request may be queued without a sender, if the observer panicked over it.
            false if queued.is_first || self.observer.is_there() => Sending::Soon,
            false => Sending::Underway,
        };
        Ok((id, sending))
    }

    /// Tells the server about a polled item: gives more credit, or cancels if an item was lost. Returns whether
    /// anything was queued.
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
        self.table().push_head(CallHead { kind, number, id });
        true
    }

    /// Takes the answer of a call, or stores the waker: see [`Table::poll_answer`].
    #[inline]
    pub(crate) fn poll_answer(&self, id: u64, waker: &Waker) -> Poll<Result<Part, CallError>> {
        // Dropped after the table is unlocked.
        let mut replaced = None;
        self.table().poll_answer(id, waker, &mut replaced)
    }

    /// Takes the next item of a call, or stores the waker: see [`Table::poll_item`].
    pub(crate) fn poll_item(
        &self,
        id: u64,
        waker: &Waker,
    ) -> Poll<Result<(Option<Part>, u32), CallError>> {
        let mut replaced = None;
        self.table().poll_item(id, waker, &mut replaced)
    }

    /// Ready if a call has an answer or an item, or has ended. Otherwise stores the waker.
    pub(crate) fn poll_ready(&self, id: u64, waker: &Waker) -> Poll<()> {
        let mut replaced = None;
        self.table().poll_ready(id, waker, &mut replaced)
    }

    /// Returns whether a call has an answer or an item, or has ended.
    pub(crate) fn is_ready(&self, id: u64) -> bool {
        self.table().is_ready(id)
    }

    /// Removes the waker of a call, if it is `waker`.
    pub(crate) fn stop_waiting(&self, id: u64, waker: &Waker) {
        // In a variable, so that the table is unlocked before it is dropped.
        let removed = self.table().stop_waiting(id, waker);
        drop(removed);
    }

    /// Ends a call early. If the server must be told, queues the cancellation, and calls `send`.
    pub(crate) fn cancel(&self, id: u64, send: impl FnOnce()) {
        let mut table = self.table();
        // Drops the call and its waker at the end: other tasks may rely on this one to send the queued parts first.
        let Some((call, is_running)) = table.forget(id) else { return };
        if is_running {
            table.push_head(CallHead { kind: CallKind::Cancel, number: 0, id });
        }
        drop(table);
        if let Some(queued) = call.queued
            && queued.end > self.outlet.sent()
        {
            self.abandoned.add(queued);
        }
        if is_running {
            send();
        }
    }

    /// Returns how many calls have ever begun, including those whose requests could not be queued.
    #[inline]
    pub(crate) fn begun(&self) -> u64 {
        self.last.load(Ordering::Relaxed)
    }

    /// Returns whether requests share datagrams, so that further requests may join the queued ones.
    #[inline]
    pub(crate) fn is_shared(&self) -> bool {
        self.outlet.is_shared() && self.outlet.unsent() > 0
    }

    /// Returns whether senders must wait, because too much is queued.
    pub(crate) fn is_full(&self) -> bool {
        self.outlet.is_full()
    }

    /// Returns how many bytes were ever queued.
    pub(crate) fn queued(&self) -> u64 {
        self.outlet.queued()
    }

    /// Sends the queued parts as far as there is room. Returns whether everything was sent: see [`Outlet::flush`].
    pub(crate) fn flush(&self) -> bool {
        self.send(|not_sent| self.outlet.flush(not_sent))
    }

    /// Does the same as [`flush`](Self::flush), for a thread that then sleeps: see [`Outlet::flush_to`].
    pub(crate) fn flush_to(&self, end: u64) -> bool {
        self.send(|not_sent| self.outlet.flush_to(end, not_sent))
    }

    /// Sends with `flush`. Then wakes the callers whose requests were not sent: while the outlet sends, nothing may be
    /// woken.
    #[inline]
    fn send(&self, flush: impl FnOnce(&mut dyn FnMut(Unsent)) -> bool) -> bool {
        let mut failed = Vec::new();
        let is_flushed = flush(&mut |unsent| self.not_sent(unsent, &mut failed));
        wake_all(failed);
        self.abandoned.note_sent(self.outlet.sent());
        is_flushed
    }

    fn not_sent(&self, unsent: Unsent, failed: &mut Vec<Waker>) {
        let Unsent { parts, error, is_last, start, end } = unsent;
        let error = Arc::new(error);
        for part in parts {
            match part {
                Some(CallHead { kind: CallKind::Request, id, .. }) => {
                    failed.extend(self.table().not_sent(id, &error));
                }
                // Lost credit or a lost cancellation. Items may still come.
                Some(_) => {}
                None if is_last => {}
                None => self.table().refuse(end, Arc::clone(&error)),
            }
        }
        if is_last {
            // For any error, the connection is shut down now, so it is useless to repeat a call over it.
            let error = match error.is_fatal() {
                true => error,
                false => Arc::new(SendError::Disconnected),
            };
            // The answers to earlier requests can still be received.
            failed.extend(self.table().stop(&error, start));
        }
    }

    /// Fails all calls, now and later: no more answers come.
    pub(crate) fn end(&self, reason: Option<Arc<RecvError>>) {
        let ended = self.table().end(reason);
        wake_all(ended);
    }
}

/// A call whose id is not yet returned. It ends if the observer panics, because nothing else knows its id.
struct Begun<'c> {
    core: &'c Core,
    /// `None` once the id is returned.
    id: Option<u64>,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        // If there is an observer, the next request wakes the driver.
        self.id.into_iter().for_each(|id| self.core.cancel(id, || {}));
    }
}
