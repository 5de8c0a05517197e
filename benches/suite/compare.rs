//! The rounds. In each one, every way does every workload in a process of its own.

use std::env;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use datagrammar_benches::machine::Others;

use crate::measure::Sample;
use crate::plan::{Plan, Workload};
use crate::results::Results;
use crate::ways::Way;

/// After this many seconds, the kernel ends a measuring process that hangs.
const PATIENCE: u32 = 60;

/// The share of the processors that others may use without a remark.
const NOISE: f64 = 0.03;

/// How often memory is measured.
const MEMORY_ROUNDS: u32 = 3;

/// Measures everything `rounds` times, but begins no round after `end`.
pub(crate) fn run(plan: &Plan, rounds: u32, end: Duration) -> Result<Results> {
    let (start, others) = (Instant::now(), Others::watch()?);
    let mut results = Results::default();
    let rounds = if plan.quick { 1 } else { rounds };
    for round in 0..rounds {
        if start.elapsed() > end {
            results.remarks.push(format!("only {round} of {rounds} rounds were done in time"));
            break;
        }
        eprintln!("round {} of {rounds}, after {} s", round + 1, start.elapsed().as_secs());
        for &workload in &plan.workloads {
            if round >= MEMORY_ROUNDS && workload.is_memory() {
                continue;
            }
            // Rotated and turned round, so that no way always runs first or after the same one.
            let mut ways = plan.ways(workload);
            let count = ways.len();
            ways.rotate_left(round as usize % count);
            if round % 2 == 1 {
                ways.reverse();
            }
            for way in ways {
                measure(plan, workload, way, &mut results)?;
            }
        }
    }
    let share = others.share()?;
    if share > NOISE {
        results.remarks.push(format!(
            "other processes used {:.0} % of the processors: repeat the run on an idle machine",
            share * 100.0
        ));
    }
    Ok(results)
}

fn measure(plan: &Plan, workload: Workload, way: Way, results: &mut Results) -> Result<()> {
    if results.has_failed(workload, way) {
        return Ok(());
    }
    let output = Command::new(env::current_exe()?)
        .arg("measure")
        .args([serde_json::to_string(&workload)?, serde_json::to_string(&way)?])
        .arg(plan.millis().to_string())
        .output()?;
    if output.status.success() {
        let sample: Sample = serde_json::from_slice(&output.stdout)?;
        results.add(workload, way, sample);
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let why = format!("{}, {workload}, fails: {}: {}", way.title(), output.status, said.trim());
    if way.is_ours() {
        bail!(why);
    }
    // A peer that fails is a result.
    results.fail(workload, way, why);
    Ok(())
}

/// Ends this process if it hangs.
pub(crate) fn limit_time() {
    // SAFETY: alarm(2) takes a number and touches no memory.
    let _: u32 = unsafe { libc::alarm(PATIENCE) };
}
