//! A receiver does without the reactor while frames come in a row. No frame is missed.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::os::fd::AsFd as _;
use std::pin::{Pin, pin};
use std::task::Poll;

use datagrammar::tokio::Socket;
use datagrammar::{Limits, RecvError};
use datagrammar_tests::fork::fork;
use datagrammar_tests::{Numbered, numbered};
use futures_util::Stream as _;
use rustix::net::{Shutdown, shutdown};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};
use tokio::runtime::Builder;
use tokio::task::yield_now;
use tokio::time::timeout;

use super::alone;
use super::readiness::{
    Awaited, Blocking, PATIENCE, READABLE, apart, duplicate, interests, pair, poll_once, receive,
};

/// The number of frames in a row after which a connection does without the reactor.
const LONG: u64 = 1024;

/// Receives frames in a row. Finds each of them queued.
async fn stream(ours: &mut Awaited, theirs: &mut Blocking) {
    for first in (0..2 * LONG).step_by(100) {
        for number in first..first + 100 {
            numbered(number, 16, |frame| theirs.send(frame)).unwrap();
        }
        for number in first..first + 100 {
            let frame = ours.recv().await.unwrap().expect("a frame");
            assert_eq!(frame.decode().unwrap().check(), number);
        }
    }
}

/// The kernel tells a reactor of each datagram, at the cost of its sender.
#[test]
fn a_receiver_is_not_registered_while_frames_come_in_a_row() {
    let _alone = alone();
    apart(async || {
        let (mut ours, mut theirs) = pair();
        let fd = duplicate(&ours);
        for _ in 0..3 {
            stream(&mut ours, &mut theirs).await;
            assert_eq!(interests(&fd), []);
            let mut receiving = pin!(ours.recv());
            assert!(poll_once(receiving.as_mut()).await.is_none(), "nothing is queued");
            assert_eq!(interests(&fd), [READABLE]);
            numbered(100, 16, |frame| theirs.send(frame)).unwrap();
            let frame = timeout(PATIENCE, receiving).await.expect("it is woken up");
            assert_eq!(frame.unwrap().expect("a frame").decode().unwrap().check(), 100);
        }
    });
}

#[test]
fn a_connection_that_only_sends_is_not_registered() {
    let _alone = alone();
    apart(async || {
        let (mut ours, mut theirs) = pair();
        let fd = duplicate(&ours);
        for number in 0..LONG {
            numbered(number, 16, |frame| ours.try_send(frame)).unwrap();
            assert_eq!(receive(&mut theirs), number);
        }
        assert_eq!(interests(&fd), []);
        let mut receiving = pin!(ours.recv());
        assert!(poll_once(receiving.as_mut()).await.is_none(), "nothing is queued");
        assert_eq!(interests(&fd), [READABLE]);
        numbered(0, 16, |frame| theirs.send(frame)).unwrap();
        timeout(PATIENCE, receiving).await.expect("it is woken up").unwrap();
    });
}

/// A task polls a stream by hand, and then sends.
#[test]
fn h40_a_task_that_waits_for_a_frame_is_woken_however_much_it_sends() {
    let _alone = alone();
    apart(async || {
        let (mut ours, mut theirs) = pair();
        let mut step = 0;
        let waiting = poll_fn(|cx| match Pin::new(&mut ours.rx).poll_next(cx) {
            Poll::Ready(frame) => Poll::Ready(frame.expect("a frame").unwrap()),
            Poll::Pending => {
                for number in 0..LONG {
                    numbered(number, 16, |frame| ours.try_send(frame)).unwrap();
                    assert_eq!(receive(&mut theirs), number);
                }
                step += 1;
                if step == 1 {
                    numbered(7, 16, |frame| theirs.send(frame)).unwrap();
                }
                Poll::Pending
            }
        });
        let mut frame = timeout(PATIENCE, waiting).await.expect("it is woken up");
        assert_eq!(frame.decode().unwrap().check(), 7);
    });
}

