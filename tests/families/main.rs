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

/// The name of a family, and the function that holds its conversation.
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
        // In a thread of its own, so that a panic ends only this conversation.
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

/// Returns whether a family cannot be opened because this machine lacks it.
fn is_lacking(name: &str, error: &OpenError) -> bool {
    match error {
        // Or the error of a kernel that has vsock, but no route to itself.
        _ if name == "vsock" => !Path::new("/sys/module/vsock_loopback").exists(),
        OpenError::Unsupported { .. } | OpenError::NotHere { .. } => true,
        OpenError::Io { action, .. } => action == "unsharing",
        _ => false,
    }
}
