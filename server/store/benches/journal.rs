//! What the journal costs, beside what the disk costs in the same run.

use orchestra_core::{
    event::{AttemptStarted, Event, EventBody},
    ids::{AttemptId, RunId, TaskId},
    outcome::{Output, TaskOutcome},
    plan::{Executor, Lane, Plan, PlannedTask},
    time::{Millis, Timestamp},
    view::{AttemptView, RunStatus, RunView, TaskStatus, TaskView},
};
use orchestra_store::{Batch, Options, Reader, RunFilter, Store, TaskFilter};
use std::{
    error::Error,
    fs::File,
    io::{Write, stdout},
    path::Path,
    sync::mpsc,
    time::{Duration, Instant},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let folder = tempfile::tempdir_in(".")?;
    let root = folder.path().join("root");
    std::fs::create_dir(&root)?;
    commits(folder.path(), &root)?;
    run_of_10_000_steps(&folder.path().join("large"), &root)?;
    queries(&folder.path().join("history"), &root)?;
    Ok(())
}

fn open(dir: &Path, root: &Path) -> Result<Store> {
    let options = Options { backups_kept: 0, ..Options::new("bench", "/run/bench.sock") };
    Store::open(dir, root, options).map_err(Into::into)
}

fn say(line: &str) -> Result<()> {
    Ok(writeln!(stdout().lock(), "{line}")?)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn record(store: &Store, batch: Batch) -> Result<()> {
    let (send, receive) = mpsc::channel();
    store.submit(batch, Box::new(move |result| drop(send.send(result))));
    Ok(receive.recv()??)
}

/// A small batch beside a bare fsync of as many bytes, taken in turns.
fn commits(folder: &Path, root: &Path) -> Result<()> {
    const TURNS: u64 = 300;
    let store = open(&folder.join("small"), root)?;
    record(&store, creation(1, 1)?)?;
    let mut file = File::create(folder.join("bare"))?;
    let (mut bare, mut commits) = (Vec::new(), Vec::new());
    for turn in 0..TURNS {
        let begin = Instant::now();
        file.write_all(&[b'x'; 4 * 4096])?;
        file.sync_data()?;
        bare.push(begin.elapsed());
        let batch = Batch { events: vec![(turn + 2, ended(1, 1)?)], ..Batch::default() };
        let begin = Instant::now();
        record(&store, batch)?;
        commits.push(begin.elapsed());
    }
    let (bare, commit) = (median(bare), median(commits));
    let ratio = commit.as_secs_f64() / bare.as_secs_f64();
    say(&format!(
        "commit of one event      {commit:>10.1?}  bare fsync {bare:.1?}, ratio {ratio:.2}"
    ))
}

/// A run of 10,000 steps as the engine records it: three events and two rows for each step.
fn run_of_10_000_steps(dir: &Path, root: &Path) -> Result<()> {
    const STEPS: u32 = 10_000;
    const STEPS_PER_BATCH: u32 = 250;
    let store = open(dir, root)?;
    let begin = Instant::now();
    record(&store, plan_of(1, 1, STEPS)?)?;
    say(&format!("plan of 10,000 steps     {:>10.1?}", begin.elapsed()))?;

    let mut seq = 1;
    let mut batches = Vec::new();
    for first in (1..=STEPS).step_by(STEPS_PER_BATCH as usize) {
        let mut batch = Batch { runs: vec![run_view(1, RunStatus::Running)?], ..Batch::default() };
        for step in first..first + STEPS_PER_BATCH {
            for event in [ready(1, step)?, started(1, step)?, ended(1, step)?] {
                seq += 1;
                batch.events.push((seq, event));
            }
            batch.tasks.push(task_view(1, step, TaskStatus::Succeeded)?);
        }
        batches.push(batch);
    }
    let (send, receive) = mpsc::channel();
    let begin = Instant::now();
    let count = batches.len();
    for batch in batches {
        let send = send.clone();
        store.submit(batch, Box::new(move |result| drop(send.send(result))));
    }
    for _ in 0..count {
        receive.recv()??;
    }
    let spent = begin.elapsed();
    let rate = f64::from(STEPS) * 3.0 / spent.as_secs_f64();
    say(&format!("30,000 events, 10,000 rows {spent:>8.1?}  {rate:.0} events a second"))?;
    store.flush(Duration::from_secs(600))?;
    say(&format!("… until projected        {:>10.1?}", begin.elapsed()))?;
    let begin = Instant::now();
    let loaded = store.load()?;
    let events: usize = loaded.runs.iter().map(|(_, events)| events.len()).sum();
    say(&format!("load of {events} events    {:>10.1?}", begin.elapsed()))
}

/// The queries of the command line on a history of 100,000 tasks.
fn queries(dir: &Path, root: &Path) -> Result<()> {
    const RUNS: u32 = 100;
    const TASKS: u32 = 900;
    const LARGE: u32 = 10_000;
    let store = open(dir, root)?;
    let mut seq = 0;
    for run in 1..=RUNS + 1 {
        seq += 1;
        let tasks = if run > RUNS { LARGE } else { TASKS };
        let mut batch = creation(seq, run)?;
        batch.tasks = (1..=tasks)
            .map(|task| task_view(run, task, TaskStatus::Succeeded))
            .collect::<Result<_>>()?;
        let status = if run > RUNS { RunStatus::Running } else { RunStatus::Succeeded };
        batch.runs = vec![run_view(run, status)?];
        record(&store, batch)?;
    }
    drop(store);
    let large = run_id(RUNS + 1)?;
    let begin = Instant::now();
    let reader = Reader::open(dir)?;
    say(&format!("open a reader            {:>10.1?}", begin.elapsed()))?;
    let step = format!("s{LARGE}").parse()?;
    let last = TaskFilter { offset: LARGE - 50, limit: 50, ..TaskFilter::default() };
    let failed = TaskFilter { status: Some(TaskStatus::Failed), ..TaskFilter::default() };
    let open = RunFilter { open: true, ..RunFilter::default() };
    let first = RunFilter { limit: 50, ..RunFilter::default() };
    let measure = |name: &str, query: &dyn Fn() -> Result<()>| -> Result<()> {
        let mut times = Vec::new();
        for _ in 0..20 {
            let begin = Instant::now();
            query()?;
            times.push(begin.elapsed());
        }
        let worst = times.iter().max().copied().unwrap_or_default();
        say(&format!("{name:<24} {:>10.1?}  worst {worst:.1?}", median(times)))
    };
    measure("counts", &|| Ok(reader.counts().map(drop)?))?;
    measure("runs, 50", &|| Ok(reader.runs(&first).map(drop)?))?;
    measure("open runs", &|| Ok(reader.runs(&open).map(drop)?))?;
    measure("last 50 of 10,000 tasks", &|| Ok(reader.tasks(large, &last).map(drop)?))?;
    measure("failed of 10,000 tasks", &|| Ok(reader.tasks(large, &failed).map(drop)?))?;
    measure("task by step", &|| Ok(reader.task_by_step(large, &step).map(drop)?))?;
    measure("events since the last", &|| Ok(reader.events_since(seq - 1, 50).map(drop)?))
}

fn run_id(run: u32) -> Result<RunId> {
    RunId::new(run).ok_or_else(|| "runs count from one".into())
}

fn task_id(run: u32, task: u32) -> Result<TaskId> {
    TaskId::new(run_id(run)?, task).ok_or_else(|| "tasks count from one".into())
}

fn attempt_id(run: u32, task: u32) -> Result<AttemptId> {
    AttemptId::new(task_id(run, task)?, 1).ok_or_else(|| "attempts count from one".into())
}

fn native() -> Executor {
    Executor::Native { action: "todo.scan".to_owned(), inline: true, spawns: false }
}

fn event(run: u32, body: EventBody) -> Result<Event> {
    Ok(Event { run: run_id(run)?, at: Timestamp(1_790_000_000_000), body })
}

fn ready(run: u32, task: u32) -> Result<Event> {
    event(run, EventBody::TaskReady { task: task_id(run, task)? })
}

fn started(run: u32, task: u32) -> Result<Event> {
    let started = AttemptStarted {
        attempt: attempt_id(run, task)?,
        executor: native(),
        why: "the first of its candidates".to_owned(),
        prompt: None,
        with: serde_json::Map::new(),
        timeout: Millis::minutes(30),
        base: None,
    };
    event(run, EventBody::AttemptStarted(Box::new(started)))
}

fn ended(run: u32, task: u32) -> Result<Event> {
    let output = Output { summary: "nothing found".to_owned(), ..Output::default() };
    let outcome = Box::new(TaskOutcome::Succeeded { output });
    event(run, EventBody::TaskEnded { task: task_id(run, task)?, outcome })
}

fn creation(seq: u64, run: u32) -> Result<Batch> {
    plan_of(seq, run, 1)
}

fn plan_of(seq: u64, run: u32, steps: u32) -> Result<Batch> {
    let mut tasks = Vec::new();
    for step in 1..=steps {
        let json = serde_json::json!({
            "step": format!("s{step}"),
            "needs": if step > 1 { vec![step - 2] } else { Vec::new() },
            "executors": [native()],
            "with": { "path": "src" },
        });
        tasks.push(serde_json::from_value::<PlannedTask>(json)?);
    }
    let source = run_view(run, RunStatus::Running)?.source;
    let json = serde_json::json!({ "name": "audit", "source": source, "tasks": tasks });
    let plan: Plan = serde_json::from_value(json)?;
    Ok(Batch {
        events: vec![(seq, event(run, EventBody::RunCreated { plan: Box::new(plan) })?)],
        runs: vec![run_view(run, RunStatus::Running)?],
        tasks: (1..=steps)
            .map(|task| task_view(run, task, TaskStatus::Waiting))
            .collect::<Result<_>>()?,
        ..Batch::default()
    })
}

fn run_view(run: u32, status: RunStatus) -> Result<RunView> {
    let json = serde_json::json!({
        "id": run_id(run)?,
        "name": "audit",
        "description": "Look at everything",
        "source": { "type": "start", "agent": "cso" },
        "status": status,
        "created": 1_790_000_000_000_i64,
        "tasks": 1, "tasks_ended": 0, "tasks_failed": 0,
    });
    Ok(serde_json::from_value(json)?)
}

fn task_view(run: u32, task: u32, status: TaskStatus) -> Result<TaskView> {
    let attempt = AttemptView {
        id: attempt_id(run, task)?,
        executor: "todo.scan".to_owned(),
        lane: Lane::Inline,
        why: "the first of its candidates".to_owned(),
        timeout: Millis::minutes(30),
        started: Timestamp(1_790_000_000_000),
        ended: Some(Timestamp(1_790_000_000_500)),
        outcome: "succeeded: nothing found".to_owned(),
    };
    Ok(TaskView {
        id: task_id(run, task)?,
        step: format!("s{task}").parse()?,
        status,
        detail: String::new(),
        needs: Vec::new(),
        output: status.has_ended().then(Output::default),
        failure: None,
        attempts: if status.has_ended() { vec![attempt] } else { Vec::new() },
        decisions: Vec::new(),
    })
}
