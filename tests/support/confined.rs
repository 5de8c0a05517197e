//! Receivers in processes that lock their memory, or may have little address space, few descriptors or few system
//! calls.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{Backoff, Connection, Message, Receiver, RecvError, SharedBytes, Socket, Wait};
use datagrammar_tests::leaks::Parcel;
use datagrammar_tests::{Numbered, numbered};
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// Locks all memory, receives in all ways, and prints the memory in use in KiB at each step.
pub(crate) fn locked() {
    if let Err(error) = mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE) {
        println!("SKIPPED: memory cannot be locked: {error}");
        return;
    }
    all_ways();
    println!("{}", status("VmRSS:"));
}

/// Receives in all ways with at most `more` MiB of address space beyond the current use.
pub(crate) fn little_address_space(more: &str) {
    let more: u64 = more.parse().expect("a number");
    // First, everything that this process itself needs.
    drop(vec![1_u8; 100_000]);
    let limit = status("VmSize:") * 1024 + more * 1024 * 1024;
    let maximum = getrlimit(Resource::As).maximum;
    setrlimit(Resource::As, Rlimit { current: Some(limit), maximum }).expect("a lower limit");
    all_ways();
    println!("received");
}

/// Returns a number of this process, in KiB.
fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("/proc");
    let value = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
    value.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Conversations, floods, and large frames.
fn all_ways() {
    let (mut theirs, ours) = Ours::pair().expect("a pair");
    let (mut sender, mut ours) = ours.split();
    for number in 0..100 {
        numbered(number, 100, |frame| theirs.send(frame)).expect("sent");
        assert_eq!(next(&mut ours), number);
        numbered(number, 100, |frame| sender.send(frame)).expect("sent");
        let answer = theirs.recv().expect("a frame").expect("no end");
        assert_eq!(answer.decode().expect("a message").check(), number);
    }
    for _ in 0..3 {
        for number in 0..100 {
            numbered(number, 100, |frame| theirs.send(frame)).expect("sent");
        }
        for number in 0..100 {
            assert_eq!(next(&mut ours), number);
        }
        assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
    }
    thread::scope(|scope| {
        let sender = thread::Builder::new().stack_size(128 * 1024);
        let sending = sender.spawn_scoped(scope, || {
            for number in 0..4 {
                numbered(number, 400_000, |frame| theirs.send(frame)).expect("sent");
                numbered(number, 100, |frame| theirs.send(frame)).expect("sent");
            }
        });
        for number in 0..4 {
            assert_eq!(next(&mut ours), number);
            assert_eq!(next(&mut ours), number);
        }
        sending.expect("a thread").join().expect("no panic");
    });
    drop((theirs, sender));
    assert!(ours.recv().expect("the end").is_none());
}

/// Returns the next frame, in one form or another.
fn next(ours: &mut Receiver<Numbered<'static>>) -> u64 {
    if let Ok(frame) = ours.try_recv() {
        return frame.expect("no end").decode().expect("a message").check();
    }
    let frame = ours.recv().expect("a frame").expect("no end");
    frame.decode().expect("a message").check()
}

/// Receives frames with more descriptors together than this process may have open, one by one.
pub(crate) fn few_descriptors() {
    const EACH: usize = 10;
    const FRAMES: usize = 32;
    let (mut theirs, ours) = Connection::<Parcel, Parcel>::pair().expect("a pair");
    let (_, mut ours) = ours.split();
    let file = File::open("/proc/version").expect("a file");
    for _ in 0..FRAMES {
        let copy = || OwnedFd::from(file.try_clone().expect("a descriptor"));
        let all = std::iter::repeat_with(copy).take(EACH).collect();
        theirs.send(&Parcel::Many { all, flag: true }).expect("sent");
    }
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: Some(24), maximum }).expect("a lower limit");
    let (mut frames, mut descriptors) = (0, 0);
    while frames < FRAMES {
        let parcel = if frames % 2 == 0 {
            ours.recv().expect("all descriptors").expect("no end").decode()
        } else {
            let owned = ours.recv_owned(Wait::Block);
            owned.expect("all descriptors").expect("no end").decode()
        };
        let Parcel::Many { all, .. } = parcel.expect("a message") else { break };
        frames += 1;
        descriptors += all.len();
    }
    println!("{frames} {descriptors}");
}

