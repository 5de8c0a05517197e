//! Budgets: ten thousand clients, each of which stops in the middle of a frame.

use std::os::fd::OwnedFd;

use datagrammar::{Budget, Connection, Listener, RecvError, Wait};
use datagrammar_tests::datagrams::{piece, pieces};
use datagrammar_tests::fork::{fork, resident};
use datagrammar_tests::{Directory, Numbered, options, raw, skipped};
use rustix::net::SocketType;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::alone;

type Ours = Connection<Numbered<'static>, Numbered<'static>>;
type OurListener = Listener<Numbered<'static>, Numbered<'static>>;

const MIB: usize = 1024 * 1024;

/// Each client announces this many bytes, and sends all but one.
const LEN: usize = 30_000;

const BUDGET: usize = 32 * MIB;

#[test]
fn h51_ten_thousand_half_received_frames_take_no_more_than_the_budget() {
    let _alone = alone();
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.map_or(usize::MAX, |most| most as usize).saturating_sub(500);
    let count = most.min(10_000);
    if count < 10_000 {
        skipped(format!("{count} clients instead of 10,000: see RLIMIT_NOFILE"));
    }
    let directory = Directory::new();
    // In two processes, because of the limit of open files, and to measure only the memory of this test.
    fork(|| {
        setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
        serve(&directory, count);
        true
    })
    .check();
}

#[test]
fn h51_a_half_received_frame_does_not_keep_the_memory_of_a_longer_one() {
    let _alone = alone();
    const LONG: usize = 3 * MIB;
    fork(|| {
        let budget = Budget::new().frame_bytes(4 * LONG);
        let before = resident();
        let kept: Vec<_> = (0..20)
            .map(|_| {
                let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
                let mut ours = Ours::adopt_with(ours, &options().budget(&budget)).unwrap();
                let long = pieces(7, &vec![1; LONG], 80_000);
                let (last, others) = long.split_last().unwrap();
                for piece in others {
                    raw::send(&theirs, piece).unwrap();
                    assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
                }
                raw::send(&theirs, last).unwrap();
                raw::send(&theirs, &piece(1, 1000, &[1; 900])).unwrap();
                assert_eq!(ours.try_recv().unwrap().expect("a frame").len(), LONG);
                assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
                (theirs, ours)
            })
            .collect();
        assert_eq!(budget.bytes_held(), 1000 * kept.len());
        let taken = resident().saturating_sub(before);
        assert!(taken <= 2 * LONG, "{taken} bytes for {} half frames", kept.len());
        true
    })
    .check();
}

fn serve(directory: &Directory, count: usize) {
    let address = directory.address("socket");
    let budget = Budget::new().frame_bytes(BUDGET).connections(count + 1);
    let options = options().budget(&budget);
    let listener = OurListener::bind_with(&address, &options).unwrap();
    let clients = fork(|| {
        let first = piece(1, LEN as u64, &[1; LEN - 1]);
        let crowd: Vec<OwnedFd> = (0..count)
            .map(|_| {
                let (fd, _) = Ours::connect(&address).unwrap().into_fd().unwrap();
                raw::send(&fd, &first).unwrap();
                fd
            })
            .collect();
        // The last client sends as many bytes in ten frames, each in pieces.
        let (last, _) = Ours::connect(&address).unwrap().into_fd().unwrap();
        for _ in 0..10 {
            for piece in pieces(8, &[1; LEN / 10], 1000) {
                raw::send(&last, &piece).unwrap();
            }
        }
        // Until the server has finished.
        let mut last = Ours::adopt(last).unwrap();
        let ended = matches!(last.recv(), Ok(None));
        drop(crowd);
        ended
    });

    let mut crowd: Vec<Ours> = Vec::with_capacity(count);
    let (before, mut admitted, mut refused) = (resident(), 0, 0);
    for _ in 0..count {
        let mut client = listener.accept().unwrap();
        assert_eq!(client.rx.peek_len(Wait::Block).unwrap(), Some(LEN));
        match client.try_recv() {
            Err(RecvError::WouldBlock) => admitted += 1,
            Err(RecvError::OverBudget { len: LEN, held, budget: BUDGET }) => {
                assert!(LEN > (BUDGET - held) / 2);
                refused += 1;
            }
            other => panic!("{other:?}"),
        }
        crowd.push(client);
        assert!(budget.bytes_held() <= BUDGET);
    }
    assert_eq!(budget.connections_open(), count);
    assert_eq!((budget.bytes_held(), admitted + refused), (admitted * LEN, count));
    assert!(budget.bytes_held() > BUDGET - 2 * LEN, "{} bytes", budget.bytes_held());
    let taken = resident().saturating_sub(before);
    assert!(taken >= admitted * LEN, "{taken} bytes: the measure measures nothing");
    assert!(taken <= BUDGET + 512 * count + 2 * MIB, "{taken} bytes");

    let mut last = listener.accept().unwrap();
    for _ in 0..10 {
        assert_eq!(last.recv().unwrap().expect("a frame").len(), LEN / 10);
    }
    drop(crowd);
    assert_eq!(budget.bytes_held(), 0);
    drop(last);
    assert_eq!(budget.connections_open(), 0);
    clients.check();
}
