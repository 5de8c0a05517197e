//! The memory of idle receivers and senders. This is a single test, because it counts the memory of the whole
//! process.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::fs;
use std::os::fd::OwnedFd;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{Connection, Frame, Limits, Message as _, RecvError, Socket, Wait};
use datagrammar_tests::datagrams::piece;
use datagrammar_tests::fork::resident;
use datagrammar_tests::{Directory, Numbered, body, numbered, raw};
use rustix::net::SocketType;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

const MIB: usize = 1024 * 1024;

/// Returns a number of this process, in bytes.
fn bytes(name: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1024
}

/// Receives until nothing is queued, and returns the number of frames.
fn drain(ours: &mut Ours) -> u64 {
    let mut received = 0;
    loop {
        match ours.try_recv() {
            Ok(frame) => check(&frame.expect("no end")),
            Err(RecvError::WouldBlock) => return received,
            Err(other) => panic!("{other:?}"),
        }
        received += 1;
    }
}

/// Quickly checks that the frame is whole.
fn check(frame: &Frame<'_, Numbered<'_>>) {
    let Numbered::Numbered { len, body, .. } = Numbered::decode(frame.bytes()).unwrap();
    assert!(body.len() as u64 == len && body.last() == Some(&7));
}

#[test]
fn what_has_nothing_to_hold_holds_no_memory() {
    // The allocator should not affect the measurement, so it returns freed memory (mallopt(3)).
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt takes numbers, before any other thread of ours exists.
    assert_eq!(unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, 128 * 1024) }, 1);
    pieces_without_lanes();
    without_lanes(64 * MIB);
    // The one-time memory of the pool, the allocator and the first frames.
    connections_that_have_received(8);
    connections_with_frames_left(8);
    receivers_that_wait(2);
    large_messages(2 * MIB);
    long_datagrams(8);
    connections_that_have_received(1000);
    connections_with_frames_left(1000);
    connections_that_have_ended(200);
    receivers_that_wait(50);
    large_messages(256 * MIB);
    large_messages_to_an_address(15 * MIB);
    long_datagrams(64);
}

/// At most 256 bytes for each connection, including the connection itself.
fn connections_that_have_received(count: usize) {
    // Memory for the values themselves, which does not count.
    let mut theirs: Vec<OwnedFd> = Vec::with_capacity(count);
    let before = resident();
    let mut ours: Vec<Ours> = Vec::with_capacity(count);
    let frame = numbered(7, 64 * 1024, |frame| datagrammar::to_vec(frame)).unwrap();
    for _ in 0..count {
        let (there, here) = raw::pair(SocketType::SEQPACKET);
        raw::send(&there, &frame).unwrap();
        let mut here = Ours::adopt(here).unwrap();
        assert_eq!(drain(&mut here), 1);
        ours.push(here);
        theirs.push(there);
    }
    let taken = |before| resident().saturating_sub(before + frame.len());
    let idle = taken(before);
    assert!(count < 1000 || idle <= 256 * count, "{idle} bytes for {count} connections");
    // Also the memory that they keep for short frames, after receiving some.
    for (ours, theirs) in ours.iter_mut().zip(&theirs) {
        for _ in 0..20 {
            raw::send(theirs, &[1, 7, 1, 7]).unwrap();
        }
        assert_eq!(drain(ours), 20);
    }
    let idle = taken(before);
    assert!(count < 1000 || idle <= 300 * count, "{idle} bytes for {count} connections");
}

/// Two of 64 tiny frames were received. Those that are still in the socket cost nothing, and the rest of a bundle costs
/// its length.
fn connections_with_frames_left(count: usize) {
    let frame: &[u8] = &[1, 7, 1, 7];
    let behind_its_len = [&[4][..], frame].concat();
    let bundle =
        [&[0, 4, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0][..], &behind_its_len.repeat(64)].concat();
    for (datagram, often, most) in [(frame, 64, 300), (&bundle, 1, 300 + 2 * bundle.len())] {
        let mut theirs: Vec<OwnedFd> = Vec::with_capacity(count);
        let before = resident();
        let mut ours: Vec<Ours> = Vec::with_capacity(count);
        for at in 0..count {
            let (there, here) = raw::pair(SocketType::SEQPACKET);
            for _ in 0..often {
                raw::send(&there, datagram).unwrap();
            }
            let mut here = Ours::adopt(here).unwrap();
            for _ in 0..2 {
                let frame = if at % 2 == 0 { here.recv() } else { here.try_recv() };
                check(&frame.unwrap().expect("a frame"));
            }
            ours.push(here);
            theirs.push(there);
        }
        // The lanes of the first few receivers may have been in the pool, and used before.
        let taken = resident().saturating_sub(before + 16 * 4096);
        assert!(count < 1000 || taken <= most * count, "{taken} bytes for {count} connections");
    }
}

