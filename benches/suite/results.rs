//! The measurements, by workload and way.

use std::collections::BTreeMap;

use datagrammar_benches::numbers;

use crate::measure::Sample;
use crate::plan::Workload;
use crate::ways::Way;

/// All samples of a run.
#[derive(Debug, Default)]
pub(crate) struct Results {
    /// A sample of each round, in order; none if a way has failed.
    samples: BTreeMap<(Workload, Way), Option<Vec<Sample>>>,
    /// Remarks for readers of the figures.
    pub(crate) remarks: Vec<String>,
}

/// A number of a sample.
pub(crate) type Metric = fn(&Sample) -> Option<f64>;

/// A median over the rounds, and its range.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Results {
    pub(crate) fn add(&mut self, workload: Workload, way: Way, sample: Sample) {
        let samples = self.samples.entry((workload, way)).or_insert_with(|| Some(Vec::new()));
        if let Some(samples) = samples {
            samples.push(sample);
        }
    }

    /// Drops the measurements of a way.
    pub(crate) fn fail(&mut self, workload: Workload, way: Way, why: String) {
        eprintln!("{why}");
        self.remarks.push(why);
        self.samples.insert((workload, way), None);
    }

    pub(crate) fn has_failed(&self, workload: Workload, way: Way) -> bool {
        self.samples.get(&(workload, way)).is_some_and(Option::is_none)
    }

    /// Returns the numbers of all rounds, in order, or none if there is no measurement.
    fn numbers(&self, workload: Workload, way: Way, metric: Metric) -> Vec<f64> {
        let samples = self.samples.get(&(workload, way)).into_iter().flatten().flatten();
        samples.filter_map(metric).collect()
    }

    /// None if it was not measured.
    pub(crate) fn figure(&self, workload: Workload, way: Way, metric: Metric) -> Option<Figure> {
        Figure::of(self.numbers(workload, way, metric))
    }

    /// Returns the ratio of two ways, computed for each round, because the machine's speed may change between rounds.
    /// None if one of them was not measured.
    pub(crate) fn ratio(
        &self,
        workload: Workload,
        ours: Way,
        theirs: Way,
        metric: Metric,
    ) -> Option<Figure> {
        let [ours, theirs] = [ours, theirs].map(|way| self.numbers(workload, way, metric));
        Figure::of(ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect())
    }
}

impl Figure {
    fn of(numbers: Vec<f64>) -> Option<Self> {
        let (least, most) = numbers::range(&numbers);
        let median = numbers::median(numbers);
        (!median.is_nan()).then_some(Self { median, least, most })
    }
}
