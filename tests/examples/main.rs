//! The examples work as documented.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod blobs;
mod chat;
mod collector;
mod isolated;
#[expect(unreachable_pub, reason = "elsewhere, it is part of a library")]
#[path = "../support/needs.rs"]
mod needs;
mod poll;
mod quickstart;
mod strace;
mod syscalls;
mod syscalls_awaited;
mod syscalls_of_calls;
mod telemetry;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command, Stdio};

use self::needs::{is_installed, python, skipped};

/// A program that runs in the background until this value is dropped.
struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
    /// Its output until it was ready.
    said: String,
}

impl Running {
    /// Starts a program, and waits until it reports on its standard error that it is ready.
    fn start(command: &mut Command, ready: &str) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains(ready) {
            let read = stderr.read_line(&mut said).unwrap();
            assert!(read > 0, "{command:?} ended instead of being {ready:?}: {said}");
        }
        Self { child, stderr, said }
    }

    /// Waits until the program ends by itself, and returns its output.
    fn output(mut self) -> String {
        let mut output = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
        let status = self.child.wait().unwrap();
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        assert!(status.success(), "{status}: {said}");
        output
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Runs a program to its end, and returns its output.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}: {said}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a program that fails, and returns its error output: only the error, whether or not backtraces are enabled.
fn fail(command: &mut Command) -> String {
    let output = command.env_remove("RUST_BACKTRACE").env_remove("RUST_LIB_BACKTRACE").output();
    let output = output.unwrap();
    assert!(!output.status.success(), "{command:?} should have failed");
    String::from_utf8(output.stderr).unwrap()
}
