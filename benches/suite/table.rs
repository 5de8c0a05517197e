//! Tables in Markdown, aligned to be read as they are.

use std::fmt::{self, Write as _};

/// A column of names, and columns of figures. The first row is the headings.
#[derive(Debug)]
pub(crate) struct Table(Vec<Vec<String>>);

impl Table {
    pub(crate) fn new(headings: impl IntoIterator<Item = String>) -> Self {
        Self(vec![headings.into_iter().collect()])
    }

    /// Adds a row with a cell for each column.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.0.push(cells.into_iter().collect());
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.0.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, row) in self.0.iter().enumerate() {
            for (column, cell) in row.iter().enumerate() {
                let width = self.width(column);
                // Names are aligned to the left, figures to the right.
                match column {
                    0 => write!(f, "| {cell:width$} |")?,
                    _ => write!(f, " {cell:>width$} |")?,
                }
            }
            f.write_char('\n')?;
            if number == 0 {
                for column in 0..row.len() {
                    let line = "-".repeat(self.width(column).saturating_sub(1));
                    write!(
                        f,
                        "{}",
                        if column == 0 { format!("| {line}- |") } else { format!(" {line}: |") }
                    )?;
                }
                f.write_char('\n')?;
            }
        }
        Ok(())
    }
}

/// Writes a number with about three digits.
pub(crate) fn short(number: f64) -> String {
    match number {
        _ if number >= 100.0 => format!("{number:.0}"),
        _ if number >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

/// Writes a number of bytes.
pub(crate) fn bytes(number: f64) -> String {
    const KIB: f64 = 1024.0;
    match number {
        _ if number >= KIB * KIB => format!("{} MiB", short(number / KIB / KIB)),
        _ if number >= 10.0 * KIB => format!("{} KiB", short(number / KIB)),
        _ => format!("{number:.0} B"),
    }
}
