//! Descriptors of the wrong kind.

use std::fs::File;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

use datagrammar::{Connection, OpenError, RecvError, Socket, peek_len};
use datagrammar_tests::{Directory, Numbered, raw};
use rustix::net::SocketType;

type Ours = Connection<Numbered<'static>, Numbered<'static>>;
type OursAlone = Socket<Numbered<'static>, Numbered<'static>>;

/// One descriptor of each kind, and its name.
fn zoo(directory: &Directory) -> Vec<(OwnedFd, &'static str)> {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
    let listener = UnixListener::bind(directory.path().join("listener")).unwrap();
    let (pipe, _) = std::io::pipe().unwrap();
    let unconnected =
        rustix::net::socket(rustix::net::AddressFamily::UNIX, SocketType::SEQPACKET, None);
    vec![
        (File::open("/proc/version").unwrap().into(), "not a socket"),
        (File::open("/").unwrap().into(), "not a socket"),
        (pipe.into(), "not a socket"),
        (tcp.into(), "a listening AF_INET SOCK_STREAM"),
        (stream.into(), "a socket of AF_INET SOCK_STREAM"),
        (listener.into(), "a listening AF_UNIX SOCK_STREAM"),
        (UnixStream::pair().unwrap().0.into(), "a socket of AF_UNIX SOCK_STREAM"),
        (unconnected.unwrap(), "a socket of AF_UNIX SOCK_SEQPACKET, not connected"),
        (raw::pair(SocketType::SEQPACKET).0, "a socket of AF_UNIX SOCK_SEQPACKET"),
        (raw::pair(SocketType::DGRAM).0, "a socket of AF_UNIX SOCK_DGRAM, connected"),
        (UnixDatagram::unbound().unwrap().into(), "a socket of AF_UNIX SOCK_DGRAM"),
        (UdpSocket::bind("127.0.0.1:0").unwrap().into(), "a socket of AF_INET SOCK_DGRAM"),
        (UdpSocket::bind("[::1]:0").unwrap().into(), "a socket of AF_INET6 SOCK_DGRAM"),
    ]
}

#[test]
fn h09_a_wrong_kind_of_descriptor_is_named_and_refused() {
    let directory = Directory::new();
    for (fd, name) in zoo(&directory) {
        let copy = fd.try_clone().unwrap();
        let connection = Ours::adopt(fd);
        let socket = OursAlone::adopt(copy);
        match name {
            "a socket of AF_UNIX SOCK_SEQPACKET" => {
                connection.unwrap();
                refused(socket.unwrap_err(), name);
            }
            "a socket of AF_UNIX SOCK_DGRAM"
            | "a socket of AF_INET SOCK_DGRAM"
            | "a socket of AF_INET6 SOCK_DGRAM" => {
                socket.unwrap();
                refused(connection.unwrap_err(), name);
            }
            _ => {
                let kind = name.split(',').next().unwrap();
                refused(connection.unwrap_err(), kind);
                refused(socket.unwrap_err(), kind);
            }
        }
    }
}

fn refused(error: OpenError, name: &str) {
    match error {
        OpenError::WrongDescriptor { found, expected } => {
            assert!(found.starts_with(name), "{found:?} is {name:?}");
            assert!(!expected.is_empty());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn h09_the_public_peek_takes_only_what_keeps_datagrams_apart() {
    let directory = Directory::new();
    for (fd, name) in zoo(&directory) {
        let peeked = datagrammar::try_peek_len(&fd);
        let keeps = name.contains("DGRAM") || name.contains("SEQPACKET");
        match peeked {
            Err(RecvError::WrongDescriptor { found, .. }) => {
                assert!(!keeps, "{name} was refused");
                assert!(found.ends_with(name), "{found:?} is {name:?}");
            }
            Ok(_) | Err(_) => assert!(keeps, "{name}: {peeked:?}"),
        }
    }
}

#[test]
fn h09_a_peek_into_a_byte_never_writes_more() {
    // MSG_TRUNC makes the kernel return more than the buffer holds: the length, and no more bytes.
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    raw::send(&theirs, &[7; 100_000]).unwrap();
    for _ in 0..100 {
        assert_eq!(peek_len(ours.as_fd()).unwrap(), 100_000);
    }
}

#[test]
fn h09_a_udp_socket_that_joins_or_splits_datagrams_is_refused() {
    for (option, name) in [
        (libc::UDP_CORK, "UDP_CORK"),
        (libc::UDP_SEGMENT, "UDP_SEGMENT"),
        (libc::UDP_GRO, "UDP_GRO"),
    ] {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        raw::set_option(&socket, libc::IPPROTO_UDP, option, 1);
        let found = format!("a socket of AF_INET SOCK_DGRAM with {name} set");
        match datagrammar::try_peek_len(&socket) {
            Err(RecvError::WrongDescriptor { found: told, .. }) => assert_eq!(told, found),
            other => panic!("{other:?}"),
        }
        refused(OursAlone::adopt(socket.into()).unwrap_err(), &found);
    }
}

#[test]
fn a_peer_at_the_longest_path_there_is_can_be_answered() {
    let directory = Directory::new();
    let mut ours = OursAlone::bind(&directory.address("ours")).unwrap();
    let stem = directory.path().join("x");
    let path = format!("{:x<108}", stem.display());
    assert_eq!(path.len(), 108);
    let address: datagrammar::Address = format!("unix:{path}").parse().unwrap();
    let mut theirs = OursAlone::bind(&address).unwrap();
    let frame = Numbered::Numbered { number: 3, len: 0, body: &[] };
    theirs.send_to(&frame, &directory.address("ours")).unwrap();
    let from = ours.recv_from().unwrap().1;
    assert_eq!((from, theirs.local_addr().unwrap()), (address, address));
    ours.send_to(&frame, &from).unwrap();
    assert_eq!(theirs.recv_from().unwrap().0.decode().unwrap().check(), 3);
}
