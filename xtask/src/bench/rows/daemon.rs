//! The daemon itself: a cold start, its memory, its rest, and how soon it has found everything again.

use super::super::{
    Bench,
    floors::time_command,
    group::{Goal, Group, Row},
    product::{Product, of_process},
    table::{BYTES, COUNT, SECONDS},
};
use anyhow::ensure;
use std::{
    fs,
    process::{Command, Stdio},
    rc::Rc,
    thread,
    time::{Duration, Instant},
};

/// From no daemon at all to the end of a first run of five steps.
pub(in super::super) fn cold(bench: &Bench) -> anyhow::Result<Group> {
    let product = Rc::new(Product::new(bench)?);
    product.pure("five", 5, false)?;
    let runs = Rc::clone(&product);
    let rows = vec![
        Row {
            name: "bare spawn".to_owned(),
            unit: SECONDS,
            goal: None,
            beside: None,
            measure: Box::new(|| time_command(&mut Command::new("/bin/true"))),
        },
        Row {
            name: "cold: no daemon, until 5 steps have run".to_owned(),
            unit: SECONDS,
            goal: Some(Goal { text: "≤ 40 ms", reached: |median, _| median <= 0.040 }),
            beside: Some("bare spawn"),
            measure: Box::new(move || {
                runs.run(&["daemon", "stop"])?;
                time_command(&mut runs.command(&["run", "five"]))
            }),
        },
    ];
    Ok(Group { rows, fixture: Box::new(product), rounds: 15 })
}

/// How long the daemon is watched at rest.
const REST: Duration = Duration::from_secs(3);

pub(in super::super) fn memory(bench: &Bench) -> anyhow::Result<Group> {
    let product = Product::new(bench)?;
    product.pure("five", 5, false)?;
    product.pure("row", 10_000, false)?;
    product.run(&["run", "five"])?;
    let resident = |product: &Product| {
        Ok::<_, anyhow::Error>(of_process(product.daemon_pid()?, "status", "VmRSS")? * 1024.0)
    };
    let idle = resident(&product)?;
    product.run(&["run", "row"])?;
    let pid = product.daemon_pid()?;
    // What follows the run (files, marks, threads that end) is over soon.
    thread::sleep(Duration::from_secs(5));
    let after = resident(&product)?;
    let before = wake_ups(pid)?;
    thread::sleep(REST);
    let woken = wake_ups(pid)? - before;
    let row = |name: &str, unit, goal, value: f64| Row {
        name: name.to_owned(),
        unit,
        goal: Some(goal),
        beside: None,
        measure: Box::new(move || Ok(value)),
    };
    let mib = 1_048_576.0;
    ensure!(idle > mib, "a daemon in less than a MiB is none");
    let rows = vec![
        row(
            "daemon after its first run (RSS)",
            BYTES,
            Goal { text: "≤ 15 MiB", reached: |median, _| median <= 15.0 * 1_048_576.0 },
            idle,
        ),
        row(
            "daemon after 10,000 tasks (RSS)",
            BYTES,
            Goal { text: "≤ 25 MiB", reached: |median, _| median <= 25.0 * 1_048_576.0 },
            after,
        ),
        row(
            "wake-ups of an idle daemon in 3 s",
            COUNT,
            Goal { text: "none", reached: |median, _| median == 0.0 },
            woken,
        ),
    ];
    Ok(Group { rows, fixture: Box::new(product), rounds: 1 })
}

/// How often the threads of a process have gone to sleep so far.
fn wake_ups(pid: u32) -> anyhow::Result<f64> {
    let mut total = 0.0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))?.flatten() {
        let id: u32 = thread.file_name().to_string_lossy().parse()?;
        total += of_process(id, "status", "voluntary_ctxt_switches")?;
    }
    Ok(total)
}

/// How many agents are under way when the daemon is killed.
const UNDER_WAY: usize = 100;

/// From a kill -9 of the daemon until the next one has found every attempt again, and all have ended.
pub(in super::super) fn recovery(bench: &Bench) -> anyhow::Result<Group> {
    let product = Rc::new(Product::new(bench)?);
    let gate = product.folder.path().join("gate");
    let script = product.folder.path().join("gated.sh");
    fs::write(&script, format!("while [ ! -e {} ]; do sleep 0.05; done\n", gate.display()))?;
    product.agent("gated", "max_load: 1000\n", &["/bin/sh", &script.display().to_string()])?;
    let mut text = "name: gated\ndescription: measured\nsteps:\n".to_owned();
    for number in 0..UNDER_WAY {
        text.push_str(&format!("  - {{ id: s{number}, agent: gated, prompt: wait }}\n"));
    }
    product.write(".orchestra/workflows/gated.yaml", &text)?;
    product.run(&["trust", "--yes"])?;
    let runs = Rc::clone(&product);
    let row = Row {
        name: "kill -9 with 100 agents, until all is found again and ended".to_owned(),
        unit: SECONDS,
        goal: Some(Goal { text: "≤ 5 s", reached: |median, _| median <= 5.0 }),
        beside: None,
        measure: Box::new(move || {
            if gate.exists() {
                fs::remove_file(&gate)?;
            }
            let run = runs.run(&["run", "gated", "--detach"])?;
            let daemon = runs.daemon_pid()?;
            let kill = Command::new("kill").args(["-9", &daemon.to_string()]).status()?;
            ensure!(kill.success(), "the daemon could not be killed");
            fs::write(&gate, "")?;
            let began = Instant::now();
            let watched = runs.command(&["watch", run.trim()]).stdout(Stdio::null()).status()?;
            ensure!(watched.success(), "the run did not succeed after the kill");
            Ok(began.elapsed().as_secs_f64())
        }),
    };
    Ok(Group { rows: vec![row], fixture: Box::new(product), rounds: 3 })
}
