//! Sockets without peers that send to each other, vanish and come back.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

use datagrammar::{
    Address, Limits, Message, Options, OwnedFrame, RecvError, SendAllError, SendError, Socket,
    Wait, tokio as awaited,
};
use datagrammar_tests::{Directory, Random, alone, leaks, raw, scaled, seed};
use rustix::fs::MemfdFlags;
use tokio::runtime::{Builder, Runtime};

use crate::storm::Storm;

/// A message that shows any damage.
#[derive(Message, Debug)]
enum Note<'a> {
    #[message(tag = 1)]
    Plain {
        number: u64,
        #[message(rest)]
        body: &'a [u8],
    },
    #[message(tag = 2)]
    File {
        number: u64,
        #[message(fd)]
        file: OwnedFd,
        #[message(rest)]
        body: &'a [u8],
    },
}

type Ours = Socket<Note<'static>, Note<'static>>;

/// What is to come.
#[derive(Debug)]
enum Next {
    Note {
        number: u64,
        len: usize,
        has_file: bool,
        from: Address,
        frame_len: usize,
    },
    /// What a peer sends that breaks the rules.
    Fault,
}

/// A socket, and what was sent to it.
struct Place {
    socket: Option<Ours>,
    address: Address,
    queue: VecDeque<Next>,
    limit: usize,
    /// How much room a peer needs at most to receive all that is queued, in bytes.
    queued: usize,
}

struct Model {
    random: Random,
    places: Vec<Place>,
    is_unix: bool,
    identifies: bool,
    number: u64,
    runtime: Runtime,
    _directory: Directory,
}

#[test]
fn what_is_sent_to_a_socket_comes_once_in_order_and_whole() {
    let _alone = alone();
    let mut random = Random(seed());
    for round in 0..scaled(60) {
        let _storm = (random.below(4) == 0).then(Storm::begin);
        let before = leaks::open();
        let mut model = Model::new(Random(random.below(u64::MAX)), round % 3 != 0);
        for _ in 0..200 {
            model.step();
        }
        while model.places.iter().any(|place| !place.queue.is_empty()) {
            model.receive();
        }
        drop(model);
        assert_eq!(leaks::open(), before, "descriptors are left");
    }
}

impl Model {
    fn new(mut random: Random, is_unix: bool) -> Self {
        let directory = Directory::new();
        let identifies = is_unix && random.below(2) == 0;
        let addresses: Vec<Address> = match is_unix {
            true => ["a", "b", "c"].map(|name| directory.address(name)).into(),
            false => vec!["udp:127.0.0.1:0".parse().unwrap(); 3],
        };
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let places = addresses.into_iter().map(|address| {
            let limit = 16 << 20;
            Place { socket: None, address, queue: VecDeque::new(), limit, queued: 0 }
        });
        let places = places.collect();
        let mut model =
            Self { random, places, is_unix, identifies, number: 0, runtime, _directory: directory };
        (0..3).for_each(|at| model.open(at));
        model
    }

    fn open(&mut self, at: usize) {
        let options = Options::new().recv_buffer(1 << 20);
        let options = if self.identifies { options.identify_senders() } else { options };
        let place = &mut self.places[at];
        let socket = Ours::bind_with(&place.address, &options).unwrap();
        place.address = socket.local_addr().unwrap();
        place.socket = Some(socket);
        place.limit = 16 << 20;
    }

    fn any(&mut self) -> usize {
        self.random.below(3) as usize
    }

    fn step(&mut self) {
        match self.random.below(24) {
            0..8 => self.send(),
            8..11 => self.send_all(),
            11 => self.fault(),
            12 => self.vanish(),
            13 => self.cross(),
            14 => {
                let (at, limit) = (self.any(), 100 + self.random.below(2000) as usize);
                let limit = if self.random.below(2) == 0 { limit } else { 16 << 20 };
                let place = &mut self.places[at];
                place.limit = limit;
                let limits = Limits::new().frame_len(limit);
                place.socket.iter_mut().for_each(|socket| socket.rx.set_limits(limits));
            }
            _ => self.receive(),
        }
    }

    /// The length of a body.
    fn len(&mut self) -> usize {
        let longest = match (self.random.below(20), self.is_unix) {
            (0..12, _) => 300,
            (12..16, _) => 16_000,
            (16, true) => 5_000_000,
            (_, true) => 250_000,
            (_, false) => 60_000,
        };
        self.random.below(longest) as usize
    }

    fn wait(&mut self) -> Wait {
        match self.random.below(3) {
            0 => Wait::Until(Instant::now()),
            1 => Wait::Until(Instant::now() + Duration::from_micros(100)),
            _ => Wait::Try,
        }
    }

