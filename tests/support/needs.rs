//! What a test needs of the machine, and the report if that is missing. The tests of the examples include this file,
//! too.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::panic::Location;
use std::process::Command;
use std::{env, thread};

/// The oldest Python that the Python of the examples supports.
const PYTHON: (u32, u32) = (3, 8);

/// Reports that this test, or a part of it, does not run on this machine, and why. Bypasses the test harness, which
/// hides the output of tests that pass.
///
/// Call it on the thread of the test, which has the test's name. If the harness runs the tests on its main thread, this
/// reports the caller's line instead.
#[track_caller]
pub fn skipped(why: impl Display) {
    let thread = thread::current();
    let test = match thread.name() {
        Some(name) if name != "main" => name.to_owned(),
        _ => Location::caller().to_string(),
    };
    // A single write: other tests write, too.
    let line = format!("SKIPPED {test}: {why}\n");
    _ = io::stderr().write_all(line.as_bytes());
}

/// Returns whether a program is installed. If not, reports that the test is skipped.
#[track_caller]
pub fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).any(|directory| directory.join(program).is_file());
    if !found {
        skipped(format_args!("{program} is not installed"));
    }
    found
}

/// Returns a command that runs Python, if there is one that is new enough. If not, reports that the test is skipped.
#[track_caller]
pub fn python() -> Option<Command> {
    match python_version() {
        Ok(version) if version >= PYTHON => {
            let mut command = Command::new("python3");
            command.arg("-B");
            Some(command)
        }
        Ok((major, minor)) => {
            let (least, more) = PYTHON;
            skipped(format_args!("python3 is {major}.{minor}, and {least}.{more} is needed"));
            None
        }
        Err(why) => {
            skipped(format_args!("python3 cannot be run: {why}"));
            None
        }
    }
}

/// Returns the version of `python3`, or why it cannot be run.
fn python_version() -> Result<(u32, u32), String> {
    let script = "import sys; print('%d.%d' % sys.version_info[:2])";
    let output = Command::new("python3").args(["-c", script]).output();
    let output = output.map_err(|error| error.to_string())?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let version = printed.trim().split_once('.');
    let version = version.and_then(|(major, minor)| major.parse().ok().zip(minor.parse().ok()));
    version.filter(|_| output.status.success()).ok_or_else(|| {
        let said = String::from_utf8_lossy(&output.stderr);
        format!("{}: {:?}", output.status, said.trim())
    })
}
