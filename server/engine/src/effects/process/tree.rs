//! The tree in which an agent or a check works: taken from the pool, and made ready.

use super::{
    Attempt, blocking,
    setup::{self, NotReady, Side},
};
use orchestra_core::{
    outcome::{AttemptOutcome, Failure, FailureKind, Output},
    plan,
};
use orchestra_vcs::{
    GitError,
    trees::{Clean, DiskLimit, Purpose, Tree, TreeRequest},
};
use std::io;

/// Takes a tree for the attempt's agent. What stands in the way ends the attempt.
pub(super) async fn take(attempt: &Attempt) -> io::Result<Result<Tree, AttemptOutcome>> {
    let base = match &attempt.work.base {
        Ok(base) => base.clone(),
        Err(failure) => return Ok(Err(failed(failure.clone()))),
    };
    let writes = attempt.work.writes();
    let purpose = if writes { Purpose::Write } else { Purpose::Read };
    let holder = attempt.holder();
    let tree = match acquire(attempt, purpose, holder, base, Clean::Kept).await? {
        Ok(tree) => tree,
        Err(failure) => return Ok(Err(failed(failure))),
    };
    // The tree of those that read belongs to nobody alone.
    if !writes {
        return Ok(Ok(tree));
    }
    match setup::make_ready(attempt, &tree, Side::Agents, "setup").await? {
        Ok(_) => Ok(empty_room(attempt, tree).await?.map_err(failed)),
        Err(NotReady::Stopped) => Ok(Err(AttemptOutcome::Cancelled { output: Output::default() })),
        Err(NotReady::Failed(failure)) => Ok(Err(failed(failure))),
    }
}

/// The daemon writes there for the agent, and is held by nothing: it must meet no link that a command of
/// `tree.setup` has left.
async fn empty_room(attempt: &Attempt, tree: Tree) -> io::Result<Result<Tree, Failure>> {
    let pool = attempt.shared.pool.clone();
    blocking(move || Ok(pool.empty_room(&tree).map(|()| tree).map_err(no_tree))).await
}

/// Takes a slot in which no agent ever works.
pub(super) async fn for_checks(
    attempt: &Attempt,
    holder: String,
    commit: String,
) -> io::Result<Result<Tree, Failure>> {
    let clean = match attempt.work.plan.checks.clean {
        plan::Clean::Kept => Clean::Kept,
        plan::Clean::Fresh => Clean::Fresh,
    };
    acquire(attempt, Purpose::Verify, holder, commit, clean).await
}

/// Takes a slot of the pool.
async fn acquire(
    attempt: &Attempt,
    purpose: Purpose,
    holder: String,
    commit: String,
    clean: Clean,
) -> io::Result<Result<Tree, Failure>> {
    let attempt = attempt.clone();
    blocking(move || {
        let plan = &attempt.work.plan.tree;
        let request = TreeRequest {
            purpose,
            holder: &holder,
            commit: &commit,
            sparse: &plan.sparse,
            keep: &plan.keep,
            copy: &plan.copy,
            clean,
            limit: DiskLimit(plan.disk_budget.0),
            // Without a sandbox of the kernel nothing keeps readers from writing.
            private: purpose == Purpose::Read && !attempt.shared.has_sandbox(),
        };
        Ok(attempt.shared.pool.acquire(&request).map_err(no_tree))
    })
    .await
}

fn no_tree(error: GitError) -> Failure {
    Failure {
        kind: FailureKind::Environment,
        message: format!("make a tree: {error}"),
        hint: Some(error.hint()),
    }
}

fn failed(failure: Failure) -> AttemptOutcome {
    AttemptOutcome::Failed { failure, output: Output::default() }
}
