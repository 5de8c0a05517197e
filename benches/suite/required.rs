//! The requirements on datagrammar, relative to other libraries.

use datagrammar_benches::requirement::{Bound, Requirement};

use crate::plan::{Plan, Workload};
use crate::results::{Figure, Metric, Results};
use crate::ways::Way;
use crate::ways::datagrams::Family;

const CPU: Metric = |sample| sample.cpu;
const MEMORY: Metric = |sample| sample.memory;
const ALLOCATIONS: Metric = |sample| sample.allocations;

/// The most memory of an idle connection, in bytes.
const IDLE: f64 = 256.0;

/// The most memory of a polled connection that still has tiny frames to receive, in bytes.
const BEGUN: f64 = 512.0;

/// The most memory of a connection under tokio beyond that of an `AsyncFd`, in bytes.
const WAITING: f64 = 512.0;

/// Returns all requirements, or those that `--only` selects. A missing measurement misses its requirement.
pub(crate) fn requirements(plan: &Plan, results: &Results) -> Vec<Requirement> {
    let mut required = Required { plan, results, all: Vec::new() };
    for (len, bound) in [(16, 0.12), (256, 0.15), (1024, 0.30), (4096, 0.55)] {
        required.ratio(Workload::Burst(len), "CPU", CPU, [Way::SendAll, Way::Uds], bound);
    }
    let ours = [Way::Send, Way::Plain];
    for workload in [Workload::Burst, Workload::Stream] {
        for len in [16, 256, 1024, 4096, 16_384] {
            required.ratio(workload(len), "CPU", CPU, ours, 1.05);
        }
        required.ratio(workload(65_536), "CPU", CPU, ours, 0.90);
    }
    for len in [16, 1024] {
        required.ratio(Workload::Trip(len), "CPU", CPU, ours, 1.25);
        required.ratio(Workload::Trip(len), "CPU", CPU, [Way::Eager, Way::Plain], 1.05);
    }
    for count in [10, 1000, 10_000] {
        required.ratio(Workload::Fan(count), "CPU", CPU, ours, 1.10);
    }
    required.ratio(Workload::Descriptors, "CPU", CPU, ours, 1.10);
    let better = [better_of(results, Workload::Mixed, [Way::SendAll, Way::Send]), Way::Plain];
    required.ratio(Workload::Mixed, "CPU", CPU, better, 1.0);
    required.ratio(Workload::Mixed, "peak memory", MEMORY, better, 0.8);
    for family in [Family::Unix, Family::Udp] {
        for len in [64, 1024] {
            required.ratio(Workload::Datagrams(family, len), "CPU", CPU, ours, 1.05);
        }
    }
    required.memory(Workload::Idle(1000), IDLE);
    required.memory(Workload::Idle(10_000), IDLE);
    required.memory(Workload::Begun(9900), BEGUN);
    let bursts = [16, 256, 1024, 4096, 16_384, 65_536].map(Workload::Burst);
    let unix = [64, 1024].map(|len| Workload::Datagrams(Family::Unix, len));
    let udp = [64, 1024].map(|len| Workload::Datagrams(Family::Udp, len));
    let on = [&bursts[..], &unix, &udp].concat();
    required.allocations("bursts and datagrams", &on, &[Way::SendAll, Way::Send]);
    required_of_tokio(&mut required);
    required.all
}

fn required_of_tokio(required: &mut Required<'_>) {
    let ours = [Way::Await, Way::TokioSeqpacket];
    for len in [16, 1024] {
        required.ratio(Workload::Stream(len), "CPU", CPU, ours, 0.90);
    }
    let queue = [Way::Queue, Way::TokioSeqpacket];
    required.ratio(Workload::Tasks(16), "CPU", CPU, queue, 0.25);
    for len in [16, 1024] {
        required.ratio(Workload::Trip(len), "CPU", CPU, ours, 1.0);
    }
    required.beyond(Workload::Waiting(10_000), [Way::Await, Way::BareAsyncFd], WAITING);
    required.allocations("bursts", &[16, 1024].map(Workload::Burst), &[Way::Await]);
}

struct Required<'a> {
    plan: &'a Plan,
    results: &'a Results,
    all: Vec<Requirement>,
}

impl Required<'_> {
    /// Of two ways.
    fn ratio(&mut self, on: Workload, name: &str, metric: Metric, ways: [Way; 2], bound: f64) {
        let [ours, theirs] = ways;
        if !self.plan.requires(on, ours) {
            return;
        }
        self.all.push(Requirement {
            what: format!("{on}, {name}: {} ÷ {}", ours.title(), theirs.title()),
            number: median(self.results.ratio(on, ours, theirs, metric)),
            bound: Bound::AtMost(bound),
        });
    }

    /// Of one connection.
    fn memory(&mut self, on: Workload, bound: f64) {
        if !self.plan.requires(on, Way::Send) {
            return;
        }
        let number = median(self.results.figure(on, Way::Send, MEMORY));
        let what = format!("{on}, bytes for each connection");
        self.all.push(Requirement { what, number, bound: Bound::AtMost(bound) });
    }

    /// Of one connection, beyond that of another way.
    fn beyond(&mut self, on: Workload, [ours, theirs]: [Way; 2], bound: f64) {
        if !self.plan.requires(on, ours) {
            return;
        }
        let of = |way| median(self.results.figure(on, way, MEMORY));
        let what = format!("{on}, bytes: {} − {}", ours.title(), theirs.title());
        self.all.push(Requirement {
            what,
            number: of(ours) - of(theirs),
            bound: Bound::AtMost(bound),
        });
    }

    /// In steady state nothing is allocated, whatever the length.
    fn allocations(&mut self, name: &str, on: &[Workload], ways: &[Way]) {
        let all = on.iter().flat_map(|&on| ways.iter().map(move |&way| (on, way)));
        let required = all.filter(|&(on, way)| self.plan.requires(on, way));
        let counts = required.map(|(on, way)| median(self.results.figure(on, way, ALLOCATIONS)));
        // NaN is above all numbers.
        let Some(number) = counts.max_by(f64::total_cmp) else { return };
        let titles = ways.iter().map(|way| way.title()).collect::<Vec<_>>().join(", ");
        let what = format!("{name}, the most allocations for a message, both sides: {titles}");
        self.all.push(Requirement { what, number, bound: Bound::AtMost(0.0) });
    }
}

/// The way that takes less CPU time.
fn better_of(results: &Results, workload: Workload, [one, other]: [Way; 2]) -> Way {
    let of = |way| median(results.figure(workload, way, CPU));
    if of(one) < of(other) { one } else { other }
}

/// NaN if it was not measured.
fn median(figure: Option<Figure>) -> f64 {
    figure.map_or(f64::NAN, |figure| figure.median)
}
