//! Runs of many small steps: pure ones inside the daemon, and ones with a process.

use super::super::{
    Bench,
    floors::{append_durably, append_to, time, time_command},
    group::{Goal, Group, Row},
    product::{Connection, Product},
    table::SECONDS,
};
use anyhow::ensure;
use serde_json::json;
use std::{cell::RefCell, process::Command, rc::Rc};

struct Pure {
    product: Product,
    connection: Connection,
}

impl Pure {
    fn new(bench: &Bench) -> anyhow::Result<Rc<RefCell<Self>>> {
        let product = Product::new(bench)?;
        let connection = product.connect()?;
        Ok(Rc::new(RefCell::new(Self { product, connection })))
    }

    /// From the command until its answer: every step of it is durable then.
    fn run(&mut self, workflow: &str) -> anyhow::Result<f64> {
        let key = self.product.key();
        let command = json!({ "type": "run", "workflow": workflow });
        time(|| self.connection.command(&key, &command).map(drop))
    }
}

fn sync_row(product: &Product) -> anyhow::Result<Row> {
    let mut file = append_to(&product.folder.path().join("sync"))?;
    Ok(Row {
        name: "4 KiB and fsync".to_owned(),
        unit: SECONDS,
        goal: None,
        beside: None,
        measure: Box::new(move || time(|| append_durably(&mut file))),
    })
}

/// Five steps in a row and a thousand at once, each run answered when it is durable as a whole.
pub(in super::super) fn pure(bench: &Bench) -> anyhow::Result<Group> {
    let pure = Pure::new(bench)?;
    pure.borrow().product.pure("five", 5, false)?;
    pure.borrow().product.pure("thousand", 1_000, true)?;
    let row = |name: &str, workflow: &'static str, goal| {
        let pure = Rc::clone(&pure);
        Row {
            name: name.to_owned(),
            unit: SECONDS,
            goal: Some(goal),
            beside: Some("4 KiB and fsync"),
            measure: Box::new(move || pure.borrow_mut().run(workflow)),
        }
    };
    let rows = vec![
        sync_row(&pure.borrow().product)?,
        row(
            "5 pure steps, durable",
            "five",
            Goal { text: "≤ 1.0 ms", reached: |median, _| median <= 0.001 },
        ),
        row(
            "1,000 parallel pure steps and a join, durable",
            "thousand",
            Goal { text: "≤ 45 ms", reached: |median, _| median <= 0.045 },
        ),
    ];
    Ok(Group { rows, fixture: Box::new(pure), rounds: usize::MAX })
}

/// Ten thousand steps in a row.
pub(in super::super) fn many(bench: &Bench) -> anyhow::Result<Group> {
    let pure = Pure::new(bench)?;
    pure.borrow().product.pure("row", 10_000, false)?;
    let rows = vec![sync_row(&pure.borrow().product)?, {
        let pure = Rc::clone(&pure);
        Row {
            name: "10,000 pure steps in a row, durable".to_owned(),
            unit: SECONDS,
            goal: Some(Goal {
                text: "≤ 2 s (5,000 a second)", reached: |median, _| median <= 2.0
            }),
            beside: Some("4 KiB and fsync"),
            measure: Box::new(move || pure.borrow_mut().run("row")),
        }
    }];
    Ok(Group { rows, fixture: Box::new(pure), rounds: 5 })
}

/// Five agents in a row, beside what the machine itself takes for as many processes and syncs.
pub(in super::super) fn spawned(bench: &Bench) -> anyhow::Result<Group> {
    let product = Rc::new(Product::new(bench)?);
    product.agent("nothing", "max_load: 8\n", &["true"])?;
    let mut text = "name: spawned\ndescription: measured\npattern: sequential\nsteps:\n".to_owned();
    for number in 0..5 {
        text.push_str(&format!("  - {{ id: s{number}, agent: nothing, prompt: nothing }}\n"));
    }
    product.write(".orchestra/workflows/spawned.yaml", &text)?;
    product.run(&["trust", "--yes"])?;
    product.run(&["daemon", "start"])?;
    let mut file = append_to(&product.folder.path().join("sync"))?;
    let floor = Row {
        name: "5 × (3 spawns + 4 syncs)".to_owned(),
        unit: SECONDS,
        goal: None,
        beside: None,
        measure: Box::new(move || {
            let mut total = 0.0;
            for _ in 0..5 {
                for _ in 0..3 {
                    total += time_command(&mut Command::new("/bin/true"))?;
                }
                for _ in 0..4 {
                    total += time(|| append_durably(&mut file))?;
                }
            }
            Ok(total)
        }),
    };
    let runs = Rc::clone(&product);
    let row = Row {
        name: "5 spawned steps in a row, each in its clone".to_owned(),
        unit: SECONDS,
        goal: Some(Goal { text: "≤ 1 × the floor", reached: |_, ratio| ratio <= 1.0 }),
        beside: Some("5 × (3 spawns + 4 syncs)"),
        measure: Box::new(move || {
            let mut command = runs.command(&["run", "spawned"]);
            let took = time_command(&mut command)?;
            ensure!(took > 0.0, "no time has passed");
            Ok(took)
        }),
    };
    Ok(Group { rows: vec![floor, row], fixture: Box::new(product), rounds: 15 })
}
