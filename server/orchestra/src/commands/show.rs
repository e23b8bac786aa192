//! `orchestra show`: a run, a task or a step in full. Reads the journal, and needs no daemon.

use crate::{
    commands::Done,
    failure::{Class, Failure},
    session::{Session, unreadable},
    show::{decision, follow::now, jobs, notes, operation, style, table::Table, work},
};
use orchestra_core::{
    ids::{AttemptId, RunId, TaskId},
    view::{RunView, TaskView},
};
use orchestra_store::{Reader, TaskFilter};
use serde_json::{Value, json};

pub(crate) fn run(session: &Session, target: &str, limit: u32) -> Result<Done, Failure> {
    let missing = || no_such("show", target);
    let reader = session.reader()?.ok_or_else(missing)?;
    if let Ok(id) = target.parse::<RunId>() {
        let run = reader.run(id).map_err(unreadable)?.ok_or_else(missing)?;
        let filter = TaskFilter { limit, ..TaskFilter::default() };
        let tasks = reader.tasks(id, &filter).map_err(unreadable)?;
        if session.json {
            let tasks: Vec<Value> = tasks.iter().map(|task| jobs::json(session, task)).collect();
            anstream::println!("{}", json!({ "run": run, "tasks": tasks }));
        } else {
            print_run(&run, &tasks);
        }
        return Ok(Done::Well);
    }
    let task = find_task(&reader, "show", target)?;
    if session.json {
        anstream::println!("{}", jobs::json(session, &task));
    } else {
        print_task(session, &task);
    }
    Ok(Done::Well)
}

/// The task that `r12.3`, `r12.3@2` or `r12/scan` names.
pub(crate) fn find_task(reader: &Reader, what: &str, target: &str) -> Result<TaskView, Failure> {
    let id = target.parse::<TaskId>().or_else(|_| target.parse::<AttemptId>().map(AttemptId::task));
    let task = match (id, target.split_once('/')) {
        (Ok(id), _) => reader.task(id).map_err(unreadable)?,
        (Err(_), Some((run, step))) => match (run.parse(), step.parse()) {
            (Ok(run), Ok(step)) => reader.task_by_step(run, &step).map_err(unreadable)?,
            _ => None,
        },
        (Err(_), None) => None,
    };
    task.ok_or_else(|| no_such(what, target))
}

pub(crate) fn no_such(what: &str, target: &str) -> Failure {
    let shown: String = target.chars().take(80).collect();
    Failure::new(
        Class::Usage,
        format!("{what} `{shown}`: there is no such run or task in this workspace"),
        "write a run as r12, a task as r12.3 or r12/scan; `orchestra status` lists them",
    )
}

fn print_run(run: &RunView, tasks: &[TaskView]) {
    let taken = run.ended.unwrap_or_else(now).since(run.created);
    anstream::println!(
        "{} {}  {}  {taken}",
        style::bold(&run.id.to_string()),
        run.name,
        style::run_status(run.status)
    );
    for line in [&run.description, &run.detail] {
        if !line.is_empty() {
            anstream::println!("{}", style::plain(line));
        }
    }
    for note in run.snapshot.iter().flat_map(notes::of_snapshot) {
        anstream::println!("{note}");
    }
    for one in &run.decisions {
        anstream::println!("{}", decision::in_short(one));
    }
    for line in of_review(run) {
        anstream::println!("{line}");
    }
    for note in notes::of_foreseen(&run.foreseen) {
        anstream::println!("{note}");
    }
    let mut table = Table::new(&["task", "step", "status", "by", "time", "detail"]);
    for task in tasks {
        let last = task.attempts.last();
        table.row([
            task.id.to_string(),
            task.step.to_string(),
            style::task_status(task.status),
            last.map(|attempt| attempt.executor.clone()).unwrap_or_default(),
            last.map(|attempt| style::taken(attempt, now()).to_string()).unwrap_or_default(),
            style::plain(&task.detail),
        ]);
    }
    table.print();
    let hidden = usize::try_from(run.tasks).unwrap_or(0).saturating_sub(tasks.len());
    if hidden > 0 {
        anstream::println!("… and {hidden} more; see them with -n {}", run.tasks);
    }
}

/// How its review stands, and what was done to the user's files.
fn of_review(run: &RunView) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(review) = &run.review {
        let (files, hunks) =
            (style::counted(review.files, "file"), style::counted(review.hunks, "hunk"));
        let how = style::dim(&format!("orchestra review {}", run.id));
        lines.push(format!("review {}: {files}, {hunks}; {how}", review.status));
    }
    for one in &run.operations {
        let end = operation::end_in_short(one.end.as_ref());
        lines.push(format!("{} {}: {end}", one.id, operation::what(&one.kind)));
    }
    lines
}

fn print_task(session: &Session, task: &TaskView) {
    anstream::println!(
        "{} {}  {}",
        style::bold(&task.id.to_string()),
        task.step,
        style::task_status(task.status)
    );
    if !task.detail.is_empty() {
        anstream::println!("{}", style::plain(&task.detail));
    }
    if let Some(hint) = task.failure.as_ref().and_then(|failure| failure.hint.as_ref()) {
        anstream::println!("hint: {}", style::plain(hint));
    }
    if !task.needs.is_empty() {
        let needs: Vec<String> = task.needs.iter().map(ToString::to_string).collect();
        anstream::println!("needs {}", needs.join(", "));
    }
    for attempt in &task.attempts {
        anstream::println!(
            "{}  {}  {}  {}",
            attempt.id,
            attempt.executor,
            style::taken(attempt, now()),
            style::plain(&attempt.outcome)
        );
        anstream::println!("  {}; time-out {}", style::dim(&attempt.why), attempt.timeout);
        let jobs = jobs::of(session, attempt);
        if !jobs.is_empty() {
            let how = style::dim(&format!("orchestra logs {} --job …", attempt.id));
            anstream::println!("  jobs: {}; {how}", jobs.join(", "));
        }
    }
    for one in &task.decisions {
        anstream::println!("{}", decision::in_full(one));
    }
    let Some(output) = &task.output else { return };
    for line in work::of_output(output) {
        anstream::println!("{line}");
    }
    for artifact in &output.artifacts {
        anstream::println!(".orchestra/workspace/{}  {} bytes", artifact.path, artifact.bytes);
    }
    if let Some(tree) = &output.tree {
        anstream::println!("its tree is kept at {tree}");
    }
    if !output.result.is_null()
        && let Ok(text) = serde_json::to_string_pretty(&output.result)
    {
        anstream::println!("{text}");
    }
}
