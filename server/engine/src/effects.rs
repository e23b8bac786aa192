//! Effects: what the state says must be under way, carried out; its end comes back as a message.

mod handover;
mod ingest;
pub(crate) mod inline;
mod native;
mod operation;
mod process;
mod radar;
mod review;
mod snapshot;

use crate::{
    actor::{Message, Outcome},
    batch::AgentReply,
    clock,
    environment::{Environment, Environments},
    hub::Hub,
};
use native::{NativeWork, StopFlag};
use orchestra_core::{
    config::{
        ApplyConfig, AttemptConfig, CollectConfig, DecisionConfig, McpConfig, MergeConfig,
        RadarConfig, SnapshotConfig,
    },
    folders::Folders,
    ids::{AttemptId, OperationId, RunId, WorkspaceId},
    outcome::AttemptOutcome,
    pending::{Effect, inputs, pending, work},
    plan::Lane,
    state::State,
    time::Millis,
};
use orchestra_runtimes::{
    attempt::{AttemptDir, DaemonContact},
    checks::CheckCache,
    confine,
};
use orchestra_store::{Artifacts, Store};
use orchestra_vcs::trees::Pool;
pub(crate) use process::Sweeper;
use process::{Desk, ProcessWork};
pub(crate) use radar::Radar;
use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};
use tokio::{
    sync::{Semaphore, mpsc},
    task::AbortHandle,
};

/// How long the daemon may take to answer a shim that pokes it.
const PATIENCE: Millis = Millis::seconds(2);

/// What every effect of a workspace needs.
pub(crate) struct Shared {
    pub(crate) folders: Folders,
    pub(crate) workspace: WorkspaceId,
    pub(crate) root: PathBuf,
    pub(crate) hub: Arc<Hub>,
    pub(crate) sender: mpsc::UnboundedSender<Message>,
    pub(crate) artifacts: Artifacts,
    pub(crate) attempt: AttemptConfig,
    pub(crate) decision: DecisionConfig,
    pub(crate) mcp: McpConfig,
    /// To look up how far files have been taken in; the actor owns it.
    pub(crate) store: Weak<Store>,
    /// How long after a failure of the journal it is tried again.
    pub(crate) try_again_after: Duration,
    /// Where this program is, for the agents' own processes.
    pub(crate) program: PathBuf,
    pub(crate) snapshot: SnapshotConfig,
    pub(crate) collect: CollectConfig,
    pub(crate) apply: ApplyConfig,
    pub(crate) radar: Radar,
    pub(crate) merge: MergeConfig,
    /// With which arguments a shim starts the daemon when none answers.
    pub(crate) daemon_command: Vec<String>,
    pub(crate) sweeper: Sweeper,
    pub(crate) pool: Pool,
    /// Checks of the workspace, so many at once.
    pub(crate) checks: Semaphore,
    pub(crate) check_cache: CheckCache,
    /// Whether the kernel can hold agents, so that those that read may share a tree.
    pub(crate) has_sandbox: OnceLock<bool>,
}

impl Shared {
    fn attempt_dir(&self, attempt: AttemptId) -> AttemptDir {
        AttemptDir::at(&self.folders.attempt(&self.workspace, attempt))
    }

    /// How a shim reaches this daemon, or the next one.
    fn contact(&self) -> DaemonContact {
        DaemonContact {
            socket: self.folders.socket(),
            arguments: self.daemon_command.clone(),
            patience: PATIENCE,
        }
    }

    fn has_sandbox(&self) -> bool {
        *self.has_sandbox.get_or_init(|| confine::can_hold(self.attempt.sandbox))
    }

    /// The name of one of a run's references in the user's repository.
    fn reference(&self, run: RunId, name: &str) -> String {
        self.references(&format!("{run}/{name}"))
    }

    /// What the names of an operation's references begin with.
    fn backup(&self, operation: OperationId) -> String {
        self.references(&format!("backup/{}", operation.file_name()))
    }

    /// The name of one of the workspace's references, or what several of them begin with.
    fn references(&self, name: &str) -> String {
        format!("refs/orchestra/{}/{name}", self.workspace)
    }

