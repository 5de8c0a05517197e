//! What a measuring process does.

mod after;
mod burst;
mod descriptors;
mod fan;
mod idle;
mod mixed;
mod stream;
mod trip;

use anyhow::Result;

use crate::feed::Lengths;
use crate::measure::{Budget, Sample};
use crate::ways::{Settings, Way};
use crate::workload::Workload;

pub(crate) use burst::burst_len;

/// Does a workload in one way, in this process.
pub(crate) fn run(way: Way, workload: Workload, budget: Budget) -> Result<Sample> {
    match workload {
        Workload::Burst(len) => burst::run(way, len, budget),
        Workload::Stream(len) => stream::run(way, &Lengths::all(len), &Settings::default(), budget),
        Workload::Trip(len) => trip::run(way, len, budget),
        Workload::Large(mib) => {
            let settings = Settings { limit: Some(usize::MAX), ..Settings::default() };
            stream::run(way, &Lengths::all(mib * 1024 * 1024), &settings, budget)
        }
        Workload::Descriptors => descriptors::run(way, budget),
        Workload::Mixed => mixed::run(way, budget),
        Workload::Idle(connections) => idle::run(way, connections),
        Workload::Fan(connections) => fan::run(way, connections, 1, budget),
        Workload::Flock(connections) => fan::run(way, connections, 8, budget),
        Workload::After => after::run(way),
    }
}
