//! Two kinds of charts: lines, and bars.

use std::path::Path;

use anyhow::{Result, anyhow};
use datagrammar_benches::numbers::range;
use plotters::coord::Shift;
use plotters::prelude::*;

/// A way in a chart, and how it looks.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) title: &'static str,
    pub(crate) colour: RGBColor,
    /// In pixels.
    pub(crate) width: u32,
}

/// A line.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) look: Look,
    /// A figure for each place along the axis.
    pub(crate) figures: Vec<f64>,
}

/// A bar.
#[derive(Debug)]
pub(crate) struct Bar {
    pub(crate) look: Look,
    pub(crate) figure: f64,
    /// The figure, as it is written.
    pub(crate) said: String,
}

const FONT: &str = "sans-serif";
const INK: RGBColor = RGBColor(0x33, 0x33, 0x33);
const GRID: RGBColor = RGBColor(0xDD, 0xDD, 0xDD);

/// Draws lines over `places`, on an axis of which each step is as wide. The other one begins at 0.
pub(crate) fn lines(path: &Path, title: &str, places: &[String], lines: &mut [Line]) -> Result<()> {
    const SIZE: (u32, u32) = (860, 420);
    const LEGEND: i32 = 290;
    let all = lines.iter().flat_map(|line| line.figures.iter().copied());
    let (_, most) = range(&all.filter(|figure| figure.is_finite()).collect::<Vec<_>>());
    if places.is_empty() || !most.is_finite() {
        return Ok(());
    }
    // As in the picture, from the top down.
    lines.sort_by(|a, b| b.last().total_cmp(&a.last()));

    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE).map_err(drawing)?;
    write(&area, title, (16, 16), 17)?;
    let (plot, legend) = area.split_horizontally(SIZE.0 as i32 - LEGEND);
    let last = places.len() as f64 - 1.0;
    let mut chart = ChartBuilder::on(&plot)
        .margin(12)
        .margin_top(44)
        .x_label_area_size(30)
        .y_label_area_size(40)
        .build_cartesian_2d(-0.1..last + 0.1, 0.0..most * 1.05)
        .map_err(drawing)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(INK)
        .label_style((FONT, 13).into_font().color(&INK))
        .x_labels(0)
        .y_labels(8)
        .y_label_formatter(&|number| format!("{number}"))
        .draw()
        .map_err(drawing)?;
    for (at, name) in places.iter().enumerate() {
        let (x, y) = chart.backend_coord(&(at as f64, 0.0));
        // About the middle of the text.
        write(&plot, name, (x - 3 * name.len() as i32, y + 8), 13)?;
    }
    for (row, line) in lines.iter().enumerate() {
        let Look { title, colour, width } = line.look;
        let points = line.figures.iter().enumerate().map(|(at, &figure)| (at as f64, figure));
        let points: Vec<_> = points.filter(|(_, figure)| figure.is_finite()).collect();
        chart
            .draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(width)))
            .map_err(drawing)?;
        let dots = points.iter().map(|&point| Circle::new(point, width + 1, colour.filled()));
        chart.draw_series(dots).map_err(drawing)?;
        let y = 48 + 22 * row as i32;
        legend
            .draw(&PathElement::new([(0, y), (24, y)], colour.stroke_width(width)))
            .map_err(drawing)?;
        write(&legend, title, (32, y - 8), 13)?;
    }
    area.present().map_err(drawing)
}

impl Line {
    pub(crate) fn is_seen(&self) -> bool {
        self.figures.iter().any(|figure| figure.is_finite())
    }

    fn last(&self) -> f64 {
        self.figures.iter().copied().rfind(|figure| figure.is_finite()).unwrap_or(0.0)
    }
}

/// Draws panels of bars, one below the other, each with its title.
pub(crate) fn bars(path: &Path, panels: &[(String, Vec<Bar>)]) -> Result<()> {
    const WIDTH: u32 = 860;
    const NAMES: i32 = 290;
    const ROW: i32 = 26;
    const HEAD: i32 = 44;
    let rows: usize = panels.iter().map(|(_, bars)| bars.len()).sum();
    if rows == 0 {
        return Ok(());
    }
    let height = rows as i32 * ROW + panels.len() as i32 * HEAD + 16;
    let area = SVGBackend::new(path, (WIDTH, height as u32)).into_drawing_area();
    area.fill(&WHITE).map_err(drawing)?;
    let mut y = 0;
    for (title, bars) in panels {
        write(&area, title, (16, y + 16), 17)?;
        y += HEAD;
        let most = bars.iter().map(|bar| bar.figure).fold(0.0, f64::max);
        let room = f64::from(WIDTH as i32 - NAMES - 110);
        for Bar { look, figure, said } in bars {
            write(&area, look.title, (16, y + 5), 14)?;
            let end = NAMES + ((figure / most * room) as i32).max(1);
            let shape = Rectangle::new([(NAMES, y + 3), (end, y + ROW - 4)], look.colour.filled());
            area.draw(&shape).map_err(drawing)?;
            write(&area, said, (end + 8, y + 5), 14)?;
            y += ROW;
        }
    }
    area.present().map_err(drawing)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn write(area: &Area<'_>, text: &str, at: (i32, i32), size: i32) -> Result<()> {
    let style = (FONT, size).into_font().color(&INK);
    area.draw(&Text::new(text.to_owned(), at, style)).map_err(drawing)
}

/// The errors of drawing borrow from what is drawn on.
fn drawing(error: impl std::error::Error) -> anyhow::Error {
    anyhow!("a chart cannot be drawn: {error}")
}
