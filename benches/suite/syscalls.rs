//! System calls for a message, by either side, counted by strace in a run of its own.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::compare::child;
use crate::plan::{self, Plan};
use crate::results::Results;
use crate::trace::Side;
use crate::work::burst_len;
use crate::workload::Workload;

/// How many messages are traced at least.
const MESSAGES: u64 = 1024;

/// Counts, if strace is there.
pub(crate) fn count(plan: &Plan, results: &mut Results) -> Result<()> {
    if !exists("strace") {
        results.remarks.push("system calls are n/a, as there is no strace here".into());
        return Ok(());
    }
    for &workload in &plan.workloads {
        let Some((turns, messages)) = turns(workload, plan.quick) else { continue };
        eprintln!("system calls: {workload}");
        for way in plan::ways(workload) {
            if results.failure(workload, way).is_some() {
                continue;
            }
            let traced = tempfile::NamedTempFile::new()?;
            let tool = ["strace", "-f", "-o"]
                .map(OsStr::new)
                .into_iter()
                .chain([traced.path().as_os_str()]);
            let tool: Vec<&OsStr> = tool.collect();
            let mut child = child(&tool, workload, way, &["--traced", &turns.to_string()])?;
            let status = child.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
            if !status.success() {
                let title = way.title();
                results.remarks.push(format!("{title}, {workload}: strace ends with {status}"));
                continue;
            }
            for (side, calls) in by_side(&fs::read_to_string(traced.path())?) {
                let each = calls as f64 / messages as f64;
                results.syscalls.insert((workload, way, side), each);
            }
        }
    }
    Ok(())
}

/// How many turns are traced, and how many messages that is, of workloads of which it says something.
fn turns(workload: Workload, quick: bool) -> Option<(u64, u64)> {
    let messages = if quick { 64 } else { MESSAGES };
    match workload {
        Workload::Burst(16 | 1024 | 65_536) => {
            let Workload::Burst(len) = workload else { return None };
            let burst = burst_len(len);
            Some((messages / burst, messages))
        }
        Workload::Stream(16 | 1024 | 65_536) | Workload::Trip(16) => Some((messages, messages)),
        _ => None,
    }
}

/// The calls that each side has made between marks, of what strace has written: a line for each call, the
/// thread's number first.
fn by_side(traced: &str) -> BTreeMap<Side, u64> {
    let mut works_for = BTreeMap::new();
    let mut calls = BTreeMap::new();
    for line in traced.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        // The second half of a call that another thread's came between; signals and ends.
        if call.starts_with(['<', '-', '+']) {
            continue;
        }
        if let Some(side) = Side::ALL.into_iter().find(|side| call.starts_with(&side.call())) {
            works_for.insert(thread, side);
        } else if let Some(&side) = works_for.get(thread)
            && side != Side::Nobody
        {
            *calls.entry(side).or_default() += 1;
        }
    }
    calls
}

/// Whether there is such a program.
pub(crate) fn exists(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
