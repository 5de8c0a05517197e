//! Runs the code that tasks share in every order that the memory model allows: see `calls::models`.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

use loom::future::block_on;
use loom::thread;

use super::link::Link;
use crate::calls::ask::Ask;
use crate::calls::{CallError, Core, Memory, Observer, Outlet, Outputs, Queued};

fn link() -> (Arc<Link>, Outputs) {
    let (memory, outputs) = Memory::new();
    let core = Core::new(Outlet::in_memory(memory), Observer::default());
    (Arc::new(Link::new(core)), outputs)
}

#[test]
fn a_caller_that_waits_until_its_request_is_sent_learns_that_the_connection_has_ended() {
    loom::model(|| {
        let (link, _outputs) = link();
        let driver = thread::spawn({
            let link = Arc::clone(&link);
            move || {
                link.core.end(None);
                link.admit();
            }
        });
        // A request that is never sent.
        let queued = Queued { is_alone: true, end: 1, ..Queued::default() };
        let ended = block_on(poll_fn(|cx| link.poll_room(cx, &queued)));
        assert!(matches!(ended, Err(CallError::Disconnected(None))));
        driver.join().unwrap();
    });
}

/// Whether the driver was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A task that queues a request sends it, wakes the driver, or relies on another task.
#[test]
fn every_request_is_sent_or_wakes_the_driver() {
    loom::model(|| {
        let (link, _outputs) = link();
        let callers = [(); 2].map(|()| {
            let link = Arc::clone(&link);
            thread::spawn(move || link.begin(&Ask, false, None).unwrap())
        });
        let woken = Arc::new(Woken::default());
        // One turn of the driver.
        link.bell.disarm();
        _ = link.core.flush();
        link.bell.arm(&Context::from_waker(&Waker::from(Arc::clone(&woken))));
        callers.into_iter().for_each(|caller| _ = caller.join().unwrap());
        assert!(link.core.unsent() == 0 || woken.0.load(Ordering::Relaxed));
    });
}
