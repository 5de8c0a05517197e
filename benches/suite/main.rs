//! Moves messages through datagrammar, other libraries and plain loops, side by side, and compares the costs.

mod compare;
mod counting;
mod crowd;
mod epoll;
mod feed;
mod limits;
mod measure;
mod message;
mod plan;
mod random;
mod report;
mod required;
mod results;
mod table;
mod ways;
mod work;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::counting::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Moves messages through datagrammar, its peers and plain loops, prints tables of the costs, and
/// writes them to a directory.
#[derive(Parser)]
struct Arguments {
    /// Measure everything this often. The tables show medians.
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Begin no round after this many minutes.
    #[arg(long, default_value_t = 12)]
    minutes: u64,
    /// Measure a little of everything, to see that it works. The figures mean nothing.
    #[arg(long)]
    quick: bool,
    /// Measure only these workloads, such as `burst` or `stream:16`, or `tokio`: what runs under tokio. The
    /// tables have their name.
    #[arg(long)]
    only: Vec<String>,
    /// Write the tables to this directory.
    #[arg(long, default_value = "benches/results")]
    out: PathBuf,
    /// Fail if a requirement is missed.
    #[arg(long)]
    strict: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

/// The tasks of the child processes.
#[derive(Subcommand)]
enum Role {
    /// Measures one workload in one way, both in JSON, for so many milliseconds of CPU time.
    #[command(hide = true)]
    Measure { workload: String, way: String, millis: u64 },
}

fn main() -> Result<ExitCode> {
    let Arguments { rounds, minutes, quick, only, out, strict, role } = Arguments::parse();
    if let Some(Role::Measure { workload, way, millis }) = role {
        compare::limit_time();
        let (workload, way) = (serde_json::from_str(&workload)?, serde_json::from_str(&way)?);
        let sample = work::run(workload, way, Duration::from_millis(millis))?;
        println!("{}", serde_json::to_string(&sample)?);
        return Ok(ExitCode::SUCCESS);
    }
    let plan = plan::Plan::new(quick, &only);
    let results = compare::run(&plan, rounds, Duration::from_secs(minutes * 60))?;
    let requirements = required::requirements(&plan, &results);
    let report = report::write(&plan, &results, &requirements)?;
    println!("{report}");
    fs::create_dir_all(&out)?;
    fs::write(out.join(plan.file_name()), report)?;
    let missed = requirements.iter().any(|requirement| !requirement.met());
    Ok(if strict && missed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
