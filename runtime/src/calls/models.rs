//! Runs the code that threads share in every order that the memory model allows, with [loom]: see `.ci/models`.
//!
//! Loom reports a lost wake-up as a deadlock.
//!
//! [loom]: https://docs.rs/loom

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use loom::future::block_on;
use loom::thread;

use super::ask::Ask;
use super::bell::Bell;
use super::memory::Memory;
use super::outlet::Outlet;
use super::room::Room;
use super::sync::Mutex;
use super::sync::atomic::{AtomicUsize, Ordering};
use crate::wire::{CallHead, CallKind, HEAD_LEN};

const HEAD: CallHead = CallHead { kind: CallKind::Cancel, number: 0, id: 1 };

#[test]
fn a_ring_is_heard_while_the_task_works_or_sleeps() {
    loom::model(|| {
        let shared = Arc::new((Bell::default(), Mutex::new(0)));
        let ringers = [(); 2].map(|()| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let (bell, work) = &*shared;
                *work.lock().unwrap() += 1;
                bell.ring();
            })
        });
        let (bell, work) = &*shared;
        block_on(poll_fn(|cx| {
            bell.disarm();
            let is_done = *work.lock().unwrap() == 2;
            bell.arm(cx);
            if is_done { Poll::Ready(()) } else { Poll::Pending }
        }));
        ringers.into_iter().for_each(|ringer| ringer.join().unwrap());
    });
}

#[test]
fn every_part_is_sent_if_only_the_thread_that_queues_the_first_rings() {
    loom::model(|| {
        let (memory, outputs) = Memory::new();
        let shared = Arc::new((Outlet::<()>::in_memory(memory), Bell::default()));
        let senders = [(); 2].map(|()| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let (outlet, bell) = &*shared;
                if outlet.lock().push_head(HEAD) {
                    bell.ring();
                }
            })
        });
        let (outlet, bell) = &*shared;
        block_on(poll_fn(|cx| {
            bell.disarm();
            assert!(outlet.flush(|unsent| panic!("{unsent:?}")));
            bell.arm(cx);
            let is_done = outlet.sent() == 2 * HEAD_LEN as u64;
            if is_done { Poll::Ready(()) } else { Poll::Pending }
        }));
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        assert_eq!(outputs.queued().count(), 2);
    });
}

#[test]
fn a_thread_that_waits_for_room_sees_it_or_is_woken() {
    loom::model(|| {
        let shared = Arc::new((Room::default(), AtomicUsize::new(2)));
        let sender = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let (room, unsent) = &*shared;
                for left in [1, 0] {
                    unsent.store(left, Ordering::Release);
                    room.admit(|| unsent.load(Ordering::Acquire) == 0);
                }
            }
        });
        let (room, unsent) = &*shared;
        block_on(poll_fn(|cx| room.poll(cx.waker(), || unsent.load(Ordering::Acquire) == 0)));
        sender.join().unwrap();
    });
}

#[test]
fn no_part_stays_behind_when_threads_send_at_the_same_time() {
    loom::model(|| {
        let (memory, outputs) = Memory::new();
        let outlet = Arc::new(Outlet::<()>::in_memory(memory));
        let sender = thread::spawn({
            let outlet = Arc::clone(&outlet);
            move || push_and_flush(&outlet)
        });
        push_and_flush(&outlet);
        sender.join().unwrap();
        assert_eq!((outlet.unsent(), outputs.queued().count()), (0, 2));
    });
}

/// Sends a part like a thread that does not wait for it.
fn push_and_flush(outlet: &Outlet<()>) {
    _ = outlet.lock().push_head(HEAD);
    assert!(outlet.flush(|unsent| panic!("{unsent:?}")));
}

#[test]
fn a_part_queued_by_a_thread_that_sleeps_after_a_flush_is_sent() {
    loom::model(|| {
        let (memory, _outputs) = Memory::new();
        let outlet = Arc::new(Outlet::<()>::in_memory(memory));
        let sender = thread::spawn({
            let outlet = Arc::clone(&outlet);
            move || push_and_flush(&outlet)
        });
        _ = outlet.lock().push_head(HEAD);
        let end = outlet.queued();
        assert!(outlet.flush_to(end, |unsent| panic!("{unsent:?}")));
        assert!(outlet.sent() >= end);
        sender.join().unwrap();
    });
}
