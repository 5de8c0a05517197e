//! Feeds hostile bytes to the library, from a fuzzer or from a simple generator.
//!
//! Each target takes any bytes, and panics if the library breaks a promise.

mod address;
mod call;
mod decode;
mod input;
mod messages;
mod mutation;
mod peer;
mod receive;
mod serve;
mod socket;

pub use self::address::address;
pub use self::call::call;
pub use self::decode::decode;
pub use self::mutation::Mutations;
pub use self::receive::receive;
pub use self::serve::serve;
pub use self::socket::socket;

/// A fuzz target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name of the target and of its binary.
    pub name: &'static str,
    /// Checks the promises with an input.
    pub run: fn(&[u8]),
    /// Returns the first inputs, which reach most of the code.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All targets.
pub const TARGETS: [Target; 6] = [
    Target { name: "address", run: address, seeds: address::seeds },
    Target { name: "call", run: call, seeds: call::seeds },
    Target { name: "decode", run: decode, seeds: decode::seeds },
    Target { name: "receive", run: receive, seeds: receive::seeds },
    Target { name: "serve", run: serve, seeds: serve::seeds },
    Target { name: "socket", run: socket, seeds: socket::seeds },
];

/// Runs a target on each file that the command line names, to reproduce the finding of a fuzzer.
///
/// # Errors
///
/// If a file cannot be read.
pub fn run_files(run: fn(&[u8])) -> std::io::Result<()> {
    for path in std::env::args_os().skip(1) {
        run(&std::fs::read(path)?);
    }
    Ok(())
}

/// Generates the program of a target: the entry point for a fuzzer, or without one, a `main` that runs files.
#[macro_export]
macro_rules! program {
    ($target:ident) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|input: &[u8]| $crate::$target(input));

        #[cfg(not(fuzzing))]
        fn main() -> std::io::Result<()> {
            $crate::run_files($crate::$target)
        }
    };
}
