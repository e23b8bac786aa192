//! `orchestra apply`, `discard`, `undo` and `clean`: what is done to the user's files, waited for to its end.

mod clients;
mod listing;

use crate::{
    arguments::reviews::{Apply, Undo},
    commands::{Done, run::unsaved},
    failure::{Class, Failure},
    session::{Session, unreadable},
    show::{follow::read_until, operation, style::plain},
};
use clients::ClientFile;
use orchestra_core::{
    event::EventBody,
    ids::{OperationId, RunId},
    operation::{OperationEnd, OperationKind, Target},
    view::{OperationView, ReviewStatus, RunView},
};
use orchestra_protocol::{
    command::{Answer, Command},
    stream::StreamItem,
};
use orchestra_store::RunFilter;
use serde_json::json;

pub(crate) use listing::list;

pub(crate) async fn apply(session: &Session, arguments: Apply) -> Result<Done, Failure> {
    let target = match (&arguments.branch, arguments.commit) {
        (Some(name), _) => Target::Branch { name: name.clone() },
        (None, true) => Target::Commit,
        (None, false) => Target::Files,
    };
    let clients = clients::files(&arguments.unsaved.unsaved);
    let command = Command::Apply {
        run: arguments.run,
        target,
        favor: arguments.favor.favor(),
        all: arguments.all,
        unsaved: unsaved(&arguments.unsaved.unsaved)?,
    };
    carry_out(session, &format!("apply {}", arguments.run), command, &clients).await
}

pub(crate) async fn discard(session: &Session, run: RunId) -> Result<Done, Failure> {
    carry_out(session, &format!("discard {run}"), Command::Discard { run }, &[]).await
}

pub(crate) async fn undo(session: &Session, arguments: Undo) -> Result<Done, Failure> {
    if arguments.list {
        return list(session);
    }
    let what = match arguments.operation {
        Some(operation) => format!("undo {operation}"),
        None => "undo the last operation".to_owned(),
    };
    let clients = clients::files(&arguments.unsaved.unsaved);
    let command = Command::Undo {
        operation: arguments.operation,
        favor: arguments.favor.favor(),
        unsaved: unsaved(&arguments.unsaved.unsaved)?,
    };
    carry_out(session, &what, command, &clients).await
}

/// Those that are named, else all that need their references no more.
pub(crate) async fn clean(session: &Session, runs: Vec<RunId>) -> Result<Done, Failure> {
    let runs = if runs.is_empty() { done_with(session)? } else { runs };
    if runs.is_empty() && !session.json {
        anstream::println!("nothing to clean up");
    }
    let mut done = Done::Well;
    for run in runs {
        let one = carry_out(session, &format!("clean {run}"), Command::Clean { run }, &[]).await?;
        if one == Done::Badly {
            done = one;
        }
    }
    Ok(done)
}

/// Runs that have ended and whose work is applied, discarded, or none, oldest first.
fn done_with(session: &Session) -> Result<Vec<RunId>, Failure> {
    let Some(reader) = session.reader()? else { return Ok(Vec::new()) };
    let filter = RunFilter { limit: u32::MAX, ..RunFilter::default() };
    let runs = reader.runs(&filter).map_err(unreadable)?;
    let cleaned = |run: &RunView| {
        let is_clean = |operation: &OperationView| operation.kind == OperationKind::Clean;
        run.operations.iter().any(|operation| is_clean(operation) && operation.in_effect)
    };
    let is_done = |run: &&RunView| {
        run.status.has_ended()
            && !cleaned(run)
            && run.review.as_ref().is_none_or(|review| {
                matches!(review.status, ReviewStatus::Applied | ReviewStatus::Discarded)
            })
    };
    let mut ids: Vec<RunId> = runs.iter().filter(is_done).map(|run| run.id).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// Sends a command that begins an operation, waits for its end, and says file by file what came of it.
pub(crate) async fn carry_out(
    session: &Session,
    what: &str,
    command: Command,
    clients: &[ClientFile],
) -> Result<Done, Failure> {
    let answer = session.command(what, command).await?;
    for note in &answer.notes {
        anstream::eprintln!("note: {}", plain(note));
    }
    let Some(operation) = answer.operation else {
        let problem = format!("{what}: the daemon has begun no operation");
        return Err(Failure::new(Class::Failed, problem, "see `orchestra daemon log`"));
    };
    if !to_the_end(session, &answer, operation, clients).await? {
        anstream::eprintln!("{operation} goes on; `orchestra undo --list` shows how it ends");
        return Ok(Done::Well);
    }
    let ended = find(session, operation)?;
    if session.json {
        anstream::println!("{}", json!(ended));
    } else {
        for line in operation::in_full(&ended) {
            anstream::println!("{line}");
        }
    }
    Ok(match ended.end {
        Some(OperationEnd::Applied | OperationEnd::Nothing) => Done::Well,
        _ => Done::Badly,
    })
}

/// Whether it has ended; a person may go away before.
async fn to_the_end(
    session: &Session,
    answer: &Answer,
    operation: OperationId,
    clients: &[ClientFile],
) -> Result<bool, Failure> {
    let mut planned = Vec::new();
    read_until(session, answer.run, answer.seq, async |events, next| {
        loop {
            let item = tokio::select! {
                item = events.next() => item,
                _ = tokio::signal::ctrl_c() => return Ok(Some(false)),
            };
            let Ok(Some(item)) = item else { return Ok(None) };
            let StreamItem::Event(event) = item else { continue };
            *next = event.seq + 1;
            match event.body {
                EventBody::OperationPrepared { operation: id, files, .. } if id == operation => {
                    planned = files;
                }
                EventBody::OperationWritten { operation: id, .. } if id == operation => {
                    clients::write(session, operation, clients, &planned).await?;
                }
                EventBody::OperationEnded { operation: id, .. } if id == operation => {
                    return Ok(Some(true));
                }
                _ => {}
            }
        }
    })
    .await
}

/// How an operation stands.
fn find(session: &Session, id: OperationId) -> Result<OperationView, Failure> {
    let run = match session.reader()? {
        Some(reader) => reader.run(id.run()).map_err(unreadable)?,
        None => None,
    };
    let operation =
        run.and_then(|run| run.operations.into_iter().find(|operation| operation.id == id));
    operation.ok_or_else(|| {
        let problem = format!("find {id}: the journal does not have it");
        Failure::new(Class::Failed, problem, "`orchestra doctor` looks for damage")
    })
}
