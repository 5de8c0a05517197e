//! The other process of tests that need one. Its first argument says what to do; its standard input
//! is a connection.

mod confined;
mod crowded;
mod managed;
mod parents;
mod starved;

use std::fs;
use std::io::{self, Write as _};
use std::mem;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::process;
use std::thread;
use std::time::Duration;

use datagrammar::{Address, Connection, Limits, Listener, OpenError, Options, SendError, Socket};
use datagrammar_tests::leaks::{self, Parcel};
use datagrammar_tests::{Numbered, numbered};
use rustix::net::{AddressFamily, SendFlags, SocketType};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

fn main() {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("send") => send_for_ever(),
        Some("hold") => hold(),
        Some("descriptors") => print_descriptors(),
        Some("sigpipe") => send_to_nobody(),
        Some("flood") => flood_with_descriptors(),
        Some("crowded-calls") => {
            allow_few_descriptors();
            crowded::call();
        }
        Some("ping") => peek_at_a_ping(),
        Some("leaks") => leaks(&arguments.next().expect("a number of frames")),
        Some("bind") => bind(&arguments.next().expect("an address")),
        Some("echo") => echo(&Options::new()),
        Some("echo-large") => echo(&Options::new().limits(Limits::new().frame_len(32 << 20))),
        Some("abort") => process::abort(),
        Some("inherit") => inherit_twice(),
        Some("inherit-or-read") => inherit_or_read(),
        Some("tell-descriptors") => tell_descriptors(),
        Some("activated") => managed::serve(),
        Some("not-activated") => managed::refuse(),
        Some("activated-anew") => managed::execute_anew(),
        Some("activated-again") => managed::take_again(),
        Some("activated-by-inode") => managed::take_by_inode(),
        Some("talk") => parents::talk(),
        Some("inherit-nowhere") => parents::inherit_in_an_empty_root(),
        Some("parent") => parents::be_one(&arguments.collect::<Vec<_>>()),
        Some("connect") => connect(&arguments.next().expect("an address")),
        Some("send-one") => send_one(&arguments.next().expect("an address")),
        Some("locked") => confined::locked(),
        Some("little-address-space") => {
            confined::little_address_space(&arguments.next().expect("a number of MiB"));
        }
        Some("few-descriptors") => confined::few_descriptors(),
        Some("few-calls") => confined::few_calls(),
        Some("few-calls-of-memory") => confined::few_calls_of_memory(),
        Some("starved") => starved::serve(),
        Some("mode") => bind_with_umask(&arguments.next().expect("an address")),
        other => panic!("no such task: {other:?}"),
    }
}

fn inherited() -> Ours {
    let fd: OwnedFd = io::stdin().as_fd().try_clone_to_owned().expect("a descriptor");
    Ours::adopt(fd).expect("a connection as standard input")
}

/// Sends numbered frames until killed.
fn send_for_ever() {
    let mut ours = inherited();
    for number in 0.. {
        let len = number as usize * 37 % 3000;
        if numbered(number, len, |frame| ours.send(frame)).is_err() {
            return;
        }
    }
}

/// Holds the connection open without using it, until killed.
fn hold() {
    println!("holding");
    thread::sleep(Duration::from_secs(60));
}

/// Prints the numbers of the open descriptors.
fn print_descriptors() {
    println!("{}", open_descriptors());
}

fn open_descriptors() -> String {
    // The directory's own descriptor is gone by the time its link is read.
    let open = fs::read_dir("/proc/self/fd").expect("/proc").filter_map(|entry| {
        let path = entry.ok()?.path();
        Some(format!("{}:{}", path.file_name()?.display(), fs::read_link(&path).ok()?.display()))
    });
    let open: Vec<String> = open.filter(|open| !open.contains("/fd")).collect();
    open.join(" ")
}

/// Sends to a peer that is gone, while SIGPIPE has its default disposition.
fn send_to_nobody() {
    // SAFETY: no handler is installed, only the default disposition is restored, before any other
    // thread exists.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    let mut ours = inherited();
    // A program that another test has just started may hold a copy of the peer until it executes.
    assert!(ours.recv().expect("the end").is_none());
    for len in [1, 100_000] {
        let gone = numbered(1, len, |frame| ours.send(frame)).expect_err("nobody is there");
        assert!(matches!(gone, SendError::Disconnected), "{gone:?}");
    }
    println!("alive");
}

/// Sends frames with descriptors until there is no room, as a user without privileges and with a low limit. Then
/// receives them, and repeats both.
fn flood_with_descriptors() {
    allow_few_descriptors();
    let (mut ours, mut theirs) = Connection::<Parcel, Parcel>::pair().expect("a pair");
    let mut rounds = Vec::new();
    for _ in 0..3 {
        let mut sent = 0;
        let full = loop {
            let file = fs::File::open("/proc/version").expect("a file");
            match ours.try_send(&Parcel::Two { left: file.into(), right: None }) {
                Ok(_) => sent += 1,
                Err(full) => break full,
            }
        };
        assert!(matches!(full, SendError::WouldBlock { .. }), "{full:?}");
        for _ in 0..sent {
            let frame = theirs.recv().expect("a frame").expect("not the end");
            assert!(matches!(frame.decode(), Ok(Parcel::Two { .. })));
        }
        rounds.push(sent.to_string());
    }
    println!("{}", rounds.join(" "));
}

