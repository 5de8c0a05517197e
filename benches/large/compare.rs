//! The rounds. In each one, every way moves the message once, between processes of its own.

use std::collections::BTreeMap;
use std::env;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use clap::ValueEnum as _;
use datagrammar_benches::numbers::median;
use serde::{Deserialize, Serialize};

use crate::ways::Way;

/// The cost of moving the message once.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// Seconds until the receiver had the message.
    pub(crate) elapsed: f64,
    pub(crate) sender: Side,
    pub(crate) receiver: Side,
}

/// The cost of one of the two processes.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Side {
    /// CPU time in seconds.
    pub(crate) cpu: f64,
    /// Peak memory in MiB before anything was moved; the sender's includes the message.
    pub(crate) before: f64,
    /// Peak memory in MiB at the end.
    pub(crate) peak: f64,
}

/// The samples of every way.
#[derive(Debug, Default)]
pub(crate) struct Results(pub(crate) BTreeMap<Way, Vec<Sample>>);

impl Results {
    /// The median of a figure; NaN if it was not measured.
    pub(crate) fn median(&self, way: Way, figure: impl Fn(&Sample) -> f64) -> f64 {
        median(self.0.get(&way).into_iter().flatten().map(figure).collect())
    }
}

/// Moves a message of `mib` MiB `rounds` times in every way, in turns.
pub(crate) fn run(mib: usize, rounds: u32) -> Result<Results> {
    let mut ways = Way::value_variants().to_vec();
    let mut results = Results::default();
    // The first round does not count: a virtual machine may ask its host for memory that has been free for a while,
    // which can take longer than the rest of the comparison.
    for round in 0..=rounds {
        for &way in &ways {
            eprintln!("round {round} of {rounds}: {}", way.title());
            let sample = move_once(way, mib)?;
            if round > 0 {
                results.0.entry(way).or_default().push(sample);
            }
        }
        // So that no way always follows the same one.
        ways.rotate_left(1);
        ways.swap(0, 1);
    }
    Ok(results)
}

fn move_once(way: Way, mib: usize) -> Result<Sample> {
    let output = Command::new(env::current_exe()?)
        .args(["--mib", &mib.to_string(), "send", &way.name()])
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "{}: {}", way.title(), output.status);
    Ok(serde_json::from_slice(&output.stdout)?)
}
