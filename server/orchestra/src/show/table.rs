//! Tables: aligned columns on a terminal, tab-separated fields in a pipe.

use console::{Alignment, measure_text_width, pad_str};
use std::io::IsTerminal as _;

pub(crate) struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(header: &[&str]) -> Self {
        Self { header: header.iter().map(ToString::to_string).collect(), rows: Vec::new() }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        // A cell is one line whatever was put into it.
        self.rows.push(cells.map(|cell| cell.replace(['\n', '\t', '\r'], " ")).to_vec());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(crate) fn print(&self) {
        if std::io::stdout().is_terminal() {
            anstream::print!("{}", self.aligned(console::Term::stdout().size().1.into()));
        } else {
            anstream::print!("{}", self.fields());
        }
    }

    /// A line per row, with tabs between its fields.
    pub(crate) fn fields(&self) -> String {
        self.rows.iter().map(|row| row.join("\t") + "\n").collect()
    }

    /// Columns as wide as their widest cell; the last one takes what is left of `width`.
    fn aligned(&self, width: usize) -> String {
        let lines = || std::iter::once(&self.header).chain(&self.rows);
        let mut widths = vec![0; self.header.len()];
        for line in lines() {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(measure_text_width(cell));
            }
        }
        if let Some((last, others)) = widths.split_last_mut() {
            let left = width.saturating_sub(others.iter().map(|width| width + 2).sum());
            *last = (*last).min(left.max(20));
        }
        let mut text = String::new();
        for line in lines() {
            let cells: Vec<_> = line
                .iter()
                .zip(&widths)
                .map(|(cell, width)| pad_str(cell, *width, Alignment::Left, Some("…")))
                .collect();
            text.push_str(cells.join("  ").trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_the_last_one_is_cut() {
        let mut table = Table::new(&["id", "what"]);
        table.row(["r1".to_owned(), "short".to_owned()]);
        table.row(["r12".to_owned(), "a\nlong line that does not fit the terminal".to_owned()]);
        assert_eq!(table.aligned(30), "id   what\nr1   short\nr12  a long line that does no…\n");
    }
}
