//! What was measured, of all ways and workloads.

use std::collections::BTreeMap;

use datagrammar_benches::numbers;

use crate::measure::Sample;
use crate::trace::Side;
use crate::ways::Way;
use crate::workload::Workload;

/// All that was measured.
#[derive(Debug, Default)]
pub(crate) struct Results {
    samples: BTreeMap<(Workload, Way), Vec<Sample>>,
    failures: BTreeMap<(Workload, Way), String>,
    /// System calls for a message.
    pub(crate) syscalls: BTreeMap<(Workload, Way, Side), f64>,
    /// Bytes that were copied in user space for a message.
    pub(crate) copies: BTreeMap<(Workload, Way), f64>,
    /// Why tools could not count.
    pub(crate) remarks: Vec<String>,
}

/// A number of a sample.
pub(crate) type Metric = fn(&Sample) -> Option<f64>;

/// A median, and what it is the median of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Results {
    pub(crate) fn add(&mut self, workload: Workload, way: Way, sample: Sample) {
        self.samples.entry((workload, way)).or_default().push(sample);
    }

    pub(crate) fn fail(&mut self, workload: Workload, way: Way, why: String) {
        self.failures.insert((workload, way), why);
    }

    pub(crate) fn failure(&self, workload: Workload, way: Way) -> Option<&str> {
        self.failures.get(&(workload, way)).map(String::as_str)
    }

    /// None if it was not measured.
    pub(crate) fn figure(&self, workload: Workload, way: Way, metric: Metric) -> Option<Figure> {
        let samples = self.samples.get(&(workload, way))?;
        let numbers: Vec<f64> = samples.iter().filter_map(metric).collect();
        let (least, most) = numbers::range(&numbers);
        let median = numbers::median(numbers);
        (!median.is_nan()).then_some(Figure { median, least, most })
    }

    /// NaN if it was not measured.
    pub(crate) fn median(&self, workload: Workload, way: Way, metric: Metric) -> f64 {
        self.figure(workload, way, metric).map_or(f64::NAN, |figure| figure.median)
    }
}

pub(crate) fn cpu(sample: &Sample) -> Option<f64> {
    sample.cpu
}

/// Messages a second.
pub(crate) fn rate(sample: &Sample) -> Option<f64> {
    sample.wall.map(|nanos| 1e9 / nanos)
}

pub(crate) fn wall(sample: &Sample) -> Option<f64> {
    sample.wall
}

pub(crate) fn allocations(sample: &Sample) -> Option<f64> {
    sample.allocations
}

pub(crate) fn memory(sample: &Sample) -> Option<f64> {
    sample.memory
}
