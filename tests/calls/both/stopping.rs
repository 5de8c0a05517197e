//! Servers that stop while calls run, or while clients do not read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::Connection;
use datagrammar::calls::{Answers, Call, CallError, Server, Service, Stopper};
use datagrammar_tests::raw;
use rustix::net::SocketType;

use crate::peer::Peer;
use crate::protocol::{Counted, Sum, Sums};
use crate::{Handler, Ours, add};

/// Longer than any of these tests takes.
const STALL: Duration = Duration::from_secs(60);

/// A server that stops patiently can still be told to hurry.
#[test]
fn the_earliest_of_several_deadlines_counts() {
    let (client, connection) = Connection::<Sums<'static>, Answers<Sums<'static>>>::pair().unwrap();
    let handler = Handler::default();
    let begun = Arc::clone(&handler.slow);
    let server = Server::new(handler).threads(4);
    let stopper = server.stopper();
    let serving = thread::spawn(move || server.serve(connection));
    let client = Ours::new(client);
    let slow = thread::spawn({
        let client = client.clone();
        move || client.call::<Sum>(&Sums::Slow { millis: u64::MAX }).map(|_| ())
    });
    while begun.load(Ordering::Relaxed) == 0 {
        thread::yield_now();
    }
    let (done, has_done) = mpsc::channel();
    let patient = thread::spawn({
        let stopper = stopper.clone();
        move || done.send(stopper.stop(Instant::now() + 10 * STALL))
    });
    while !matches!(add(&client, 1, 1), Err(CallError::Stopping)) {
        thread::yield_now();
    }
    assert_eq!(stopper.stop(Instant::now()), 1);
    assert_eq!(has_done.recv_timeout(STALL).expect("it ends, too"), 0);
    assert!(matches!(slow.join().unwrap(), Err(CallError::Cancelled)));
    patient.join().unwrap().unwrap();
    serving.join().unwrap().unwrap();
}

/// The handler also waits for its own call.
#[test]
fn a_handler_can_stop_its_server() {
    struct Quitter(OnceLock<Stopper>);

    impl Service for Quitter {
        type Protocol = Sums<'static>;

        fn handle(&self, mut call: Call<Sums<'static>>) {
            let Some((cx, _, answer)) = call.open() else { return };
            let stopper = self.0.get().unwrap();
            assert_eq!(stopper.stop(Instant::now() + Duration::from_millis(50)), 1);
            assert!(cx.is_cancelled());
            answer.reply::<Sum>(Ok(1));
        }
    }

    let (client, connection) = Connection::<Sums<'static>, Answers<Sums<'static>>>::pair().unwrap();
    let quitter = Arc::new(Quitter(OnceLock::new()));
    let server = Server::new(Shared(Arc::clone(&quitter)));
    quitter.0.set(server.stopper()).unwrap();
    let serving = thread::spawn(move || server.serve(connection));
    let client = Ours::new(client);
    assert!(matches!(add(&client, 1, 1), Err(CallError::Cancelled)));
    serving.join().unwrap().unwrap();

    struct Shared(Arc<Quitter>);

    impl Service for Shared {
        type Protocol = Sums<'static>;

        fn handle(&self, call: Call<Sums<'static>>) {
            self.0.handle(call);
        }
    }
}

/// Each of these clients alone would delay the end by a second.
#[test]
fn clients_that_do_not_read_hold_up_a_stop_together() {
    const CLIENTS: usize = 30;
    let server = Arc::new(Server::new(Handler::default()).threads(2));
    let stopper = server.stopper();
    let mut serving = Vec::new();
    let mut peer = || {
        let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
        let server = Arc::clone(&server);
        serving.push(thread::spawn(move || {
            let theirs = Connection::<Answers<Sums<'static>>, Sums<'static>>::adopt(theirs);
            server.serve(theirs.unwrap())
        }));
        Peer::new(ours)
    };
    let peers: Vec<_> = (0..CLIENTS).map(|_| peer()).collect();
    let text = vec![7; 16_000];
    let (mut id, mut pauses) = (0, 0);
    // Until no client has had room for half a second.
    while pauses < 50 {
        id += 1;
        let frame = datagrammar::to_vec(&Sums::Echo { text: &text }).unwrap();
        let request = crate::peer::part(crate::peer::REQUEST, 0, id, &frame);
        let sent = peers.iter().filter(|peer| peer.try_send(&request).is_ok()).count();
        if sent == 0 {
            pauses += 1;
            thread::sleep(Duration::from_millis(10));
        } else {
            pauses = 0;
        }
    }
    let begun = Instant::now();
    stopper.stop(begun);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
    serving.into_iter().for_each(|serving| serving.join().unwrap().unwrap());
}

/// A handler that ends only with its caller need not keep the server until the deadline. A call without an answer is not
/// among the calls that the server waits for, and its handler learns of the stop, too.
#[test]
fn handlers_learn_that_their_server_stops() {
    #[derive(Default)]
    struct Watcher {
        begun: Arc<AtomicU64>,
        ended: Arc<AtomicU64>,
    }

    impl Service for Watcher {
        type Protocol = Sums<'static>;

        fn handle(&self, mut call: Call<Sums<'static>>) {
            let Some((cx, request, answer)) = call.open() else { return };
            assert!(!cx.is_stopping());
            self.begun.fetch_add(1, Ordering::SeqCst);
            let begun = Instant::now();
            while !cx.is_stopping() {
                assert!(begun.elapsed() < STALL);
                thread::sleep(Duration::from_millis(1));
            }
            assert!(!cx.is_cancelled());
            match request {
                Sums::Count { .. } => answer.items::<Counted>().end(),
                _ => answer.nothing(),
            }
            self.ended.fetch_add(1, Ordering::SeqCst);
        }
    }

    let (client, connection) = Connection::<Sums<'static>, Answers<Sums<'static>>>::pair().unwrap();
    let watcher = Watcher::default();
    let (begun, ended) = (Arc::clone(&watcher.begun), Arc::clone(&watcher.ended));
    let server = Server::new(watcher);
    let stopper = server.stopper();
    let serving = thread::spawn(move || server.serve(connection));
    let client = Ours::new(client);
    let mut items = client.items::<Counted>(&Sums::Count { to: 1 }).unwrap();
    client.notify(&Sums::Note(1)).unwrap();
    while begun.load(Ordering::SeqCst) < 2 {
        thread::yield_now();
    }
    assert_eq!(stopper.stop(Instant::now() + STALL), 0);
    assert!(items.recv().unwrap().is_none());
    serving.join().unwrap().unwrap();
    let stopped = Instant::now();
    while ended.load(Ordering::SeqCst) < 2 {
        assert!(stopped.elapsed() < STALL);
        thread::yield_now();
    }
}
