//! Tables in Markdown, aligned to be read as they are.

use std::fmt::{self, Write as _};

/// A column of names, and columns of figures.
#[derive(Debug, Default)]
pub(crate) struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(columns: impl IntoIterator<Item = String>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    /// Adds a row with a cell for each column.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut widths: Vec<usize> = self.columns.iter().map(|cell| width(cell)).collect();
        for row in &self.rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = width(cell).max(*widest);
            }
        }
        line(f, &self.columns, &widths)?;
        f.write_char('|')?;
        for (place, &width) in widths.iter().enumerate() {
            // Figures are aligned to the right.
            let end = if place == 0 { "-" } else { ":" };
            write!(f, " {}{end} |", "-".repeat(width.saturating_sub(1)))?;
        }
        f.write_char('\n')?;
        self.rows.iter().try_for_each(|row| line(f, row, &widths))
    }
}

fn line(f: &mut fmt::Formatter<'_>, cells: &[String], widths: &[usize]) -> fmt::Result {
    f.write_char('|')?;
    for (place, (cell, &widest)) in cells.iter().zip(widths).enumerate() {
        let space = " ".repeat(widest.saturating_sub(width(cell)));
        if place == 0 {
            write!(f, " {cell}{space} |")?;
        } else {
            write!(f, " {space}{cell} |")?;
        }
    }
    f.write_char('\n')
}

fn width(cell: &str) -> usize {
    cell.chars().count()
}

/// Writes a number with about three digits.
pub(crate) fn short(number: f64) -> String {
    match number {
        _ if !number.is_finite() => "n/a".into(),
        _ if number == 0.0 => "0".into(),
        _ if number.abs() >= 100.0 => format!("{number:.0}"),
        _ if number.abs() >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

/// Writes a number of bytes.
pub(crate) fn bytes(number: f64) -> String {
    const KIB: f64 = 1024.0;
    match number {
        _ if !number.is_finite() => "n/a".into(),
        _ if number >= KIB * KIB => format!("{} MiB", short(number / KIB / KIB)),
        _ if number >= 10.0 * KIB => format!("{} KiB", short(number / KIB)),
        _ => format!("{number:.0} B"),
    }
}
