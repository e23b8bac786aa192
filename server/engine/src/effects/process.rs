//! Attempts with a process: prepared, started under a shim, watched, stopped, and found again.

mod desk;
mod start;
mod sweeper;
mod work;

use super::{
    Shared,
    handover::{self, Handover},
    ingest::Ingest,
};
pub(crate) use desk::Desk;
use orchestra_core::{ids::AttemptId, outcome::AttemptOutcome};
use orchestra_runtimes::attempt::{self, AttemptResult, Found, Shim, probe};
use orchestra_vcs::clone;
use start::start;
use std::{io, os::fd::OwnedFd, path::Path, sync::Arc};
pub(crate) use sweeper::Sweeper;
use tokio::io::{Interest, unix::AsyncFd};
pub(crate) use work::ProcessWork;

/// Carries the attempt to its end, and reports it.
pub(crate) async fn run(shared: Arc<Shared>, work: ProcessWork, desk: Arc<Desk>, found: bool) {
    let attempt = work.attempt;
    let work = Arc::new(work);
    let outcome = match carry(&shared, &work, &desk, found).await {
        Ok(outcome) => outcome,
        Err(error) => {
            tracing::error!(%attempt, %error, "the attempt could not be watched");
            AttemptOutcome::Lost { reason: format!("it could not be watched: {error}") }
        }
    };
    shared.ended(attempt, outcome);
}

async fn carry(
    shared: &Arc<Shared>,
    work: &Arc<ProcessWork>,
    desk: &Arc<Desk>,
    found: bool,
) -> io::Result<AttemptOutcome> {
    let mut ingest = Ingest::new(work.attempt, found);
    if !found {
        let (on_thread, job, its_desk) = (Arc::clone(shared), Arc::clone(work), Arc::clone(desk));
        match blocking(move || Ok(start(&on_thread, &job, &its_desk))).await? {
            Ok(Shim { pidfd, mut child, .. }) => {
                listen(shared, desk, &mut ingest, pidfd).await?;
                // It has ended, so this does not wait.
                child.wait()?;
            }
            Err(outcome) => return Ok(*outcome),
        }
    }
    loop {
        let dir = shared.attempt_dir(work.attempt);
        match blocking(move || probe(&dir)).await? {
            Found::Alive { pidfd, claim } => {
                tracing::info!(attempt = %work.attempt, ?claim, "found again");
                desk.is_found(&shared.attempt_dir(work.attempt), true);
                listen(shared, desk, &mut ingest, pidfd).await?;
            }
            Found::Ended(result) => {
                desk.has_ended();
                ingest.take_all(shared).await;
                remove_socket(shared, work.attempt);
                let (shared, work) = (Arc::clone(shared), Arc::clone(work));
                return blocking(move || take_in(&shared, &work, &result)).await;
            }
            Found::Lost => {
                ingest.take_all(shared).await;
                remove_socket(shared, work.attempt);
                shared.sweeper.sweep(shared.attempt_dir(work.attempt)).await;
                if !work.writes() {
                    remove_slot(shared, work.attempt).await?;
                }
                let reason = "its shim died before it could say how it ended".to_owned();
                return Ok(AttemptOutcome::Lost { reason });
            }
            Found::NeverStarted => {
                // No shim takes the claim any more, so nobody works in what was prepared.
                remove_slot(shared, work.attempt).await?;
                let reason = "the daemon went down before it was started".to_owned();
                return Ok(AttemptOutcome::NeverStarted { reason });
            }
        }
    }
}

/// Takes in what the shim tells until it has ended.
async fn listen(
    shared: &Arc<Shared>,
    desk: &Desk,
    ingest: &mut Ingest,
    pidfd: OwnedFd,
) -> io::Result<()> {
    let ended = has_ended(pidfd);
    tokio::pin!(ended);
    loop {
        ingest.take_all(shared).await;
        tokio::select! {
            ended = &mut ended => return ended,
            () = desk.news() => {}
        }
    }
}

/// A shim that was killed has left it behind.
fn remove_socket(shared: &Shared, attempt: AttemptId) {
    let socket = shared.folders.tools_socket(&shared.workspace, attempt);
    if let Err(error) = std::fs::remove_file(&socket)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(socket = %socket.display(), %error, "a socket that nobody needs stays");
    }
}

/// Makes an outcome of the result, with what the agent has left.
fn take_in(
    shared: &Shared,
    work: &ProcessWork,
    result: &AttemptResult,
) -> io::Result<AttemptOutcome> {
    fail::fail_point!("engine::ingest::before", |_| std::process::abort());
    let dir = shared.attempt_dir(work.attempt);
    let outcome = attempt::outcome(result, &dir.spec()?);
    let slot = shared.folders.slot(&shared.workspace, work.attempt);
    let output = work.output.as_deref();
    let handover = Handover { dir: &dir, slot: &slot, output, writes: work.writes() };
    let outcome = handover::take(shared, outcome, &handover)?;
    fail::fail_point!("engine::ingest::after", |_| std::process::abort());
    Ok(outcome)
}

async fn remove_slot(shared: &Shared, attempt: AttemptId) -> io::Result<()> {
    let slot = shared.folders.slot(&shared.workspace, attempt);
    blocking(move || {
        remove(&slot);
        Ok(())
    })
    .await
}

/// Waits until the process has ended.
async fn has_ended(pidfd: OwnedFd) -> io::Result<()> {
    // SAFETY: the `AsyncFd` owns the open descriptor for its whole life, and `OwnedFd` always names
    // the same one.
    let pidfd = unsafe { AsyncFd::register_with_interest(pidfd, Interest::READABLE) }?;
    pidfd.readable().await.map(drop)
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// Removes a slot in which nothing is worth keeping.
pub(super) fn remove(slot: &Path) {
    if let Err(error) = clone::remove(slot) {
        tracing::warn!(slot = %slot.display(), %error, "a tree that nobody needs could not be removed");
    }
}
