//! The jobs of attempts: commands that ran for them beside their agents, each with a log of its own. They are
//! in no journal, since they can be run again; their folders say which there were.

use crate::session::Session;
use orchestra_core::view::{AttemptView, TaskView};
use orchestra_runtimes::attempt::AttemptDir;
use serde_json::{Value, json};

/// Their names, in the order in which they were started; none where the folder is gone.
pub(crate) fn of(session: &Session, attempt: &AttemptView) -> Vec<String> {
    let dir = AttemptDir::at(&session.folders.attempt(&session.workspace, attempt.id));
    dir.jobs().unwrap_or_else(|error| {
        tracing::warn!(attempt = %attempt.id, %error, "its jobs cannot be listed");
        Vec::new()
    })
}

/// The task, with the jobs of each of its attempts.
pub(crate) fn json(session: &Session, task: &TaskView) -> Value {
    let mut value = json!(task);
    for (number, attempt) in task.attempts.iter().enumerate() {
        value["attempts"][number]["jobs"] = of(session, attempt).into();
    }
    value
}