/// None, even if the receivers receive no more.
fn connections_that_have_ended(count: usize) {
    let mut ours = Vec::with_capacity(count);
    let before = resident();
    for at in 0..count {
        let (theirs, here) = raw::pair(SocketType::SEQPACKET);
        let mut here = Ours::adopt(here).unwrap().rx;
        for _ in 0..20 {
            raw::send(&theirs, &[1, 7, 1, 7]).unwrap();
        }
        drop(theirs);
        for _ in 0..20 {
            check(&here.recv().unwrap().expect("a frame"));
        }
        let ended = match at % 3 {
            0 => here.recv().unwrap().is_none(),
            1 => here.try_recv().unwrap().is_none(),
            _ => here.recv_owned(Wait::Block).unwrap().is_none(),
        };
        assert!(ended);
        ours.push(here);
    }
    let taken = resident().saturating_sub(before);
    assert!(taken <= 2048 * count, "{taken} bytes for {count} connections");
}

/// Waiting receivers hold neither a lane nor its memory: each is only a thread and its stack.
fn receivers_that_wait(count: usize) {
    const LEN: usize = 150_000;
    const STACK: usize = 48 * 1024;
    let mut pairs: Vec<_> = (0..count).map(|_| Ours::pair().unwrap()).collect();
    let far = Instant::now() + Duration::from_secs(300);
    let come = &Mutex::new(Vec::with_capacity(count));
    let before = resident();
    thread::scope(|scope| {
        let mut theirs = Vec::new();
        for (at, (there, here)) in pairs.iter_mut().enumerate() {
            numbered(7, LEN, |frame| there.send(frame)).unwrap();
            theirs.push(there);
            let waits = thread::Builder::new().stack_size(128 * 1024);
            let wait = move || {
                check(&here.recv().unwrap().expect("a frame"));
                come.lock().unwrap().push(rustix::thread::gettid());
                let last = if at % 2 == 0 { here.recv() } else { here.recv_deadline(far) };
                check(&last.unwrap().expect("a frame"));
            };
            waits.spawn_scoped(scope, wait).unwrap();
        }
        // Until all threads sleep. The state follows the name, which is in parentheses (proc_pid_stat(5)).
        let sleeps = |task: &rustix::thread::Pid| {
            let stat =
                fs::read_to_string(format!("/proc/self/task/{}/stat", task.as_raw_nonzero()));
            stat.unwrap().contains(") S ")
        };
        let all_sleep = || {
            let come = come.lock().unwrap();
            come.len() == count && come.iter().all(sleeps)
        };
        while !all_sleep() {
            assert!(Instant::now() < far, "not all wait");
            thread::sleep(Duration::from_millis(10));
        }
        let taken = resident().saturating_sub(before);
        for there in theirs {
            numbered(7, 1, |frame| there.send(frame)).unwrap();
        }
        // The pool keeps a few lanes.
        let most = count * STACK + MIB;
        assert!(taken <= most, "{taken} bytes for {count} receivers that wait");
    });
}

/// If there is address space for only a short lane, a piece that is longer than the lane is not mistaken for a whole
/// one.
fn pieces_without_lanes() {
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Ours::adopt(ours).unwrap();
    rustix::net::sockopt::set_socket_send_buffer_size(&theirs, MIB).unwrap();
    raw::send(&theirs, &piece(1, 500_000, &vec![7; 400_000])).unwrap();
    let limit = getrlimit(Resource::As);
    let short = (bytes("VmSize:") + 4_000_000) as u64;
    setrlimit(Resource::As, Rlimit { current: Some(short), ..limit }).unwrap();
    let refused = ours.try_recv().map(drop);
    raw::send(&theirs, &piece(2, 400_000, &vec![7; 100_000])).unwrap();
    raw::send(&theirs, &[1, 0, 0]).unwrap();
    let received = ours.try_recv().map(|frame| frame.expect("a frame").len());
    setrlimit(Resource::As, limit).unwrap();
    assert!(matches!(refused, Err(RecvError::NoMemory { len: 500_000 })), "{refused:?}");
    assert_eq!(received.unwrap(), 3);
}

