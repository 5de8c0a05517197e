//! The rounds: in each, every way does every workload once, in a process of its own.

use std::env;
use std::ffi::OsStr;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::machine::Others;
use crate::measure::Sample;
use crate::plan::{self, Plan};
use crate::results::Results;
use crate::ways::Way;
use crate::workload::Workload;

/// After how many seconds a measuring process that hangs is killed.
const PATIENCE: u32 = 60;

/// The share of the processors that others may use without a remark.
const NOISE: f64 = 0.03;

/// How often memory is measured, which is about the same every time.
const MEMORY_ROUNDS: u32 = 3;

/// Measures everything as often as `rounds` says, or as begins before `end`.
pub(crate) fn run(plan: &Plan, rounds: u32, end: Duration) -> Result<Results> {
    let (start, others) = (Instant::now(), Others::watch()?);
    let mut results = Results::default();
    let rounds = if plan.quick { 1 } else { rounds };
    for round in 0..rounds {
        if start.elapsed() > end {
            results.remarks.push(format!("{round} rounds of {rounds} were done in time"));
            break;
        }
        eprintln!("round {} of {rounds}, after {} s", round + 1, start.elapsed().as_secs());
        for &workload in &plan.workloads {
            if round >= MEMORY_ROUNDS && matches!(workload, Workload::Idle(_) | Workload::After) {
                continue;
            }
            let mut ways = plan::ways(workload);
            // So that none always comes after the same one, or first.
            let by = round as usize % ways.len().max(1);
            ways.rotate_left(by);
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
        let percent = (share * 100.0).round();
        results.remarks.push(format!(
            "others used {percent} % of the processors meanwhile: times of two threads are to be \
             measured again where nothing else runs"
        ));
    }
    Ok(results)
}

fn measure(plan: &Plan, workload: Workload, way: Way, results: &mut Results) -> Result<()> {
    if results.failure(workload, way).is_some() {
        return Ok(());
    }
    let output = child(&[], workload, way, &["--millis", &plan.millis().to_string()])?.output()?;
    if output.status.success() {
        let sample: Sample = serde_json::from_slice(&output.stdout)?;
        results.add(workload, way, sample);
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let why = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    if way.is_ours() {
        bail!("{}, {workload}: {}: {said}", way.title(), output.status);
    }
    // A peer that fails is a result.
    eprintln!("{}, {workload}: {}: {why}", way.title(), output.status);
    results.fail(workload, way, format!("{why} ({})", output.status));
    Ok(())
}

/// A process that measures, under a tool if `tool` has one.
pub(crate) fn child(
    tool: &[&OsStr],
    workload: Workload,
    way: Way,
    arguments: &[&str],
) -> Result<Command> {
    let suite = env::current_exe()?;
    let mut words = tool.iter().copied().chain([suite.as_os_str()]);
    let mut command = Command::new(words.next().context("there is a program at least")?);
    command.args(words).arg("measure").args(arguments).arg(way.name()).arg(workload.to_string());
    Ok(command)
}

/// Has this process killed if it hangs.
pub(crate) fn give_up_later() {
    // SAFETY: alarm(2) takes a number and touches no memory.
    let _: u32 = unsafe { libc::alarm(PATIENCE) };
}
