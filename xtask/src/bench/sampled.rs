//! Rows that a bench of a crate has measured already: it prints the seconds of every round, by row.

use super::{
    Bench,
    group::{Goal, Group, Row},
    table::SECONDS,
};
use crate::checkout::{cargo, output};
use anyhow::{Context as _, ensure};
use std::{collections::BTreeMap, ffi::OsStr};

/// What a bench has measured.
pub(super) struct Sampled(BTreeMap<String, Vec<f64>>);

impl Sampled {
    /// Runs a bench with these arguments.
    pub(super) fn run<A: AsRef<OsStr>>(
        bench: &Bench,
        package: &str,
        name: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> anyhow::Result<Self> {
        let mut cargo = cargo(&bench.root);
        cargo.args(["bench", "--quiet", "-p", package, "--bench", name, "--"]);
        let printed = output(cargo.args(arguments))?;
        let samples = serde_json::from_slice(&printed);
        samples.map(Self).with_context(|| format!("read the figures of {package}, {name}"))
    }

    /// A row of what it has measured.
    pub(super) fn row(
        &self,
        name: &str,
        goal: Option<Goal>,
        beside: Option<&'static str>,
    ) -> anyhow::Result<Row> {
        let samples = self.0.get(name).with_context(|| format!("nobody has measured {name}"))?;
        let mut samples = samples.clone().into_iter();
        Ok(Row {
            name: name.to_owned(),
            unit: SECONDS,
            goal,
            beside,
            measure: Box::new(move || samples.next().context("it was not measured so often")),
        })
    }

    /// These rows, as often as they were measured.
    pub(super) fn group(self, rows: Vec<Row>) -> anyhow::Result<Group> {
        let measured = self.0.values().map(Vec::len).min().unwrap_or_default();
        ensure!(measured > 1, "a median needs at least one round besides the first");
        Ok(Group { rows, fixture: Box::new(()), rounds: measured - 1 })
    }
}
