//! The two forms of waiting: tests whose binary has `eager` in its name wait in the read itself, and the
//! others in the peek.

use std::env;
use std::sync::OnceLock;

use datagrammar::{Connection, Message, Options};

/// The default options, in the form of waiting of this binary.
pub fn options() -> Options {
    match is_eager() {
        true => Options::new().eager(),
        false => Options::new(),
    }
}

/// Whether this binary's tests wait in the read itself.
///
/// # Panics
///
/// Without /proc.
pub fn is_eager() -> bool {
    static MODE: OnceLock<bool> = OnceLock::new();
    *MODE.get_or_init(|| {
        let program = env::current_exe().expect("/proc");
        program.file_name().is_some_and(|name| name.to_string_lossy().contains("eager"))
    })
}

/// As many as a test makes where it makes `count`, or fewer where the machine is slow: `DATAGRAMMAR_FRAMES` of a
/// million.
///
/// # Panics
///
/// When that is no number.
pub fn scaled(count: u64) -> u64 {
    const ALL: u64 = 1_000_000;
    let frames = env::var("DATAGRAMMAR_FRAMES");
    let frames = frames.map_or(ALL, |frames| frames.parse().expect("a number of frames"));
    count * frames / ALL
}

/// Puts connections into the form of waiting of this binary.
pub trait InMode: Sized {
    /// The same, waiting as this binary's tests do.
    fn in_mode(self) -> Self;
}

impl<Tx: Message, Rx: Message> InMode for Connection<Tx, Rx> {
    fn in_mode(self) -> Self {
        if !is_eager() {
            return self;
        }
        let (fd, unread) = self.into_fd().expect("the descriptor");
        let mut again = Self::adopt_with(fd, &options()).expect("the same connection");
        again.rx.restore(unread);
        again
    }
}

impl<A: InMode, B: InMode> InMode for (A, B) {
    fn in_mode(self) -> Self {
        (self.0.in_mode(), self.1.in_mode())
    }
}
