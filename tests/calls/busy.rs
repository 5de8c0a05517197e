//! A blocking server receives from its client while all its threads work.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{Answers, Context, ItemSender, Server};
use datagrammar::{Connection, Message, Protocol, to_vec};
use datagrammar_tests::{raw, within};
use rustix::net::SocketType;

use crate::peer::{self, CANCEL, END, Part, Peer, REPLY, REQUEST};

#[derive(Message, Protocol)]
enum Work {
    /// Works until the call is cancelled, or until the test lets it end. Answers with its number.
    #[message(tag = 1, reply = u64)]
    Wait { number: u64 },
    #[message(tag = 2, reply = u64)]
    Answer { number: u64 },
    #[message(tag = 3, items = Number)]
    Count { to: u64 },
}

#[derive(Message)]
#[message(tag = 1)]
struct Number(u64);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Begun(u64),
    Cancelled(u64),
}

struct Worker {
    says: Sender<Said>,
    may_end: Mutex<Receiver<()>>,
}

impl WorkHandler for Worker {
    fn wait(&self, cx: &Context, number: u64) -> u64 {
        self.says.send(Said::Begun(number)).unwrap();
        while self.may_end.lock().unwrap().try_recv().is_err() {
            if cx.is_cancelled() {
                self.says.send(Said::Cancelled(number)).unwrap();
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        number
    }

    fn answer(&self, _: &Context, number: u64) -> u64 {
        number
    }

    fn count(&self, _: &Context, to: u64, mut items: ItemSender<Number>) {
        (0..to).try_for_each(|number| items.send(&Number(number))).unwrap();
    }
}

/// The statuses of answers.
const DONE: u32 = 0;
const TIMED_OUT: u32 = 5;

/// Lets a test follow the handlers, and end them.
struct Hand {
    said: Receiver<Said>,
    end: Sender<()>,
}

impl Hand {
    #[track_caller]
    fn next(&self) -> Said {
        self.said.recv_timeout(Duration::from_secs(60)).unwrap()
    }

    #[track_caller]
    fn expect(&self, said: Said) {
        assert_eq!(self.next(), said);
    }
}

/// Runs `test` against a server with `threads` threads, which must end afterwards.
fn serve(
    threads: usize,
    connection: Connection<Answers<Work>, Work>,
    test: impl FnOnce(&Hand) + Send + 'static,
) {
    within("the calls of the test, and the end of the server", move || {
        let ((says, said), (end, may_end)) = (mpsc::channel(), mpsc::channel());
        let worker = Worker { says, may_end: Mutex::new(may_end) };
        let server = Server::new(WorkService(worker)).threads(threads);
        let serving = thread::spawn(move || server.serve(connection));
        test(&Hand { said, end });
        serving.join().unwrap().unwrap();
    });
}

/// Like [`serve`], with a peer that does not use the library.
fn serve_peer(threads: usize, test: impl FnOnce(&mut Peer, &Hand) + Send + 'static) {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    serve(threads, Connection::adopt(theirs).unwrap(), move |hand| {
        test(&mut Peer::new(ours), hand);
    });
}

/// Checks that the next part answers a call with this status.
#[track_caller]
fn expect_reply(peer: &mut Peer, id: u64, status: u32) {
    let Part { kind, number, id: answered, .. } = peer.next();
    assert_eq!((kind, number, answered), (REPLY, status, id));
}

#[test]
fn a_handler_sees_that_it_is_cancelled_while_no_thread_is_free() {
    for threads in [1, 3] {
        serve_peer(threads, move |peer, hand| {
            let ids = 1..=threads as u64;
            for id in ids.clone() {
                peer.request(id, &Work::Wait { number: id });
                hand.expect(Said::Begun(id));
            }
            for id in ids.rev() {
                peer.part(CANCEL, 0, id, &[]);
                hand.expect(Said::Cancelled(id));
            }
        });
    }
}

#[test]
fn a_handler_sees_that_its_caller_is_gone_while_no_thread_is_free() {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    serve(1, Connection::adopt(theirs).unwrap(), |hand| {
        let peer = Peer::new(ours);
        peer.request(1, &Work::Wait { number: 1 });
        hand.expect(Said::Begun(1));
        drop(peer);
        hand.expect(Said::Cancelled(1));
    });
}

