//! One measurement: warm-up, repetition, and cost.

use std::time::{Duration, Instant};

use anyhow::Result;
use datagrammar_benches::usage;
use serde::{Deserialize, Serialize};

use crate::counting;

/// The results of one process.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// CPU time of a message, of both sides, in ns.
    pub(crate) cpu: Option<f64>,
    /// Time of a message, in ns.
    pub(crate) wall: Option<f64>,
    /// Allocations of a message, of both sides.
    pub(crate) allocations: Option<f64>,
    /// Memory in bytes. Its meaning depends on the workload.
    pub(crate) memory: Option<f64>,
}

/// The number of turns whose allocations are counted.
const COUNTED: u64 = 64;

/// Repeats a turn of `messages` messages for about `target` of CPU time, after a warm-up. `turns` runs the given number
/// of turns.
pub(crate) fn repeat(
    target: Duration,
    messages: u64,
    mut turns: impl FnMut(u64) -> Result<()>,
) -> Result<Sample> {
    let mut count = 1;
    let needed = loop {
        let before = usage::cpu_time()?;
        turns(count)?;
        let needed = usage::cpu_time()? - before;
        if needed * 4 >= target {
            break needed;
        }
        count *= 2;
    };
    // A tenth more, because the warm-up was slower.
    let scale = 1.1 * target.as_secs_f64() / needed.as_secs_f64();
    let count = (count as f64 * scale).ceil() as u64;

    let (start, before) = (Instant::now(), usage::cpu_time()?);
    turns(count)?;
    let (wall, cpu) = (start.elapsed(), usage::cpu_time()? - before);
    let each = |time: Duration| Some(time.as_nanos() as f64 / (count * messages) as f64);
    Ok(Sample { cpu: each(cpu), wall: each(wall), ..Sample::default() })
}

/// Does the same, and counts the allocations of some more turns.
pub(crate) fn repeat_and_count(
    target: Duration,
    messages: u64,
    mut turns: impl FnMut(u64) -> Result<()>,
) -> Result<Sample> {
    let sample = repeat(target, messages, &mut turns)?;
    let count = counting::allocations(|| turns(COUNTED))?;
    Ok(Sample { allocations: Some(count as f64 / (COUNTED * messages) as f64), ..sample })
}
