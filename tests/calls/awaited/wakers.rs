//! Wakers that panic, and wakers that own something.

use std::future::pending;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{self, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{self, Answering, Call, CallError, Context};
use datagrammar::to_vec;
use datagrammar::tokio::Connection;
use datagrammar::tokio::calls::{Client, Server, Service};
use datagrammar_tests::raw;
use futures_util::Stream as _;
use rustix::net::SocketType;
use tokio::runtime::Builder;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use super::{Ours, Protocol, STALL};
use crate::peer::{Peer, REPLY, bundle, part};
use crate::protocol::{Counted, Echoed, Sum, Sums};

struct Clumsy;

impl Wake for Clumsy {
    fn wake(self: Arc<Self>) {
        panic!("as the test asks");
    }
}

/// The task of the client continues.
#[tokio::test]
async fn a_waker_that_panics_holds_up_no_other_call() {
    for clumsy in 0..3 {
        let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
        let client: Ours = Client::new(Connection::adopt(ours).unwrap());
        let mut peer = Peer::new(theirs);
        let mut calls: Vec<_> = (0..3)
            .map(|number| Box::pin(client.call::<Sum>(&Sums::Add { left: number, right: 0 })))
            .collect();
        let waker = Waker::from(Arc::new(Clumsy));
        let mut clumsy = calls.remove(clumsy);
        assert!(clumsy.as_mut().poll(&mut task::Context::from_waker(&waker)).is_pending());
        let others = tokio::spawn(async move {
            for call in calls {
                assert_eq!(call.await.unwrap().decode().unwrap(), 7);
            }
        });
        for _ in 0..10 {
            yield_now().await;
        }
        let requests: Vec<_> = (0..3).map(|_| peer.next()).collect();
        let value = to_vec(&Sum::Ok(7)).unwrap();
        let replies: Vec<_> =
            requests.iter().map(|request| part(REPLY, 0, request.id, &value)).collect();
        peer.send(&bundle(&replies));
        timeout(STALL, others).await.expect("they are woken").unwrap();
        assert_eq!(clumsy.await.unwrap().decode().unwrap(), 7);
    }
}

/// Keeps the answer of one call, in a waker that waits for another call.
#[derive(Default)]
struct Keeper(Mutex<Option<Answering>>);

struct Owner(#[expect(dead_code, reason = "it is dropped")] Answering);

impl Wake for Owner {
    fn wake(self: Arc<Self>) {}
}

impl Service for Keeper {
    type Protocol = Protocol;

    async fn handle(self: Arc<Self>, mut call: Call<Protocol>) {
        let Some((cx, request, answer)) = call.open() else { return };
        match request {
            Sums::Slow { .. } => *self.0.lock().unwrap() = Some(answer),
            Sums::Add { left, right } => {
                if let Some(kept) = self.0.lock().unwrap().take() {
                    leave(&cx, &Waker::from(Arc::new(Owner(kept))));
                }
                answer.reply::<Sum>(Ok(left + right));
            }
            _ => panic!("nothing else is called"),
        }
    }
}

/// Leaves a waker to a call, like a future that is never dropped.
fn leave(cx: &Context, waker: &Waker) {
    let mut cancelled = Box::pin(cx.cancelled());
    assert!(cancelled.as_mut().poll(&mut task::Context::from_waker(waker)).is_pending());
    mem::forget(cancelled);
}

/// Owns a call or the items of one, and drops them with the task that it stands for.
struct Task<T>(Mutex<Option<T>>);

impl<T: Send + 'static> Wake for Task<T> {
    fn wake(self: Arc<Self>) {
        self.0.lock().unwrap().take();
    }
}

impl<T: Send + 'static> Task<T> {
    fn waker(owned: T) -> Waker {
        Waker::from(Arc::new(Self(Mutex::new(Some(owned)))))
    }
}

