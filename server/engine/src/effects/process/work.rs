//! What is needed to carry out an attempt with a process, taken out of the state.

use super::merging::MergeWork;
use crate::environment::Environment;
use orchestra_core::{
    agent::AgentProfile,
    ids::AttemptId,
    outcome::{Failure, FailureKind},
    pending::Work,
    plan::{Executor, Plan},
    ports::StepInput,
    state::SnapshotState,
    time::{Millis, Timestamp},
};
use orchestra_runtimes::cli::KnownSecrets;
use orchestra_vcs::collect::Author;
use serde_json::{Map, Value};
use std::sync::Arc;

/// What is needed to start an attempt, taken out of the state.
pub(crate) struct ProcessWork {
    pub(super) attempt: AttemptId,
    pub(super) plan: Arc<Plan>,
    /// The agent or the action.
    pub(super) executor: Executor,
    pub(super) with: Map<String, Value>,
    pub(super) started_at: Timestamp,
    pub(super) step: String,
    pub(super) prompt: String,
    /// How the attempt before this one ended, if there was one.
    pub(super) previous: Option<String>,
    pub(super) output: Option<String>,
    pub(super) timeout: Millis,
    /// The commit that its tree starts from, or why there is none.
    pub(super) base: Result<String, Failure>,
    /// The commits that its tree comes from, the nearest first.
    pub(super) bases: Vec<String>,
    pub(super) verify: Vec<Vec<String>>,
    pub(super) accept: Vec<Vec<String>>,
    pub(super) allow_empty: bool,
    pub(super) inputs: Vec<StepInput>,
    /// What it brings together, when it does that.
    pub(super) merge: Option<MergeWork>,
    /// `None`: it is gone, as after a restart of the machine.
    environment: Option<Environment>,
}

impl ProcessWork {
    pub(crate) fn new(
        attempt: AttemptId,
        work: &Work<'_>,
        inputs: Vec<StepInput>,
        environment: Option<Environment>,
    ) -> Self {
        Self {
            attempt,
            plan: Arc::clone(&work.run.plan),
            executor: work.started.executor.clone(),
            with: work.started.with.clone(),
            started_at: work.started_at,
            step: work.planned.step.to_string(),
            prompt: work.started.prompt.clone().unwrap_or_default(),
            previous: work.previous.clone(),
            output: work.planned.output.clone(),
            timeout: work.started.timeout,
            base: base(work),
            bases: work.bases.clone(),
            verify: work.planned.verify.clone(),
            accept: work.planned.accept.clone(),
            allow_empty: work.planned.allow_empty,
            inputs,
            merge: MergeWork::new(attempt, work),
            environment,
        }
    }

    /// By whom it is done, in words.
    pub(super) fn names(&self) -> Names<'_> {
        Names {
            agent: self.executor.name(),
            run: self.attempt.run().to_string(),
            task: self.attempt.task().to_string(),
            attempt: self.attempt.to_string(),
            model: self.profile().and_then(|profile| profile.model.as_deref()),
        }
    }

    /// `None`: an action carries it out.
    pub(super) fn profile(&self) -> Option<&AgentProfile> {
        match &self.executor {
            Executor::Agent { name, .. } => self.plan.agents.get(name),
            Executor::Native { .. } => None,
        }
    }

    /// The environment of the run.
    pub(super) fn environment(&self) -> Result<&Environment, Failure> {
        self.environment.as_ref().ok_or_else(|| {
            let run = self.attempt.run();
            Failure {
                kind: FailureKind::Environment,
                message: "the environment that the run was started with is gone".to_owned(),
                hint: Some(format!("`orchestra resume {run}` gives it yours; then retry")),
            }
        })
    }

    /// What of it must not be handed over; nothing is known of one that is gone.
    pub(super) fn secrets(&self) -> KnownSecrets {
        KnownSecrets::of(self.environment.as_ref().unwrap_or(&Environment::new()))
    }

    pub(super) fn writes(&self) -> bool {
        self.profile().is_some_and(|profile| profile.writes)
    }

    /// Whether something that lies in its tree is to be taken over.
    pub(super) fn hands_over(&self) -> bool {
        self.writes() || self.output.is_some()
    }
}

/// By whom something is done.
pub(super) struct Names<'a> {
    agent: &'a str,
    run: String,
    task: String,
    attempt: String,
    model: Option<&'a str>,
}

impl Names<'_> {
    /// As whom it is committed.
    pub(super) fn author(&self) -> Author<'_> {
        Author {
            agent: self.agent,
            run: &self.run,
            task: &self.task,
            attempt: &self.attempt,
            model: self.model,
        }
    }
}

fn base(work: &Work<'_>) -> Result<String, Failure> {
    match (&work.started.base, &work.run.snapshot) {
        (Some(base), _) => Ok(base.clone()),
        (None, SnapshotState::Failed(failure)) => Err(failure.clone()),
        (None, _) => Err(Failure {
            kind: FailureKind::Environment,
            message: "it was started without a snapshot, by an earlier version".to_owned(),
            hint: Some("start the run anew".to_owned()),
        }),
    }
}
