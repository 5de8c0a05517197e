//! The report: everything that was measured, in Markdown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Result;
use datagrammar_benches::requirement::Requirement;

use crate::machine;
use crate::plan::{self, Absence, Plan};
use crate::results::{Metric, Results, allocations, cpu, memory, rate, wall};
use crate::table::{Table, bytes, short};
use crate::trace::Side;
use crate::ways::Way;
use crate::workload::{Workload, said};

/// Columns of one table: a workload each, and what it is called.
type Columns = Vec<(Workload, String)>;

/// What all figures of a table are divided by: those of a way, or of a column.
#[derive(Clone, Copy)]
enum Unit {
    /// By nothing: medians, with the least and the most.
    Plain(fn(f64) -> String),
    /// By the figure of that way in the same column.
    Way(Way),
    /// By the figure of that workload in the same row.
    Column(Workload),
}

/// Writes the report.
pub(crate) fn write(
    plan: &Plan,
    results: &Results,
    requirements: &[Requirement],
) -> Result<String> {
    let mut text = String::from("# Measured side by side\n\n");
    writeln!(text, "{}.\n", machine::describe())?;
    if plan.quick {
        text.push_str("**A quick run: its figures mean nothing.**\n\n");
    }
    text.push_str(include_str!("report.md"));
    required(&mut text, requirements)?;
    if !results.remarks.is_empty() {
        text.push_str("## Remarks\n\n");
        for remark in &results.remarks {
            writeln!(text, "- {remark}")?;
        }
        text.push('\n');
    }

    let sizes = |pick: fn(Workload) -> Option<usize>, name: fn(usize) -> String| -> Columns {
        let workloads = plan.of(pick).into_iter();
        workloads.map(|(workload, number)| (workload, name(number))).collect()
    };
    let bursts = sizes(|w| if let Workload::Burst(len) = w { Some(len) } else { None }, said);
    let streams = sizes(|w| if let Workload::Stream(len) = w { Some(len) } else { None }, said);
    let trips = sizes(|w| if let Workload::Trip(len) = w { Some(len) } else { None }, said);
    let large = sizes(
        |w| if let Workload::Large(mib) = w { Some(mib) } else { None },
        |mib| format!("{mib} MiB"),
    );
    let idle = sizes(|w| if let Workload::Idle(n) = w { Some(n) } else { None }, many);
    let fan = sizes(|w| if let Workload::Fan(n) = w { Some(n) } else { None }, many);
    let flock = sizes(|w| if let Workload::Flock(n) = w { Some(n) } else { None }, many);
    let one = |workload: Workload, name: &str| -> Columns {
        let measured = plan.workloads.contains(&workload);
        measured.then(|| (workload, name.to_owned())).into_iter().collect()
    };
    let (descriptors, mixed) = (one(Workload::Descriptors, "16 B"), one(Workload::Mixed, "mixed"));
    let after = one(Workload::After, "after 256 MiB");

    let mut section = Section { text: &mut text, results };
    let ours = Unit::Way(Way::TypedAll);
    section.table("Bursts: CPU ns for a message", &bursts, cpu, Unit::Plain(short))?;
    section.table("Bursts: CPU, datagrammar with send_all = 1", &bursts, cpu, ours)?;
    section.table("Bursts: allocations for a message", &bursts, allocations, Unit::Plain(short))?;
    section.table("Streams: messages a second", &streams, rate, Unit::Plain(short))?;
    section.table("Streams: speed, datagrammar with send_all = 1", &streams, rate, ours)?;
    section.table("Streams: CPU ns for a message", &streams, cpu, Unit::Plain(short))?;
    let ours = Unit::Way(Way::TypedEach);
    section.table("Round trips: CPU ns", &trips, cpu, Unit::Plain(short))?;
    section.table("Round trips: CPU, datagrammar = 1", &trips, cpu, ours)?;
    section.table("Round trips: time in ns", &trips, wall, Unit::Plain(short))?;
    section.table("Large messages: CPU ns for a message", &large, cpu, Unit::Plain(short))?;
    section.table("Large messages: time, datagrammar = 1", &large, wall, ours)?;
    section.table("Large messages: peak memory", &large, memory, Unit::Plain(bytes))?;
    section.table(
        "A descriptor with each message: CPU ns",
        &descriptors,
        cpu,
        Unit::Plain(short),
    )?;
    section.table("Mixed stream: CPU ns for a message", &mixed, cpu, Unit::Plain(short))?;
    section.table("Mixed stream: messages a second", &mixed, rate, Unit::Plain(short))?;
    section.table("Mixed stream: peak memory", &mixed, memory, Unit::Plain(bytes))?;
    section.table("Idle connections: memory of each", &idle, memory, Unit::Plain(bytes))?;
    section.table("Memory kept after 256 MiB", &after, memory, Unit::Plain(bytes))?;
    for (what, columns, ten) in [
        ("one frame on each", &fan, Workload::Fan(10)),
        ("eight on each", &flock, Workload::Flock(10)),
    ] {
        let title = format!("Many connections, {what}: CPU ns for a frame");
        section.table(&title, columns, cpu, Unit::Plain(short))?;
        let title = format!("Many connections, {what}: CPU, of 10 connections = 1");
        section.table(&title, columns, cpu, Unit::Column(ten))?;
    }
    section.syscalls(plan)?;
    section.copies(plan)?;
    Ok(text)
}

