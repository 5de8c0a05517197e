//! The sending process: starts the receiving one, moves the message, and prints what both measured.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use datagrammar_benches::usage;

use crate::content;
use crate::receiving::{READY, RECEIVED};
use crate::ways::Way;

/// Sends one message of `mib` MiB.
///
/// Prints the nanoseconds that it took until the receiver had it; and CPU time in microseconds and peak
/// memory in KiB, of this process before and after, and of the receiver.
pub(crate) fn run(way: Way, mib: usize) -> Result<()> {
    let mut command = Command::new(env::current_exe()?);
    command.arg("--mib").arg(mib.to_string()).arg("receive").arg(way.name());
    let send = way.sender(&mut command)?;
    let mut receiver = command.stdout(Stdio::piped()).spawn()?;
    // It holds the receiver's end, and would keep this process waiting for a receiver that has died.
    drop(command);
    let content = content::make(mib);
    let mut says = BufReader::new(receiver.stdout.take().context("the receiver's output")?).lines();
    let mut next = || says.next().context("the receiver has died")?.context("from the receiver");

    ensure!(next()? == READY);
    let before = usage::peak_kib()?;
    let cpu_before = usage::cpu_time()?;
    let start = Instant::now();
    send(&content)?;
    let cpu = usage::cpu_time()? - cpu_before;
    ensure!(next()? == RECEIVED);
    let elapsed = start.elapsed();
    let peak = usage::peak_kib()?;

    let theirs = next()?;
    ensure!(receiver.wait()?.success(), "the receiver has failed");
    println!("{} {} {before} {peak} {theirs}", elapsed.as_nanos(), cpu.as_micros());
    Ok(())
}
