//! Makes, drops and refuses calls of all kinds at random.

mod awaited;
mod blocking;
mod service;

use std::fs::File;
use std::time::{Duration, Instant};

use datagrammar::calls::CallError;
use datagrammar::{Connection, Limits, Options};
use datagrammar_tests::Random;

use self::service::{Work, Works};

/// Longer than any of these tests takes: a call that waits for this long would wait forever.
const STALL: Duration = Duration::from_secs(120);

/// The conditions of one round.
#[derive(Debug, Clone, Copy)]
struct Round {
    seed: u64,
    /// The most calls that a connection of the server may have.
    calls: usize,
    streams: usize,
    has_small_buffers: bool,
    is_stormy: bool,
    /// Whether the server stops in the middle.
    stops: bool,
}

impl Round {
    fn new(random: &mut Random) -> Self {
        Self {
            seed: random.below(u64::MAX),
            calls: 1 + random.below(6) as usize,
            streams: random.below(4) as usize,
            has_small_buffers: random.below(3) == 0,
            is_stormy: random.below(3) == 0,
            stops: random.below(4) == 0,
        }
    }

    fn random(&self, number: u64) -> Random {
        Random(self.seed ^ number)
    }

    /// Returns the ends of a connection. Their limit is shorter than the longest bundle.
    fn pair(
        &self,
    ) -> (
        Connection<Work<'static>, datagrammar::calls::Answers<Work<'static>>>,
        Connection<datagrammar::calls::Answers<Work<'static>>, Work<'static>>,
    ) {
        let options = Options::new().limits(Limits::new().frame_len(LIMIT));
        let options = if self.has_small_buffers { options.send_buffer(0) } else { options };
        Connection::pair_with(&options).unwrap()
    }

    /// Checks the result of a call.
    fn check<T: PartialEq + std::fmt::Debug>(
        &self,
        result: Result<T, CallError>,
        expected: T,
        is_hasty: bool,
    ) {
        match result {
            Ok(value) => assert_eq!(value, expected),
            Err(error) => self.check_error(&error, is_hasty),
        }
    }

    /// Checks that a call may end with this error.
    fn check_error(&self, error: &CallError, is_hasty: bool) {
        let may_be = match error {
            CallError::TimedOut => is_hasty,
            CallError::NotSent(_)
            | CallError::Stopping
            | CallError::Cancelled
            | CallError::Disconnected(None) => self.stops,
            _ => false,
        };
        assert!(may_be, "{error:?} in {self:?}");
    }
}

/// The longest frame.
const LIMIT: usize = 40_000;

/// A call to make.
#[derive(Debug, Clone, Copy)]
enum Choice {
    Add(u64),
    Echo(usize),
    TooLarge,
    Panic,
    Slow(u64),
    Measure,
    /// How many items there are, and how many to take.
    Count(u64, u64),
    Note,
    /// Runs until it is cancelled.
    Endless,
}

impl Choice {
    fn new(random: &mut Random) -> Self {
        match random.below(16) {
            0..4 => Self::Add(random.below(1000)),
            4 | 5 => Self::Echo(random.below(300) as usize),
            6 => Self::Echo(random.below(LIMIT as u64 - 100) as usize),
            7 => Self::TooLarge,
            8 => Self::Panic,
            9 | 10 => Self::Slow(random.below(5)),
            11 => Self::Measure,
            12 | 13 => {
                let all = random.below(60);
                Self::Count(all, random.below(all + 10))
            }
            14 => Self::Note,
            _ => Self::Endless,
        }
    }
}

/// Creates a file of `len` bytes.
fn file(len: u64) -> File {
    let file = rustix::fs::memfd_create("soak", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
    let file = File::from(file);
    file.set_len(len).unwrap();
    file
}

fn hasty(random: &mut Random) -> Option<Instant> {
    (random.below(4) == 0).then(|| Instant::now() + Duration::from_micros(random.below(5000)))
}

/// Waits until `is_so` returns `true`.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let far = Instant::now() + STALL;
    while !is_so() {
        assert!(Instant::now() < far, "{what}: this takes too long");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The state that all handlers share.
type Shared = std::sync::Arc<Works>;
