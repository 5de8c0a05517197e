//! Options: the sizes of the kernel's buffers, on every endpoint that can have them.

use std::fs;
use std::os::fd::AsFd;
use std::thread;

use datagrammar::{Connection, Listener, Options, Socket};
use datagrammar_tests::{Directory, Numbered, numbered};
use rustix::net::sockopt::{socket_recv_buffer_size, socket_send_buffer_size};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;
type OurListener = Listener<Numbered<'static>, Numbered<'static>>;
type OursAlone = Socket<Numbered<'static>, Numbered<'static>>;

fn sizes(fd: &impl AsFd) -> (usize, usize) {
    (socket_recv_buffer_size(fd).unwrap(), socket_send_buffer_size(fd).unwrap())
}

#[test]
fn every_endpoint_gets_the_buffers_asked_for() {
    let directory = Directory::new();
    let address = directory.address("listener");
    let options = Options::new().recv_buffer(20_000).send_buffer(30_000);
    let asked = (40_000, 60_000);

    let listener = OurListener::bind_with(&address, &options).unwrap();
    let plain = Ours::connect(&address).unwrap();
    assert_ne!(sizes(&plain), asked);
    assert_eq!(sizes(&listener.accept().unwrap()), asked);
    assert_eq!(sizes(&Ours::connect_with(&address, &options).unwrap()), asked);

    let (fd, _) = plain.into_fd().unwrap();
    assert_eq!(sizes(&Ours::adopt_with(fd, &options).unwrap()), asked);
    let fd = OurListener::bind(&directory.address("adopted")).unwrap().into_fd();
    let listener = OurListener::adopt_with(fd, &options).unwrap();
    let _client = Ours::connect(&directory.address("adopted")).unwrap();
    assert_eq!(sizes(&listener.accept().unwrap()), asked);

    let (left, right) = Ours::pair_with(&options).unwrap();
    assert_eq!((sizes(&left), sizes(&right)), (asked, asked));
    for address in [directory.address("socket"), "udp:127.0.0.1:0".parse().unwrap()] {
        assert_eq!(sizes(&OursAlone::bind_with(&address, &options).unwrap()), asked);
    }
    for socket in [
        std::os::unix::net::UnixDatagram::unbound().unwrap().into(),
        std::net::UdpSocket::bind("127.0.0.1:0").unwrap().into(),
    ] {
        assert_eq!(sizes(&OursAlone::adopt_with(socket, &options).unwrap()), asked);
    }
}

#[test]
fn the_kernel_clamps_as_documented() {
    let most = |name: &str| -> usize {
        let text = fs::read_to_string(format!("/proc/sys/net/core/{name}")).unwrap();
        text.trim().parse().unwrap()
    };
    let none = Options::new().recv_buffer(0).send_buffer(0);
    let (ours, _theirs) = Ours::pair_with(&none).unwrap();
    if cfg!(target_arch = "x86_64") {
        assert_eq!(sizes(&ours), (2_304, 4_608));
    }
    let all = Options::new().recv_buffer(usize::MAX).send_buffer(usize::MAX);
    let (ours, _theirs) = Ours::pair_with(&all).unwrap();
    assert_eq!(sizes(&ours), (2 * most("rmem_max"), 2 * most("wmem_max")));
}

#[test]
fn frames_of_any_size_pass_through_the_smallest_buffer() {
    let (mut ours, mut theirs) = Ours::pair_with(&Options::new().send_buffer(0)).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            for (number, len) in [0, 4_500, 4_576, 4_577, 100_000].into_iter().enumerate() {
                numbered(number as u64, len, |frame| ours.send(frame)).unwrap();
            }
        });
        for number in 0..5 {
            assert_eq!(theirs.recv().unwrap().expect("a frame").decode().unwrap().check(), number);
        }
    });
}
