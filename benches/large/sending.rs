//! The sending process. It starts the receiving one, moves the message, and prints the cost of both.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::compare::Sample;
use crate::content;
use crate::receiving::{Begin, READY, RECEIVED};
use crate::ways::Way;

/// Sends one message of `mib` MiB.
pub(crate) fn run(way: Way, mib: usize) -> Result<()> {
    let mut command = Command::new(env::current_exe()?);
    command.arg("--mib").arg(mib.to_string()).arg("receive").arg(way.name());
    let send = way.sender(&mut command)?;
    let mut receiver = command.stdout(Stdio::piped()).spawn()?;
    // It holds the receiver's end, and would hide the receiver's death.
    drop(command);
    let content = content::make(mib);
    let mut says = BufReader::new(receiver.stdout.take().context("the receiver's output")?).lines();
    let mut next = || says.next().context("the receiver has died")?.context("from the receiver");

    ensure!(next()? == READY);
    let begin = Begin::now()?;
    let start = Instant::now();
    send(&content)?;
    let mut sender = begin.end()?;
    ensure!(next()? == RECEIVED);
    let elapsed = start.elapsed().as_secs_f64();
    sender.peak = begin.end()?.peak;

    let receiver_side = serde_json::from_str(&next()?)?;
    ensure!(receiver.wait()?.success(), "the receiver has failed");
    let sample = Sample { elapsed, sender, receiver: receiver_side };
    println!("{}", serde_json::to_string(&sample)?);
    Ok(())
}
