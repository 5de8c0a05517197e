//! What is required of datagrammar, next to its peers.

use clap::ValueEnum as _;
use datagrammar_benches::requirement::{Bound, Requirement};

use crate::plan;
use crate::results::{Metric, Results, allocations, cpu, memory, rate};
use crate::trace::Side;
use crate::ways::Way;
use crate::workload::{Workload, said};

/// All requirements. Those of workloads that were not measured miss.
pub(crate) fn requirements(results: &Results) -> Vec<Requirement> {
    let mut all = Vec::new();
    for len in [16, 256, 1024] {
        bursts(results, len, &mut all);
    }
    streams(results, &mut all);
    trips(results, &mut all);
    mixed(results, &mut all);
    steady(results, &mut all);
    waiting(results, &mut all);
    all
}

fn bursts(results: &Results, len: usize, all: &mut Vec<Requirement>) {
    let workload = Workload::Burst(len);
    let of = |way| results.median(workload, way, cpu);
    let mut require = |ours: Way, theirs: Way, bound: f64| {
        all.push(Requirement {
            what: format!("burst of {}: CPU, {} / {}", said(len), ours.title(), theirs.title()),
            number: of(ours) / of(theirs),
            bound: Bound::AtMost(bound),
        });
    };
    require(Way::TypedAll, Way::Uds, 0.80);
    require(Way::TypedAll, Way::IpcChannel, 0.58);
    require(Way::TypedAll, Way::Floor, 1.06);
    require(Way::TypedEach, Way::Uds, 0.92);
}

fn streams(results: &Results, all: &mut Vec<Requirement>) {
    for (len, theirs, bound) in [
        (16, Way::Uds, 1.15),
        (1024, Way::Uds, 1.25),
        (16, Way::IpcChannel, 1.6),
        (1024, Way::IpcChannel, 1.6),
    ] {
        let of = |way| results.median(Workload::Stream(len), way, rate);
        all.push(Requirement {
            what: format!("stream of {}: messages/s, datagrammar / {}", said(len), theirs.title()),
            // In its better form of sending.
            number: of(Way::TypedAll).max(of(Way::TypedEach)) / of(theirs),
            bound: Bound::AtLeast(bound),
        });
    }
}

fn trips(results: &Results, all: &mut Vec<Requirement>) {
    for len in [16, 1024, 64 * 1024] {
        let of = |way| results.median(Workload::Trip(len), way, cpu);
        all.push(Requirement {
            what: format!(
                "round trip of {}: CPU, datagrammar / {}",
                said(len),
                Way::Buffered.title()
            ),
            number: of(Way::TypedEach) / of(Way::Buffered),
            bound: Bound::AtMost(1.10),
        });
    }
}

fn mixed(results: &Results, all: &mut Vec<Requirement>) {
    let of = |way, metric: Metric| results.median(Workload::Mixed, way, metric);
    // In its better form of sending.
    let ours = [Way::TypedAll, Way::TypedEach];
    let ours = ours.into_iter().min_by(|&a, &b| of(a, cpu).total_cmp(&of(b, cpu)));
    let ours = ours.unwrap_or(Way::TypedEach);
    let metrics: [(&str, Metric); 2] = [("CPU", cpu), ("peak memory", memory)];
    for (name, metric) in metrics {
        let peers = plan::ways(Workload::Mixed).into_iter().filter(|way| !way.is_ours());
        let measured = peers.filter(|&way| !of(way, metric).is_nan());
        let best = measured.min_by(|&a, &b| of(a, metric).total_cmp(&of(b, metric)));
        let theirs = best.map_or("the best peer", Way::title);
        all.push(Requirement {
            what: format!("mixed stream: {name}, {} / {theirs}", ours.title()),
            number: of(ours, metric) / best.map_or(f64::NAN, |way| of(way, metric)),
            bound: Bound::Below(1.0),
        });
    }
}

fn steady(results: &Results, all: &mut Vec<Requirement>) {
    let ours = Way::value_variants().iter().filter(|way| way.is_ours());
    let bursts = [16, 256, 1024].map(Workload::Burst);
    let counts = ours
        .flat_map(|&way| bursts.iter().map(move |&burst| results.median(burst, way, allocations)));
    all.push(Requirement {
        what: "allocations for a message, both sides, the most of all bursts".into(),
        number: counts.fold(0.0, largest),
        bound: Bound::AtMost(0.0),
    });
    let calls = |len: usize| {
        let key = (Workload::Stream(len), Way::TypedAll, Side::Receiver);
        results.syscalls.get(&key).copied().unwrap_or(f64::NAN)
    };
    all.push(Requirement {
        what: "system calls for a message of the receiver of a stream, 16 B and 1 KiB".into(),
        number: largest(calls(16), calls(1024)),
        bound: Bound::Below(0.2),
    });
}

fn waiting(results: &Results, all: &mut Vec<Requirement>) {
    for connections in [1000, 10_000] {
        all.push(Requirement {
            what: format!("{connections} idle connections: bytes each"),
            number: results.median(Workload::Idle(connections), Way::TypedEach, memory),
            bound: Bound::AtMost(512.0),
        });
    }
    all.push(Requirement {
        what: "after 256 MiB in one message: MiB more than before".into(),
        number: results.median(Workload::After, Way::TypedEach, memory) / 1024.0 / 1024.0,
        bound: Bound::AtMost(1.0),
    });
    let many = [
        ("eight on each", Workload::Flock(10_000), Workload::Flock(10)),
        ("one on each", Workload::Fan(10_000), Workload::Fan(10)),
    ];
    for (what, many, few) in many {
        let of = |workload| results.median(workload, Way::TypedEach, cpu);
        all.push(Requirement {
            what: format!("CPU for a frame, 10,000 connections / 10, {what}"),
            number: of(many) / of(few),
            bound: Bound::AtMost(1.3),
        });
    }
}

/// The larger one, or NaN: what was not measured does not pass.
fn largest(one: f64, other: f64) -> f64 {
    if one.is_nan() || other.is_nan() { f64::NAN } else { one.max(other) }
}
