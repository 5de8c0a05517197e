//! The Python of `examples/python`, on either side.

mod blobs;
mod sums;

use std::process::Command;

use datagrammar_tests::skipped;

/// Returns a command that runs Python, if it is installed.
fn python() -> Option<Command> {
    let mut command = Command::new("python3");
    command.arg("-B");
    match Command::new("python3").arg("--version").output() {
        Ok(_) => Some(command),
        Err(error) => {
            skipped(format_args!("python3 cannot be run: {error}"));
            None
        }
    }
}

/// Returns the path of a file of the examples.
fn example(name: &str) -> String {
    format!("{}/../examples/python/{name}", env!("CARGO_MANIFEST_DIR"))
}
