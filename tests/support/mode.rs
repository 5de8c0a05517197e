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