/// A call that waits may be polled by another task, or dropped. The waker of the first task may then be the last that
/// owns that task, and with it another call of the same client.
#[test]
fn a_waker_that_a_call_gives_up_may_own_another_call() {
    let (done, has_done) = mpsc::channel();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, _server) = Connection::pair().unwrap();
            let client: Ours = Client::new(client);
            let call = || Box::pin(client.call::<Sum>(&Sums::Slow { millis: 0 }));
            let items = || client.items::<Counted>(&Sums::Count { to: 1 }).unwrap();
            let noop = &mut task::Context::from_waker(Waker::noop());
            for is_polled in [true, false] {
                let mut waiting = call();
                let waker = Task::waker((call(), items()));
                assert!(waiting.as_mut().poll(&mut task::Context::from_waker(&waker)).is_pending());
                drop(waker);
                assert_eq!(client.in_flight(), 3);
                if is_polled {
                    assert!(waiting.as_mut().poll(noop).is_pending());
                    assert_eq!(client.in_flight(), 1);
                }
                drop(waiting);
                assert_eq!(client.in_flight(), 0);

                let mut waiting = items();
                let waker = Task::waker((call(), items()));
                let polled =
                    Pin::new(&mut waiting).poll_next(&mut task::Context::from_waker(&waker));
                assert!(polled.is_pending());
                drop(waker);
                assert_eq!(client.in_flight(), 3);
                if is_polled {
                    assert!(Pin::new(&mut waiting).poll_next(noop).is_pending());
                    assert_eq!(client.in_flight(), 1);
                }
                drop(waiting);
                assert_eq!(client.in_flight(), 0);
            }
        });
        done.send(()).unwrap();
    });
    has_done.recv_timeout(STALL).expect("nothing waits for itself");
}

/// Like a task of an executor whose wakers own the task, and with it everything that the task holds.
#[test]
fn a_waker_of_a_finished_call_may_own_another_answer() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (client, server) = datagrammar::Connection::pair().unwrap();
    // Without a deadline: its timer would keep the waker, too.
    let client = calls::Client::<Protocol>::new(client);
    let serving = thread::spawn(move || {
        runtime.block_on(async {
            let server = Connection::from_blocking(server).unwrap();
            Server::new(Keeper::default()).serve(server).await
        })
    });
    let (done, has_done) = mpsc::channel();
    thread::spawn({
        let client = client.clone();
        move || done.send(client.call::<Sum>(&Sums::Slow { millis: 0 }).map(drop))
    });
    while client.in_flight() == 0 {
        thread::yield_now();
    }
    thread::sleep(Duration::from_millis(50));
    for number in 0..3 {
        let added = client.call::<Sum>(&Sums::Add { left: number, right: 1 });
        assert_eq!(added.unwrap().decode().unwrap(), number + 1);
    }
    let kept = has_done.recv_timeout(STALL).expect("its answer is dropped");
    assert!(matches!(kept, Err(CallError::Failed)), "{kept:?}");
    drop(client);
    serving.join().unwrap().unwrap();
}

/// Panics when it is dropped.
struct Fragile;

impl Wake for Fragile {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Fragile {
    fn drop(&mut self) {
        panic!("as the test asks");
    }
}

/// Leaves such a waker to each call.
struct Leaver;

impl Service for Leaver {
    type Protocol = Protocol;

    async fn handle(self: Arc<Self>, mut call: Call<Protocol>) {
        let Some((cx, Sums::Add { left, right }, answer)) = call.open() else { return };
        leave(&cx, &Waker::from(Arc::new(Fragile)));
        drop(cx);
        // Nothing else wakes the task that sends the answer.
        tokio::spawn(async move {
            sleep(Duration::from_millis(20)).await;
            answer.reply::<Sum>(Ok(left + right));
        });
    }
}

#[tokio::test]
async fn an_answer_is_sent_even_if_a_waker_of_its_call_panics() {
    let (client, server) = Connection::pair().unwrap();
    let client: Ours = Client::new(client);
    let serving = tokio::spawn(async { Server::new(Leaver).serve(server).await });
    for number in 0..3 {
        let added = client.call::<Sum>(&Sums::Add { left: number, right: 1 });
        let added = timeout(STALL, added).await.expect("it is sent");
        assert_eq!(added.unwrap().decode().unwrap(), number + 1);
    }
    drop(client);
    serving.await.unwrap().unwrap();
}

/// Adds, and answers nothing else.
struct Adder;

impl Service for Adder {
    type Protocol = Protocol;

    async fn handle(self: Arc<Self>, mut call: Call<Protocol>) {
        let Some((_, request, answer)) = call.open() else { return };
        match request {
            Sums::Add { left, right } => answer.reply::<Sum>(Ok(left + right)),
            _ => pending().await,
        }
    }
}

#[tokio::test]
async fn a_cancellation_is_sent_even_if_the_waker_of_its_call_panics() {
    let (client, server) = Connection::pair().unwrap();
    let client: Ours = Client::new(client);
    let serving = tokio::spawn(async { Server::new(Adder).serve(server).await });
    let mut open = [(); 2].map(|()| Box::pin(client.call::<Sum>(&Sums::Slow { millis: 0 })));
    for call in &mut open {
        let waker = Waker::from(Arc::new(Fragile));
        assert!(call.as_mut().poll(&mut task::Context::from_waker(&waker)).is_pending());
    }
    for _ in 0..10 {
        yield_now().await;
    }
    let [first, second] = open;
    assert!(catch_unwind(AssertUnwindSafe(|| drop(first))).is_err());
    let added = timeout(STALL, client.call::<Sum>(&Sums::Add { left: 1, right: 2 })).await;
    assert_eq!(added.expect("it is sent").unwrap().decode().unwrap(), 3);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(second))).is_err());
    assert_eq!(client.in_flight(), 0);
    drop(client);
    serving.await.unwrap().unwrap();
}

