//! The two modes of receiving: tests whose binary has `one_frame` in its name receive one frame at a time.

use std::env;
use std::sync::OnceLock;

use datagrammar::{Connection, Limits, Message};

/// The default limits, in the mode of this binary.
pub fn limits() -> Limits {
    match is_one_frame() {
        true => Limits::default().batch(1),
        false => Limits::default(),
    }
}

/// Whether this binary's tests receive one frame at a time.
///
/// # Panics
///
/// Without /proc.
pub fn is_one_frame() -> bool {
    static MODE: OnceLock<bool> = OnceLock::new();
    *MODE.get_or_init(|| {
        let program = env::current_exe().expect("/proc");
        program.file_name().is_some_and(|name| name.to_string_lossy().contains("one_frame"))
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

/// Puts connections into the mode of this binary.
pub trait InMode: Sized {
    /// The same, in the mode of this binary.
    fn in_mode(self) -> Self;
}

impl<Tx: Message, Rx: Message> InMode for Connection<Tx, Rx> {
    fn in_mode(mut self) -> Self {
        self.set_limits(limits());
        self
    }
}

impl<A: InMode, B: InMode> InMode for (A, B) {
    fn in_mode(self) -> Self {
        (self.0.in_mode(), self.1.in_mode())
    }
}