/// Limits how many descriptors may be open, and so how many of all processes of a user may be in flight. With
/// privileges, it becomes a user without other processes.
fn allow_few_descriptors() {
    let limit = libc::rlimit { rlim_cur: 256, rlim_max: 256 };
    // SAFETY: setrlimit(2) reads one rlimit, which outlives the call.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }, 0);
    // SAFETY: setuid(2) takes a number. It fails without privileges, and then there are none to lose.
    unsafe { libc::setuid(30_000 + process::id() % 30_000) };
}

/// Peeks at a ping to this machine, on a socket whose family does not report lengths.
fn peek_at_a_ping() {
    // SAFETY: unshare(2) takes flags, before any other thread exists.
    let unshared = unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET) } == 0;
    let allowed = unshared
        && fs::write("/proc/self/setgroups", "deny").is_ok()
        && fs::write("/proc/self/gid_map", "0 0 1").is_ok()
        && fs::write("/proc/sys/net/ipv4/ping_group_range", "0 0").is_ok();
    let icmp = Some(rustix::net::ipproto::ICMP);
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, icmp);
    let (true, Ok(socket)) = (allowed, socket) else {
        println!("SKIPPED: no ping sockets here");
        return;
    };
    raise_loopback(&socket);
    let to = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
    let echo = [&[8_u8][..], &[0; 63]].concat();
    rustix::net::sendto(&socket, &echo, SendFlags::empty(), &to).expect("a ping");
    println!("{}", datagrammar::peek_len(&socket).expect_err("a length that is not told"));
}

fn raise_loopback(socket: &OwnedFd) {
    // SAFETY: ifreq is arrays, numbers and a union of them, for which zero bytes are valid.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    for (place, byte) in request.ifr_name.iter_mut().zip(*b"lo") {
        *place = byte.cast_signed();
    }
    request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
    // SAFETY: the pointer is to an ifreq, exclusively borrowed for the call (netdevice(7)).
    let raised = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw mut request) };
    assert_eq!(raised, 0, "{}", io::Error::last_os_error());
}

/// Sends and receives frames with descriptors in all cases of success and failure, and prints how many descriptors are
/// open before and after.
fn leaks(frames: &str) {
    // One-time descriptors stay open, such as those of the runtime under tokio.
    leaks::exchange(1);
    let before = leaks::open();
    leaks::exchange(frames.parse().expect("a number"));
    println!("{before} {}", leaks::open());
}

/// Tries to listen, reports the result, and keeps listening until standard input ends.
fn bind(address: &str) {
    let address: Address = address.parse().expect("an address");
    let bound = Listener::<Numbered<'_>, Numbered<'_>>::bind(&address);
    println!(
        "{}",
        match &bound {
            Ok(_) => "bound".to_owned(),
            Err(OpenError::InUse { .. }) => "in use".to_owned(),
            Err(other) => format!("{other:?}"),
        }
    );
    io::stdout().flush().expect("a reader");
    io::copy(&mut io::stdin(), &mut io::sink()).expect("standard input");
}

/// Answers each frame with itself.
fn echo(options: &Options) {
    let (mut tx, mut rx) = Ours::inherited_with(options).expect("a connection").split();
    while let Some(frame) = rx.recv().expect("a frame") {
        let message = frame.decode().expect("a message");
        if tx.send(&message).is_err() {
            return;
        }
    }
}

/// Takes over the standard input, and tries to take it over again.
fn inherit_twice() {
    for _ in 0..2 {
        match Ours::inherited() {
            Ok(ours) => {
                mem::forget(ours);
                println!("inherited");
            }
            Err(error) => println!("{error}"),
        }
    }
}

/// Fails to take over the standard input, and prints its content.
fn inherit_or_read() {
    Ours::inherited().expect_err("something else");
    println!("left: {}", io::read_to_string(io::stdin()).expect("text"));
}

/// Sends the numbers of the open descriptors.
fn tell_descriptors() {
    let mut ours = Ours::inherited().expect("a connection");
    let open = open_descriptors();
    let (len, body) = (open.len() as u64, open.as_bytes());
    ours.send(&Numbered::Numbered { number: 0, len, body }).expect("sent");
}

/// Connects, and stays until killed.
fn connect(address: &str) {
    let _ours = Ours::connect(&address.parse().expect("an address")).expect("a connection");
    println!("done");
    thread::sleep(Duration::from_secs(60));
}

/// Sends one frame with the number of this process, and stays until killed.
fn send_one(address: &str) {
    let address = address.parse().expect("an address");
    let mut ours = Socket::<Numbered<'_>, Numbered<'_>>::unbound(&address).expect("a socket");
    let number = u64::from(process::id());
    numbered(number, 10, |frame| ours.send_to(frame, &address)).expect("sent");
    println!("done");
    thread::sleep(Duration::from_secs(60));
}

/// Listens under a umask that would clear permissions, and prints those of the path.
fn bind_with_umask(address: &str) {
    // SAFETY: umask(2) takes a number and cannot fail.
    unsafe { libc::umask(0o077) };
    let address: Address = address.parse().expect("an address");
    let options = Options::new().mode(0o666);
    let _listener =
        Listener::<Numbered<'_>, Numbered<'_>>::bind_with(&address, &options).expect("bind");
    let path = address.as_pathname().expect("a path");
    println!("{:o}", fs::metadata(path).expect("metadata").permissions().mode() & 0o7777);
}
