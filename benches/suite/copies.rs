//! Bytes that are copied in user space for a message, counted by valgrind's dhat in runs of their own: it
//! sees every copy that is a call (`memcpy` and its like), and none that the compiler made a few moves of.

use std::ffi::OsStr;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};

use crate::compare::child;
use crate::plan::{self, Plan};
use crate::results::Results;
use crate::syscalls::exists;
use crate::ways::Way;
use crate::work::burst_len;
use crate::workload::Workload;

/// Two runs, so that what is copied once, at the start, is not counted.
const TURNS: [u64; 2] = [50, 150];

/// Counts, if valgrind is there and has the tool.
pub(crate) fn count(plan: &Plan, results: &mut Results) -> Result<()> {
    if plan.quick {
        results.remarks.push("copies are n/a, as they are not counted in a quick run".into());
        return Ok(());
    }
    if !exists("valgrind") {
        results.remarks.push("copies are n/a, as there is no valgrind here".into());
        return Ok(());
    }
    for &workload in &plan.workloads {
        let Workload::Burst(len @ (1024 | 65_536)) = workload else { continue };
        eprintln!("copies: {workload}");
        for way in plan::ways(workload) {
            match each(workload, way, len) {
                Ok(bytes) => {
                    results.copies.insert((workload, way), bytes);
                }
                Err(error) => {
                    let title = way.title();
                    results.remarks.push(format!("{title}, {workload}: copies are n/a: {error}"));
                }
            }
        }
    }
    Ok(())
}

fn each(workload: Workload, way: Way, len: usize) -> Result<f64> {
    let [few, many] = TURNS;
    let bytes = copied(workload, way, many)?.saturating_sub(copied(workload, way, few)?);
    Ok(bytes as f64 / ((many - few) * burst_len(len)) as f64)
}

/// All the bytes that a run of so many turns copies.
fn copied(workload: Workload, way: Way, turns: u64) -> Result<u64> {
    let tool = ["valgrind", "--tool=dhat", "--mode=copy", "--dhat-out-file=/dev/null"];
    let tool = tool.map(OsStr::new);
    let mut child = child(&tool, workload, way, &["--turns", &turns.to_string()])?;
    let output = child.stdout(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "valgrind ends with {}", output.status);
    // ==1== Total:     1,234 bytes in 56 blocks
    let total = said.lines().find_map(|line| line.split_once("Total:")?.1.split_once(" bytes"));
    let (bytes, _) = total.context("dhat does not tell a total")?;
    Ok(bytes.trim().replace(',', "").parse()?)
}
