//! Commands that run for an attempt beside its agent: what makes a tree ready, and what checks work.

use super::{
    Attempt, blocking,
    jobs::{self, JobEnd},
    setup::{NotReady, Side},
};
use orchestra_runtimes::{
    attempt::AttemptDir,
    checks::{CheckRequest, Ran, Unready, prepare},
    cli::Prepared,
    confine::Scope,
};
use orchestra_vcs::trees::Tree;
use std::io;

/// Runs a command in a tree, under a shim of its own, and reads what it says.
pub(super) async fn run(
    attempt: &Attempt,
    tree: &Tree,
    side: Side,
    argv: &[String],
    name: &str,
) -> io::Result<Result<Ran, NotReady>> {
    let (of_job, tree, command) = (attempt.clone(), tree.clone(), argv.to_vec());
    let prepared = blocking(move || Ok(prepared(&of_job, &tree, side, &command))).await?;
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(Unready::Ends(outcome)) => return Ok(Ok(Ran::not_started(outcome))),
        Err(Unready::Failed(failure)) => return Ok(Err(NotReady::Failed(failure))),
    };
    match jobs::run(attempt, name, prepared).await? {
        JobEnd::Stopped => Ok(Err(NotReady::Stopped)),
        JobEnd::Ended => {
            let dir = AttemptDir::at(&attempt.jobs().join(name));
            let ran = blocking(move || Ran::read(&dir)).await?;
            ran.map(Ok).ok_or_else(|| io::Error::other("the result of a job has gone"))
        }
    }
}

fn prepared(
    attempt: &Attempt,
    tree: &Tree,
    side: Side,
    command: &[String],
) -> Result<Prepared, Unready> {
    let (shared, work) = (&attempt.shared, &attempt.work);
    let side = match side {
        Side::Agents => "agents",
        Side::Checks => "checks",
    };
    prepare(&CheckRequest {
        workspace: &shared.workspace,
        attempt: work.attempt,
        command,
        slot: &tree.slot,
        directory: &tree.cwd,
        scope: Scope {
            write: vec![tree.src.clone(), tree.tmp.clone(), tree.out.clone()],
            hidden: vec![shared.folders.runtime.clone()],
            choice: shared.attempt.sandbox,
        },
        caches: &shared.folders.caches(&shared.workspace, side),
        environment: &work.environment,
        timeout: work.plan.checks.timeout,
        config: &shared.attempt,
        // Who waits for a job sees its shim end.
        daemon: None,
    })
}
