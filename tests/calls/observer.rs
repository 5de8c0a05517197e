//! An observer that panics.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::Connection;
use datagrammar::calls::{CallFrameKind, Client, Server};
use datagrammar_tests::raw;
use rustix::net::SocketType;

use crate::peer::{Peer, REPLY, part};
use crate::{Counted, Handler, Ours, Sum, Sums, add};

/// Longer than the test takes: a call that waits for this long would wait forever.
const STALL: Duration = Duration::from_secs(60);

/// The thread that receives for all panics while it holds the answer of another thread.
#[test]
fn an_observer_that_panics_fails_no_other_call() {
    let begun = Instant::now();
    while !is_clumsy_the_receiver() {
        assert!(begun.elapsed() < STALL, "another thread receives, always");
    }
}

/// Returns whether the first thread received for all, as it does unless the machine pauses.
fn is_clumsy_the_receiver() -> bool {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    let mut peer = Peer::new(theirs);
    let (received, receivers) = mpsc::channel();
    let client: Ours = Client::observed(Connection::adopt(ours).unwrap(), move |frame| {
        if frame.kind != CallFrameKind::Request {
            let is_clumsy = thread::current().name() == Some("clumsy");
            _ = received.send(is_clumsy);
            assert!(!is_clumsy, "as the test asks");
        }
    });
    let (done, has_done) = mpsc::channel();
    let mut call = |name: &str, number| {
        let (calling, done) = (client.clone(), done.clone());
        let call = move || {
            let result = catch_unwind(AssertUnwindSafe(|| add(&calling, number, 0).unwrap()));
            // This answer is not asked for if another thread received.
            _ = done.send((number, result.ok()));
        };
        thread::Builder::new().name(name.into()).spawn(call).unwrap();
        let id = peer.next().id;
        // Makes the thread wait, so that the first thread receives.
        thread::sleep(Duration::from_millis(50));
        id
    };
    let ids = [call("clumsy", 1), call("second", 2), call("third", 3)];
    let reply = |id, number| part(REPLY, 0, id, &datagrammar::to_vec(&Sum::Ok(number)).unwrap());
    peer.send(&reply(ids[1], 2));
    if !receivers.recv_timeout(STALL).expect("a thread receives") {
        return false;
    }
    let mut results = [
        has_done.recv_timeout(STALL).expect("one ends"),
        has_done.recv_timeout(STALL).expect("another one ends"),
    ];
    results.sort_unstable();
    assert_eq!(results, [(1, None), (2, Some(2))]);
    peer.send(&reply(ids[2], 3));
    assert_eq!(has_done.recv_timeout(STALL).expect("all end"), (3, Some(3)));
    assert_eq!(client.in_flight(), 0);
    true
}

/// Nobody waits for the call then.
#[test]
fn a_call_whose_request_makes_the_observer_panic_does_not_begin() {
    let (client, server) = Connection::pair().unwrap();
    let server = thread::spawn(|| Server::new(Handler::default()).serve(server));
    let requests = AtomicUsize::new(0);
    let client: Ours = Client::observed(client, move |frame| {
        let is_request = frame.kind == CallFrameKind::Request;
        let is_nth = is_request && requests.fetch_add(1, Ordering::Relaxed) % 3 != 2;
        assert!(!is_nth, "as the test asks");
    });
    for number in 0..3 {
        let panicked = catch_unwind(AssertUnwindSafe(|| add(&client, number, 1)));
        assert!(panicked.is_err());
        let items = || client.items::<Counted>(&Sums::Count { to: 1 });
        assert!(catch_unwind(AssertUnwindSafe(items)).is_err());
        assert_eq!(client.in_flight(), 0);
        assert_eq!(add(&client, number, 2).unwrap(), number + 2);
    }
    assert_eq!(client.in_flight(), 0);
    drop(client);
    server.join().unwrap().unwrap();
}
