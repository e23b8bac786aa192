//! Native actions that read files: on a thread of their own, stopped by a flag.

use super::Shared;
use crate::{clock, effects::inline::unknown};
use orchestra_core::{
    ids::AttemptId,
    outcome::{AttemptOutcome, Failure, FailureKind, Output, StopReason},
    pending::Work,
    ports::{Repo, StepInput},
    time::Millis,
};
use orchestra_protocol::stream::AttemptProgress;
use orchestra_runtimes::native::{self, Context, Progress, Report, Stop};
use orchestra_vcs::repo::GitRepo;
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// How a native action under way is told to stop.
#[derive(Debug, Default)]
pub(crate) struct StopFlag {
    cancelled: AtomicBool,
    reason: Mutex<Option<StopReason>>,
}

impl StopFlag {
    pub(crate) fn raise(&self, reason: StopReason) {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
        self.cancelled.store(true, Ordering::Relaxed);
    }

    fn reason(&self) -> Option<StopReason> {
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the thread needs, taken out of the state.
pub(crate) struct NativeWork {
    attempt: AttemptId,
    action: String,
    run_name: String,
    run_description: String,
    with: serde_json::Map<String, serde_json::Value>,
    prompt: Option<String>,
    output: Option<String>,
    inputs: Vec<StepInput>,
    pub(crate) timeout: Millis,
}

impl NativeWork {
    pub(crate) fn new(attempt: AttemptId, work: &Work<'_>, inputs: Vec<StepInput>) -> Self {
        Self {
            attempt,
            action: work.started.executor.name().to_owned(),
            run_name: work.run.plan.name.clone(),
            run_description: work.run.plan.description.clone(),
            with: work.started.with.clone(),
            prompt: work.started.prompt.clone(),
            output: work.planned.output.clone(),
            inputs,
            timeout: work.started.timeout,
        }
    }

    /// Blocks until the action has ended.
    pub(crate) fn carry_out(&self, shared: &Shared, stop: &StopFlag) -> AttemptOutcome {
        let Some(action) = native::find(&self.action) else { return unknown(&self.action) };
        let repo = match GitRepo::open(&shared.root) {
            Ok(repo) => repo,
            Err(error) => {
                // The action says itself what it leaves out without a repository.
                tracing::warn!(attempt = %self.attempt, %error, "git history is left out");
                None
            }
        };
        let progress = |progress: Progress| {
            shared.hub.progress(AttemptProgress {
                attempt: self.attempt,
                done: progress.done,
                total: progress.total,
                message: progress.unit.to_owned(),
            });
        };
        let context = Context {
            root: &shared.root,
            repo: repo.as_ref().map(|repo| repo as &dyn Repo),
            run_name: &self.run_name,
            run_description: &self.run_description,
            with: &self.with,
            prompt: self.prompt.as_deref(),
            output: self.output.as_deref(),
            inputs: &self.inputs,
            cancelled: &stop.cancelled,
            progress: &progress,
            now: clock::now(),
        };
        match action.run(&context) {
            Ok(report) => keep(shared, report),
            Err(Stop::Cancelled) => match stop.reason() {
                Some(StopReason::Timeout) => {
                    AttemptOutcome::TimedOut { limit: self.timeout, output: Output::default() }
                }
                _ => AttemptOutcome::Cancelled { output: Output::default() },
            },
            Err(Stop::Failed(failure)) => {
                AttemptOutcome::Failed { failure, output: Output::default() }
            }
        }
    }
}

/// Keeps the files of what an action hands over.
pub(super) fn keep(shared: &Shared, report: Report) -> AttemptOutcome {
    let Report { summary, result, files } = report;
    let mut output = Output { summary, result, ..Output::default() };
    for file in &files {
        match shared.artifacts.put(&file.content, &file.path) {
            Ok(artifact) => output.artifacts.push(artifact),
            Err(error) => {
                let failure = Failure {
                    kind: FailureKind::Environment,
                    message: format!("keep the output {}: {error}", file.path),
                    hint: Some("make room on the disk, then retry".to_owned()),
                };
                return AttemptOutcome::Failed { failure, output };
            }
        }
    }
    AttemptOutcome::Succeeded { output }
}

/// Runs the action on a thread of the pool and waits for it, or for its time-out.
pub(crate) async fn run(shared: Arc<Shared>, work: NativeWork, stop: Arc<StopFlag>) {
    let attempt = work.attempt;
    let limit = work.timeout;
    let (on_thread, flag) = (Arc::clone(&shared), Arc::clone(&stop));
    let mut action = tokio::task::spawn_blocking(move || work.carry_out(&on_thread, &flag));
    let ended = tokio::select! {
        ended = &mut action => ended,
        () = tokio::time::sleep(limit.into()) => {
            stop.raise(StopReason::Timeout);
            action.await
        }
    };
    let outcome = ended.unwrap_or_else(|error| {
        tracing::error!(%attempt, %error, "a native action ended in a panic");
        let failure = Failure {
            kind: FailureKind::Work,
            message: format!("the action failed in a way that it should not: {error}"),
            hint: Some("please report this, with the daemon's log".to_owned()),
        };
        AttemptOutcome::Failed { failure, output: Output::default() }
    });
    shared.ended(attempt, outcome);
}