/// Sends and receives with only the system calls that the crate page lists, and those with which a program prints and
/// exits. Any other call ends this process.
pub(crate) fn few_calls() {
    let (mut theirs, mut ours) = Ours::pair().expect("a pair");
    let mut parcels = Connection::<Parcel, Parcel>::pair().expect("a pair");
    let file = OwnedFd::from(File::open("/proc/version").expect("a file"));
    allow_only(&[]);

    for len in [1, 100, 5_000, 100_000] {
        numbered(7, len, |frame| theirs.send(frame)).expect("sent");
        assert_eq!(next(&mut ours.rx), 7);
    }
    // In pieces, of which most are pending at first.
    numbered(8, 3_000_000, |frame| theirs.try_send(frame)).expect("begun");
    let whole = loop {
        _ = theirs.tx.flush(Wait::Try);
        match ours.try_recv() {
            Err(RecvError::WouldBlock) => {}
            result => break result.expect("a frame").expect("no end"),
        }
    };
    assert_eq!(whole.decode().expect("a message").check(), 8);
    let soon = Instant::now() + Duration::from_millis(1);
    assert!(matches!(ours.recv_deadline(soon), Err(RecvError::TimedOut)));
    parcels.0.send(&Parcel::Two { left: file, right: None }).expect("sent");
    let parcel = parcels.1.recv().expect("a frame").expect("no end");
    assert!(matches!(parcel.decode(), Ok(Parcel::Two { .. })));
    Backoff::new().wait();
    drop(theirs);
    assert!(ours.recv().expect("the end").is_none());
    println!("received");
}

/// As [`few_calls`], with those for sealed memory.
pub(crate) fn few_calls_of_memory() {
    let (mut theirs, mut ours) = Connection::<Shared, Shared>::pair().expect("a pair");
    let address = "unix:@datagrammar-test-few-calls-".to_owned() + &std::process::id().to_string();
    let address = address.parse().expect("an address");
    let mut socket = Socket::<Numbered<'_>, Numbered<'_>>::bind(&address).expect("a socket");
    allow_only(&[
        libc::SYS_memfd_create,
        libc::SYS_statx,
        libc::SYS_fstatfs,
        libc::SYS_lseek,
        libc::SYS_pread64,
    ]);

    let bytes = SharedBytes::new(&[7; 100_000]).expect("memory");
    theirs.send(&Shared { bytes }).expect("sent");
    let shared = ours.recv().expect("a frame").expect("no end").decode().expect("a message");
    assert_eq!(*shared.bytes, [7; 100_000]);
    numbered(9, 1_000_000, |frame| socket.send_to(frame, &address)).expect("sent");
    let (frame, _) = socket.recv_from().expect("a frame");
    assert_eq!(frame.decode().expect("a message").check(), 9);
    println!("received");
}

#[derive(Message)]
#[message(tag = 1)]
struct Shared {
    #[message(fd)]
    bytes: SharedBytes,
}

/// Allows this process only the system calls that a connection needs, `more`, and those with which a program prints and
/// ends. Refuses those that a connection can do without.
fn allow_only(more: &[i64]) {
    const NEEDED: [i64; 20] = [
        libc::SYS_recvfrom,
        libc::SYS_recvmsg,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        libc::SYS_ppoll,
        libc::SYS_setsockopt,
        libc::SYS_futex,
        libc::SYS_clock_nanosleep,
        // If the clock cannot be read without a system call (vdso(7)).
        libc::SYS_clock_gettime,
        libc::SYS_close,
        libc::SYS_mmap,
        libc::SYS_mprotect,
        libc::SYS_madvise,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_brk,
        // With debug assertions, the standard library checks a descriptor before it closes it.
        libc::SYS_fcntl,
        // To print and to exit.
        libc::SYS_write,
        libc::SYS_sigaltstack,
        libc::SYS_exit_group,
    ];
    const REFUSED: [i64; 5] = [
        libc::SYS_getsockopt,
        libc::SYS_munlock,
        libc::SYS_getrandom,
        libc::SYS_getpid,
        libc::SYS_ioctl,
    ];
    let filter = |calls: &[i64], those: SeccompAction, others: SeccompAction| {
        let rules: BTreeMap<i64, Vec<_>> = calls.iter().map(|&call| (call, Vec::new())).collect();
        let arch = std::env::consts::ARCH.try_into().expect("an architecture");
        let filter = SeccompFilter::new(rules, others, those, arch).expect("a filter");
        let program: BpfProgram = filter.try_into().expect("a program");
        seccompiler::apply_filter(&program).expect("seccomp");
    };
    let (allow, refuse) = (SeccompAction::Allow, SeccompAction::Errno(libc::EPERM.cast_unsigned()));
    filter(&REFUSED, refuse, allow.clone());
    filter(&[&NEEDED[..], &REFUSED, more].concat(), allow, SeccompAction::KillProcess);
}
