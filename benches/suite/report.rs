//! The report in Markdown.

use std::fmt::Write as _;

use anyhow::Result;
use datagrammar_benches::machine;
use datagrammar_benches::requirement::Requirement;

use crate::plan::{Plan, Workload};
use crate::results::{Metric, Results, allocations, cpu, memory, wall};
use crate::table::{Table, bytes, short};
use crate::ways::Way;

/// A table of one figure, with a column for each workload that `has` accepts.
struct Section {
    title: &'static str,
    has: fn(&Workload) -> bool,
    metric: Metric,
    unit: Unit,
}

#[derive(Clone, Copy)]
enum Unit {
    /// Nanoseconds, and the ratio to the plain loop.
    Nanos,
    /// Bytes, and the ratio to the plain loop if there is one.
    Bytes,
    /// A number.
    Count,
}

const SECTIONS: [Section; 10] = [
    section("Bursts: CPU time of a message", |w| matches!(w, Workload::Burst(_)), cpu, Unit::Nanos),
    section(
        "Bursts: allocations for a message",
        |w| matches!(w, Workload::Burst(_)),
        allocations,
        Unit::Count,
    ),
    section(
        "Streams: CPU time of a message",
        |w| matches!(w, Workload::Stream(_)),
        cpu,
        Unit::Nanos,
    ),
    section(
        "Round trips on one core: CPU time",
        |w| matches!(w, Workload::Trip(_)),
        cpu,
        Unit::Nanos,
    ),
    section(
        "Round trips across two cores: wall time",
        |w| matches!(w, Workload::TripAcross(_)),
        wall,
        Unit::Nanos,
    ),
    section(
        "One frame on each connection: CPU time of a frame",
        |w| matches!(w, Workload::Fan(_)),
        cpu,
        Unit::Nanos,
    ),
    section(
        "A descriptor with each message, and mixed sizes: CPU time of a message",
        |w| matches!(w, Workload::Descriptors | Workload::Mixed),
        cpu,
        Unit::Nanos,
    ),
    section("Mixed sizes: peak memory", |w| matches!(w, Workload::Mixed), memory, Unit::Bytes),
    section(
        "Datagram sockets: CPU time of a message",
        |w| matches!(w, Workload::Datagrams(..)),
        cpu,
        Unit::Nanos,
    ),
    section("Memory of each connection", |w| w.is_memory(), memory, Unit::Bytes),
];

const fn section(
    title: &'static str,
    has: fn(&Workload) -> bool,
    metric: Metric,
    unit: Unit,
) -> Section {
    Section { title, has, metric, unit }
}

/// Writes the report.
pub(crate) fn write(plan: &Plan, results: &Results, required: &[Requirement]) -> Result<String> {
    let mut text = format!("# Measured side by side\n\n{}.\n\n", machine::describe());
    if plan.quick {
        text.push_str("**A quick run: its figures mean nothing.**\n\n");
    }
    text.push_str(include_str!("report.md"));
    writeln!(text, "\n## Requirements\n\n{}", verdicts(required))?;
    if !results.remarks.is_empty() {
        writeln!(text, "## Remarks\n\n- {}\n", results.remarks.join("\n- "))?;
    }
    for section in SECTIONS {
        if let Some(table) = section.table(plan, results) {
            writeln!(text, "## {}\n\n{table}", section.title)?;
        }
    }
    Ok(text)
}

fn verdicts(required: &[Requirement]) -> Table {
    let mut table = Table::new(["required", "measured", "bound", ""].map(String::from));
    for requirement in required {
        let measured = requirement.number;
        let measured = if measured.is_nan() { "n/a".into() } else { format!("{measured:.3}") };
        let what = requirement.what.clone();
        table.row([what, measured, requirement.bound(), requirement.verdict().into()]);
    }
    table
}

impl Section {
    /// None if none of its workloads is planned.
    fn table(&self, plan: &Plan, results: &Results) -> Option<Table> {
        let workloads = plan.workloads.iter().copied().filter(|workload| (self.has)(workload));
        let workloads: Vec<Workload> = workloads.collect();
        let mut ways: Vec<Way> = workloads.iter().flat_map(|w| w.ways()).copied().collect();
        ways.sort_unstable();
        ways.dedup();
        let headings = workloads.iter().map(|workload| workload.heading());
        let mut table = Table::new([String::new()].into_iter().chain(headings));
        for way in ways {
            let cells = workloads.iter().map(|&workload| self.cell(results, workload, way));
            table.row([way.title().to_owned()].into_iter().chain(cells));
        }
        (!workloads.is_empty()).then_some(table)
    }

    fn cell(&self, results: &Results, workload: Workload, way: Way) -> String {
        let Some(figure) = results.figure(workload, way, self.metric) else { return "–".into() };
        let median = match self.unit {
            Unit::Bytes => bytes(figure.median),
            Unit::Nanos => format!("{} ns", short(figure.median)),
            Unit::Count => return short(figure.median),
        };
        match results.ratio(workload, way, Way::Plain, self.metric) {
            Some(_) if way == Way::Plain => format!("{median}: 1"),
            Some(ratio) => {
                format!("{median}: {:.2} ({:.2} – {:.2})", ratio.median, ratio.least, ratio.most)
            }
            None => median,
        }
    }
}
