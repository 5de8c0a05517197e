//! Endpoints that are awaited in another runtime than the one in which they were created.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};
use std::time::Duration;

use datagrammar::tokio::Connection;
use datagrammar::{RecvError, SendError};
use datagrammar_tests::{Numbered, numbered};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

type Blocking = datagrammar::Connection<Numbered<'static>, Numbered<'static>>;
type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// A long time.
const PATIENCE: Duration = Duration::from_secs(60);

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Sends until the socket is full. Returns the number of the next frame.
fn fill(ours: &mut Ours, first: u64) -> u64 {
    for number in first.. {
        match numbered(number, 16, |frame| ours.try_send(frame)) {
            Ok(_) => {}
            Err(SendError::WouldBlock { .. }) => return number,
            Err(error) => panic!("{error}"),
        }
    }
    unreachable!("it is full")
}

/// Fills the socket with the frames from `first` on, and waits in `runtime` until another thread has received all.
fn wait_for_room(runtime: &Runtime, ours: &mut Ours, theirs: &mut Blocking, first: u64) -> u64 {
    let next = fill(ours, first);
    thread::scope(|scope| {
        scope.spawn(|| {
            // The sender must wait.
            thread::sleep(Duration::from_millis(20));
            for number in first..next {
                let frame = theirs.recv().unwrap().expect("a frame");
                assert_eq!(frame.decode().unwrap().check(), number);
            }
        });
        let frame = Numbered::Numbered { number: next, len: 0, body: &[] };
        runtime.block_on(async {
            timeout(PATIENCE, ours.send(&frame)).await.expect("it is woken up").unwrap()
        });
    });
    assert_eq!(theirs.recv().unwrap().expect("a frame").decode().unwrap().check(), next);
    next + 1
}

/// The other runtime has ended when the sender waits again.
#[test]
fn h40_a_sender_that_waited_in_a_runtime_that_has_ended_waits_again() {
    let home = runtime();
    let (ours, mut theirs) = Blocking::pair().unwrap();
    let mut ours = within(&home, async { Ours::from_blocking(ours).map_err(|(_, error)| error) });
    let other = runtime();
    let next = wait_for_room(&other, &mut ours, &mut theirs, 0);
    drop(other);
    wait_for_room(&home, &mut ours, &mut theirs, next);
}

/// The runtime in which the sender is awaited ends before it waits.
#[test]
fn h40_a_sender_that_waits_in_a_runtime_that_has_ended_fails() {
    let home = runtime();
    let (ours, theirs) = Blocking::pair().unwrap();
    let mut ours = within(&home, async { Ours::from_blocking(ours).map_err(|(_, error)| error) });
    let next = fill(&mut ours, 0);
    let other = runtime();
    let handle = other.handle().clone();
    drop(other);
    let frame = Numbered::Numbered { number: next, len: 0, body: &[] };
    let failed = handle.block_on(ours.send(&frame));
    assert!(matches!(failed, Err(SendError::Io { .. })), "{failed:?}");
    drop(theirs);
}

/// The other runtime does not run when the sender waits again.
#[test]
fn h40_a_sender_that_waited_in_a_runtime_that_pauses_waits_again() {
    let home = runtime();
    let (ours, mut theirs) = Blocking::pair().unwrap();
    let mut ours = within(&home, async { Ours::from_blocking(ours).map_err(|(_, error)| error) });
    let other = runtime();
    let next = wait_for_room(&other, &mut ours, &mut theirs, 0);
    let next = wait_for_room(&home, &mut ours, &mut theirs, next);
    wait_for_room(&other, &mut ours, &mut theirs, next);
    drop(other);
}

fn within<T>(runtime: &Runtime, opened: impl Future<Output = std::io::Result<T>>) -> T {
    runtime.block_on(async { pin!(opened).await.unwrap() })
}

/// Receives so many frames in a row that it does without the reactor.
async fn stream(ours: &mut Ours, theirs: &mut Blocking) {
    for first in (0..2_000).step_by(100) {
        for number in first..first + 100 {
            numbered(number, 16, |frame| theirs.send(frame)).unwrap();
        }
        for number in first..first + 100 {
            let frame = ours.recv().await.unwrap().expect("a frame");
            assert_eq!(frame.decode().unwrap().check(), number);
        }
    }
}

/// The runtime of the receiver runs on another thread. The receiver registers there again.
#[test]
fn h40_a_receiver_is_awaited_outside_of_any_runtime() {
    let home = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (ours, mut theirs) = Blocking::pair().unwrap();
    let mut ours = within(&home, async { Ours::from_blocking(ours).map_err(|(_, error)| error) });
    block_on(stream(&mut ours, &mut theirs));
    thread::scope(|scope| {
        scope.spawn(|| {
            // The receiver must wait.
            thread::sleep(Duration::from_millis(20));
            numbered(7, 16, |frame| theirs.send(frame)).unwrap();
        });
        let frame = block_on(ours.recv()).unwrap().expect("a frame");
        assert_eq!(frame.decode().unwrap().check(), 7);
    });
}

/// The runtime of the receiver has ended when it registers again.
#[test]
fn h40_a_receiver_whose_runtime_has_ended_fails() {
    let home = runtime();
    let (ours, mut theirs) = Blocking::pair().unwrap();
    let mut ours = within(&home, async { Ours::from_blocking(ours).map_err(|(_, error)| error) });
    home.block_on(stream(&mut ours, &mut theirs));
    drop(home);
    let failed = runtime().block_on(ours.recv());
    assert!(matches!(failed, Err(RecvError::Io(_))), "{failed:?}");
}

/// Blocks this thread, which needs no runtime.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park_timeout(PATIENCE),
        }
    }
}