    fn file(number: u64) -> OwnedFd {
        let memfd = rustix::fs::memfd_create("number", MemfdFlags::CLOEXEC).unwrap();
        let mut file = File::from(memfd);
        file.write_all(&number.to_ne_bytes()).unwrap();
        file.into()
    }

    /// Returns a sender, a receiver, and where that is.
    fn route(&mut self) -> (usize, usize, Address) {
        let (from, to) = (self.any(), self.any());
        (from, to, self.places[to].address.clone())
    }

    /// Returns whether UDP may drop more, as it says nothing of it.
    fn is_full(&self, to: usize, len: usize) -> bool {
        !self.is_unix && self.places[to].queued + 2 * len + 1000 > 200_000
    }

    fn send(&mut self) {
        let (from, to, address) = self.route();
        let len = self.len();
        if self.is_full(to, len) {
            return;
        }
        self.number += 1;
        let number = self.number;
        let has_file = self.is_unix && self.random.below(4) == 0;
        let body = vec![number as u8; len];
        let note = match has_file {
            true => Note::File { number, file: Self::file(number), body: &body },
            false => Note::Plain { number, body: &body },
        };
        let wait = self.wait();
        let is_frame = self.random.below(4) == 0;
        let Some(socket) = &mut self.places[from].socket else { return };
        let sent = match (is_frame, wait) {
            (true, wait) => {
                let frame = OwnedFrame::encode(&note).unwrap();
                socket.tx.send_frame_to(&frame, &address, wait)
            }
            (false, Wait::Until(deadline)) => socket.send_to_deadline(&note, &address, deadline),
            (false, _) => socket.try_send_to(&note, &address),
        };
        match sent {
            Ok(frame_len) => self.push(from, to, number, len, has_file, frame_len),
            Err(error) => self.check_error(to, wait, &error),
        }
    }

    fn push(
        &mut self,
        from: usize,
        to: usize,
        number: u64,
        len: usize,
        has_file: bool,
        frame_len: usize,
    ) {
        let from = self.places[from].address.clone();
        let place = &mut self.places[to];
        assert!(place.socket.is_some(), "nobody is there");
        place.queued += 2 * len + 1000;
        place.queue.push_back(Next::Note { number, len, has_file, from, frame_len });
    }

    fn check_error(&self, to: usize, wait: Wait, error: &SendError) {
        let is_there = self.places[to].socket.is_some();
        let may_be = match error {
            SendError::Refused => !is_there,
            // The send buffer may be full of what others have not received, whoever is at this address.
            SendError::WouldBlock { .. } => wait == Wait::Try,
            SendError::TimedOut { .. } => wait != Wait::Try,
            _ => false,
        };
        assert!(may_be, "{error:?}");
    }

    fn send_all(&mut self) {
        let (from, to, address) = self.route();
        let count = 1 + self.random.below(30);
        let longest =
            [50, 300, 20_000][self.random.below(if self.is_unix { 3 } else { 2 }) as usize];
        let lens: Vec<_> = (0..count).map(|_| self.random.below(longest) as usize).collect();
        if self.is_full(to, lens.iter().sum::<usize>() + 1000 * lens.len()) {
            return;
        }
        let first = self.number + 1;
        self.number += count;
        let bodies: Vec<_> =
            (first..).zip(&lens).map(|(number, &len)| vec![number as u8; len]).collect();
        let notes: Vec<_> =
            (first..).zip(&bodies).map(|(number, body)| Note::Plain { number, body }).collect();
        let wait = self.wait();
        let Some(socket) = &mut self.places[from].socket else { return };
        let sent = match socket.tx.send_all_to(&notes, &address, wait) {
            Ok(sent) => {
                assert_eq!(sent as u64, count);
                sent
            }
            Err(SendAllError { sent, error, .. }) => {
                self.check_error(to, wait, &error);
                sent
            }
        };
        for (number, len) in (first..).zip(lens).take(sent) {
            let frame_len =
                datagrammar::to_vec(&Note::Plain { number, body: &[] }).unwrap().len() + len;
            self.push(from, to, number, len, false, frame_len);
        }
    }

    /// A peer breaks the rules.
    fn fault(&mut self) {
        let at = self.any();
        let place = &mut self.places[at];
        if place.socket.is_none() || place.queue.len() > 5 {
            return;
        }
        let bytes: &[u8] = [&[][..], &[0], &[0, 3, 1], &[0; 14], &[0, 2, 0, 0, 0, 0, 7]]
            [self.random.below(5) as usize];
        let sent = match place.address.as_pathname() {
            Some(path) => {
                let raw = std::os::unix::net::UnixDatagram::unbound().unwrap();
                raw.set_nonblocking(true).unwrap();
                raw.connect(path).unwrap();
                raw::send(raw.as_fd(), bytes)
            }
            None => {
                let raw = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
                let text = place.address.to_string();
                raw.send_to(bytes, text.strip_prefix("udp:").unwrap()).map(|_| ())
            }
        };
        if sent.is_ok() {
            place.queue.push_back(Next::Fault);
        }
    }

