//! Attempts with a process: prepared, started under a shim, watched, stopped, and found again.

use super::{
    Shared,
    handover::{self, Handover},
};
use crate::environment::Environment;
use orchestra_core::{
    agent::AgentProfile,
    ids::AttemptId,
    outcome::{AttemptOutcome, Failure, FailureKind, Output, StopReason},
    pending::Work,
    plan::Plan,
    ports::StepInput,
    time::Millis,
};
use orchestra_runtimes::{
    attempt::{
        self, AttemptDir, AttemptResult, DaemonContact, Found, InboxMessage, Sent, Shim,
        end_leftovers, probe, spawn_shim,
    },
    cli, prompt,
};
use orchestra_vcs::clone;
use std::{
    io,
    os::fd::OwnedFd,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::io::{Interest, unix::AsyncFd};

/// How long the daemon may take to answer a shim that pokes it.
const PATIENCE: Millis = Millis::seconds(2);
/// How many times the grace period the leftovers of a dead shim may take to end.
const LEFTOVERS_GRACES: u32 = 3;

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

/// What is needed to start an attempt, taken out of the state.
pub(crate) struct ProcessWork {
    attempt: AttemptId,
    plan: Arc<Plan>,
    agent: String,
    step: String,
    prompt: String,
    output: Option<String>,
    timeout: Millis,
    inputs: Vec<StepInput>,
    environment: Environment,
}

impl ProcessWork {
    pub(crate) fn new(
        attempt: AttemptId,
        work: &Work<'_>,
        inputs: Vec<StepInput>,
        environment: Environment,
    ) -> Self {
        Self {
            attempt,
            plan: Arc::clone(&work.run.plan),
            agent: work.started.executor.name().to_owned(),
            step: work.planned.step.to_string(),
            prompt: work.started.prompt.clone().unwrap_or_default(),
            output: work.planned.output.clone(),
            timeout: work.started.timeout,
            inputs,
            environment,
        }
    }

    fn profile(&self) -> Option<&AgentProfile> {
        self.plan.agents.get(&self.agent)
    }

    fn writes(&self) -> bool {
        self.profile().is_some_and(|profile| profile.writes)
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

/// Clones, writes the attempt's folder and starts the shim; what stands in the way ends the attempt.
fn start(
    shared: &Shared,
    work: &ProcessWork,
    process: &Process,
) -> Result<Shim, Box<AttemptOutcome>> {
    let failed = |kind, message: String, hint: Option<String>| {
        let failure = Failure { kind, message, hint };
        Box::new(AttemptOutcome::Failed { failure, output: Output::default() })
    };
    let profile = work.profile().ok_or_else(|| {
        let message = format!("the plan has no agent `{}`", work.agent);
        failed(FailureKind::NotStarted, message, None)
    })?;
    let slot = shared.folders.slot(&shared.workspace, work.attempt);
    let tree = clone::create(&shared.root, &slot).map_err(|error| {
        let hint = error.hint();
        failed(FailureKind::Environment, format!("clone the repository: {error}"), Some(hint))
    })?;
    let give_up = |outcome: Box<AttemptOutcome>| {
        remove(&slot);
        outcome
    };
    let text = prompt::render(&prompt::PromptInput {
        profile,
        attempt: work.attempt,
        step: &work.step,
        run_name: &work.plan.name,
        task: &work.prompt,
        directory: &tree.cwd,
        out: &tree.out,
        artifacts: &shared.root.join(".orchestra").join("workspace"),
        output: work.output.as_deref(),
        inputs: &work.inputs,
    });
    let output = Output::default;
    let prepared = text.and_then(|text| {
        cli::prepare(&cli::Request {
            workspace: &shared.workspace,
            attempt: work.attempt,
            profile,
            root: &shared.root,
            slot: &slot,
            directory: &tree.cwd,
            prompt: &text,
            plan: &work.plan.outline(),
            environment: &work.environment,
            timeout: work.timeout,
            config: &shared.attempt,
            daemon: Some(DaemonContact {
                socket: shared.folders.socket(),
                arguments: shared.daemon_command.clone(),
                patience: PATIENCE,
            }),
        })
    });
    let mut prepared = prepared.map_err(|failure| {
        give_up(Box::new(AttemptOutcome::Failed { failure, output: output() }))
    })?;
    let dir = {
        // From here on words to the attempt go into its inbox; those that came before are heeded
        // here.
        let mut phase = process.phase();
        if let Phase::Preparing { stop, timeout } = &*phase {
            if stop.is_some() {
                return Err(give_up(Box::new(AttemptOutcome::Cancelled { output: output() })));
            }
            if let Some(timeout) = timeout {
                prepared.spec.timeout = *timeout;
            }
        }
        let path = shared.folders.attempt(&shared.workspace, work.attempt);
        let dir = AttemptDir::create(&path, &prepared.spec).map_err(|error| {
            let message = format!("create {}: {error}", path.display());
            give_up(failed(FailureKind::Environment, message, Some(DOCTOR.to_owned())))
        })?;
        *phase = Phase::Started;
        dir
    };
    spawn_shim(&dir, &prepared.environment).map_err(|error| {
        let message = format!("start a shim: {error}");
        give_up(failed(FailureKind::Environment, message, Some(DOCTOR.to_owned())))
    })
}

const DOCTOR: &str = "see `orchestra doctor`";

/// Removes a slot in which nothing is worth keeping.
pub(super) fn remove(slot: &Path) {
    if let Err(error) = clone::remove(slot) {
        tracing::warn!(slot = %slot.display(), %error, "a tree that nobody needs could not be removed");
    }
}

/// Ends what dead shims have left, all that are known at the time in one look at the processes.
#[derive(Debug, Clone)]
pub(crate) struct Sweeper {
    sender: tokio::sync::mpsc::UnboundedSender<(AttemptDir, tokio::sync::oneshot::Sender<()>)>,
}

impl Sweeper {
    pub(crate) fn new(grace: Millis) -> Self {
        let (sender, mut requests) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(first) = requests.recv().await {
                let mut batch: Vec<(AttemptDir, tokio::sync::oneshot::Sender<()>)> = vec![first];
                while let Ok(next) = requests.try_recv() {
                    batch.push(next);
                }
                let (dead, waiting): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
                let grace = std::time::Duration::from(grace);
                let limit = grace * LEFTOVERS_GRACES;
                match blocking(move || end_leftovers(&dead, grace, limit)).await {
                    Ok(leftovers) if leftovers.remaining.is_empty() => {}
                    Ok(leftovers) => {
                        tracing::error!(?leftovers, "processes of dead attempts would not end");
                    }
                    Err(error) => {
                        tracing::error!(%error, "processes of dead attempts were not looked for");
                    }
                }
                for waiting in waiting {
                    // An attempt that is not watched any more needs no answer.
                    let _ = waiting.send(());
                }
            }
        });
        Self { sender }
    }

    /// Returns when nothing of the attempt is left.
    async fn sweep(&self, dir: AttemptDir) {
        let (done, swept) = tokio::sync::oneshot::channel();
        if self.sender.send((dir, done)).is_ok() {
            // The sweeper lives as long as the workspace; without it there is nothing to wait for.
            let _ = swept.await;
        }
    }
}
