//! Attempts with a process: prepared, started under a shim, watched, stopped, and found again.

mod start;
mod sweeper;
mod work;

use super::{
    Shared,
    handover::{self, Handover},
};
use orchestra_core::{
    decision::{Decision, DecisionStatus},
    ids::AttemptId,
    outcome::{AttemptOutcome, StopReason},
    time::Millis,
};
use orchestra_runtimes::attempt::{
    self, AttemptResult, Found, GivenAnswer, InboxMessage, Sent, Shim, probe,
};
use orchestra_vcs::clone;
use start::start;
use std::{
    io,
    os::fd::OwnedFd,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
pub(crate) use sweeper::Sweeper;
use tokio::io::{Interest, unix::AsyncFd};
pub(crate) use work::ProcessWork;

/// An attempt as the actor reaches it.
#[derive(Debug)]
pub(crate) struct Process {
    attempt: AttemptId,
    phase: Mutex<Phase>,
}

#[derive(Debug)]
enum Phase {
    /// Nothing runs yet; what is asked for is kept until something does.
    Preparing { stop: Option<StopReason>, timeout: Option<Millis> },
    /// There is a folder with an inbox.
    Started,
}

impl Process {
    /// `found` is an attempt that an earlier daemon started.
    pub(crate) fn new(attempt: AttemptId, found: bool) -> Self {
        let phase = match found {
            true => Phase::Started,
            false => Phase::Preparing { stop: None, timeout: None },
        };
        Self { attempt, phase: Mutex::new(phase) }
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn stop(&self, shared: &Arc<Shared>, reason: StopReason) {
        match &mut *self.phase() {
            Phase::Preparing { stop, .. } => {
                stop.get_or_insert(reason);
            }
            Phase::Started => self.send(shared, InboxMessage::Cancel { reason }),
        }
    }

    pub(crate) fn change_timeout(&self, shared: &Arc<Shared>, to: Millis) {
        match &mut *self.phase() {
            Phase::Preparing { timeout, .. } => *timeout = Some(to),
            Phase::Started => self.send(shared, InboxMessage::Timeout { timeout: to }),
        }
    }

    /// How a question of the attempt has ended.
    pub(crate) fn deliver(&self, shared: &Arc<Shared>, decision: &Decision) {
        let answer = match &decision.status {
            DecisionStatus::Answered { choice, by, .. } => {
                Some(GivenAnswer { choice: choice.clone(), by: *by })
            }
            DecisionStatus::Open | DecisionStatus::Withdrawn { .. } => None,
        };
        let (decision, key) = (decision.asked.decision, decision.asked.question.key.clone());
        self.send(shared, InboxMessage::Answer { decision, key, answer });
    }

    /// Writes a file, so not on the actor's thread.
    fn send(&self, shared: &Arc<Shared>, message: InboxMessage) {
        let (attempt, dir) = (self.attempt, shared.attempt_dir(self.attempt));
        tokio::task::spawn_blocking(move || match attempt::send(&dir, &message) {
            Ok(Sent::Delivered { .. } | Sent::NeverStarts) => {}
            // Its end is being looked at: a folder that has gone is an attempt that never started.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::error!(%attempt, %error, "a message did not reach the shim"),
        });
    }
}

/// Carries the attempt to its end, and reports it.
pub(crate) async fn run(
    shared: Arc<Shared>,
    work: ProcessWork,
    process: Arc<Process>,
    found: bool,
) {
    let attempt = work.attempt;
    let work = Arc::new(work);
    let outcome = match carry(&shared, &work, &process, found).await {
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
    process: &Arc<Process>,
    found: bool,
) -> io::Result<AttemptOutcome> {
    if !found {
        let (on_thread, job, phase) = (Arc::clone(shared), Arc::clone(work), Arc::clone(process));
        match blocking(move || Ok(start(&on_thread, &job, &phase))).await? {
            Ok(Shim { pidfd, mut child, .. }) => {
                has_ended(pidfd).await?;
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
                has_ended(pidfd).await?;
            }
            Found::Ended(result) => {
                let (shared, work) = (Arc::clone(shared), Arc::clone(work));
                return blocking(move || take_in(&shared, &work, &result)).await;
            }
            Found::Lost => {
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

async fn blocking<T: Send + 'static>(
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