    /// A socket is closed, or comes back.
    fn vanish(&mut self) {
        let at = self.any();
        let place = &mut self.places[at];
        if place.socket.is_none() {
            return self.open(at);
        }
        // Over UDP, nobody learns of it.
        if self.is_unix {
            place.socket = None;
            place.queue.clear();
            place.queued = 0;
        }
    }

    /// Becomes an awaited socket, receives, and becomes a blocking one again.
    fn cross(&mut self) {
        let at = self.any();
        let Some(socket) = self.places[at].socket.take() else { return };
        let runtime = self.runtime.handle().clone();
        let mut socket = {
            let _entered = runtime.enter();
            awaited::Socket::from_blocking(socket).map_err(|(_, error)| error).unwrap()
        };
        for _ in 0..self.random.below(4) {
            let is_owned = self.random.below(2) == 0;
            let received = self.runtime.block_on(async {
                tokio::time::timeout(Duration::ZERO, async {
                    match is_owned {
                        true => socket.rx.recv_owned_from().await,
                        false => {
                            let (frame, from) = socket.recv_from().await?;
                            Ok((frame.into_owned(), from))
                        }
                    }
                })
                .await
            });
            // Nothing is lost if the reactor has not told of it yet.
            let Ok(received) = received else { continue };
            self.check(at, received);
        }
        let _entered = runtime.enter();
        self.places[at].socket = Some(socket.into_blocking());
    }

    fn receive(&mut self) {
        let at = self.any();
        let form = self.random.below(5);
        let Place { socket, queue, .. } = &mut self.places[at];
        let Some(socket) = socket else { return };
        let wait = match form {
            0 if !queue.is_empty() => Wait::Block,
            1 if !queue.is_empty() => Wait::Until(Instant::now() + Duration::from_secs(60)),
            2 => Wait::Until(Instant::now()),
            _ => Wait::Try,
        };
        let received = match (form, wait) {
            (4, _) => socket.rx.recv_owned_from(wait),
            (_, Wait::Block) => socket.recv_from().map(|(frame, from)| (frame.into_owned(), from)),
            (_, Wait::Try) => {
                socket.try_recv_from().map(|(frame, from)| (frame.into_owned(), from))
            }
            (_, Wait::Until(deadline)) => {
                let received = socket.recv_from_deadline(deadline);
                received.map(|(frame, from)| (frame.into_owned(), from))
            }
        };
        self.check(at, received);
    }

    fn check(
        &mut self,
        at: usize,
        received: Result<(OwnedFrame<Note<'static>>, Address), RecvError>,
    ) {
        let identifies = self.identifies;
        let place = &mut self.places[at];
        let next = place.queue.pop_front();
        match (next, received) {
            (None, Err(RecvError::WouldBlock | RecvError::TimedOut)) => {}
            (Some(Next::Fault), Err(RecvError::Empty | RecvError::BadFragment(_))) => {}
            (Some(Next::Fault), Err(RecvError::BadMemory(_))) => {}
            (
                Some(Next::Note { frame_len, len: body, .. }),
                Err(RecvError::TooLarge { len, limit }),
            ) => {
                assert_eq!((len, limit), (frame_len, place.limit));
                assert!(len > limit);
                place.queued -= 2 * body + 1000;
            }
            (
                Some(Next::Note { number, len, has_file, from, frame_len }),
                Ok((mut frame, sender)),
            ) => {
                place.queued -= 2 * len + 1000;
                assert_eq!(sender, from);
                assert!(frame.len() == frame_len && frame_len <= place.limit);
                if identifies {
                    let pid = frame.sender().expect("who sent it").pid;
                    assert_eq!(pid, std::process::id());
                }
                match frame.decode().unwrap() {
                    Note::Plain { number: found, body } => {
                        assert_eq!((found, body.len(), has_file), (number, len, false));
                        assert!(body.iter().all(|&byte| byte == number as u8));
                    }
                    Note::File { number: found, file, body } => {
                        assert_eq!((found, body.len(), has_file), (number, len, true));
                        assert!(body.iter().all(|&byte| byte == number as u8));
                        let mut text = [0; 8];
                        File::from(file).read_exact_at(&mut text, 0).unwrap();
                        assert_eq!(u64::from_ne_bytes(text), number);
                    }
                }
            }
            (next, received) => panic!("{next:?} came as {:?}", received.map(|_| ())),
        }
    }
}
