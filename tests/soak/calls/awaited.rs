//! Calls from async clients.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{self, CallError};
use datagrammar::tokio::Connection;
use datagrammar::tokio::calls as awaited;
use datagrammar_tests::{Random, leaks, scaled, seed};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::service::{Handler, Number, WorkService, WorkTokioClient, WorkTokioService};
use super::{Choice, LIMIT, Round, STALL, Shared, file, hasty, until};
use crate::storm::Storm;
use crate::watch::Watch;

/// The server of a round.
#[derive(Debug, Clone, Copy)]
enum Serving {
    Blocking,
    /// An async server, in the runtime of the client.
    Here,
    /// An async server, in another runtime.
    Elsewhere,
}

#[test]
fn every_call_ends_once_whoever_gives_up() {
    let _alone = crate::alone();
    let mut random = Random(seed());
    for _ in 0..scaled(40) {
        let round = Round::new(&mut random);
        let workers = 1 + random.below(3) as usize;
        let serving =
            [Serving::Blocking, Serving::Here, Serving::Elsewhere][random.below(3) as usize];
        println!("{round:?}, {workers} workers, {serving:?}");
        let before = leaks::open();
        run(round, workers, serving);
        assert_eq!(leaks::open(), before, "descriptors are left");
    }
}

fn runtime(workers: usize) -> Runtime {
    match workers {
        1 => Builder::new_current_thread().enable_all().build().unwrap(),
        workers => {
            let workers = workers - 1;
            Builder::new_multi_thread().worker_threads(workers).enable_all().build().unwrap()
        }
    }
}

