//! What is needed to carry out an attempt with a process, taken out of the state.

use crate::environment::Environment;
use orchestra_core::{
    agent::AgentProfile,
    ids::AttemptId,
    outcome::{Failure, FailureKind},
    pending::Work,
    plan::Plan,
    ports::StepInput,
    state::SnapshotState,
    time::Millis,
};
use std::sync::Arc;

/// What is needed to start an attempt, taken out of the state.
pub(crate) struct ProcessWork {
    pub(super) attempt: AttemptId,
    pub(super) plan: Arc<Plan>,
    pub(super) agent: String,
    pub(super) step: String,
    pub(super) prompt: String,
    /// How the attempt before this one ended, if there was one.
    pub(super) previous: Option<String>,
    pub(super) output: Option<String>,
    pub(super) timeout: Millis,
    /// The commit that its tree starts from, or why there is none.
    pub(super) base: Result<String, Failure>,
    pub(super) verify: Vec<Vec<String>>,
    pub(super) accept: Vec<Vec<String>>,
    pub(super) allow_empty: bool,
    pub(super) inputs: Vec<StepInput>,
    pub(super) environment: Environment,
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
            previous: work.previous.clone(),
            output: work.planned.output.clone(),
            timeout: work.started.timeout,
            base: base(work),
            verify: work.planned.verify.clone(),
            accept: work.planned.accept.clone(),
            allow_empty: work.planned.allow_empty,
            inputs,
            environment,
        }
    }

    pub(super) fn profile(&self) -> Option<&AgentProfile> {
        self.plan.agents.get(&self.agent)
    }

    pub(super) fn writes(&self) -> bool {
        self.profile().is_some_and(|profile| profile.writes)
    }

    /// Whether something that lies in its tree is to be taken over.
    pub(super) fn hands_over(&self) -> bool {
        self.writes() || self.output.is_some()
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
