//! The task of a client that sends requests and receives answers.

use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::busy_poll::BusyPoll;
use super::gathering::Gathering;
use super::link::Link;
use super::turn::Turn;
use super::writer::Writer;
use crate::calls::{Accepted, Core, Wakers};
use crate::message::Message;
use crate::tokio::Receiver;
use crate::tokio::outbound::Outbound;

/// Receives all parts, and hands them to their calls, so that a call that is slow to take its answer does not delay
/// others.
pub(super) struct Driver<Rx: Message> {
    link: Arc<Link>,
    receiver: Receiver<Rx>,
    writer: Writer<Core>,
    /// The wakers of calls that have received a part.
    wakers: Wakers,
    pub(super) busy_poll: BusyPoll,
    turn: Turn,
    gathering: Gathering,
}

impl<Rx: Message> Driver<Rx> {
    pub(super) fn new(link: Arc<Link>, receiver: Receiver<Rx>, outbound: Outbound) -> Self {
        let writer = Writer::new(Arc::clone(&link.core), outbound);
        Self {
            link,
            receiver,
            writer,
            wakers: Wakers::default(),
            busy_poll: BusyPoll::default(),
            turn: Turn::new(),
            gathering: Gathering::default(),
        }
    }

    pub(super) fn poll_drive(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self { link, receiver, writer, wakers, busy_poll, turn, gathering } = self;
        link.bell.disarm();
        while let Poll::Ready(received) = receiver.poll_range(cx) {
            match receiver.with(|inner| link.core.accept(inner, received, wakers)) {
                Accepted::End => return Poll::Ready(()),
                Accepted::More => {}
                Accepted::Last => {
                    // A call may have begun meanwhile, and its request may be sent.
                    let is_quiet = || link.core.table().is_idle();
                    if receiver.poll_quiet(cx, is_quiet).is_pending() {
                        break;
                    }
                }
            }
        }
        // Before the callers are woken: another thread may run one of them at once, and its next call counts.
        let calls = link.core.begun();
        if wakers.len() > 1 && !link.core.table().has_open() {
            gathering.expect(calls, wakers.len());
        }
        wakers.wake();
        link.bell.disarm();
        // The bell stays disarmed meanwhile: the task is already woken.
        ready!(gathering.poll(cx, calls, || link.core.is_shared()));
        // Before the flush, so that the flush sends everything that was queued before the client was dropped.
        let is_closing = link.is_closing();
        let is_flushed = writer.poll_flush(cx).is_ready();
        link.admit();
        if is_closing && is_flushed {
            return Poll::Ready(());
        }
        busy_poll.count(link.core.begun());
        link.set_busy_polling(busy_poll.is_on());
        busy_poll.poll_again(cx, turn, || link.core.table().has_open());
        link.bell.arm(cx);
        Poll::Pending
    }
}

impl<Rx: Message> Future for Driver<Rx> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.get_mut().poll_drive(cx)
    }
}

impl<Rx: Message> Unpin for Driver<Rx> {}

/// Ends all calls, even if the runtime drops the task.
impl<Rx: Message> Drop for Driver<Rx> {
    fn drop(&mut self) {
        // Calls may keep the descriptor open. Fails only if the connection has ended.
        _ = self.receiver.shutdown(Shutdown::Both);
        self.link.core.end(None);
        self.link.admit();
    }
}
