//! One measurement: the warm-up, how often a workload is repeated, and what it cost.

use std::time::{Duration, Instant};

use anyhow::Result;
use datagrammar_benches::usage;
use serde::{Deserialize, Serialize};

use crate::counting;
use crate::trace;

/// How long a workload is repeated.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Budget {
    /// For so much CPU time, after a warm-up.
    Time(Duration),
    /// So often, and no more: for tools that count what the whole process does.
    Turns(u64),
    /// So often, after a warm-up, with marks for the tracer.
    Traced(u64),
}

/// What was measured in one process.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// CPU time for a message, of both sides, in ns.
    pub(crate) cpu: Option<f64>,
    /// Time for a message, in ns.
    pub(crate) wall: Option<f64>,
    /// Allocations for a message, of both sides.
    pub(crate) allocations: Option<f64>,
    /// Memory in bytes: what is meant depends on the workload.
    pub(crate) memory: Option<f64>,
}

/// How many turns the allocations of are counted.
const COUNTED: u64 = 64;

/// Repeats a turn of `messages` messages as long as `budget` says. `turns` does as many turns as it is told.
pub(crate) fn repeat(
    budget: Budget,
    messages: u64,
    mut turns: impl FnMut(u64) -> Result<()>,
) -> Result<Sample> {
    let target = match budget {
        Budget::Time(target) => target,
        Budget::Turns(count) => {
            turns(count)?;
            return Ok(Sample::default());
        }
        Budget::Traced(count) => {
            turns(count)?;
            trace::begin();
            turns(count)?;
            trace::end();
            return Ok(Sample::default());
        }
    };
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
    // A tenth more, as the warm-up was the slower part.
    let scale = 1.1 * target.as_secs_f64() / needed.as_secs_f64();
    let count = (count as f64 * scale).ceil() as u64;

    let (start, before) = (Instant::now(), usage::cpu_time()?);
    turns(count)?;
    let (wall, cpu) = (start.elapsed(), usage::cpu_time()? - before);
    let each = |time: Duration| Some(time.as_nanos() as f64 / (count * messages) as f64);
    Ok(Sample { cpu: each(cpu), wall: each(wall), ..Sample::default() })
}

impl Sample {
    /// With the allocations of some more turns, where that is asked for by `budget`.
    pub(crate) fn with_allocations(
        self,
        budget: Budget,
        messages: u64,
        mut turns: impl FnMut(u64) -> Result<()>,
    ) -> Result<Self> {
        if !matches!(budget, Budget::Time(_)) {
            return Ok(self);
        }
        let count = counting::allocations(|| turns(COUNTED))?;
        let each = count as f64 / (COUNTED * messages) as f64;
        Ok(Self { allocations: Some(each), ..self })
    }
}