/// There is address space for only a short lane, or for none, before the first lane exists.
fn without_lanes(len: usize) {
    let (mut theirs, mut ours) = Ours::pair().unwrap();
    numbered(7, 10, |frame| theirs.send(frame)).unwrap();
    let limit = getrlimit(Resource::As);
    setrlimit(Resource::As, Rlimit { current: Some(0), ..limit }).unwrap();
    let refused = ours.recv().map(drop);
    let short = (bytes("VmSize:") + 512 * 1024) as u64;
    setrlimit(Resource::As, Rlimit { current: Some(short), ..limit }).unwrap();
    let received = ours.recv().map(|frame| check(&frame.expect("a frame")));
    setrlimit(Resource::As, limit).unwrap();
    assert!(matches!(refused, Err(RecvError::NoMemory { .. })), "{refused:?}");
    // The frame is still queued.
    received.unwrap();
    exchange(&mut theirs, &mut ours, len);
}

/// Sends, receives, and drops a message.
fn large_messages(len: usize) {
    let (mut theirs, mut ours) = Ours::pair().unwrap();
    exchange(&mut theirs, &mut ours, len);
}

/// The same to an address, where messages travel in sealed memory.
fn large_messages_to_an_address(len: usize) {
    let directory = Directory::new();
    let address = directory.address("socket");
    let mut ours = Socket::<Numbered<'_>, Numbered<'_>>::bind(&address).unwrap();
    let mut theirs = Socket::<Numbered<'_>, Numbered<'_>>::unbound(&address).unwrap();
    let before = resident();
    for len in [len, 10] {
        numbered(7, len, |frame| theirs.send_to(frame, &address)).unwrap();
        check(&ours.recv_from().unwrap().0);
        assert!(len < MIB || resident() + MIB >= before + len, "the measure measures nothing");
    }
    assert_returned(before);
    numbered(7, len, |frame| theirs.send_to(frame, &address)).unwrap();
    check(&ours.recv_from().unwrap().0);
    assert!(matches!(ours.try_recv_from(), Err(RecvError::WouldBlock)));
    assert_returned(before);
}

fn exchange(theirs: &mut Ours, ours: &mut Ours, len: usize) {
    let before = resident();
    ours.rx.set_limits(Limits::default().frame_len(usize::MAX));
    thread::scope(|scope| {
        scope.spawn(|| numbered(7, len, |frame| theirs.send(frame)).unwrap());
        check(&ours.recv().unwrap().expect("a frame"));
    });
    // A thread of an earlier step may still have its stack.
    assert!(len < 256 * MIB || resident() + MIB >= before + len, "the measure measures nothing");
    assert_eq!(drain(ours), 0);
    assert_returned(before);
}

/// Long and short messages alternate, as many as fit in the socket at once.
fn long_datagrams(count: u64) {
    let (mut theirs, mut ours) = Ours::pair().unwrap();
    raw::set_option(&theirs, libc::SOL_SOCKET, libc::SO_SNDBUF, 16 * MIB as i32);
    // As long as a datagram of the socket, if this process may not have longer ones.
    let room = rustix::net::sockopt::socket_send_buffer_size(&theirs).unwrap();
    let long = body(7, (room - 100).min(4 * MIB));
    let before = resident();
    let mut received = 0;
    for _ in 0..count {
        for body in [&long[..10], &long, &long[..10], &long[..10]] {
            let frame = Numbered::Numbered { number: 7, len: body.len() as u64, body };
            while theirs.try_send(&frame).is_err() {
                received += drain(&mut ours);
            }
        }
    }
    received += drain(&mut ours);
    assert_eq!(received, 4 * count);
    assert_returned(before);
}

fn assert_returned(before: usize) {
    let now = resident();
    assert!(now <= before + MIB, "{before} bytes have become {now}");
}