fn many(connections: usize) -> String {
    connections.to_string()
}

fn required(text: &mut String, requirements: &[Requirement]) -> Result<()> {
    let mut table = Table::new(["required", "measured", "bound", ""].map(String::from));
    for requirement in requirements {
        let measured = requirement.number;
        let measured = if measured.is_nan() { "n/a".into() } else { format!("{measured:.3}") };
        table.row([
            requirement.what.clone(),
            measured,
            requirement.bound(),
            requirement.verdict().into(),
        ]);
    }
    writeln!(text, "## Requirements\n\n{table}")?;
    Ok(())
}

struct Section<'a> {
    text: &'a mut String,
    results: &'a Results,
}

impl Section<'_> {
    /// A table of one figure, for all the workloads of a kind.
    fn table(&mut self, title: &str, columns: &Columns, metric: Metric, unit: Unit) -> Result<()> {
        let Some(&(first, _)) = columns.first() else { return Ok(()) };
        let names = columns.iter().map(|(_, name)| name.clone());
        let mut table = Table::new([String::new()].into_iter().chain(names));
        let mut notes = BTreeMap::<String, BTreeSet<&str>>::new();
        for way in plan::shown(first) {
            let mut cells = vec![way.title().to_owned()];
            for &(workload, _) in columns {
                cells.push(self.cell(workload, way, metric, unit));
                if let Some(Absence::Cannot(why)) = plan::absence(way, workload) {
                    notes.entry(why.into()).or_default().insert(way.title());
                }
                if let Some(why) = self.results.failure(workload, way) {
                    let why = format!("{workload} fails: {why}");
                    notes.entry(why).or_default().insert(way.title());
                }
            }
            table.row(cells);
        }
        writeln!(self.text, "## {title}\n\n{table}")?;
        for (why, ways) in notes {
            let ways: Vec<&str> = ways.into_iter().collect();
            writeln!(self.text, "{}: {why}.", ways.join("; "))?;
        }
        self.text.push('\n');
        Ok(())
    }

    fn cell(&self, workload: Workload, way: Way, metric: Metric, unit: Unit) -> String {
        if self.results.failure(workload, way).is_some() {
            return "fails".into();
        }
        let Some(figure) = self.results.figure(workload, way, metric) else { return "n/a".into() };
        let other = match unit {
            Unit::Plain(say) => {
                let (median, least) = (say(figure.median), say(figure.least));
                let most = say(figure.most);
                if least == most {
                    return median;
                }
                return format!("{median} ({least} – {most})");
            }
            Unit::Way(other) => self.results.median(workload, other, metric),
            Unit::Column(other) => self.results.median(other, way, metric),
        };
        let ratio = figure.median / other;
        if ratio.is_nan() { "n/a".into() } else { format!("{ratio:.2}") }
    }

    fn syscalls(&mut self, plan: &Plan) -> Result<()> {
        let syscalls = &self.results.syscalls;
        let counted = |workload: &&Workload| syscalls.keys().any(|(with, ..)| with == *workload);
        let workloads: Vec<Workload> = plan.workloads.iter().filter(counted).copied().collect();
        if workloads.is_empty() {
            return Ok(());
        }
        let names = workloads.iter().map(Workload::to_string);
        let mut table = Table::new([String::new()].into_iter().chain(names));
        let each = |workload, way, side| {
            syscalls.get(&(workload, way, side)).copied().map_or("0".into(), short)
        };
        let ways: BTreeSet<Way> = syscalls.keys().map(|&(_, way, _)| way).collect();
        for way in ways {
            let cells = workloads.iter().map(|&workload| {
                if !syscalls.keys().any(|&(w, y, _)| (w, y) == (workload, way)) {
                    return "n/a".into();
                }
                let [sent, received] =
                    [Side::Sender, Side::Receiver].map(|side| each(workload, way, side));
                format!("{sent} + {received}")
            });
            table.row([way.title().to_owned()].into_iter().chain(cells));
        }
        let title = "System calls for a message, sender + receiver (of round trips: both in each)";
        writeln!(self.text, "## {title}\n\n{table}")?;
        Ok(())
    }

    fn copies(&mut self, plan: &Plan) -> Result<()> {
        let copies = &self.results.copies;
        let counted = |workload: &&Workload| copies.keys().any(|(with, _)| with == *workload);
        let workloads: Vec<Workload> = plan.workloads.iter().filter(counted).copied().collect();
        if workloads.is_empty() {
            return Ok(());
        }
        let names = workloads.iter().map(Workload::to_string);
        let mut table = Table::new([String::new()].into_iter().chain(names));
        let ways: BTreeSet<Way> = copies.keys().map(|&(_, way)| way).collect();
        for way in ways {
            let cells = workloads
                .iter()
                .map(|&workload| copies.get(&(workload, way)).copied().map_or("n/a".into(), short));
            table.row([way.title().to_owned()].into_iter().chain(cells));
        }
        writeln!(self.text, "## Bytes copied in user space for a message, both sides\n\n{table}")?;
        Ok(())
    }
}
