//! Commands that change a run and return: approve, cancel, retry, timeout, pause, resume, decide.

use crate::{commands::Done, failure::Failure, session::Session};
use orchestra_protocol::command::Command;

pub(crate) async fn send(session: &Session, what: &str, command: Command) -> Result<Done, Failure> {
    let named = match &command {
        Command::Approve { target }
        | Command::Cancel { target }
        | Command::Retry { target }
        | Command::Timeout { target, .. } => target.clone(),
        Command::Pause { run } | Command::Resume { run } => run.to_string(),
        Command::Decide { decision, .. } => decision.to_string(),
        Command::Judge { run, .. }
        | Command::SendBack { run, .. }
        | Command::Apply { run, .. }
        | Command::Discard { run }
        | Command::Clean { run } => run.to_string(),
        Command::Confirm { operation, .. } => operation.to_string(),
        Command::Undo { operation: Some(operation), .. } => operation.to_string(),
        Command::Undo { operation: None, .. } | Command::Run { .. } | Command::Start { .. } => {
            String::new()
        }
    };
    let answer = session.command(&format!("{what} {named}"), command).await?;
    if session.json {
        anstream::println!("{}", serde_json::json!({ "run": answer.run, "seq": answer.seq }));
    } else {
        for note in &answer.notes {
            anstream::println!("note: {note}");
        }
        anstream::println!("{what} {named}: recorded");
    }
    Ok(Done::Well)
}