/// The user watches too many descriptors.
#[test]
fn a_receiver_goes_on_without_a_registration() {
    let _alone = alone();
    apart(async || {
        let (mut ours, mut theirs) = pair();
        stream(&mut ours, &mut theirs).await;
        refuse_registrations();
        for number in 0..3 {
            let mut receiving = pin!(ours.recv());
            assert!(poll_once(receiving.as_mut()).await.is_none(), "nothing is queued");
            numbered(number, 16, |frame| theirs.send(frame)).unwrap();
            let frame = timeout(PATIENCE, receiving).await.expect("it goes on").unwrap();
            assert_eq!(frame.expect("a frame").decode().unwrap().check(), number);
        }
        drop(theirs);
        let ended = timeout(PATIENCE, ours.recv()).await.expect("it goes on");
        assert!(ended.unwrap().is_none());
    });
}

/// The runtime of the receiver ends during the pause before it registers again.
#[test]
fn h40_a_receiver_that_is_not_registered_fails_once_its_runtime_has_ended() {
    let _alone = alone();
    let child = || {
        let [home, other] =
            [(); 2].map(|()| Builder::new_current_thread().enable_all().build().unwrap());
        let (mut ours, mut theirs) = home.block_on(async { pair() });
        home.block_on(stream(&mut ours, &mut theirs));
        refuse_registrations();
        home.block_on(async { assert!(poll_once(pin!(ours.recv())).await.is_none()) });
        drop(home);
        let failed = other.block_on(async { ours.recv().await.map(drop) });
        assert!(matches!(failed, Err(RecvError::Io(_))), "{failed:?}");
        true
    };
    fork(child).check();
}

/// The reactor does not report that another holder has shut it down.
#[test]
fn a_socket_that_is_not_registered_notices_its_shutdown() {
    let _alone = alone();
    apart(async || {
        type Ours = Socket<Numbered<'static>, Numbered<'static>>;
        let [mut ours, theirs] =
            [(); 2].map(|()| Ours::bind(&"udp:127.0.0.1:0".parse().unwrap()).unwrap());
        let address = theirs.local_addr().unwrap();
        for number in 0..LONG {
            numbered(number, 16, |frame| ours.try_send_to(frame, &address)).unwrap();
        }
        refuse_registrations();
        let fd = ours.as_fd().try_clone_to_owned().unwrap();
        let mut receiving = pin!(ours.recv_from());
        assert!(poll_once(receiving.as_mut()).await.is_none(), "nothing is queued");
        // It fails, as the socket has no peer, but works.
        _ = shutdown(fd, Shutdown::Both);
        let ended = timeout(PATIENCE, receiving).await.expect("it goes on");
        assert!(matches!(ended, Err(RecvError::Shutdown)));
    });
}

/// The reactor does not count what a task receives.
#[test]
fn a_receiver_that_is_not_registered_leaves_turns_to_other_tasks() {
    let _alone = alone();
    apart(async || {
        let (mut ours, mut theirs) = pair();
        stream(&mut ours, &mut theirs).await;
        refuse_registrations();
        assert!(poll_once(pin!(ours.recv())).await.is_none(), "nothing is queued");
        ours.rx.set_limits(Limits::new().frame_len(1));
        (0..200).for_each(|_| _ = numbered(7, 16, |frame| theirs.send(frame)).unwrap());
        let refused = Cell::new(0);
        let mut refusing = pin!(async {
            while let Err(RecvError::TooLarge { .. }) = ours.recv().await {
                refused.set(refused.get() + 1);
            }
        });
        yield_now().await;
        // One turn of a task.
        assert!(poll_fn(|cx| Poll::Ready(refusing.as_mut().poll(cx).is_pending())).await);
        assert!((1..=128).contains(&refused.get()), "{} frames in a row", refused.get());
    });
}

/// Makes epoll_ctl(2) fail in this process, if it would register a descriptor.
fn refuse_registrations() {
    let add = libc::EPOLL_CTL_ADD.cast_unsigned().into();
    let condition = SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, add);
    let rule = SeccompRule::new(vec![condition.unwrap()]).unwrap();
    let rules = BTreeMap::from([(libc::SYS_epoll_ctl, vec![rule])]);
    let refuse = SeccompAction::Errno(libc::ENOSPC.cast_unsigned());
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    seccompiler::apply_filter(&program).unwrap();
}
