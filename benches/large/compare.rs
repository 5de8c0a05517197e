//! The rounds: in each, every way moves the message once, between processes of its own.

use std::collections::BTreeMap;
use std::env;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use clap::ValueEnum as _;
use datagrammar_benches::numbers::median;

use crate::ways::Way;

/// What one way needed: medians over the rounds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needs {
    /// Until the receiver had the message, in seconds.
    pub(crate) elapsed: f64,
    /// The same in the best round: disturbances only ever add.
    pub(crate) best: f64,
    pub(crate) sender: Side,
    pub(crate) receiver: Side,
}

/// What one of the two processes needed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Side {
    /// CPU time, in seconds.
    pub(crate) cpu: f64,
    /// Peak memory in MiB, before anything was moved: for the sender, with the message.
    pub(crate) before: f64,
    /// Peak memory in MiB, at the end.
    pub(crate) peak: f64,
}

/// How many numbers the sending process prints.
const NUMBERS: usize = 7;

/// Moves a message of `mib` MiB as often as `rounds` says in every way, in turns.
pub(crate) fn run(mib: usize, rounds: u32) -> Result<BTreeMap<Way, Needs>> {
    let mut ways = Way::value_variants().to_vec();
    let mut samples = BTreeMap::<Way, Vec<[f64; NUMBERS]>>::new();
    // The first round does not count: a virtual machine may have to ask its host for memory that has
    // been free for a while, which can take longer than all that is compared.
    for round in 0..=rounds {
        for &way in &ways {
            eprintln!("round {round} of {rounds}: {}", way.title());
            let sample = move_once(way, mib)?;
            if round > 0 {
                samples.entry(way).or_default().push(sample);
            }
        }
        // So that none always comes after the same one.
        ways.rotate_left(1);
        ways.swap(0, 1);
    }
    Ok(samples.into_iter().map(|(way, samples)| (way, Needs::of(&samples))).collect())
}

/// The numbers that the sending process prints.
fn move_once(way: Way, mib: usize) -> Result<[f64; NUMBERS]> {
    let output = Command::new(env::current_exe()?)
        .args(["--mib", &mib.to_string(), "send", way.name()])
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "{}: {}", way.title(), output.status);
    let printed = String::from_utf8(output.stdout)?;
    let numbers = printed.split_whitespace().map(str::parse).collect::<Result<Vec<_>, _>>()?;
    numbers.try_into().map_err(|_| anyhow::anyhow!("{}: {printed}", way.title()))
}

impl Needs {
    fn of(samples: &[[f64; NUMBERS]]) -> Self {
        let mut columns = [const { Vec::new() }; NUMBERS];
        for sample in samples {
            for (column, &number) in columns.iter_mut().zip(sample) {
                column.push(number);
            }
        }
        let best = samples.iter().map(|[nanos, ..]| *nanos).fold(f64::INFINITY, f64::min);
        let [nanos, sender @ .., cpu, before, peak] = columns.map(median);
        let (sender, receiver) = (sender.into(), [cpu, before, peak].into());
        Self { elapsed: nanos / 1e9, best: best / 1e9, sender, receiver }
    }
}

impl From<[f64; 3]> for Side {
    /// From microseconds, and twice KiB.
    fn from([cpu, before, peak]: [f64; 3]) -> Self {
        Self { cpu: cpu / 1e6, before: before / 1024.0, peak: peak / 1024.0 }
    }
}