/// Waits for the cancellation of each call with the same waker, before and after it answers.
struct Watching {
    waker: Waker,
    /// How many handlers have returned.
    ended: Arc<AtomicU64>,
}

impl calls::Service for Watching {
    type Protocol = Protocol;

    fn handle(&self, mut call: Call<Protocol>) {
        let Some((cx, Sums::Add { left, right }, answer)) = call.open() else { return };
        let wait = || pin!(cx.cancelled()).poll(&mut task::Context::from_waker(&self.waker));
        if left % 2 == 0 {
            assert!(wait().is_pending());
        }
        answer.reply::<Sum>(Ok(left + right));
        assert!(wait().is_pending());
        self.ended.fetch_add(1, Ordering::SeqCst);
    }
}

/// The memory of a finished call is used again, perhaps much later. A waker may own a task.
#[test]
fn a_finished_call_keeps_no_waker() {
    let (client, server) = datagrammar::Connection::pair().unwrap();
    let client = calls::Client::<Protocol>::new(client);
    let owned = Arc::new(Task(Mutex::new(Some(()))));
    let ended = Arc::default();
    let waker = Waker::from(Arc::clone(&owned));
    let service = Watching { waker, ended: Arc::clone(&ended) };
    let serving = thread::spawn(|| calls::Server::new(service).serve(server));
    for number in 0..4 {
        let added = client.call::<Sum>(&Sums::Add { left: number, right: 1 });
        assert_eq!(added.unwrap().decode().unwrap(), number + 1);
    }
    // Only the service has one, when its handlers have returned.
    let begun = Instant::now();
    while ended.load(Ordering::SeqCst) < 4 || Arc::strong_count(&owned) > 2 {
        assert!(begun.elapsed() < Duration::from_secs(30), "{}", Arc::strong_count(&owned));
        thread::yield_now();
    }
    drop(client);
    serving.join().unwrap().unwrap();
}

/// Keeps calls until one of them is cancelled, and then answers the other.
#[derive(Clone, Default)]
struct Pair(Arc<Mutex<Vec<Option<Answering>>>>);

/// The waker of a call: the index of the other one.
struct Other(Pair, usize);

impl Wake for Other {
    fn wake(self: Arc<Self>) {
        let answer = self.0.0.lock().unwrap()[self.1].take();
        // More than may be queued while another thread sends.
        answer.unwrap().reply::<Echoed<'static>>(Ok(&[7; 300_000]));
    }
}

impl calls::Service for Pair {
    type Protocol = Protocol;

    fn handle(&self, mut call: Call<Protocol>) {
        let Some((cx, request, answer)) = call.open() else { return };
        match request {
            Sums::Echo { .. } => {
                let mut kept = self.0.lock().unwrap();
                leave(&cx, &Waker::from(Arc::new(Other(self.clone(), 1 - kept.len()))));
                kept.push(Some(answer));
            }
            Sums::Add { left, right } => answer.reply::<Sum>(Ok(left + right)),
            _ => panic!("nothing else is called"),
        }
    }
}

/// The calls are cancelled by the thread that cannot send an answer.
#[test]
fn a_waker_of_a_call_that_is_cancelled_for_a_broken_connection_may_answer() {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    let peer = Peer::new(ours);
    let (service, (done, has_done)) = (Pair::default(), mpsc::channel());
    let kept = Arc::clone(&service.0);
    thread::spawn(move || {
        let connection = datagrammar::Connection::adopt(theirs).unwrap();
        done.send(calls::Server::new(service).serve(connection)).unwrap();
    });
    let begun = Instant::now();
    let wait_until = |is_done: fn(&[Option<Answering>]) -> bool| {
        while !is_done(&kept.lock().unwrap()) {
            assert!(begun.elapsed() < STALL, "{:?}", kept.lock().unwrap());
            thread::yield_now();
        }
    };
    for id in 1..=2 {
        peer.request(id, &Sums::Echo { text: &[] });
    }
    wait_until(|kept| kept.len() == 2);
    peer.shutdown_read();
    peer.request(3, &Sums::Add { left: 1, right: 2 });
    wait_until(|kept| kept.iter().all(Option::is_none));
    drop(peer);
    has_done.recv_timeout(STALL).expect("nothing waits for itself").unwrap();
}
