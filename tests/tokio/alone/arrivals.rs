//! A receiver does without the reactor while frames come in a row. No frame is missed.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use datagrammar_tests::numbered;
use futures_util::Stream as _;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};
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
