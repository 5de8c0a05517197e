//! Threads that stop waiting, and may have received for all.

use std::mem;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{CallError, Client};
use datagrammar::{Connection, to_vec};
use datagrammar_tests::raw;
use rustix::net::SocketType;

use crate::peer::{Peer, REPLY, part};
use crate::{Counted, Ours, Sum, Sums, add};

/// Longer than the test takes: a call that waits for this long waits for ever.
const STALL: Duration = Duration::from_secs(60);

/// Receives for all, and leaves before there is anything for this thread.
fn receives_for_a_while(client: &Ours, is_stream: bool) {
    let soon = Instant::now() + Duration::from_millis(40);
    if is_stream {
        let items = client.items::<Counted>(&Sums::Count { to: 1 }).unwrap();
        assert!(!items.wait_deadline(soon));
        // It is cancelled after the test.
        mem::forget(items);
    } else {
        let late = client.deadline(soon).call::<Sum>(&Sums::Slow { millis: 0 });
        assert!(matches!(late, Err(CallError::TimedOut)), "{late:?}");
    }
}

/// Whoever stops receiving appoints another thread, and not itself.
#[test]
fn a_thread_whose_deadline_passes_leaves_the_connection_to_another_one() {
    for round in 0..20_u64 {
        let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
        let mut peer = Peer::new(theirs);
        let client: Ours = Client::new(Connection::adopt(ours).unwrap());
        let reply = |id| part(REPLY, 0, id, &to_vec(&Sum::Ok(7)).unwrap());
        // The ids decide in which order calls are found.
        for id in 1..=round / 2 {
            peer.send(&reply(id));
            assert_eq!(add(&client, 0, 0).unwrap(), 7);
            assert_eq!(peer.next().id, id);
        }
        let (done, has_done) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| receives_for_a_while(&client, round % 2 == 0));
            // So that the first one receives. If it does not, this tests nothing.
            let first = peer.next().id;
            thread::sleep(Duration::from_millis(10));
            let client = client.clone();
            thread::spawn(move || done.send(add(&client, 1, 2).unwrap()));
            let second = loop {
                let part = peer.next();
                if part.id != first {
                    break part.id;
                }
            };
            thread::sleep(Duration::from_millis(60));
            peer.send(&reply(second));
        });
        let answer = has_done.recv_timeout(STALL);
        assert_eq!(answer, Ok(7), "nobody receives in round {round}");
    }
}