    /// Reports the end of an attempt. An actor that is gone finds it again after its next start.
    pub(crate) fn ended(&self, attempt: AttemptId, outcome: AttemptOutcome) {
        let _ = self.sender.send(Message::Ended(Outcome { attempt, outcome }));
    }
}

/// An attempt that is being carried out.
enum Running {
    Native { stop: Arc<StopFlag>, task: AbortHandle },
    Process { desk: Arc<Desk>, task: AbortHandle },
}

pub(crate) struct Effects {
    shared: Arc<Shared>,
    environments: Environments,
    /// Environments of runs that this daemon started.
    known: HashMap<RunId, Environment>,
    running: HashMap<AttemptId, Running>,
    /// Attempts that an earlier daemon started: they are looked for, never started.
    found: HashSet<AttemptId>,
    /// What else is under way and is no attempt.
    jobs: HashMap<Effect, AbortHandle>,
    radar: AbortHandle,
}

impl Effects {
    pub(crate) fn new(
        shared: Shared,
        radar: RadarConfig,
        environments: Environments,
        recovered: &State,
    ) -> Self {
        let found = pending(recovered)
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Execute { attempt, lane: Lane::Process } => Some(attempt),
                _ => None,
            })
            .collect();
        environments.clean(|run| recovered.run(run).is_some());
        let shared = Arc::new(shared);
        let watching = radar::watch(Arc::clone(&shared), radar);
        Self {
            radar: tokio::spawn(watching).abort_handle(),
            shared,
            environments,
            known: HashMap::new(),
            running: HashMap::new(),
            found,
            jobs: HashMap::new(),
        }
    }

    pub(crate) fn set_environment(&mut self, run: RunId, environment: Environment) {
        self.known.insert(run, environment);
    }

    pub(crate) fn has_environment(&self, run: RunId) -> bool {
        self.known.contains_key(&run) || self.environments.load(run).is_some()
    }

    pub(crate) fn forget_environment(&mut self, run: RunId) {
        self.known.remove(&run);
        self.environments.forget(run);
    }

    /// Starts effects whose reason is durable.
    pub(crate) fn start(&mut self, state: &State, effects: Vec<Effect>) {
        self.running.retain(|_, running| !running.has_ended());
        for effect in effects {
            match effect {
                // More inline actions than one turn does: each comes back as a turn of its own.
                Effect::Execute { attempt, lane: Lane::Inline } => {
                    let outcome = inline::carry_out(state, attempt, clock::now());
                    self.shared.ended(attempt, outcome);
                }
                Effect::Execute { attempt, lane: Lane::Native } => self.run_native(state, attempt),
                Effect::Execute { attempt, lane: Lane::Process } => {
                    self.run_process(state, attempt);
                }
                Effect::Stop { attempt, reason } => match self.running.get(&attempt) {
                    Some(Running::Native { stop, .. }) => stop.raise(reason),
                    Some(Running::Process { desk, .. }) => desk.stop(reason),
                    // It has ended, and the news is on its way.
                    None => {}
                },
                Effect::Deliver { attempt, decision } => {
                    if let Some(Running::Process { desk, .. }) = self.running.get(&attempt)
                        && let Some(decision) =
                            state.run(decision.run()).and_then(|run| run.decision(decision))
                    {
                        desk.deliver(decision);
                    }
                }
                Effect::TakeSnapshot { run } => {
                    if let Some(plan) = state.run(run).map(|run| Arc::clone(&run.plan)) {
                        self.begin(effect, |shared| snapshot::report(shared, run, plan));
                    }
                }
                Effect::Review { run } => {
                    if let Some(work) = state.run(run).and_then(review::Work::new) {
                        self.begin(effect, |shared| review::report(shared, work));
                    }
                }
                Effect::Prepare { operation } => {
                    if let Some(work) = operation::Work::new(state, operation) {
                        self.begin(effect, |shared| operation::prepare(shared, work));
                    }
                }
                Effect::Write { operation } => {
                    if let Some(work) = operation::Work::new(state, operation) {
                        self.begin(effect, |shared| operation::write(shared, work));
                    }
                }
                Effect::ChangeTimeout { attempt, timeout } => {
                    if let Some(Running::Process { desk, .. }) = self.running.get(&attempt) {
                        desk.change_timeout(timeout);
                    }
                }
            }
        }
    }

    /// Whether the attempt is being carried out, as far as this daemon knows.
    pub(crate) fn is_running(&self, attempt: AttemptId) -> bool {
        self.running.get(&attempt).is_some_and(|running| !running.has_ended())
    }

    /// The same of an effect that is no attempt.
    pub(crate) fn is_under_way(&self, effect: Effect) -> bool {
        self.jobs.get(&effect).is_some_and(|task| !task.is_finished())
    }

    /// There is news of an attempt. One that has ended is looked at anyway.
    pub(crate) fn poked(&self, attempt: AttemptId) {
        if let Some(Running::Process { desk, .. }) = self.running.get(&attempt) {
            desk.has_news();
        }
    }

    /// Answers what an agent has said.
    pub(crate) fn reply(&self, attempt: AttemptId, number: u32, reply: AgentReply) {
        if let Some(Running::Process { desk, .. }) = self.running.get(&attempt) {
            let (desk, shared) = (Arc::clone(desk), Arc::clone(&self.shared));
            tokio::task::spawn_blocking(move || desk.reply(number, reply.complete(&shared)));
        }
    }

    /// Begins an effect that is no attempt.
    fn begin<F>(&mut self, effect: Effect, work: impl FnOnce(Arc<Shared>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let task = tokio::spawn(work(Arc::clone(&self.shared))).abort_handle();
        self.jobs.retain(|_, task| !task.is_finished());
        self.jobs.insert(effect, task);
    }

    fn run_native(&mut self, state: &State, attempt: AttemptId) {
        let Some(work) = work(state, attempt) else { return };
        let native = NativeWork::new(attempt, &work, inputs(work.run, attempt.task()));
        let stop = Arc::new(StopFlag::default());
        let running = native::run(Arc::clone(&self.shared), native, Arc::clone(&stop));
        let task = tokio::spawn(running).abort_handle();
        self.running.insert(attempt, Running::Native { stop, task });
    }

    fn run_process(&mut self, state: &State, attempt: AttemptId) {
        let Some(work) = work(state, attempt) else { return };
        let environment = self.environment(attempt.run());
        let found = self.found.remove(&attempt);
        let work = ProcessWork::new(attempt, &work, inputs(work.run, attempt.task()), environment);
        let desk = Arc::new(Desk::new(attempt, self.shared.attempt_dir(attempt)));
        let running = process::run(Arc::clone(&self.shared), work, Arc::clone(&desk), found);
        let task = tokio::spawn(running).abort_handle();
        self.running.insert(attempt, Running::Process { desk, task });
    }

    fn environment(&self, run: RunId) -> Option<Environment> {
        let known = self.known.get(&run).cloned();
        known.or_else(|| self.environments.load(run))
    }

    /// Keeps the environment of a run that is being recorded, so that a later daemon finds it.
    ///
    /// Writes a small file on the actor's thread: into the runtime folder, which lies in memory where
    /// there is one, and before anything of the run starts.
    pub(crate) fn keep_environment(&self, run: RunId) {
        if let Some(environment) = self.known.get(&run)
            && let Err(error) = self.environments.keep(run, environment)
        {
            tracing::warn!(%run, %error, "a later daemon will not have its environment");
        }
    }

    /// Lets go of everything under way without ending it.
    pub(crate) fn abandon(&mut self) {
        self.radar.abort();
        for (_, task) in self.jobs.drain() {
            task.abort();
        }
        for running in std::mem::take(&mut self.running).into_values() {
            match running {
                Running::Native { stop, task } => {
                    stop.raise(orchestra_core::outcome::StopReason::Person);
                    task.abort();
                }
                Running::Process { task, .. } => task.abort(),
            }
        }
    }
}

impl Running {
    fn has_ended(&self) -> bool {
        match self {
            Self::Native { task, .. } | Self::Process { task, .. } => task.is_finished(),
        }
    }
}
