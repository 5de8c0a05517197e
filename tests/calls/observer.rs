//! An observer that panics.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use datagrammar::Connection;
use datagrammar::calls::{CallFrameKind, Client};
use datagrammar_tests::raw;
use rustix::net::SocketType;

use crate::peer::{Peer, REPLY, part};
use crate::{Ours, Sum, add};

/// Longer than the test takes: a call that waits for this long waits for ever.
const STALL: Duration = Duration::from_secs(60);

/// The thread that receives for all panics, with the answer of another one in its hand.
#[test]
fn an_observer_that_panics_fails_no_other_call() {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    let client: Ours = Client::observed(Connection::adopt(ours).unwrap(), |frame| {
        let is_clumsy = thread::current().name() == Some("clumsy");
        assert!(!is_clumsy || frame.kind == CallFrameKind::Request, "as the test asks");
    });
    let (done, has_done) = mpsc::channel();
    let mut waiting = 0;
    let mut call = |name: &str, number| {
        let (calling, done) = (client.clone(), done.clone());
        let call = move || {
            let result = catch_unwind(AssertUnwindSafe(|| add(&calling, number, 0).unwrap()));
            done.send((number, result.ok())).unwrap();
        };
        thread::Builder::new().name(name.into()).spawn(call).unwrap();
        waiting += 1;
        while client.in_flight() < waiting {
            thread::yield_now();
        }
        // So that it waits, and the first one receives.
        thread::sleep(Duration::from_millis(50));
    };
    call("clumsy", 1);
    call("second", 2);
    call("third", 3);
    let mut peer = Peer::new(theirs);
    let ids: Vec<_> = (0..3).map(|_| peer.next().id).collect();
    let reply = |id, number| part(REPLY, 0, id, &datagrammar::to_vec(&Sum::Ok(number)).unwrap());
    peer.send(&reply(ids[1], 2));
    let mut results = [
        has_done.recv_timeout(STALL).expect("one ends"),
        has_done.recv_timeout(STALL).expect("another one ends"),
    ];
    results.sort_unstable();
    assert_eq!(results, [(1, None), (2, Some(2))]);
    peer.send(&reply(ids[2], 3));
    assert_eq!(has_done.recv_timeout(STALL).expect("all end"), (3, Some(3)));
    assert_eq!(client.in_flight(), 0);
}
