//! Which charts there are, of what.

use std::path::Path;

use anyhow::Result;
use plotters::style::RGBColor;

use crate::charts::{self, Bar, Line, Look};
use crate::plan::{self, Plan};
use crate::results::{Metric, Results, cpu, memory, rate};
use crate::table::{bytes, short};
use crate::ways::Way;
use crate::workload::{Workload, said};

/// Draws all of them.
pub(crate) fn draw(out: &Path, plan: &Plan, results: &Results) -> Result<()> {
    let bursts = plan.of(|w| if let Workload::Burst(len) = w { Some(len) } else { None });
    let streams = plan.of(|w| if let Workload::Stream(len) = w { Some(len) } else { None });
    let fan = plan.of(|w| if let Workload::Fan(n) = w { Some(n) } else { None });
    let chart = Charts { out, results };
    let by_hand = |metric: Metric| {
        move |workload, way| {
            let of = |way| results.median(workload, way, metric);
            of(way) / of(Way::Buffered)
        }
    };
    let json = "Bursts: CPU for a message, a loop by hand = 1 (JSON is far above)";
    chart.lines("bursts.svg", json, &bursts, said, |workload, way| match way {
        Way::Tube => f64::NAN,
        _ => by_hand(cpu)(workload, way),
    })?;
    let speed = "Streams: messages a second, a loop by hand = 1";
    chart.lines("streams.svg", speed, &streams, said, by_hand(rate))?;
    let growth = "CPU for a frame, by the number of connections, with ten = 1";
    chart.lines(
        "connections.svg",
        growth,
        &fan,
        |number| number.to_string(),
        |workload, way| {
            let of = |workload| results.median(workload, way, cpu);
            of(workload) / of(Workload::Fan(10))
        },
    )?;
    chart.bars(
        "trips.svg",
        plan,
        &[("Round trip of 16 B: CPU µs, both sides", Workload::Trip(16), cpu, micros)],
    )?;
    chart.bars(
        "mixed.svg",
        plan,
        &[
            ("Mixed stream, 300 B to 4 MiB: CPU µs for a message", Workload::Mixed, cpu, micros),
            ("Peak memory, both sides", Workload::Mixed, memory, bytes),
        ],
    )?;
    chart.bars(
        "memory.svg",
        plan,
        &[
            ("Memory of each of 10,000 idle connections", Workload::Idle(10_000), memory, bytes),
            ("Memory kept after a message of 256 MiB", Workload::After, memory, bytes),
        ],
    )
}

struct Charts<'a> {
    out: &'a Path,
    results: &'a Results,
}

/// A title, what it is of, and how its figures are written.
type Panel = (&'static str, Workload, Metric, fn(f64) -> String);

impl Charts<'_> {
    fn lines(
        &self,
        file: &str,
        title: &str,
        workloads: &[(Workload, usize)],
        name: fn(usize) -> String,
        figure: impl Fn(Workload, Way) -> f64,
    ) -> Result<()> {
        let Some(&(first, _)) = workloads.first() else { return Ok(()) };
        let line = |way| {
            let figures = workloads.iter().map(|&(workload, _)| figure(workload, way));
            Line { look: look(way), figures: figures.collect() }
        };
        let lines = plan::ways(first).into_iter().map(line);
        let mut lines: Vec<Line> = lines.filter(Line::is_seen).collect();
        let places: Vec<String> = workloads.iter().map(|&(_, number)| name(number)).collect();
        charts::lines(&self.out.join(file), title, &places, &mut lines)
    }

    fn bars(&self, file: &str, plan: &Plan, panels: &[Panel]) -> Result<()> {
        let measured = panels.iter().filter(|(_, workload, ..)| plan.workloads.contains(workload));
        let panels = measured.map(|&(title, workload, metric, say)| {
            let figures = plan::ways(workload).into_iter().filter_map(|way| {
                let figure = self.results.figure(workload, way, metric)?.median;
                Some(Bar { look: look(way), figure, said: say(figure) })
            });
            let mut bars: Vec<Bar> = figures.collect();
            bars.sort_by(|a, b| a.figure.total_cmp(&b.figure));
            (title.to_owned(), bars)
        });
        charts::bars(&self.out.join(file), &panels.collect::<Vec<_>>())
    }
}

fn micros(nanos: f64) -> String {
    short(nanos / 1000.0)
}

/// Ours are blue and broad, what is no peer is grey, and each peer has a colour of its own.
fn look(way: Way) -> Look {
    let (red, green, blue) = match way {
        Way::TypedAll => (0x0B, 0x5F, 0xCC),
        Way::TypedEach => (0x4F, 0x9B, 0xF0),
        Way::TypedOne => (0x9C, 0xC8, 0xFA),
        Way::Floor => (0x77, 0x77, 0x77),
        Way::Bare => (0xAA, 0xAA, 0xAA),
        Way::Buffered => (0x8C, 0x6D, 0x31),
        Way::Peeked => (0xC9, 0xA8, 0x5C),
        Way::Uds => (0xD6, 0x2D, 0x20),
        Way::IpcChannel => (0xE6, 0x7E, 0x22),
        Way::TokioSeqpacket => (0x2E, 0x8B, 0x57),
        Way::TokioUnixIpc => (0x7B, 0x3F, 0xA0),
        Way::Tarpc => (0x00, 0x9E, 0x9E),
        Way::Tube => (0xD1, 0x4F, 0x97),
    };
    let width = if way.is_ours() { 3 } else { 2 };
    Look { title: way.title(), colour: RGBColor(red, green, blue), width }
}
