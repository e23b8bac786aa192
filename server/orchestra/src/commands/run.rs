//! `orchestra run` and `orchestra start`: have something done, and follow it.

use crate::{
    arguments::{Run as RunArguments, Sight as SightArguments, Start},
    commands::Done,
    failure::{Class, Failure},
    session::{Session, is_interactive},
    show::{
        follow::{Followed, follow},
        style,
    },
};
use orchestra_core::{
    ids::RunId,
    state::Run,
    view::{RunStatus, TaskStatus},
};
use orchestra_protocol::command::{Answer, Command, Sight, Unsaved};
use serde_json::{Map, Value};
use std::{fs, io::Write as _};

pub(crate) async fn workflow(session: &Session, run: RunArguments) -> Result<Done, Failure> {
    let command = Command::Run {
        workflow: run.workflow.clone(),
        params: params(&run.param)?,
        mode: run.mode.map(Into::into),
        approve: run.approve.then_some(true),
        sight: sight(&run.sight)?,
    };
    let answer = session.command(&format!("run {}", run.workflow), command).await?;
    begun(session, &answer, run.detach).await
}

pub(crate) async fn start(session: &Session, start: Start) -> Result<Done, Failure> {
    let command = Command::Start {
        agent: start.agent.clone(),
        prompt: start.prompt,
        sight: sight(&start.sight)?,
    };
    let answer = session.command(&format!("start {}", start.agent), command).await?;
    begun(session, &answer, !start.follow).await
}

/// What agents get to see besides what is saved.
fn sight(arguments: &SightArguments) -> Result<Sight, Failure> {
    let unsaved = unsaved(&arguments.unsaved)?;
    Ok(Sight { with_conflicts: arguments.with_conflicts, unsaved })
}

/// The text of files that are not saved, which lies in others: `PATH=FILE` each.
pub(crate) fn unsaved(pairs: &[String]) -> Result<Vec<Unsaved>, Failure> {
    let read = |pair: &String| {
        let (path, file) = pair.split_once('=').ok_or_else(|| {
            Failure::new(
                Class::Usage,
                format!("read the unsaved text `{pair}`"),
                "write it as the path in the workspace, `=`, and a file with the text",
            )
        })?;
        let content = fs::read(file).map_err(|error| {
            Failure::new(
                Class::Usage,
                format!("read the unsaved text of {path} from {file}: {error}"),
                "name a file that holds the text",
            )
        })?;
        Ok(Unsaved { path: path.to_owned(), content })
    };
    let unsaved: Vec<Unsaved> = pairs.iter().map(read).collect::<Result<_, _>>()?;
    let bytes: usize = unsaved.iter().map(|unsaved| unsaved.content.len()).sum();
    if bytes > Sight::MAX_UNSAVED {
        return Err(Failure::new(
            Class::Usage,
            format!("take along unsaved text of {bytes} bytes: more than {}", Sight::MAX_UNSAVED),
            "save the largest files first",
        ));
    }
    Ok(unsaved)
}

async fn begun(session: &Session, answer: &Answer, detach: bool) -> Result<Done, Failure> {
    for note in &answer.notes {
        anstream::eprintln!("note: {note}");
    }
    if detach {
        print_id(session, answer);
        return Ok(Done::Well);
    }
    to_the_end(session, answer.run, answer.seq).await
}

fn print_id(session: &Session, answer: &Answer) {
    if session.json {
        anstream::println!("{}", serde_json::json!(answer));
    } else {
        anstream::println!("{}", answer.run);
    }
}

/// Follows a run, asks for approval where a person can give it, and says how it ended.
pub(crate) async fn to_the_end(session: &Session, id: RunId, from: u64) -> Result<Done, Failure> {
    loop {
        let (followed, run) = follow(session, id, from).await?;
        match followed {
            Followed::Ended(status) => {
                // The files that are named below, and that scripts look at next, are there.
                let projected = async { session.reach().await?.projected(&session.root).await };
                if let Err(error) = projected.await {
                    anstream::eprintln!("files are behind: {error}");
                }
                if let (Some(run), false) = (run, session.json) {
                    print_end(&run);
                }
                return Ok(match status {
                    RunStatus::Succeeded => Done::Well,
                    _ => Done::Badly,
                });
            }
            Followed::Detached => {
                tell(session, &format!("{id} goes on; follow it with `orchestra watch {id}`"));
                return Ok(Done::Well);
            }
            Followed::AwaitsApproval => {
                if !(is_interactive() && approved(id)) {
                    tell(session, &format!("{id} waits for approval: `orchestra approve {id}`"));
                    return Ok(Done::Well);
                }
                let target = id.to_string();
                session.command("approve the run", Command::Approve { target }).await?;
            }
        }
    }
}

/// A line for people, which must not get among the JSON for programs.
fn tell(session: &Session, line: &str) {
    if session.json {
        anstream::eprintln!("{line}");
    } else {
        anstream::println!("{line}");
    }
}

fn approved(id: RunId) -> bool {
    let mut stderr = std::io::stderr();
    let _ = write!(stderr, "start {id} as planned? [y/N] ").and_then(|()| stderr.flush());
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).is_ok() && matches!(line.trim(), "y" | "Y" | "yes")
}

fn print_end(run: &Run) {
    let view = run.view();
    let taken = view.ended.unwrap_or(view.created).since(view.created);
    anstream::println!(
        "{} {} in {taken}: {} of {} tasks ended, {} failed",
        view.id,
        style::run_status(view.status),
        view.tasks_ended,
        view.tasks,
        view.tasks_failed,
    );
    for task in run.tasks.iter().filter_map(|task| run.task_view(task.id)) {
        if let Some(failure) = &task.failure {
            anstream::println!("  {} {}: {}", task.id, task.step, failure.message);
            if let Some(hint) = &failure.hint {
                anstream::println!("    hint: {hint}");
            }
        } else if matches!(task.status, TaskStatus::TimedOut) {
            anstream::println!("  {} {}: {}", task.id, task.step, task.detail);
        }
        let Some(output) = &task.output else { continue };
        for artifact in &output.artifacts {
            anstream::println!("  .orchestra/workspace/{}", artifact.path);
        }
        if let Some(tree) = &output.tree {
            anstream::println!("  {} {}: its tree is kept at {tree}", task.id, task.step);
        }
    }
    if view.review.is_some() {
        anstream::println!("  look at what it has changed with `orchestra review {}`", view.id);
    }
}

/// `name=value` pairs; a value that is JSON counts as such, anything else is text.
fn params(pairs: &[String]) -> Result<Map<String, Value>, Failure> {
    pairs
        .iter()
        .map(|pair| {
            let (name, value) = pair.split_once('=').ok_or_else(|| {
                Failure::new(
                    Class::Usage,
                    format!("read the parameter `{pair}`"),
                    "write it as name=value",
                )
            })?;
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
            Ok((name.to_owned(), value))
        })
        .collect()
}
