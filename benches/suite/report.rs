//! The report in Markdown.

use std::fmt::Write as _;

use anyhow::Result;
use datagrammar_benches::machine;
use datagrammar_benches::requirement::Requirement;

use crate::plan::{Plan, Workload};
use crate::results::{Metric, Results};
use crate::table::{Table, bytes, short};
use crate::ways::Way;

/// A table of one figure, with a column for each of its workloads.
type Section = (&'static str, Metric, fn(f64) -> String);

/// The tables that show a workload.
fn sections(workload: Workload) -> &'static [Section] {
    match workload {
        Workload::Burst(_) => &[("Bursts: CPU time of a message", |s| s.cpu, nanos)],
        Workload::Stream(_) => &[("Streams: CPU time of a message", |s| s.cpu, nanos)],
        Workload::Tasks(_) => &[("Four tasks send: CPU time of a message", |s| s.cpu, nanos)],
        Workload::Trip(_) => &[("Round trips on one core: CPU time", |s| s.cpu, nanos)],
        Workload::TripAcross(_) => &[("Round trips across two cores: time", |s| s.wall, nanos)],
        Workload::Fan(_) => &[("One frame on each connection: CPU time", |s| s.cpu, nanos)],
        Workload::Descriptors => &[("A descriptor with each message: CPU time", |s| s.cpu, nanos)],
        Workload::Mixed => &[
            ("Mixed sizes: CPU time of a message", |s| s.cpu, nanos),
            ("Mixed sizes: peak memory", |s| s.memory, bytes),
        ],
        Workload::Datagrams(..) => &[("Datagrams: CPU time of a message", |s| s.cpu, nanos)],
        Workload::Idle(_) | Workload::Begun(_) | Workload::Waiting(_) => {
            &[("Memory of each connection", |s| s.memory, bytes)]
        }
    }
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
    let mut all: Vec<(Section, Vec<Workload>)> = Vec::new();
    for &workload in &plan.workloads {
        for &section in sections(workload) {
            match all.iter_mut().find(|((title, ..), _)| *title == section.0) {
                Some((_, workloads)) => workloads.push(workload),
                None => all.push((section, vec![workload])),
            }
        }
    }
    for ((title, metric, say), workloads) in all {
        writeln!(text, "## {title}\n\n{}", table(plan, results, &workloads, metric, say))?;
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

fn table(
    plan: &Plan,
    results: &Results,
    workloads: &[Workload],
    metric: Metric,
    say: fn(f64) -> String,
) -> Table {
    let headings = workloads.iter().map(|workload| workload.heading());
    let mut table = Table::new([String::new()].into_iter().chain(headings));
    let mut ways: Vec<Way> = workloads.iter().flat_map(|&w| plan.ways(w)).collect();
    ways.sort_unstable();
    ways.dedup();
    for way in ways {
        let cells = workloads.iter().map(|&workload| {
            let Some(figure) = results.figure(workload, way, metric) else { return "–".into() };
            let median = say(figure.median);
            match results.ratio(workload, way, Way::Plain, metric) {
                Some(_) if way == Way::Plain => format!("{median}: 1"),
                Some(ratio) => {
                    format!(
                        "{median}: {:.2} ({:.2} – {:.2})",
                        ratio.median, ratio.least, ratio.most
                    )
                }
                None => median,
            }
        });
        table.row([way.title().to_owned()].into_iter().chain(cells));
    }
    table
}

fn nanos(number: f64) -> String {
    format!("{} ns", short(number))
}
