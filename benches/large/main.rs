//! Moves one large message between two processes: through datagrammar, through a plain loop over the
//! same kind of socket, and through ipc-channel, side by side.

mod compare;
mod content;
mod receiving;
mod report;
mod sending;
mod ways;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::ways::Way;

/// Moves one large message between two processes in several ways, and reports speed, CPU time and peak
/// memory.
#[derive(Parser)]
struct Arguments {
    /// The length of the message, in MiB.
    #[arg(long, default_value_t = 1024)]
    mib: usize,
    /// Move it this often in each way, in turns. The figures are medians.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Fail if a requirement is missed.
    #[arg(long)]
    strict: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

/// The tasks of the child processes.
#[derive(Subcommand)]
enum Role {
    #[command(hide = true)]
    Send { way: Way },
    #[command(hide = true)]
    Receive { way: Way, address: Option<String> },
}

fn main() -> Result<ExitCode> {
    let Arguments { mib, rounds, strict, role } = Arguments::parse();
    match role {
        Some(Role::Send { way }) => sending::run(way, mib)?,
        Some(Role::Receive { way, address }) => receiving::run(way, mib, address)?,
        None => {
            let results = compare::run(mib, rounds)?;
            let all_met = report::print(mib, rounds, &results);
            if strict && !all_met {
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
