//! Uses both ends of a connection from one thread, with every form of every call.

mod changing;
mod expected;
mod receiving;
mod sending;

use std::net::Shutdown;
use std::time::{Duration, Instant};

use datagrammar::{Budget, Connection, Options, OwnedFrame, RecvError, Sender, Wait};
use datagrammar_tests::{Random, leaks, scaled, seed};
use tokio::runtime::{Builder, Runtime};

use self::expected::Expected;
use crate::note::Note;
use crate::storm::Storm;
use crate::watch::Watch;

type Ours = Connection<Note<'static>, Note<'static>>;
type Received = Result<Option<OwnedFrame<Note<'static>>>, RecvError>;

/// One of the two ends, and the messages that it has sent.
struct End {
    ours: Option<Ours>,
    sent: Expected,
    limit: usize,
    /// Whether it has read the datagram that interrupted an incomplete frame.
    is_interrupted: bool,
}

struct Model {
    random: Random,
    ends: [End; 2],
    budget: Option<Budget>,
    options: Options,
    runtime: Runtime,
    number: u64,
}

#[test]
fn what_is_sent_over_a_connection_comes_once_in_order_and_whole() {
    let _alone = crate::alone();
    let mut random = Random(seed());
    for _ in 0..scaled(25) {
        let before = leaks::open();
        let storm = (random.below(4) == 0).then(Storm::begin);
        let seed = random.below(u64::MAX);
        let _watch = Watch::begin(format!("round {seed}"));
        let mut model = Model::new(Random(seed));
        for _ in 0..200 {
            model.step();
        }
        model.finish();
        let budget = model.budget.clone();
        drop((model, storm));
        assert_eq!(
            budget.map_or(0, |budget| budget.bytes_held()),
            0,
            "bytes of the budget are held"
        );
        assert_eq!(leaks::open(), before, "descriptors are left");
    }
}

impl Model {
    fn new(mut random: Random) -> Self {
        let budget = (random.below(2) == 0).then(|| {
            Budget::new().frame_bytes([100_000, 1_000_000, 64 << 20][random.below(3) as usize])
        });
        let options = match random.below(4) {
            0 => Options::new().send_buffer(0),
            1 => Options::new().send_buffer(8 << 20),
            _ => Options::new(),
        };
        let options = if random.below(2) == 0 { options.eager() } else { options };
        let options = budget.iter().fold(options, |options, budget| options.budget(budget));
        let (left, right) = Ours::pair_with(&options).unwrap();
        let end = |ours| End {
            ours: Some(ours),
            sent: Expected::default(),
            limit: 16 << 20,
            is_interrupted: false,
        };
        let ends = [end(left), end(right)];
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        Self { random, ends, budget, options, runtime, number: 0 }
    }

    fn step(&mut self) {
        let at = self.random.below(2) as usize;
        match self.random.below(24) {
            0..7 => self.send(at),
            7 | 8 => self.send_all(at),
            9 => self.batch(at),
            10 | 11 => self.flush(at),
            12 => self.hand_over(at),
            13 => self.cross(at),
            14 => self.set_limit(at),
            15 => self.starve(at),
            16 | 17 => self.peek(at),
            _ => self.receive(at),
        }
    }

    /// Receives everything that was sent, and then the end.
    fn finish(&mut self) {
        for at in [0, 1] {
            while self.tx(at).pending() > 0 {
                self.flush(at);
                self.receive(1 - at);
            }
            while self.ends[at].sent.has_sent() {
                self.receive(1 - at);
            }
            self.ends[at].ours.as_ref().unwrap().shutdown(Shutdown::Write).unwrap();
            // The remaining messages are incomplete.
            loop {
                let received = self.ends[1 - at].ours.as_mut().unwrap().rx.recv_owned(Wait::Block);
                match received {
                    Ok(None) => break,
                    Err(
                        RecvError::Incomplete { .. }
                        | RecvError::TooLarge { .. }
                        | RecvError::OverBudget { .. }
                        | RecvError::BadFragment(_),
                    ) => {}
                    received => self.check(1 - at, received),
                }
            }
        }
    }

    fn tx(&mut self, at: usize) -> &mut Sender<Note<'static>> {
        &mut self.ends[at].ours.as_mut().unwrap().tx
    }

    fn wait(&mut self) -> Wait {
        match self.random.below(4) {
            0 => Wait::Until(Instant::now()),
            1 => Wait::Until(Instant::now() + Duration::from_micros(100)),
            _ => Wait::Try,
        }
    }
}
