//! Uses sockets that send to each other, vanish and come back.

mod receiving;
mod sending;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use datagrammar::{Address, Limits, Options, Socket, Wait, tokio as awaited};
use datagrammar_tests::{Directory, Random, leaks, scaled, seed};
use tokio::runtime::{Builder, Runtime};

use crate::note::{Made, Note};
use crate::storm::Storm;
use crate::watch::Watch;

type Ours = Socket<Note<'static>, Note<'static>>;

/// The first limit of a socket.
const LIMIT: usize = 16 << 20;

/// An expected result of a receive.
#[derive(Debug)]
enum Next {
    /// A message, and the address of its sender.
    Note(Made, Address),
    /// An error, because the datagram breaks the rules.
    Fault,
}

/// A socket, and what it must receive.
struct Place {
    /// `None` while the socket is closed.
    socket: Option<Ours>,
    address: Address,
    queue: VecDeque<Next>,
    limit: usize,
    /// The most bytes of the receive buffer that the queued messages take.
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
    let _alone = crate::alone();
    let mut random = Random(seed());
    for round in 0..scaled(60) {
        let before = leaks::open();
        let storm = (random.below(4) == 0).then(Storm::begin);
        let seed = random.below(u64::MAX);
        let _watch = Watch::begin(format!("round {seed}"));
        let mut model = Model::new(Random(seed), round % 3 != 0);
        for _ in 0..200 {
            model.step();
        }
        while model.places.iter().any(|place| !place.queue.is_empty()) {
            model.receive();
        }
        drop((model, storm));
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
        let place = |address| Place {
            socket: None,
            address,
            queue: VecDeque::new(),
            limit: LIMIT,
            queued: 0,
        };
        let places = addresses.into_iter().map(place).collect();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let _directory = directory;
        let mut model =
            Self { random, places, is_unix, identifies, number: 0, runtime, _directory };
        (0..3).for_each(|at| model.open(at));
        model
    }

    fn open(&mut self, at: usize) {
        let options = Options::new().recv_buffer(1 << 20);
        let options = if self.identifies { options.identify_senders() } else { options };
        let place = &mut self.places[at];
        let socket = Ours::bind_with(&place.address, &options).unwrap();
        place.address = socket.local_addr().unwrap();
        (place.socket, place.limit) = (Some(socket), LIMIT);
    }

    fn step(&mut self) {
        match self.random.below(24) {
            0..8 => self.send(),
            8..11 => self.send_all(),
            11 => self.fault(),
            12 => self.vanish(),
            13 => self.cross(),
            14 => self.set_limit(),
            _ => self.receive(),
        }
    }

    /// Returns a random place.
    fn any(&mut self) -> usize {
        self.random.below(3) as usize
    }

    /// Returns a wait that ends, because no other thread receives.
    fn wait(&mut self) -> Wait {
        match self.random.below(3) {
            0 => Wait::Until(Instant::now()),
            1 => Wait::Until(Instant::now() + Duration::from_micros(100)),
            _ => Wait::Try,
        }
    }

    /// Closes a socket, or opens it again.
    fn vanish(&mut self) {
        let at = self.any();
        let place = &mut self.places[at];
        if place.socket.is_none() {
            return self.open(at);
        }
        // Over UDP, the senders would not notice.
        if self.is_unix {
            (place.socket, place.queued) = (None, 0);
            place.queue.clear();
        }
    }

    fn set_limit(&mut self) {
        let (at, limit) = (self.any(), 100 + self.random.below(2000) as usize);
        let limit = if self.random.below(2) == 0 { limit } else { LIMIT };
        let place = &mut self.places[at];
        let Some(socket) = &mut place.socket else { return };
        socket.rx.set_limits(Limits::new().frame_len(limit));
        place.limit = limit;
    }

    /// Converts a socket to an awaited one, receives, and converts it back.
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
                let received = async {
                    if is_owned {
                        return socket.rx.recv_owned_from().await;
                    }
                    let (frame, from) = socket.recv_from().await?;
                    Ok((frame.into_owned(), from))
                };
                tokio::time::timeout(Duration::ZERO, received).await
            });
            // The reactor may not have reported the frame yet.
            let Ok(received) = received else { continue };
            self.check(at, received);
        }
        let _entered = runtime.enter();
        self.places[at].socket = Some(socket.into_blocking());
    }
}

impl Place {
    /// Returns the most bytes of a receive buffer that a message takes.
    fn room(len: usize) -> usize {
        2 * len + 1000
    }

    fn push(&mut self, made: Made, from: Address) {
        assert!(self.socket.is_some(), "the socket is closed");
        self.queued += Self::room(made.len);
        self.queue.push_back(Next::Note(made, from));
    }

    fn pop(&mut self) -> Option<Next> {
        let next = self.queue.pop_front();
        if let Some(Next::Note(made, _)) = &next {
            self.queued -= Self::room(made.len);
        }
        next
    }
}
