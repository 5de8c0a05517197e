//! What is required of datagrammar next to its peers.

use datagrammar_benches::requirement::{Bound, Requirement};

use crate::plan::{Workload, said};
use crate::results::{Figure, Metric, Results, allocations, cpu, memory};
use crate::ways::Way;
use crate::ways::datagrams::Family;

/// The most memory that an idle connection may take, in bytes.
const IDLE: f64 = 256.0;

/// The most that a connection may take which may still have frames to receive: a page for the frame that it
/// lent last, and as much again.
const BEGUN: f64 = 8192.0;

/// Returns all requirements. What was not measured misses.
pub(crate) fn requirements(results: &Results) -> Vec<Requirement> {
    let mut all = Required { results, all: Vec::new() };
    for (len, bound) in [(16, 0.12), (256, 0.15), (1024, 0.30), (4096, 0.55)] {
        let what = format!("burst of 32 × {}", said(len));
        all.ratio(&what, Workload::Burst(len), Way::SendAll, Way::Uds, cpu, bound);
    }
    let lengths =
        [16, 256, 1024, 4096, 16 * 1024].map(|len| (len, 1.05)).into_iter().chain([(65_536, 0.90)]);
    for (len, bound) in lengths {
        for (what, workload) in [("burst", Workload::Burst(len)), ("stream", Workload::Stream(len))]
        {
            let what = format!("{what} of {}", said(len));
            all.ratio(&what, workload, Way::Send, Way::Plain, cpu, bound);
        }
    }
    for len in [16, 1024] {
        let what = format!("round trip of {} on one core", said(len));
        all.ratio(&what, Workload::Trip(len), Way::Send, Way::Plain, cpu, 1.25);
        all.ratio(&what, Workload::Trip(len), Way::Eager, Way::Plain, cpu, 1.05);
    }
    for count in [10, 1000, 10_000] {
        let what = format!("a frame on each of {count} connections");
        all.ratio(&what, Workload::Fan(count), Way::Send, Way::Plain, cpu, 1.10);
    }
    let what = "a descriptor with each message";
    all.ratio(what, Workload::Descriptors, Way::Send, Way::Plain, cpu, 1.10);
    let ours = better_of(results, Workload::Mixed, [Way::SendAll, Way::Send]);
    all.ratio("mixed stream", Workload::Mixed, ours, Way::Plain, cpu, 1.0);
    all.ratio("mixed stream: peak memory", Workload::Mixed, ours, Way::Plain, memory, 0.8);
    for family in [Family::Unix, Family::Udp] {
        for len in [64, 1024] {
            let workload = Workload::Datagrams(family, len);
            let what = format!("{} datagrams of {}", family.title(), said(len));
            all.ratio(&what, workload, Way::Send, Way::Plain, cpu, 1.05);
        }
    }
    for count in [1000, 10_000] {
        let what = format!("{count} idle connections after 64 KiB: bytes each");
        all.memory(what, Workload::Idle(count), IDLE);
    }
    let what = "9900 connections after two tiny frames of eight: bytes each";
    all.memory(what.into(), Workload::Begun(9900), BEGUN);
    all.allocations();
    all.all
}

struct Required<'a> {
    results: &'a Results,
    all: Vec<Requirement>,
}

impl Required<'_> {
    fn ratio(
        &mut self,
        what: &str,
        workload: Workload,
        ours: Way,
        theirs: Way,
        metric: Metric,
        bound: f64,
    ) {
        self.all.push(Requirement {
            what: format!("{what}: {} ÷ {}", ours.title(), theirs.title()),
            number: median(self.results.ratio(workload, ours, theirs, metric)),
            bound: Bound::AtMost(bound),
        });
    }

    fn memory(&mut self, what: String, workload: Workload, bound: f64) {
        let number = median(self.results.figure(workload, Way::Send, memory));
        self.all.push(Requirement { what, number, bound: Bound::AtMost(bound) });
    }

    /// In steady state nothing is allocated, whatever the length.
    fn allocations(&mut self) {
        let bursts = [16, 256, 1024, 4096, 16 * 1024, 64 * 1024].map(Workload::Burst);
        let counts = bursts.into_iter().flat_map(|burst| {
            let of = |way| self.results.figure(burst, way, allocations);
            [Way::SendAll, Way::Send].map(|way| median(of(way)))
        });
        let most = counts.fold(0.0, |one: f64, other| {
            if one.is_nan() || other.is_nan() { f64::NAN } else { one.max(other) }
        });
        let what = "allocations for a message of any burst, both sides".into();
        self.all.push(Requirement { what, number: most, bound: Bound::AtMost(0.0) });
    }
}

/// The way that takes less CPU time.
fn better_of(results: &Results, workload: Workload, [one, other]: [Way; 2]) -> Way {
    let of = |way| median(results.figure(workload, way, cpu));
    if of(one) < of(other) { one } else { other }
}

/// NaN if it was not measured.
fn median(figure: Option<Figure>) -> f64 {
    figure.map_or(f64::NAN, |figure| figure.median)
}
