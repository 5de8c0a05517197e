//! The cost of a call. Under tokio, calls are compared with tarpc over a UNIX socket, with both sides on one thread, on
//! one runtime, or each on its own thread. Blocking calls are compared with two raw `send` and `recv` of the same
//! bytes, with both sides on one core. Rounds alternate.

mod awaited;
mod blocking;
mod echo;
mod pair;
mod report;
mod tarpc;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use datagrammar_benches::numbers::median;

use crate::pair::Sides;

/// Compares the CPU time of calls with that of tarpc's calls, and of raw system calls.
#[derive(Debug, Parser)]
struct Arguments {
    /// The calls of a round.
    #[arg(long, default_value_t = 20_000)]
    calls: usize,
    /// The rounds of each way. The figures are medians.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Runs our awaited calls alone, for a profiler, with this many in flight.
    #[arg(long)]
    profile: Option<usize>,
    /// Where both sides run with `--profile`.
    #[arg(long, value_enum, default_value = "one-thread")]
    sides: Sides,
    /// Writes the table to `calls.md` in this directory, too.
    #[arg(long, default_value = "benches/results")]
    out: PathBuf,
    /// Fail if a requirement is missed.
    #[arg(long)]
    strict: bool,
}

/// A way to call, and another way that it is compared with.
struct Case {
    /// Where the client and the server run.
    sides: &'static str,
    in_flight: usize,
    theirs: &'static str,
    /// The CPU time of a call, in nanoseconds.
    ours_ns: f64,
    theirs_ns: f64,
    /// The median of the rounds' ratios.
    ratio: f64,
    /// The most that the ratio may be.
    required: Option<f64>,
}

impl Case {
    /// Measures both ways in turns: `round` returns the CPU time of a call of each, in nanoseconds.
    fn measure(
        (sides, in_flight): (&'static str, usize),
        (theirs, required): (&'static str, Option<f64>),
        rounds: u32,
        mut round: impl FnMut() -> Result<[f64; 2]>,
    ) -> Result<Self> {
        // Warms up.
        round()?;
        let times = (0..rounds).map(|_| round()).collect::<Result<Vec<_>>>()?;
        let of = |way: fn(&[f64; 2]) -> f64| median(times.iter().map(way).collect());
        Ok(Self {
            sides,
            in_flight,
            theirs,
            ours_ns: of(|[ours, _]| *ours),
            theirs_ns: of(|[_, theirs]| *theirs),
            ratio: of(|[ours, theirs]| ours / theirs),
            required,
        })
    }

    fn is_met(&self) -> bool {
        self.required.is_none_or(|required| self.ratio <= required)
    }
}

fn main() -> Result<ExitCode> {
    let Arguments { calls, rounds, profile, sides, out, strict } = Arguments::parse();
    if let Some(in_flight) = profile {
        awaited::profile(calls, (sides, in_flight), rounds)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut cases = awaited::compare(calls, rounds)?;
    cases.extend(blocking::compare(calls, rounds)?);
    let report = report::of(&cases);
    print!("{report}");
    fs::write(out.join("calls.md"), &report)?;
    let is_met = cases.iter().all(Case::is_met);
    Ok(if strict && !is_met { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
