//! The hop of an event inside the engine, beside a bare channel.

use super::super::{
    Bench,
    group::{Goal, Group, Row},
    table::{PER_SECOND, SECONDS, Unit},
};
use crate::checkout::{cargo, output};
use anyhow::Context as _;
use serde_json::Value;

pub(in super::super) fn rows(bench: &Bench) -> anyhow::Result<Group> {
    let printed = output(cargo(&bench.root).args([
        "bench",
        "--quiet",
        "-p",
        "orchestra-engine",
        "--bench",
        "hop",
    ]))?;
    let figures: Value = serde_json::from_slice(&printed).context("read the figures of the hop")?;
    let row = |name: &str, unit: Unit, of: [&str; 2], scale: f64, goal, beside| {
        let value = figures[of[0]][of[1]].as_f64().context("the hop has no such figure")?;
        Ok::<_, anyhow::Error>(Row {
            name: name.to_owned(),
            unit,
            goal,
            beside,
            measure: Box::new(move || Ok(value * scale)),
        })
    };
    let (bare, bare_hop) = ("bare channel, throughput", "bare channel, p99 of a hop");
    let rows = vec![
        row(bare, PER_SECOND, ["channel", "per_second"], 1.0, None, None)?,
        row(
            "publish to subscriber, throughput",
            PER_SECOND,
            ["hub", "per_second"],
            1.0,
            Some(Goal { text: "≥ 4.2 M/s", reached: |median, _| median >= 4.2e6 }),
            Some(bare),
        )?,
        row(bare_hop, SECONDS, ["channel", "p99_ns"], 1e-9, None, None)?,
        row(
            "publish to subscriber, p99 of a hop",
            SECONDS,
            ["hub", "p99_ns"],
            1e-9,
            Some(Goal { text: "≤ 200 ns", reached: |median, _| median <= 200e-9 }),
            Some(bare_hop),
        )?,
    ];
    Ok(Group { rows, fixture: Box::new(()), rounds: 1 })
}
