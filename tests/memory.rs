//! What receivers and senders hold in memory, when there is nothing to hold. One test alone, as it counts what
//! the whole process has.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::fs;
use std::os::fd::OwnedFd;
use std::thread;

use datagrammar::{Connection, Frame, Limits, Message as _, RecvError};
use datagrammar_tests::{Numbered, body, numbered, raw};
use rustix::net::SocketType;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

const MIB: usize = 1024 * 1024;

/// How many bytes of memory this process has that is its own.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1024
}

/// Receives until nothing is there; how many frames came.
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

/// Whether it came whole, at a glance.
fn check(frame: &Frame<'_, Numbered<'_>>) {
    let Numbered::Numbered { len, body, .. } = Numbered::decode(frame.bytes()).unwrap();
    assert!(body.len() as u64 == len && body.last() == Some(&7));
}

#[test]
fn what_has_nothing_to_hold_holds_no_memory() {
    // The allocator is not what is measured: it returns what is freed (mallopt(3)).
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt takes numbers, before any other thread of ours exists.
    assert_eq!(unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, 128 * 1024) }, 1);
    without_lanes(64 * MIB);
    // What the pool, the allocator and the first frames take, once for all.
    connections_that_have_received(8);
    large_messages(2 * MIB);
    long_datagrams(8);
    connections_that_have_received(1000);
    connections_that_have_ended(200);
    large_messages(256 * MIB);
    long_datagrams(64);
}

/// At most 512 bytes for each, the connection itself included.
fn connections_that_have_received(count: usize) {
    // Room for them, which is not theirs.
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
    // What they do have once floods have come.
    for (ours, theirs) in ours.iter_mut().zip(&theirs) {
        for _ in 0..20 {
            raw::send(theirs, &[1, 7, 1, 7]).unwrap();
        }
        assert_eq!(drain(ours), 20);
    }
    let taken = resident().saturating_sub(before + frame.len());
    assert!(count < 1000 || taken <= 512 * count, "{taken} bytes for {count} connections");
}

/// None, even though nobody receives from them any more.
fn connections_that_have_ended(count: usize) {
    let mut ours = Vec::with_capacity(count);
    let before = resident();
    for at in 0..count {
        let (theirs, here) = raw::pair(SocketType::SEQPACKET);
        let (_sender, mut here) = Ours::adopt(here).unwrap().split();
        for _ in 0..20 {
            raw::send(&theirs, &[1, 7, 1, 7]).unwrap();
        }
        drop(theirs);
        let mut buffer = Vec::new();
        for _ in 0..20 {
            check(&here.recv().unwrap().expect("a frame"));
        }
        let ended = match at % 3 {
            0 => here.recv().unwrap().is_none(),
            1 => here.recv_into(&mut buffer).unwrap().is_none(),
            _ => here.recv_batch().unwrap().is_none(),
        };
        assert!(ended);
        ours.push(here);
    }
    let taken = resident().saturating_sub(before);
    assert!(taken <= 2048 * count, "{taken} bytes for {count} connections");
}

/// Where there is no address space for lanes, before there are any.
fn without_lanes(len: usize) {
    let (mut theirs, mut ours) = Ours::pair().unwrap();
    numbered(7, 10, |frame| theirs.send(frame)).unwrap();
    let limit = getrlimit(Resource::As);
    setrlimit(Resource::As, Rlimit { current: Some(0), ..limit }).unwrap();
    let received = ours.recv().map(|frame| check(&frame.expect("a frame")));
    setrlimit(Resource::As, limit).unwrap();
    received.unwrap();
    exchange(&mut theirs, &mut ours, len);
}

/// Sent, received, and gone.
fn large_messages(len: usize) {
    let (mut theirs, mut ours) = Ours::pair().unwrap();
    exchange(&mut theirs, &mut ours, len);
}

fn exchange(theirs: &mut Ours, ours: &mut Ours, len: usize) {
    let before = resident();
    ours.set_limits(Limits::default().frame_len(usize::MAX));
    thread::scope(|scope| {
        scope.spawn(|| numbered(7, len, |frame| theirs.send(frame)).unwrap());
        check(&ours.recv().unwrap().expect("a frame"));
    });
    assert!(len < 256 * MIB || resident() >= before + len, "the measure measures nothing");
    assert_eq!(drain(ours), 0);
    assert_returned(before);
}

/// Long and short ones by turns, as many as the socket has room for at once.
fn long_datagrams(count: u64) {
    let (mut theirs, mut ours) = Ours::pair().unwrap();
    raw::set_option(&theirs, libc::SOL_SOCKET, libc::SO_SNDBUF, 16 * MIB as i32);
    // As long as the socket carries, where this process may not have longer ones.
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
