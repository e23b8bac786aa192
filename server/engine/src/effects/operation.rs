//! Operations: what is done to the user's files, step by step. Each step can be done again after a crash.

mod clean;
mod commit;
mod files;

use super::Shared;
use crate::actor::Message;
use clean::Aside;
use commit::ToCommit;
use files::ToWrite;
use orchestra_core::{
    decide::InputKind,
    ids::OperationId,
    operation::{FilePlan, FileResult, FileState, OperationEnd, OperationKind, Owner, Target},
    state::{Operation, Prepared, Run, State},
};
use orchestra_vcs::GitError;
use std::{io, sync::Arc};

/// What is needed to carry an operation out, taken out of the state.
pub(super) struct Work {
    operation: OperationId,
    prepared: Option<Arc<Prepared>>,
    what: What,
}

/// What an operation comes down to: to take something back is to do something else.
enum What {
    Files(Box<ToWrite>),
    Commit(Box<ToCommit>),
    /// The branch that an operation has made, and the commit on it.
    DropBranch {
        name: String,
        commit: String,
    },
    Aside(Aside),
    /// A commit under no branch is in nobody's way.
    Nothing,
}

impl Work {
    pub(super) fn new(state: &State, id: OperationId) -> Option<Self> {
        let run = state.run(id.run())?;
        let operation = run.operation(id)?;
        let prepared = operation.prepared().cloned();
        Some(Self { operation: id, prepared, what: what(run, operation)? })
    }
}

fn what(run: &Run, operation: &Operation) -> Option<What> {
    let OperationKind::Undo { of } = operation.started.kind else {
        return done(run, operation, operation);
    };
    let undone = run.operation(of)?;
    // Who undoes an undo wants what that took back.
    let (first, is_again) = origin(run, undone)?;
    match &first.started.kind {
        OperationKind::Apply { target: Target::Files, .. } => {
            ToWrite::back(operation, undone).map(|files| What::Files(Box::new(files)))
        }
        _ if is_again => done(run, first, operation),
        OperationKind::Apply { target: Target::Branch { name }, .. } => {
            let commit = first.prepared()?.after.clone();
            Some(What::DropBranch { name: name.clone(), commit })
        }
        OperationKind::Apply { target: Target::Commit, .. } => Some(What::Nothing),
        OperationKind::Clean => Some(What::Aside(Aside::back(run))),
        OperationKind::Discard | OperationKind::Undo { .. } => None,
    }
}

/// What `operation`, which takes nothing back, does on behalf of `asked`.
fn done(run: &Run, operation: &Operation, asked: &Operation) -> Option<What> {
    match &operation.started.kind {
        OperationKind::Apply { target: Target::Files, hunks } => {
            ToWrite::accepted(run, asked, hunks).map(|files| What::Files(Box::new(files)))
        }
        OperationKind::Apply { target, hunks } => {
            ToCommit::new(run, asked, target, hunks).map(|commit| What::Commit(Box::new(commit)))
        }
        OperationKind::Clean => Some(What::Aside(Aside::put(run))),
        OperationKind::Discard | OperationKind::Undo { .. } => None,
    }
}

/// The operation at the beginning of a chain of undos, and whether undoing `undone` does it again.
fn origin<'a>(run: &'a Run, undone: &'a Operation) -> Option<(&'a Operation, bool)> {
    let (mut first, mut is_again) = (undone, false);
    // Each undoes an earlier one, so this ends.
    while let OperationKind::Undo { of } = first.started.kind {
        first = run.operation(of)?;
        is_again = !is_again;
    }
    Some((first, is_again))
}

/// Finds out what it means for each file, and reports that.
pub(super) async fn prepare(shared: Arc<Shared>, work: Work) {
    let (job, operation) = (Arc::clone(&shared), work.operation);
    let result = tokio::task::spawn_blocking(move || {
        fail::fail_point!("engine::operation::before", |_| std::process::abort());
        let result = prepare_now(&job, &work);
        fail::fail_point!("engine::operation::prepared", |_| std::process::abort());
        result
    });
    let result = result.await.unwrap_or_else(|panic| {
        let hint = "please report this, with the daemon's log".to_owned();
        Err(OperationEnd::Refused { message: panic.to_string(), hint })
    });
    // An actor that is gone prepares it anew after its next start.
    let kind = InputKind::OperationPrepared { operation, result };
    let _ = shared.sender.send(Message::Came(kind));
}

fn prepare_now(shared: &Shared, work: &Work) -> Result<Prepared, OperationEnd> {
    match &work.what {
        What::Files(files) => files.prepare(shared),
        What::Commit(commit) => commit.make(shared),
        What::DropBranch { name, commit } => commit::drop(shared, name, commit),
        What::Aside(aside) => aside.carry_out(shared),
        What::Nothing => Err(OperationEnd::Applied),
    }
}

/// Writes what was prepared, and reports how that ended.
pub(super) async fn write(shared: Arc<Shared>, work: Work) {
    let (job, operation) = (Arc::clone(&shared), work.operation);
    let prepared = work.prepared.clone();
    let files = tokio::task::spawn_blocking(move || {
        fail::fail_point!("engine::operation::write", |_| std::process::abort());
        let files = match (&work.what, &work.prepared) {
            (What::Files(files), Some(prepared)) => files.write(&job, prepared),
            _ => Ok(Vec::new()),
        };
        fail::fail_point!("engine::operation::written", |_| std::process::abort());
        files.map_err(io::Error::other)
    });
    let files = match files.await.map_err(io::Error::other).flatten() {
        Ok(files) => files,
        Err(error) => {
            let plans = prepared.iter().flat_map(|prepared| &prepared.files);
            unwritten(plans, &error.to_string())
        }
    };
    // An actor that is gone goes on with it after its next start.
    let wait = shared.apply.client_timeout;
    let kind = InputKind::OperationWritten { operation, files, wait };
    let _ = shared.sender.send(Message::Came(kind));
}

/// Where something stands in the way of all files.
fn unwritten<'a>(plans: impl Iterator<Item = &'a FilePlan>, problem: &str) -> Vec<FileResult> {
    let of_disk = plans.filter(|plan| plan.owner == Owner::Disk);
    let failed = |plan: &FilePlan| FileResult {
        path: plan.path.clone(),
        state: FileState::Failed { problem: problem.to_owned() },
    };
    of_disk.map(failed).collect()
}

fn refused(what: &str, error: &GitError) -> OperationEnd {
    OperationEnd::Refused { message: format!("{what}: {error}"), hint: error.hint() }
}
