//! The work of a measuring process.

mod burst;
mod descriptors;
mod fan;
mod memory;
mod mixed;
mod stream;
mod tasks;
mod trips;
mod waiting;

use std::time::Duration;

use anyhow::Result;

use crate::feed::Lengths;
use crate::measure::Sample;
use crate::plan::Workload;
use crate::ways::{Settings, Way};

/// Runs a workload in one way, for about `target` of CPU time.
pub(crate) fn run(workload: Workload, way: Way, target: Duration) -> Result<Sample> {
    match workload {
        Workload::Burst(len) => burst::run(way, len, target),
        Workload::Stream(len) => stream::run(way, &Lengths::all(len), &Settings::default(), target),
        Workload::Tasks(len) => tasks::run(way, len, target),
        Workload::Trip(len) => trips::run(way, len, false, target),
        Workload::TripAcross(len) => trips::run(way, len, true, target),
        Workload::Fan(count) => fan::run(way, count, target),
        Workload::Descriptors => descriptors::run(way, target),
        Workload::Mixed => mixed::run(way, target),
        Workload::Datagrams(family, len) => burst::datagrams(way, family, len, target),
        Workload::Idle(count) => memory::idle(way, count),
        Workload::Begun(count) => memory::begun(way, count),
        Workload::Waiting(count) => waiting::run(way, count),
    }
}
