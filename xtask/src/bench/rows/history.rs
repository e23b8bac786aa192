//! Commands of the command line, whole processes, with a long history behind them.

use super::super::{
    Bench,
    floors::time_command,
    group::{Goal, Group, Measure, Row},
    product::Product,
    table::SECONDS,
};
use std::{process::Command, rc::Rc};

/// How many tasks a run of the history has.
const RUN: usize = 10_000;

pub(in super::super) fn rows(bench: &Bench) -> anyhow::Result<Group> {
    let product = Rc::new(Product::new(bench)?);
    product.pure("long", RUN.min(bench.tasks), false)?;
    product.agent("idle", "max_load: 1000\n", &["true"])?;
    product.run(&["trust", "--yes"])?;
    for _ in 0..bench.tasks.div_ceil(RUN) {
        product.run(&["run", "long"])?;
    }
    let row = |name: &str, goal: Option<Goal>, arguments: &'static [&'static str]| {
        let product = Rc::clone(&product);
        let measure: Measure = Box::new(move || time_command(&mut product.command(arguments)));
        let name = format!("{name}, {} tasks", bench.tasks);
        Row { name, unit: SECONDS, goal, beside: Some("bare spawn"), measure }
    };
    let within_20 = || Goal { text: "≤ 20 ms", reached: |median, _| median <= 0.020 };
    let rows = vec![
        Row {
            name: "bare spawn".to_owned(),
            unit: SECONDS,
            goal: None,
            beside: None,
            measure: Box::new(|| time_command(&mut Command::new("/bin/true"))),
        },
        row(
            "status",
            Some(Goal { text: "≤ 10 ms", reached: |median, _| median <= 0.010 }),
            &["status"],
        ),
        row("status --status failed", Some(within_20()), &["status", "--status", "failed"]),
        row("show r1", Some(within_20()), &["show", "r1"]),
        row("show r1.9", Some(within_20()), &["show", "r1.9"]),
        row(
            "start, recorded and answered",
            Some(Goal { text: "≤ 5 ms", reached: |median, _| median <= 0.005 }),
            &["start", "idle", "nothing"],
        ),
    ];
    Ok(Group { rows, fixture: Box::new(product), rounds: 15 })
}
