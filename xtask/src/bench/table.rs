//! The table of a bench run, for people.

use super::group::{Line, Verdict};
use serde::{Serialize, Serializer};

/// What a row's figures count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    name: &'static str,
    show: fn(f64) -> String,
}

pub(super) const SECONDS: Unit = Unit { name: "seconds", show: show_seconds };

pub(super) const BYTES: Unit = Unit { name: "bytes", show: show_bytes };
pub(super) const COUNT: Unit = Unit { name: "count", show: |count| format!("{count:.0}") };

pub(super) const PER_SECOND: Unit =
    Unit { name: "per second", show: |rate| format!("{:.2} M/s", rate / 1e6) };

fn show_bytes(bytes: f64) -> String {
    match bytes {
        _ if bytes >= 1_048_576.0 => format!("{:.1} MiB", bytes / 1_048_576.0),
        _ => format!("{:.0} KiB", bytes / 1024.0),
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

fn show_seconds(seconds: f64) -> String {
    match seconds {
        _ if seconds >= 1.0 => format!("{seconds:.2} s"),
        _ if seconds >= 0.001 => format!("{:.2} ms", seconds * 1e3),
        _ if seconds >= 0.000_001 => format!("{:.1} µs", seconds * 1e6),
        _ => format!("{:.0} ns", seconds * 1e9),
    }
}

/// Aligned columns; the first and the last are flush left, figures flush right.
pub(super) fn render(lines: &[Line]) -> String {
    let header = ["what", "median", "10 %", "90 %", "ratio", "beside", "goal", ""];
    let mut cells = vec![header.map(str::to_owned).to_vec()];
    for line in lines {
        let show = line.unit.show;
        cells.push(vec![
            line.name.clone(),
            show(line.median),
            show(line.spread[0]),
            show(line.spread[1]),
            line.ratio.map_or_else(String::new, |ratio| format!("{ratio:.2} ×")),
            line.beside.unwrap_or_default().to_owned(),
            line.goal.unwrap_or_default().to_owned(),
            match line.verdict {
                Some(Verdict::Reached) => "ok".to_owned(),
                Some(Verdict::Over) => "OVER".to_owned(),
                None => String::new(),
            },
        ]);
    }
    let width = |column: usize| {
        cells.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let mut table = String::new();
    for row in &cells {
        let mut text = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let figures = (1..=4).contains(&column);
            let padding = " ".repeat(width - cell.chars().count());
            let cell = if figures { padding + cell } else { cell.clone() + &padding };
            text.push_str(&cell);
            text.push_str("  ");
        }
        table.push_str(text.trim_end());
        table.push('\n');
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_figures_have_readable_units() {
        let line = |name: &str, median: f64, ratio: Option<f64>| Line {
            group: "test",
            name: name.to_owned(),
            unit: SECONDS,
            median,
            spread: [median, median * 2.0],
            rounds: 1,
            beside: ratio.map(|_| "floor"),
            ratio,
            goal: ratio.map(|_| "≤ 2 ×"),
            verdict: ratio.map(|_| Verdict::Over),
        };
        let table =
            render(&[line("floor", 0.000_25, None), line("much slower", 1.5, Some(6000.0))]);
        assert_eq!(
            table,
            "\
what           median      10 %      90 %      ratio  beside  goal
floor        250.0 µs  250.0 µs  500.0 µs
much slower    1.50 s    1.50 s    3.00 s  6000.00 ×  floor   ≤ 2 ×  OVER
"
        );
    }
}
