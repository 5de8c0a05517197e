//! The events for which descriptors are registered. No wake-up is lost.

use std::collections::BTreeSet;
use std::fs;
use std::future::{Future, poll_fn};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use datagrammar::SendError;
use datagrammar_tests::fork::fork;
use datagrammar_tests::{Numbered, body, numbered, scaled};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::runtime::{Builder, Runtime};
use tokio::task::coop::unconstrained;
use tokio::task::yield_now;
use tokio::time::timeout;

use super::alone;

pub(super) type Blocking = datagrammar::Connection<Numbered<'static>, Numbered<'static>>;
pub(super) type Awaited = datagrammar::tokio::Connection<Numbered<'static>, Numbered<'static>>;

pub(super) const READABLE: u32 = libc::EPOLLIN as u32;
const WRITABLE: u32 = libc::EPOLLOUT as u32;

/// A long time.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A peer without a reactor, which receives frames one by one.
pub(super) fn pair() -> (Awaited, Blocking) {
    let (ours, theirs) = Blocking::pair().unwrap();
    (Awaited::from_blocking(ours).map_err(|(_, error)| error).unwrap(), theirs)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Sends until the socket is full. Returns the number of the next frame.
fn fill(ours: &mut Awaited) -> u64 {
    for number in 0.. {
        match numbered(number, 16, |frame| ours.tx.try_send(frame)) {
            Ok(_) => {}
            Err(SendError::WouldBlock { .. }) => return number,
            Err(error) => panic!("{error}"),
        }
    }
    unreachable!("it is full")
}

/// Receives the next frame, and returns its number.
pub(super) fn receive(theirs: &mut Blocking) -> u64 {
    theirs.recv().unwrap().expect("a frame").decode().unwrap().check()
}

/// Polls once, regardless of the task's budget.
pub(super) async fn poll_once<F: Future>(future: Pin<&mut F>) -> Option<F::Output> {
    let mut future = unconstrained(future);
    poll_fn(|cx| match Pin::new(&mut future).poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Returns the interests with which a socket is registered at any reactor, each as the events of epoll_ctl(2).
pub(super) fn interests(fd: impl AsFd) -> Vec<u32> {
    let inode = format!("ino:{:x} ", rustix::fs::fstat(fd).unwrap().st_ino);
    // A runtime has several descriptors of its reactor.
    let mut interests = BTreeSet::new();
    for entry in fs::read_dir("/proc/self/fdinfo").unwrap() {
        // Other tests close their descriptors meanwhile.
        let Ok(info) = fs::read_to_string(entry.unwrap().path()) else { continue };
        for line in info.lines().filter(|line| line.contains(&inode)) {
            let mut words = line.split_whitespace().skip_while(|word| *word != "tfd:").skip(1);
            let registered: u32 = words.next().unwrap().parse().unwrap();
            let events = words.nth(1).unwrap();
            interests.insert((registered, u32::from_str_radix(events, 16).unwrap()));
        }
    }
    let mut interests: Vec<_> =
        interests.into_iter().map(|(_, events)| events & (READABLE | WRITABLE)).collect();
    interests.sort_unstable();
    interests
}

/// Fills the socket, waits for room, and receives everything.
async fn wait_for_room(ours: &mut Awaited, theirs: &mut Blocking) {
    let next = fill(ours);
    let frame = Numbered::Numbered { number: next, len: 0, body: &[] };
    let mut sending = pin!(ours.send(&frame));
    assert!(poll_once(sending.as_mut()).await.is_none());
    assert!((0..next).all(|number| receive(theirs) == number));
    timeout(PATIENCE, sending).await.expect("it is woken up").unwrap();
    assert_eq!(receive(theirs), next);
}

#[test]
fn a_connection_is_registered_for_writing_only_while_it_is_often_full() {
    let _alone = alone();
    apart(async || {
        let (mut ours, mut theirs) = pair();
        let fd = duplicate(&ours);
        assert_eq!(interests(&fd), [READABLE]);
        wait_for_room(&mut ours, &mut theirs).await;
        assert_eq!(interests(&fd), [READABLE, WRITABLE]);
        for number in 0..1024 {
            assert_eq!(interests(&fd).len(), 2);
            let frame = Numbered::Numbered { number, len: 0, body: &[] };
            ours.tx.send(&frame).await.unwrap();
            assert_eq!(receive(&mut theirs), number);
        }
        assert_eq!(interests(&fd), [READABLE]);
        wait_for_room(&mut ours, &mut theirs).await;
        drop(ours.tx);
        assert_eq!(interests(&fd), [READABLE], "a dropped sender leaves nothing behind");
        drop(ours.rx);
        assert_eq!(interests(&fd), []);
    });
}

#[test]
fn few_connections_stay_registered_for_writing() {
    let _alone = alone();
    apart(async || {
        let mut connections: Vec<_> = (0..40).map(|_| pair()).collect();
        for (ours, theirs) in &mut connections {
            wait_for_room(ours, theirs).await;
        }
        let writers = |connections: &[(Awaited, Blocking)]| {
            connections.iter().filter(|(ours, _)| interests(ours).len() == 2).count()
        };
        // Other tests of this process may have had registrations when it was forked.
        let kept = writers(&connections);
        assert!((1..=16).contains(&kept), "{kept}");
        connections.drain(..kept / 2);
        connections.extend((0..40).map(|_| pair()));
        for (ours, theirs) in &mut connections {
            wait_for_room(ours, theirs).await;
        }
        assert_eq!(writers(&connections), kept, "dropped ones make place for others");
    });
}

#[test]
fn a_dropped_wait_leaves_no_registration_behind() {
    let _alone = alone();
    apart(async || {
        // So that no more registrations may be kept.
        let mut others: Vec<_> = (0..16).map(|_| pair()).collect();
        for (ours, theirs) in &mut others {
            wait_for_room(ours, theirs).await;
        }
        let (mut ours, _theirs) = pair();
        let (next, fd) = (fill(&mut ours), duplicate(&ours));
        {
            let frame = Numbered::Numbered { number: next, len: 0, body: &[] };
            let mut sending = pin!(ours.send(&frame));
            assert!(poll_once(sending.as_mut()).await.is_none());
            assert_eq!(interests(&fd), [READABLE, WRITABLE]);
        }
        assert_eq!(interests(&fd), [READABLE]);
    });
}

/// Runs in a process of its own, in which no other sender waits.
pub(super) fn apart(child: impl AsyncFnOnce()) {
    let child = || {
        runtime().block_on(child());
        true
    };
    fork(child).check();
}

/// A duplicate, to read the inode while the connection is borrowed.
pub(super) fn duplicate(ours: &Awaited) -> OwnedFd {
    ours.as_fd().try_clone_to_owned().unwrap()
}

/// The sender waits again and again for a receiver on another thread.
#[test]
fn h40_no_room_is_missed() {
    let _alone = alone();
    let count = scaled(100_000);
    let (ours, mut theirs) = Blocking::pair().unwrap();
    let receiving = thread::spawn(move || {
        for number in 0..count {
            assert_eq!(receive(&mut theirs), number);
        }
    });
    runtime().block_on(async {
        let mut ours = Awaited::from_blocking(ours).map_err(|(_, error)| error).unwrap();
        for number in 0..count {
            // Some frames do not fit in a quarter of the send buffer, some not in the whole buffer.
            let len = if number % 1000 == 0 { 300_000 } else { number as usize % 3000 };
            let body = body(number, len);
            let frame = Numbered::Numbered { number, len: len as u64, body: &body };
            timeout(PATIENCE, ours.send(&frame)).await.expect("it is woken up").unwrap();
        }
    });
    receiving.join().unwrap();
}

/// Each future is dropped at its first wait, and its frame is sent by the next one.
#[tokio::test]
async fn h40_a_send_dropped_while_it_waits_for_room_sends_nothing() {
    let _alone = alone();
    let (mut ours, mut theirs) = pair();
    let mut next = fill(&mut ours);
    let mut received = 0;
    for _ in 0..1000 {
        let frame = Numbered::Numbered { number: next, len: 0, body: &[] };
        if poll_once(pin!(ours.send(&frame))).await.is_some() {
            next += 1;
        } else {
            assert_eq!(receive(&mut theirs), received);
            received += 1;
        }
    }
    while received < next {
        assert_eq!(receive(&mut theirs), received);
        received += 1;
    }
    assert!(theirs.try_recv().is_err());
}

#[tokio::test]
async fn a_full_sender_hears_that_its_peer_is_gone() {
    let _alone = alone();
    let (mut ours, theirs) = pair();
    let next = fill(&mut ours);
    let frame = Numbered::Numbered { number: next, len: 0, body: &[] };
    let mut sending = pin!(ours.send(&frame));
    assert!(poll_once(sending.as_mut()).await.is_none());
    drop(theirs);
    let failed = timeout(PATIENCE, sending).await.expect("it is woken up");
    assert!(matches!(failed, Err(SendError::Disconnected)), "{failed:?}");
}

/// The kernel reports neither of these.
#[tokio::test]
async fn h23_a_full_sender_hears_that_nobody_will_read() {
    let _alone = alone();
    let (mut ours, theirs) = pair();
    let (mut other, _others) = pair();
    fill(&mut ours);
    fill(&mut other);
    let (mut other, rx) = other.split();
    let frame = Numbered::Numbered { number: 0, len: 0, body: &[] };
    let (failed, other_failed, ()) = tokio::join!(
        timeout(PATIENCE, ours.send(&frame)),
        timeout(PATIENCE, other.send(&frame)),
        async {
            theirs.shutdown(Shutdown::Read).unwrap();
            rx.shutdown(Shutdown::Write).unwrap();
        },
    );
    for failed in [failed, other_failed] {
        let failed = failed.expect("it hears of it");
        assert!(matches!(failed, Err(SendError::Disconnected)), "{failed:?}");
    }
}

/// There is no free descriptor for the second registration.
#[test]
fn a_full_sender_goes_on_without_a_descriptor() {
    let _alone = alone();
    apart(async || {
        let (mut ours, mut theirs) = pair();
        let limit = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: Some(0), ..limit }).unwrap();
        wait_for_room(&mut ours, &mut theirs).await;
    });
}

/// There is room for more frames than a task may send without yielding.
#[tokio::test]
async fn a_busy_sender_lets_other_tasks_run() {
    let _alone = alone();
    static HAS_RUN: AtomicBool = AtomicBool::new(false);
    let (mut ours, mut theirs) = pair();
    yield_now().await;
    let other = tokio::spawn(async { HAS_RUN.store(true, Ordering::Relaxed) });
    let mut count = 0;
    while !HAS_RUN.load(Ordering::Relaxed) {
        let frame = Numbered::Numbered { number: count, len: 0, body: &[] };
        ours.send(&frame).await.unwrap();
        count += 1;
        assert!(count < 200, "the other task does not run");
    }
    assert!((0..count).all(|number| receive(&mut theirs) == number));
    other.await.unwrap();
}