fn run(round: Round, workers: usize, serving: Serving) {
    let _watch = Watch::begin(format!("{round:?}"));
    let _storm = round.is_stormy.then(Storm::begin);
    let shared = Shared::default();
    let (client, server) = round.pair();
    let runtime = runtime(workers);
    let handler = Handler(Arc::clone(&shared));
    let blocking = calls::Server::new(WorkService(handler.clone()))
        .threads(round.calls)
        .streams(round.streams);
    let awaited = awaited::Server::new(WorkTokioService(handler))
        .calls(round.calls)
        .calls_in_all(round.calls + 1)
        .streams(round.streams);
    let (blocking_stopper, awaited_stopper) = (blocking.stopper(), awaited.stopper());
    let (mut here, mut elsewhere) = (None, None);
    let serve = async move |server| {
        let server = Connection::from_blocking(server).map_err(|(_, error)| error).unwrap();
        awaited.serve(server).await.unwrap();
    };
    match serving {
        Serving::Blocking => {
            elsewhere = Some(thread::spawn(move || blocking.serve(server).unwrap()));
        }
        Serving::Here => here = Some(runtime.spawn(async move { serve(server).await })),
        Serving::Elsewhere => {
            let other = self::runtime(1);
            elsewhere = Some(thread::spawn(move || other.block_on(serve(server))));
        }
    }
    runtime.block_on(async {
        let client = Connection::from_blocking(client).map_err(|(_, error)| error).unwrap();
        let calls = awaited::Client::new(client);
        let client = WorkTokioClient::from(calls.clone());
        let noted = Arc::new(AtomicU64::new(0));
        let tasks: Vec<_> = (0..4)
            .map(|number| {
                let worker = Worker {
                    client: client.clone(),
                    round,
                    random: round.random(number),
                    noted: Arc::clone(&noted),
                };
                tokio::spawn(worker.work())
            })
            .collect();
        if round.stops {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let soon = Instant::now() + Duration::from_millis(5);
            match serving {
                Serving::Blocking => {
                    tokio::task::spawn_blocking(move || blocking_stopper.stop(soon)).await.unwrap();
                }
                _ => _ = awaited_stopper.stop(soon).await,
            }
        }
        for task in tasks {
            timeout(STALL, task).await.expect("the calls end").unwrap();
        }
        assert_eq!(calls.in_flight(), 0);
        if !round.stops {
            check_bounds(&client, round.calls).await;
            assert_eq!(calls.in_flight(), 0);
            let far = Instant::now() + STALL;
            while shared.noted.load(Ordering::SeqCst) < noted.load(Ordering::SeqCst) {
                assert!(Instant::now() < far, "a call without an answer is lost");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        drop((client, calls));
        if let Some(here) = here {
            timeout(STALL, here).await.expect("the server ends").unwrap();
        }
    });
    // This drops the task of the client, which ends the connection.
    drop(runtime);
    if let Some(elsewhere) = elsewhere {
        until("the server ends", || elsewhere.is_finished());
        elsewhere.join().unwrap();
    }
    assert_eq!(shared.running.load(Ordering::SeqCst), 0);
}

/// Checks that as many calls as are allowed can run at the same time.
async fn check_bounds(client: &WorkTokioClient, calls: usize) {
    let meeting = (0..calls).map(|_| client.meet(calls as u64));
    for meet in meeting.collect::<Vec<_>>() {
        let met = timeout(STALL, meet).await.expect("all permits are back");
        assert_eq!(met.unwrap(), calls as u64);
    }
}

struct Worker {
    client: WorkTokioClient,
    round: Round,
    random: Random,
    noted: Arc<AtomicU64>,
}

impl Worker {
    async fn work(mut self) {
        for _ in 0..60 {
            match self.random.below(5) {
                0 => self.several().await,
                _ => self.one().await,
            }
        }
    }

    /// Makes several calls at once, waits for some, and drops the others.
    async fn several(&mut self) {
        let mut calls = FuturesUnordered::new();
        let count = 1 + self.random.below(30);
        for _ in 0..count {
            let (left, right) = (self.random.below(100), self.random.below(100));
            let call = self.client.add(left, right);
            calls.push(async move { (call.await, left + right) });
        }
        for _ in 0..self.random.below(count + 5) {
            let Some((sum, expected)) = timeout(STALL, calls.next()).await.expect("an answer")
            else {
                break;
            };
            self.round.check(sum, expected, false);
        }
    }

    async fn one(&mut self) {
        let deadline = hasty(&mut self.random);
        let client = match deadline {
            Some(deadline) => self.client.deadline(deadline),
            None => self.client.clone(),
        };
        let (round, is_hasty) = (self.round, deadline.is_some());
        let choice = Choice::new(&mut self.random);
        match choice {
            Choice::Add(left) => {
                let call = client.add(left, 1);
                self.drive(call)
                    .await
                    .into_iter()
                    .for_each(|sum| round.check(sum, left + 1, is_hasty));
            }
            Choice::Echo(len) => {
                let bytes = vec![len as u8; len];
                let echoed = self.drive(client.echo(&bytes)).await;
                echoed.into_iter().for_each(|echoed| round.check(echoed, bytes.clone(), is_hasty));
            }
            Choice::TooLarge => {
                let error = self.drive(client.echo(&vec![1; LIMIT + 10])).await;
                error.into_iter().for_each(|result| match result.unwrap_err() {
                    CallError::TooLarge => {}
                    error => round.check_error(&error, is_hasty),
                });
            }
            Choice::Panic => {
                let error = self.drive(client.panic()).await;
                error.into_iter().for_each(|result| match result.unwrap_err() {
                    CallError::Failed => {}
                    error => round.check_error(&error, is_hasty),
                });
            }
            Choice::Slow(turns) => {
                let call = client.slow(turns);
                self.drive(call)
                    .await
                    .into_iter()
                    .for_each(|slow| round.check(slow, turns, is_hasty));
            }
            Choice::Measure => {
                let call = client.measure(file(77));
                self.drive(call).await.into_iter().for_each(|len| round.check(len, 77, is_hasty));
            }
            Choice::Note => {
                let sent = client.note(1);
                self.noted.fetch_add(1, Ordering::SeqCst);
                self.drive(sent).await.into_iter().for_each(|sent| round.check(sent, (), is_hasty));
            }
            Choice::Endless => {
                let soon = Instant::now() + Duration::from_millis(self.random.below(5));
                let endless = self.client.deadline(soon).endless().await;
                round.check_error(&endless.unwrap_err(), true);
            }
            Choice::Count(to, taken) => {
                let mut numbers = match client.count(to) {
                    Ok(numbers) => numbers,
                    Err(error) => return round.check_error(&error, is_hasty),
                };
                let mut next = 0;
                while next <= taken {
                    let Some(number) = self.drive(numbers.recv()).await else { continue };
                    match number {
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
    }

    /// Awaits a future, or drops it after some polls.
    async fn drive<T>(&mut self, future: impl Future<Output = T>) -> Option<T> {
        if self.random.below(3) > 0 {
            return Some(timeout(STALL, future).await.expect("it ends"));
        }
        let mut polls = self.random.below(4);
        let mut future = pin!(future);
        poll_fn(|cx| {
            if polls == 0 {
                return Poll::Ready(None);
            }
            polls -= 1;
            match future.as_mut().poll(cx) {
                Poll::Ready(value) => Poll::Ready(Some(value)),
                Poll::Pending => {
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
            }
        })
        .await
    }
}
