//! One conversation over every family, on any kernel. It needs no other program, so it can be the only one in a
//! virtual machine.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod isolated;
mod link;
mod open;
mod talk;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::thread;

use datagrammar::OpenError;

use talk::Tally;

/// What a family is called, and how its conversation is held.
type Family = (&'static str, fn() -> Result<Tally, OpenError>);

const FAMILIES: &[Family] = &[
    ("unix pair", open::unix_pair),
    ("unix path", open::unix_path),
    ("unix abstract name", open::unix_abstract_name),
    ("unix, two processes", open::two_processes),
    ("unix, a chroot", isolated::chroot),
    ("unix, another network", isolated::network),
    ("unix, everything unshared", isolated::unshared),
    ("vsock", open::vsock),
    ("unix datagrams", open::unix_datagrams),
    ("udp", open::udp),
];

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("serve") {
        open::serve_inherited();
        return ExitCode::SUCCESS;
    }
    let mut arguments = std::env::args().skip(1);
    if let Some(task) = arguments.next()
        && let Some(code) = isolated::other(&task, arguments.next())
    {
        return code;
    }
    println!("kernel {}", fs::read_to_string("/proc/sys/kernel/osrelease").unwrap().trim_end());
    let (mut ran, mut skipped, mut failed) = (0, 0, 0);
    for &(name, converse) in FAMILIES {
        // A thread of its own, as a panic ends no more than that.
        match thread::spawn(converse).join() {
            Ok(Ok(Tally { frames, bytes })) => {
                println!("{name}: {frames} frames, {bytes} bytes");
                ran += 1;
            }
            Ok(Err(error)) if is_lacking(name, &error) => {
                println!("SKIPPED {name}: {error}");
                skipped += 1;
            }
            Ok(Err(error)) => {
                println!("FAILED {name}: {error:?}");
                failed += 1;
            }
            Err(_) => {
                println!("FAILED {name}: it panicked");
                failed += 1;
            }
        }
    }
    println!("families: {ran} ran, {skipped} skipped");
    if failed > 0 {
        println!("families: {failed} failed");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Whether a family cannot be opened for a reason that is the machine's.
fn is_lacking(name: &str, error: &OpenError) -> bool {
    match error {
        // Or what a kernel answers that has vsock, and no way from it to itself.
        _ if name == "vsock" => !Path::new("/sys/module/vsock_loopback").exists(),
        OpenError::Unsupported { .. } | OpenError::NotHere { .. } => true,
        OpenError::Io { action, .. } => action == "unsharing",
        _ => false,
    }
}
