//! Making a tree ready: the commands of `tree.setup`, once for a slot and for what they read.

use super::{Attempt, blocking, command, jobs};
use orchestra_core::{
    evidence::CheckOutcome,
    outcome::{Failure, FailureKind},
};
use orchestra_runtimes::checks::{SetupInputs, setup_key};
use orchestra_vcs::{contents, trees::Tree};
use std::io;

/// Whose tree it is, and so whose downloads its commands use: nothing that an agent may write to is
/// ever used by a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Agents,
    Checks,
}

/// What a tree is ready for.
#[derive(Debug)]
pub(super) struct Ready {
    /// The id of the git tree that it shows.
    pub(super) content: String,
    /// What it was made ready with.
    pub(super) setup: String,
}

/// Why a tree cannot be used.
#[derive(Debug)]
pub(super) enum NotReady {
    /// The attempt was told to stop.
    Stopped,
    Failed(Failure),
}

/// Runs what has to be run in the tree before anything else. `name` begins the names of its jobs.
pub(super) async fn make_ready(
    attempt: &Attempt,
    tree: &Tree,
    side: Side,
    name: &str,
) -> io::Result<Result<Ready, NotReady>> {
    let plan = &attempt.work.plan;
    let ready = key(attempt, tree).await?;
    if plan.tree.setup.is_empty() || tree.prepared.as_ref() == Some(&ready.setup) {
        return Ok(Ok(ready));
    }
    let names: Vec<String> =
        (1..=plan.tree.setup.len()).map(|number| format!("{name}-{number}")).collect();
    // What an earlier daemon ran of it may have been in another slot, or in this one before it was cleaned.
    jobs::begin_anew(attempt, &names).await?;
    for (name, argv) in names.iter().zip(&plan.tree.setup) {
        let ran = match command::run(attempt, tree, side, argv, name).await? {
            Ok(ran) => ran,
            Err(not_ready) => return Ok(Err(not_ready)),
        };
        if ran.run.outcome != CheckOutcome::Green {
            let last = ran.run.last_lines.last();
            let last = last.map_or_else(String::new, |line| format!(": {line}"));
            let command = argv.join(" ");
            return Ok(Err(NotReady::Failed(Failure {
                kind: FailureKind::Environment,
                message: format!("make the tree ready: `{command}` {}{last}", ran.run.outcome),
                hint: Some("correct the command in `tree.setup`, then retry".to_owned()),
            })));
        }
    }
    let (pool, tree, setup) = (attempt.shared.pool.clone(), tree.clone(), ready.setup.clone());
    blocking(move || pool.set_prepared(&tree, &setup)).await?;
    Ok(Ok(ready))
}

/// What the tree would be made ready for.
async fn key(attempt: &Attempt, tree: &Tree) -> io::Result<Ready> {
    let (attempt, commit) = (attempt.clone(), tree.commit.clone());
    blocking(move || {
        let plan = &attempt.work.plan.tree;
        let inputs = SetupInputs::of(plan).map_err(io::Error::other)?;
        let contents =
            contents::of_commit(&attempt.shared.root, &commit).map_err(io::Error::other)?;
        let files = contents.files.iter().filter(|(path, _)| inputs.contains(path));
        let setup =
            setup_key(&plan.setup, files.map(|(path, blob)| (path.as_str(), blob.as_str())));
        Ok(Ready { content: contents.tree, setup })
    })
    .await
}
