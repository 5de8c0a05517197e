//! Code that the tests share: a protocol of numbered frames that shows any damage, and raw sockets for peers that
//! break the rules.

pub mod datagrams;
pub mod fork;
pub mod leaks;
mod mode;
mod needs;
pub mod raw;
mod turns;
mod within;

use std::path::Path;

use datagrammar::{Address, Message};
use tempfile::TempDir;

pub use self::mode::{InMode, is_awaited, is_eager, options, pass_eagerly, scaled, skips};
pub use self::needs::{is_installed, python, skipped};
pub use self::turns::alone;
pub use self::within::within;

/// A numbered frame whose body is made of its number, so that a truncated, mixed or repeated one is detected.
#[derive(Message, Debug, PartialEq)]
pub enum Numbered<'a> {
    /// The only one.
    #[message(tag = 1)]
    Numbered {
        /// The frame's number.
        number: u64,
        /// How long the body is, in bytes.
        len: u64,
        /// The number's lowest byte, over and over.
        #[message(rest)]
        body: &'a [u8],
    },
}

impl Numbered<'_> {
    /// Checks the body, and returns the number.
    ///
    /// # Panics
    ///
    /// If the body is damaged.
    pub fn check(&self) -> u64 {
        let Self::Numbered { number, len, body } = *self;
        assert_eq!(body.len() as u64, len, "frame {number} is cut");
        assert!(body.iter().all(|&byte| byte == number as u8), "frame {number} is mixed");
        number
    }
}

/// The body of frame `number`, of `len` bytes.
pub fn body(number: u64, len: usize) -> Vec<u8> {
    vec![number as u8; len]
}

/// Lends a frame to `send`.
pub fn numbered<T>(number: u64, len: usize, send: impl FnOnce(&Numbered<'_>) -> T) -> T {
    send(&Numbered::Numbered { number, len: len as u64, body: &body(number, len) })
}

/// A directory for one test, with addresses in it.
#[derive(Debug)]
pub struct Directory(TempDir);

impl Directory {
    /// Creates the directory.
    ///
    /// # Panics
    ///
    /// If the directory cannot be created.
    #[expect(clippy::new_without_default, reason = "it is an action")]
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory for the test"))
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The address of a UNIX socket in the directory.
    ///
    /// # Panics
    ///
    /// If the path is too long for a socket.
    pub fn address(&self, name: &str) -> Address {
        Address::from_pathname(self.0.path().join(name)).expect("a path that fits a socket")
    }
}

/// Returns the path of the program `child` of the package that contains this test.
#[macro_export]
macro_rules! child {
    () => {
        option_env!("CARGO_BIN_EXE_child")
            .or(option_env!("CARGO_BIN_EXE_child_awaited"))
            .expect("a test of a package with that program")
    };
}

/// Returns how many of `wanted` clients can wait in the backlog of a listener here: listen(2), *somaxconn*.
pub fn backlog(wanted: u32) -> u32 {
    let most = std::fs::read_to_string("/proc/sys/net/core/somaxconn").ok();
    most.and_then(|most| most.trim().parse().ok()).map_or(wanted, |most| wanted.min(most))
}

/// The seed of a test's schedule: `DATAGRAMMAR_SEED`, or a new one. It is printed, so that a failure can be repeated.
pub fn seed() -> u64 {
    let seed = std::env::var("DATAGRAMMAR_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0));
    println!("DATAGRAMMAR_SEED={seed}");
    seed
}

/// A small pseudo-random generator (splitmix64).
#[derive(Debug)]
pub struct Random(pub u64);

impl Random {
    /// Returns a number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % bound
    }
}