#[test]
fn handlers_see_that_their_caller_is_gone_though_more_requests_wait_than_are_read() {
    for threads in [1, 2, 16] {
        let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
        serve(threads, Connection::adopt(theirs).unwrap(), move |hand| {
            let peer = Peer::new(ours);
            let ids = 1..=threads as u64;
            for id in ids.clone() {
                peer.request(id, &Work::Wait { number: id });
                hand.expect(Said::Begun(id));
            }
            for id in 1000..1000 + 3 * threads as u64 {
                peer.request(id, &Work::Answer { number: id });
            }
            drop(peer);
            let mut cancelled: Vec<_> = ids.clone().map(|_| hand.next()).collect();
            cancelled.sort_unstable();
            assert_eq!(cancelled, ids.map(Said::Cancelled).collect::<Vec<_>>());
        });
    }
}

#[test]
fn items_flow_while_no_thread_is_free() {
    let (client, server) = Connection::pair().unwrap();
    serve(1, server, |hand| {
        let client = WorkClient::new(client);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| client.wait(7));
            hand.expect(Said::Begun(7));
            // Streams need a thread of their own, and then credit again and again.
            let mut items = client.count(1000).unwrap();
            for number in 0..1000 {
                assert_eq!(items.recv().unwrap().unwrap().0, number);
            }
            assert!(items.recv().unwrap().is_none());
            hand.end.send(()).unwrap();
            assert_eq!(waiting.join().unwrap().unwrap(), 7);
        });
    });
}

#[test]
fn a_free_thread_gets_a_held_request_though_the_client_floods() {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    // The client sends faster than the server receives, so the server never finds the socket empty.
    let flood = peer::bundle(&vec![peer::part(CANCEL, 0, 99, &[]); 3000]);
    // No call waits forever: the server answers when the flood ends.
    let until = Instant::now() + Duration::from_secs(10);
    serve(2, Connection::adopt(theirs).unwrap(), move |hand| {
        let is_answered = AtomicBool::new(false);
        let goes_on = || !is_answered.load(Ordering::Relaxed) && Instant::now() < until;
        let flooding = [(); 4].map(|()| Peer::new(ours.try_clone().unwrap()));
        let mut peer = Peer::new(ours);
        for id in [1, 2] {
            peer.request(id, &Work::Wait { number: id });
            hand.expect(Said::Begun(id));
        }
        peer.request(3, &Work::Answer { number: 3 });
        thread::scope(|scope| {
            for flooding in &flooding {
                let (flood, goes_on) = (&flood, &goes_on);
                scope.spawn(move || {
                    while goes_on() {
                        flooding.send(flood);
                    }
                });
            }
            // The server keeps reading.
            thread::sleep(Duration::from_millis(50));
            hand.end.send(()).unwrap();
            let answered = peer.sorted(2);
            assert!(Instant::now() < until, "no thread got the held request");
            is_answered.store(true, Ordering::Relaxed);
            assert_eq!(answered.last().map(|part| part.id), Some(3), "{answered:?}");
            hand.end.send(()).unwrap();
        });
        peer.next();
    });
}

#[test]
fn requests_are_held_in_order_until_a_thread_is_free() {
    serve_peer(3, |peer, hand| {
        for id in 1..=3 {
            peer.request(id, &Work::Wait { number: id });
            hand.expect(Said::Begun(id));
        }
        let request = to_vec(&Work::Answer { number: 4 }).unwrap();
        peer.part(REQUEST, 1, 4, &request);
        peer.request(5, &Work::Answer { number: 5 });
        // When the items of the stream end, the requests before it have been read.
        peer.request(6, &Work::Count { to: 0 });
        assert_eq!(peer.next(), Part { kind: END, number: 0, id: 6, frame: Vec::new() });
        // Lets the deadline of 1 ms pass.
        thread::sleep(Duration::from_millis(5));
        peer.part(CANCEL, 0, 1, &[]);
        hand.expect(Said::Cancelled(1));
        expect_reply(peer, 4, TIMED_OUT);
        expect_reply(peer, 5, DONE);
        peer.check_silent();
        hand.end.send(()).unwrap();
        hand.end.send(()).unwrap();
        let answered = peer.sorted(2);
        assert_eq!(answered.iter().map(|part| part.id).collect::<Vec<_>>(), [2, 3]);
    });
}
