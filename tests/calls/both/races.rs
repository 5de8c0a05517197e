//! Threads that share a client or a connection, at the moments where they depend on each other.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::Connection;
use datagrammar::calls::{Answers, Call, CallError, Client, Server, Service};
use datagrammar_tests::within;

use crate::protocol::{Counted, Sum, Sums};

/// Longer than any of these tests takes: a call that waits for this long would wait forever.
const STALL: Duration = Duration::from_secs(60);

/// Answers sums, keeps streams open without items, and works slowly on request.
#[derive(Default)]
struct Patient {
    working: AtomicUsize,
    most: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
}

impl Service for Patient {
    type Protocol = Sums<'static>;

    fn handle(&self, mut call: Call<Sums<'static>>) {
        let Some((cx, request, answer)) = call.open() else { return };
        match request {
            Sums::Add { left, right } => {
                let working = self.working.fetch_add(1, Ordering::SeqCst) + 1;
                self.most.fetch_max(working, Ordering::SeqCst);
                thread::yield_now();
                self.working.fetch_sub(1, Ordering::SeqCst);
                answer.reply::<Sum>(Ok(left + right));
            }
            Sums::Slow { millis } => {
                thread::sleep(Duration::from_millis(millis));
                answer.nothing();
            }
            Sums::Count { .. } => {
                let items = answer.items::<Counted>();
                while !cx.is_cancelled() && !self.is_over.load(Ordering::SeqCst) {
                    thread::sleep(Duration::from_millis(1));
                }
                items.end();
            }
            _ => answer.nothing(),
        }
    }
}

type Ours = Client<Sums<'static>>;

/// Runs `test` with a client of a server, which must end afterwards.
#[track_caller]
fn serve(
    threads: usize,
    service: impl Service<Protocol = Sums<'static>> + 'static,
    test: impl FnOnce(Ours) + Send + 'static,
) {
    within("the calls of the test, and the end of the server", move || {
        let (client, server) = Connection::<Sums<'static>, Answers<Sums<'static>>>::pair().unwrap();
        let serving = thread::spawn(move || Server::new(service).threads(threads).serve(server));
        test(Client::new(client));
        serving.join().unwrap().unwrap();
    });
}

fn add(client: &Ours, left: u64, right: u64) -> u64 {
    client.call::<Sum>(&Sums::Add { left, right }).unwrap().decode().unwrap()
}

/// A thread that finds no room may leave before there is room, while another one receives for all. The other threads'
/// requests are sent nevertheless.
#[test]
fn h21_a_request_does_not_depend_on_the_thread_that_found_no_room() {
    let patient = Patient::default();
    let is_over = Arc::clone(&patient.is_over);
    serve(1, patient, move |client| {
        // This thread receives for all, but no answer comes for it.
        let watching = thread::spawn({
            let client = client.clone();
            move || {
                let mut items = client.items::<Counted>(&Sums::Count { to: 1 }).unwrap();
                assert!(items.recv().unwrap().is_none());
            }
        });
        let (done, has_done) = mpsc::channel();
        let start = Arc::new(Barrier::new(2));
        let adding = thread::spawn({
            let (client, start) = (client.clone(), Arc::clone(&start));
            move || {
                for round in 0..100 {
                    start.wait();
                    for number in 0..3 {
                        assert_eq!(add(&client, round, number), round + number);
                    }
                    done.send(()).unwrap();
                }
            }
        });
        let text = vec![0; 50_000];
        for round in 0..100 {
            // These calls return at once, whether there is room or not.
            let hasty = client.deadline(Instant::now());
            _ = hasty.notify(&Sums::Slow { millis: 2 });
            start.wait();
            for _ in 0..30 {
                _ = hasty.notify(&Sums::Echo { text: &text });
            }
            has_done.recv_timeout(STALL).unwrap_or_else(|_| panic!("round {round} does not end"));
        }
        adding.join().unwrap();
        is_over.store(true, Ordering::SeqCst);
        watching.join().unwrap();
    });
}

/// The threads of a connection decide independently whether there are enough of them.
#[test]
fn there_are_never_more_threads_than_allowed() {
    for _ in 0..50 {
        let patient = Patient::default();
        let most = Arc::clone(&patient.most);
        serve(2, patient, |client| {
            thread::scope(|scope| {
                for _ in 0..6 {
                    scope.spawn(|| {
                        (0..40).for_each(|number| assert_eq!(add(&client, number, 1), number + 1));
                    });
                }
            });
        });
        assert!(most.load(Ordering::SeqCst) <= 2);
    }
}

/// A handler that notices the passed deadline may give an incomplete answer. That answer must not be used, even if it
/// arrives before the caller has noticed the deadline.
#[test]
fn what_a_handler_answers_after_the_deadline_is_no_answer() {
    struct Hasty;

    impl Service for Hasty {
        type Protocol = Sums<'static>;

        fn handle(&self, mut call: Call<Sums<'static>>) {
            let Some((cx, _, answer)) = call.open() else { return };
            while !cx.is_cancelled() {
                thread::yield_now();
            }
            answer.reply::<Sum>(Ok(0));
        }
    }

    serve(4, Hasty, |client| {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let hasty = client.deadline(Instant::now() + Duration::from_micros(1900));
                        let answer = hasty.call::<Sum>(&Sums::Add { left: 0, right: 0 });
                        assert!(matches!(answer, Err(CallError::TimedOut)), "{answer:?}");
                    }
                });
            }
        });
    });
}
