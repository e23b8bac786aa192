//! Rows that are measured together: in turns, so that a busy moment of the machine hits all alike.

use super::table::Unit;
use anyhow::Context as _;
use serde::Serialize;
use std::any::Any;

/// Measures a row once, in its unit.
pub(super) type Measure = Box<dyn FnMut() -> anyhow::Result<f64>>;

pub(super) struct Row {
    pub(super) name: String,
    pub(super) unit: Unit,
    /// Floors and peers have none: others are held against them.
    pub(super) goal: Option<Goal>,
    /// The row of the same group that this one is divided by.
    pub(super) beside: Option<&'static str>,
    pub(super) measure: Measure,
}

pub(super) struct Goal {
    /// As a person reads it, such as `≤ 3 × bare spawn`.
    pub(super) text: &'static str,
    /// Judges the median, in the row's unit, and its ratio to the median of the row beside it,
    /// which is 1 when there is none.
    pub(super) reached: fn(median: f64, ratio: f64) -> bool,
}

pub(super) struct Group {
    pub(super) rows: Vec<Row>,
    /// What has to live while the rows are measured, such as a daemon.
    pub(super) fixture: Box<dyn Any>,
    /// Rounds at most, for rows that take long.
    pub(super) rounds: usize,
}

/// One row of the printed table.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) group: &'static str,
    pub(super) name: String,
    pub(super) unit: Unit,
    pub(super) median: f64,
    /// The first and the ninth decile.
    pub(super) spread: [f64; 2],
    pub(super) rounds: usize,
    pub(super) beside: Option<&'static str>,
    pub(super) ratio: Option<f64>,
    pub(super) goal: Option<&'static str>,
    pub(super) verdict: Option<Verdict>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Reached,
    Over,
}

impl Group {
    /// Measures every row once to warm up, then `rounds` times in turns with the others.
    pub(super) fn measure(self, group: &'static str, rounds: usize) -> anyhow::Result<Vec<Line>> {
        let Self { mut rows, fixture, rounds: at_most } = self;
        let rounds = rounds.min(at_most);
        let mut samples = vec![Vec::with_capacity(rounds); rows.len()];
        for round in 0..=rounds {
            for (row, samples) in rows.iter_mut().zip(&mut samples) {
                let sample = (row.measure)().with_context(|| format!("measure {}", row.name))?;
                if round > 0 {
                    samples.push(sample);
                }
            }
        }
        drop(fixture);
        for samples in &mut samples {
            samples.sort_by(f64::total_cmp);
        }
        let medians: Vec<f64> = samples.iter().map(|samples| decile(samples, 5)).collect();
        rows.iter()
            .zip(&samples)
            .map(|(row, samples)| {
                let ratio = match row.beside {
                    Some(beside) => {
                        let index = rows.iter().position(|other| other.name == beside);
                        let index = index.with_context(|| {
                            format!("{}: there is no row {beside} in {group}", row.name)
                        })?;
                        Some(decile(samples, 5) / medians[index])
                    }
                    None => None,
                };
                Ok(line(group, row, samples, ratio))
            })
            .collect()
    }
}

fn line(group: &'static str, row: &Row, samples: &[f64], ratio: Option<f64>) -> Line {
    let median = decile(samples, 5);
    let verdict = row.goal.as_ref().map(|goal| {
        let reached = (goal.reached)(median, ratio.unwrap_or(1.0));
        if reached { Verdict::Reached } else { Verdict::Over }
    });
    Line {
        group,
        name: row.name.clone(),
        unit: row.unit,
        median,
        spread: [decile(samples, 1), decile(samples, 9)],
        rounds: samples.len(),
        beside: row.beside,
        ratio,
        goal: row.goal.as_ref().map(|goal| goal.text),
        verdict,
    }
}

/// The sample at so many tenths of a sorted, non-empty list.
fn decile(sorted: &[f64], tenths: usize) -> f64 {
    sorted[(sorted.len() - 1) * tenths / 10]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::table::SECONDS;

    fn row(name: &str, beside: Option<&'static str>, values: &'static [f64]) -> Row {
        let mut values = values.iter();
        Row {
            name: name.to_owned(),
            unit: SECONDS,
            goal: beside.map(|_| Goal {
                text: "≤ 2 × floor",
                reached: |median, ratio| ratio <= 2.0 && median > 0.0,
            }),
            beside,
            measure: Box::new(move || values.next().copied().context("measured too often")),
        }
    }

    #[test]
    fn medians_are_compared_and_the_warm_up_does_not_count() {
        let rows = vec![
            row("floor", None, &[90.0, 1.0, 3.0, 2.0]),
            row("fast", Some("floor"), &[90.0, 5.0, 4.0, 4.0]),
            row("slow", Some("floor"), &[0.0, 5.0, 4.0, 6.0]),
        ];
        let lines =
            Group { rows, fixture: Box::new(()), rounds: usize::MAX }.measure("test", 3).unwrap();

        let shown: Vec<_> =
            lines.iter().map(|line| (line.median, line.ratio, line.verdict)).collect();
        assert_eq!(
            shown,
            [
                (2.0, None, None),
                (4.0, Some(2.0), Some(Verdict::Reached)),
                (5.0, Some(2.5), Some(Verdict::Over)),
            ]
        );
    }

    #[test]
    fn a_row_beside_one_that_is_missing_is_an_error() {
        let rows = vec![row("alone", Some("floor"), &[1.0, 1.0])];
        let error = Group { rows, fixture: Box::new(()), rounds: usize::MAX }
            .measure("test", 1)
            .unwrap_err();
        assert_eq!(error.to_string(), "alone: there is no row floor in test");
    }
}
