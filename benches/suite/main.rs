//! Moves messages in every way there is to compare, side by side: what each costs, in ratios, with tables
//! and plots.

mod charts;
mod compare;
mod copies;
mod counting;
mod crowd;
mod epoll;
mod feed;
mod limits;
mod machine;
mod measure;
mod message;
mod plan;
mod plots;
mod random;
mod report;
mod required;
mod results;
mod syscalls;
mod table;
mod trace;
mod ways;
mod work;
mod workload;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::counting::Counting;
use crate::measure::Budget;
use crate::ways::Way;
use crate::workload::Workload;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Moves messages in every way there is to compare, prints tables of what each costs, and writes them and
/// plots to a directory.
#[derive(Parser)]
struct Arguments {
    /// How often everything is measured, in turns. Medians are reported.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// No round is begun after so many minutes.
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// Measure little of everything, to see that it works. The figures mean nothing.
    #[arg(long)]
    quick: bool,
    /// Measure these workloads alone, such as `burst` or `stream:16`.
    #[arg(long)]
    only: Vec<String>,
    /// Where the tables and the plots go.
    #[arg(long, default_value = "benches/results")]
    out: PathBuf,
    /// Fail if a requirement is missed.
    #[arg(long)]
    strict: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What the processes do that this one starts.
#[derive(Subcommand)]
enum Role {
    /// Measures one workload in one way.
    #[command(hide = true)]
    Measure {
        way: Way,
        workload: Workload,
        /// For so many milliseconds of CPU time.
        #[arg(long, default_value_t = 200)]
        millis: u64,
        /// Instead, so many turns and no more.
        #[arg(long, conflicts_with = "traced")]
        turns: Option<u64>,
        /// Instead, so many turns after as many, with marks.
        #[arg(long)]
        traced: Option<u64>,
    },
}

fn main() -> Result<ExitCode> {
    let Arguments { rounds, minutes, quick, only, out, strict, role } = Arguments::parse();
    if let Some(Role::Measure { way, workload, millis, turns, traced }) = role {
        let budget = match (turns, traced) {
            (Some(turns), _) => Budget::Turns(turns),
            (_, Some(turns)) => Budget::Traced(turns),
            (None, None) => Budget::Time(Duration::from_millis(millis)),
        };
        compare::give_up_later();
        println!("{}", serde_json::to_string(&work::run(way, workload, budget)?)?);
        return Ok(ExitCode::SUCCESS);
    }
    let plan = plan::Plan::new(quick, &only);
    let end = Duration::from_secs(minutes * 60);
    let mut results = compare::run(&plan, rounds, end)?;
    syscalls::count(&plan, &mut results)?;
    copies::count(&plan, &mut results)?;

    let requirements = required::requirements(&results);
    let report = report::write(&plan, &results, &requirements)?;
    println!("{report}");
    fs::create_dir_all(&out)?;
    fs::write(out.join("results.md"), report)?;
    plots::draw(&out, &plan, &results)?;
    let missed = requirements.iter().any(|requirement| !requirement.met());
    Ok(if strict && missed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
