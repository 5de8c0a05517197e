//! Calls from several threads over a blocking client.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{CallError, CallFrameKind, Client, Server};
use datagrammar::tokio::Connection;
use datagrammar::tokio::calls as awaited;
use datagrammar_tests::{Random, leaks, scaled, seed};
use tokio::runtime::Builder;

use super::service::{Handler, Number, Work, WorkClient, WorkService, WorkTokioService};
use super::{Choice, LIMIT, Round, Shared, file, hasty, until};
use crate::storm::Storm;
use crate::watch::Watch;

#[test]
fn every_call_ends_once_whichever_thread_receives() {
    let _alone = crate::alone();
    let mut random = Random(seed());
    for _ in 0..scaled(30) {
        let round = Round::new(&mut random);
        let (is_awaited, panics) = (random.below(2) == 0, random.below(3) == 0);
        println!("{round:?}, awaited: {is_awaited}, an observer that panics: {panics}");
        let before = leaks::open();
        run(round, is_awaited, panics);
        assert_eq!(leaks::open(), before, "descriptors are left");
    }
}

fn run(round: Round, is_awaited: bool, panics: bool) {
    let _watch = Watch::begin(format!("{round:?}"));
    let _storm = round.is_stormy.then(Storm::begin);
    let shared = Shared::default();
    let (client, server) = round.pair();
    let handler = Handler(Arc::clone(&shared));
    let blocking = Server::new(WorkService(handler.clone()));
    let blocking = blocking.threads(round.calls).streams(round.streams);
    let awaited = awaited::Server::new(WorkTokioService(handler));
    let awaited = awaited.calls(round.calls).streams(round.streams);
    let (stopper, awaited_stopper) = (blocking.stopper(), awaited.stopper());
    let serving = thread::spawn(move || {
        if !is_awaited {
            return blocking.serve(server).unwrap();
        }
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Connection::from_blocking(server).map_err(|(_, error)| error).unwrap();
            awaited.serve(server).await.unwrap();
        });
    });
    let observed = AtomicU64::new(0);
    let observer = move |frame: datagrammar::calls::CallFrame| {
        let nth = observed.fetch_add(1, Ordering::Relaxed);
        let is_nth = panics && nth % 50 == 7 && frame.kind != CallFrameKind::Request;
        assert!(!is_nth, "as the test asks");
    };
    let calls = match panics {
        true => Client::<Work<'static>>::observed(client, observer),
        false => Client::new(client),
    };
    let noted = AtomicU64::new(0);
    thread::scope(|scope| {
        let workers = (0..4).map(|number| {
            let client = WorkClient::from(calls.clone());
            let mut worker = Worker { client, round, random: round.random(number), noted: &noted };
            scope.spawn(move || {
                for _ in 0..60 {
                    let worked = catch_unwind(AssertUnwindSafe(|| worker.one()));
                    if let Err(panic) = worked {
                        let is_asked = panic.downcast_ref() == Some(&"as the test asks");
                        assert!(panics && is_asked, "{:?}", panic.downcast_ref::<String>());
                    }
                }
            })
        });
        let workers: Vec<_> = workers.collect();
        if round.stops {
            thread::sleep(Duration::from_millis(5));
            let soon = Instant::now() + Duration::from_millis(5);
            match is_awaited {
                false => _ = stopper.stop(soon),
                true => {
                    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
                    runtime.block_on(awaited_stopper.stop(soon));
                }
            }
        }
        until("the calls end", || workers.iter().all(|worker| worker.is_finished()));
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
    assert_eq!(calls.in_flight(), 0);
    if !round.stops && !panics {
        let meeting = (0..round.calls).map(|_| {
            let client = WorkClient::from(calls.clone());
            thread::spawn(move || client.meet(round.calls as u64).unwrap())
        });
        let meeting: Vec<_> = meeting.collect();
        until("all permits are back", || meeting.iter().all(|meet| meet.is_finished()));
        meeting.into_iter().for_each(|meet| _ = meet.join().unwrap());
        assert_eq!(calls.in_flight(), 0);
        let is_noted = || shared.noted.load(Ordering::SeqCst) == noted.load(Ordering::SeqCst);
        until("all calls without an answer arrive", is_noted);
    }
    drop(calls);
    until("the server ends", || serving.is_finished());
    serving.join().unwrap();
    assert_eq!(shared.running.load(Ordering::SeqCst), 0);
}

struct Worker<'w> {
    client: WorkClient,
    round: Round,
    random: Random,
    noted: &'w AtomicU64,
}

impl Worker<'_> {
    fn one(&mut self) {
        let deadline = hasty(&mut self.random);
        let client = match deadline {
            Some(deadline) => self.client.deadline(deadline),
            None => self.client.clone(),
        };
        let (round, is_hasty) = (self.round, deadline.is_some());
        match Choice::new(&mut self.random) {
            Choice::Add(left) => round.check(client.add(left, 1), left + 1, is_hasty),
            Choice::Echo(len) => {
                let bytes = vec![len as u8; len];
                round.check(client.echo(&bytes), bytes.clone(), is_hasty);
            }
            Choice::TooLarge => match client.echo(&vec![1; LIMIT + 10]).unwrap_err() {
                CallError::TooLarge => {}
                error => round.check_error(&error, is_hasty),
            },
            Choice::Panic => match client.panic().unwrap_err() {
                CallError::Failed => {}
                error => round.check_error(&error, is_hasty),
            },
            Choice::Slow(turns) => round.check(client.slow(turns), turns, is_hasty),
            Choice::Measure => round.check(client.measure(file(77)), 77, is_hasty),
            Choice::Note => {
                let sent = client.note(1);
                // Perhaps it was not even queued.
                if !matches!(sent, Err(CallError::NotSent(_))) {
                    self.noted.fetch_add(1, Ordering::SeqCst);
                }
                match sent {
                    Err(CallError::NotSent(_)) if is_hasty => {}
                    sent => round.check(sent, (), is_hasty),
                }
            }
            Choice::Endless => {
                let soon = Instant::now() + Duration::from_millis(self.random.below(5));
                round.check_error(&self.client.deadline(soon).endless().unwrap_err(), true);
            }
            Choice::Count(to, taken) => self.count(&client, to, taken, is_hasty),
        }
    }

    fn count(&mut self, client: &WorkClient, to: u64, taken: u64, is_hasty: bool) {
        let round = self.round;
        let mut numbers = match client.count(to) {
            Ok(numbers) => numbers,
            Err(error) => return round.check_error(&error, is_hasty),
        };
        let mut next = 0;
        while next <= taken {
            if self.random.below(4) == 0 {
                let soon = Instant::now() + Duration::from_micros(self.random.below(300));
                numbers.wait_deadline(soon);
            }
            match numbers.recv() {
                Ok(Some(number)) => assert_eq!(number, Number(next)),
                Ok(None) => return assert_eq!(next, to),
                // As many streams as are allowed still run.
                Err(CallError::Busy) => return assert_eq!(next, 0),
                Err(error) => return round.check_error(&error, is_hasty),
            }
            next += 1;
        }
    }
}
