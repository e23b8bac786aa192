//! `orchestra status`: what runs and what has run. Reads the journal, and needs no daemon.

use crate::{
    commands::Done,
    failure::{Class, Failure},
    session::{Session, unreadable},
    show::{follow::now, style, table::Table},
};
use orchestra_core::view::{RunStatus, RunView, TaskStatus};
use orchestra_store::{Counts, Problem, RunFilter};
use serde_json::json;

pub(crate) fn run(session: &Session, status: Option<&str>, limit: u32) -> Result<Done, Failure> {
    let status = status.map(read_status).transpose()?;
    let Some(reader) = session.reader()? else {
        if session.json {
            print_json(session, &[], &Counts::default(), None);
        } else {
            anstream::println!("nothing has run in {} yet", session.root.display());
            anstream::println!("start with `orchestra run audit`");
        }
        return Ok(Done::Well);
    };
    let filter = RunFilter { status, limit, ..RunFilter::default() };
    let runs = reader.runs(&filter).map_err(unreadable)?;
    let counts = reader.counts().map_err(unreadable)?;
    let problem = reader.projection_problem().map_err(unreadable)?;
    if session.json {
        print_json(session, &runs, &counts, problem.as_ref());
    } else {
        print(&runs, &counts, problem.as_ref());
    }
    Ok(Done::Well)
}

fn read_status(text: &str) -> Result<RunStatus, Failure> {
    serde_json::from_value(json!(text))
        .map_err(|error| Failure::new(Class::Usage, format!("read the status: {error}"), ""))
}

/// `{"root", "runs": [RunView], "counts": {"runs", "tasks"}, "problem"}`.
fn print_json(session: &Session, runs: &[RunView], counts: &Counts, problem: Option<&Problem>) {
    let value = json!({
        "root": session.root,
        "runs": runs,
        "counts": { "runs": counts.runs, "tasks": counts.tasks },
        "problem": problem,
    });
    anstream::println!("{value}");
}

fn print(runs: &[RunView], counts: &Counts, problem: Option<&Problem>) {
    let mut table = Table::new(&["run", "status", "tasks", "time", "started", "name"]);
    for run in runs {
        let tasks = match run.tasks_failed {
            0 => format!("{}/{}", run.tasks_ended, run.tasks),
            failed => format!("{}/{}, {failed} failed", run.tasks_ended, run.tasks),
        };
        let name = match run.detail.as_str() {
            "" => run.name.clone(),
            detail => format!("{} ({})", run.name, style::plain(detail)),
        };
        table.row([
            run.id.to_string(),
            style::run_status(run.status),
            tasks,
            run.ended.unwrap_or_else(now).since(run.created).to_string(),
            run.created.to_string(),
            name,
        ]);
    }
    table.print();
    let runs: u64 = counts.runs.values().sum();
    let tasks: u64 = counts.tasks.values().sum();
    let parts: Vec<String> = counts
        .tasks
        .iter()
        .filter(|(status, _)| !matches!(status, TaskStatus::Succeeded))
        .map(|(status, count)| format!("{count} {status}"))
        .collect();
    let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    let (runs, tasks) = (style::counted(runs, "run"), style::counted(tasks, "task"));
    anstream::println!("{runs}, {tasks}{parts}");
    if let Some(problem) = problem {
        anstream::println!("files are behind: {problem} ({})", problem.hint);
    }
}
