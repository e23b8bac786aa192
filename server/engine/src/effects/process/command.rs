//! Commands that run for an attempt beside its agent: what makes a tree ready, and what checks work.

use super::{
    Attempt, blocking,
    jobs::{self, JobEnd},
    setup::{NotReady, Ready, Side},
};
use orchestra_runtimes::{
    checks::{CheckRequest, Key, Ran, Unready, prepare},
    cli::Prepared,
    confine::Scope,
};
use orchestra_vcs::trees::Tree;
use std::{io, path::Path};
use tokio::sync::SemaphorePermit;

/// Waits until the attempt may run checks: those of a workspace wait for one another, as its configuration
/// says. `None`: it was told to stop.
pub(super) async fn turn(attempt: &Attempt) -> Option<SemaphorePermit<'_>> {
    tokio::select! {
        // It is never closed.
        turn = attempt.shared.checks.acquire() => turn.ok(),
        () = attempt.desk.told_to_stop() => None,
    }
}

/// Asks what a command says of a tree that is ready for checks. It is not run when it has said that before.
pub(super) async fn check(
    attempt: &Attempt,
    tree: &Tree,
    ready: &Ready,
    command: &[String],
    name: &str,
) -> io::Result<Result<Ran, NotReady>> {
    if attempt.desk.stopped().is_some() {
        return Ok(Err(NotReady::Stopped));
    }
    let directory = tree.cwd.strip_prefix(&tree.src).unwrap_or(Path::new("")).to_string_lossy();
    let key = Key { tree: &ready.content, directory: &directory, command, setup: &ready.setup };
    if let Some(ran) = attempt.shared.check_cache.get(&key) {
        return Ok(Ok(ran));
    }
    let ran = match run(attempt, tree, Side::Checks, command, name).await? {
        Ok(ran) => ran,
        Err(not_ready) => return Ok(Err(not_ready)),
    };
    if let Err(error) = attempt.shared.check_cache.put(&key, &ran) {
        tracing::warn!(%error, "what a check said is not remembered");
    }
    Ok(Ok(ran))
}

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
            let dir = attempt.dir().job(name);
            let ran = blocking(move || Ran::read(&dir)).await?;
            let gone = || io::Error::other("the result of a job has gone");
            let mut ran = ran.ok_or_else(gone)?;
            ran.run.log = Some(format!("{}/{name}", attempt.work.attempt));
            Ok(Ok(ran))
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
    let environment = work.environment().map_err(Unready::Failed)?;
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
        environment,
        timeout: work.plan.checks.timeout,
        config: &shared.attempt,
        // A daemon that waits for it sees its shim end; where there is none, one has to take it in.
        daemon: Some(shared.contact()),
    })
}
