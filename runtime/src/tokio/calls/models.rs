//! Runs the code that tasks share in every order that the memory model allows: see `calls::models`.

use std::future::poll_fn;
use std::sync::Arc;

use loom::future::block_on;
use loom::thread;

use super::link::Link;
use crate::calls::{CallError, Core, Memory, Observer, Outlet, Queued};

#[test]
fn a_caller_that_waits_until_its_request_is_sent_learns_that_the_connection_has_ended() {
    loom::model(|| {
        let (memory, _outputs) = Memory::new();
        let core = Core::new(Outlet::in_memory(memory), Observer::default());
        let link = Arc::new(Link::new(core));
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
