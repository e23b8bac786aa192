//! What must be under way now, read off the state: the shell starts what it has not started yet,
//! so after a restart the very same call is recovery.

use crate::{
    event::{AttemptStarted, Event, EventBody},
    ids::{AttemptId, DecisionId, OperationId, RunId, TaskId},
    merge::Unmerged,
    outcome::StopReason,
    plan::{Lane, PlannedTask},
    ports::StepInput,
    review,
    state::{OperationPhase, Run, RunPhase, State, UnderWay},
    time::{Millis, Timestamp},
};
use std::sync::Arc;

/// Something that must be under way. The value itself is its stable key, for as long as it is pending:
/// what is pending, is no longer, and then is again (a time-out that was changed to and fro) is to be
/// carried out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// The attempt runs; its end comes back as an input.
    Execute { attempt: AttemptId, lane: Lane },
    /// The attempt has been told to stop.
    Stop { attempt: AttemptId, reason: StopReason },
    /// The attempt knows its new time-out.
    ChangeTimeout { attempt: AttemptId, timeout: Millis },
    /// A snapshot is taken of what the user sees; it comes back as an input.
    TakeSnapshot { run: RunId },
    /// The attempt is told how its question ended; that it has taken it up comes back as an input.
    Deliver { attempt: AttemptId, decision: DecisionId },
    /// What the run has made is brought together and compared; the review comes back as an input.
    Review { run: RunId },
    /// It is found out what an operation means for each file, which comes back as an input.
    Prepare { operation: OperationId },
    /// What was prepared is written; how that ended comes back as an input.
    Write { operation: OperationId },
}

/// All effects of the moment, in a stable order.
pub fn pending(state: &State) -> Vec<Effect> {
    let mut effects = Vec::with_capacity(state.indices.under_way.len());
    for (&attempt, under_way) in &state.indices.under_way {
        effects.push(under_way.execute(attempt));
        effects.extend(under_way.stop(attempt));
        effects.extend(under_way.change_timeout(attempt));
    }
    let without = state.indices.without_snapshot.iter();
    effects.extend(without.map(|&run| Effect::TakeSnapshot { run }));
    let undelivered = state.indices.decisions.undelivered.iter();
    effects.extend(undelivered.map(|&(attempt, decision)| Effect::Deliver { attempt, decision }));
    effects.extend(state.indices.reviews.iter().map(|&run| Effect::Review { run }));
    effects.extend(state.indices.operations.iter().filter_map(|&id| operate(state, id)));
    effects
}

/// The effects that `events` have added to [`pending`], for `state` as it is after them. It looks at
/// nothing else, so its cost does not depend on how much is under way.
pub fn added(state: &State, events: &[Event]) -> Vec<Effect> {
    let under_way = |attempt: AttemptId| {
        state.indices.under_way.get(&attempt).map(|under_way| (attempt, under_way))
    };
    let current = |task: TaskId| {
        let (_, task, _) = state.planned(task)?;
        under_way(task.attempts.last()?.started.attempt)
    };
    let effect = |event: &Event| match &event.body {
        EventBody::AttemptStarted(started) => {
            under_way(started.attempt).map(|(id, attempt)| attempt.execute(id))
        }
        EventBody::TaskStopping { task, .. } => {
            current(*task).and_then(|(id, attempt)| attempt.stop(id))
        }
        EventBody::TaskTimeoutChanged { task, .. } => {
            current(*task).and_then(|(id, attempt)| attempt.change_timeout(id))
        }
        EventBody::RunCreated { .. } | EventBody::SnapshotWanted => {
            let run = state.indices.without_snapshot.get(&event.run);
            run.map(|&run| Effect::TakeSnapshot { run })
        }
        EventBody::DecisionAnswered { decision, about, .. }
        | EventBody::DecisionWithdrawn { decision, about, .. } => {
            let key = (about.attempt()?, *decision);
            let undelivered = state.indices.decisions.undelivered.get(&key);
            undelivered.map(|&(attempt, decision)| Effect::Deliver { attempt, decision })
        }
        EventBody::ReviewWanted { .. } => {
            state.indices.reviews.get(&event.run).map(|&run| Effect::Review { run })
        }
        EventBody::OperationStarted(started) => operate(state, started.operation),
        EventBody::OperationPrepared { operation, .. } => operate(state, *operation),
        _ => None,
    };
    events.iter().filter_map(effect).collect()
}

/// What is to be done for an operation now; `None` when it has ended.
fn operate(state: &State, operation: OperationId) -> Option<Effect> {
    match state.run(operation.run())?.operation(operation)?.phase {
        OperationPhase::Preparing => Some(Effect::Prepare { operation }),
        OperationPhase::Writing(_) => Some(Effect::Write { operation }),
        // For clients, or nothing.
        OperationPhase::Waiting { .. } | OperationPhase::Ended { .. } => None,
    }
}

/// What a run has made, to be brought together and compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToReview {
    /// The commit with what the user saw when the run started.
    pub base: String,
    /// In the order of the plan; never empty.
    pub works: Vec<review::Work>,
}

/// `None` when the run has nothing to review.
pub fn to_review(run: &Run) -> Option<ToReview> {
    let works = run.works();
    let base = run.snapshot_commit()?.to_owned();
    (!works.is_empty()).then_some(ToReview { base, works })
}

impl UnderWay {
    fn execute(&self, attempt: AttemptId) -> Effect {
        Effect::Execute { attempt, lane: self.lane }
    }

    fn stop(&self, attempt: AttemptId) -> Option<Effect> {
        self.stopping.map(|reason| Effect::Stop { attempt, reason })
    }

    fn change_timeout(&self, attempt: AttemptId) -> Option<Effect> {
        self.new_timeout.map(|timeout| Effect::ChangeTimeout { attempt, timeout })
    }
}

/// When the state has to be settled next, even if nothing comes in until then; `now` when it has to
/// be at once. After a settling it is always later.
pub fn next_wake(state: &State, now: Timestamp) -> Option<Timestamp> {
    let delayed = state.indices.delayed.first().map(|(not_before, _)| *not_before);
    let running = state.runs.values().filter(|run| run.phase == RunPhase::Running);
    let deadline = running.filter_map(Run::deadline).min();
    let decision = state.indices.decisions.due.first().map(|(until, _)| *until);
    let client = state.waiting_operations().map(|(_, until)| until).min();
    [delayed, deadline, decision, client].into_iter().flatten().min().map(|wake| wake.max(now))
}

/// What an attempt under way is about.
#[derive(Debug, Clone)]
pub struct Work<'a> {
    pub run: &'a Run,
    pub planned: &'a PlannedTask,
    pub started: Arc<AttemptStarted>,
    pub started_at: Timestamp,
    /// How the attempt before this one ended, in one line, if there was one.
    pub previous: Option<String>,
    /// Of a merge: what is left to be put right, where that is what the attempt is for.
    pub unmerged: Option<Arc<Unmerged>>,
    /// The commits that its tree comes from, the nearest first, the last one the run's snapshot; empty where
    /// it has no tree.
    pub bases: Vec<String>,
}

/// `None` when the attempt is not under way.
pub fn work(state: &State, attempt: AttemptId) -> Option<Work<'_>> {
    state.indices.under_way.get(&attempt)?;
    let (run, task, planned) = state.planned(attempt.task())?;
    let current = task.attempts.last()?;
    Some(Work {
        run,
        planned,
        started: Arc::clone(&current.started),
        started_at: current.started_at,
        previous: task
            .attempts
            .iter()
            .rev()
            .skip(1)
            .find_map(|attempt| attempt.ended.as_ref())
            .map(|end| end.summary.clone()),
        unmerged: task.unmerged.clone(),
        bases: current.started.base.as_deref().map_or_else(Vec::new, |base| run.bases(base)),
    })
}

/// What the needed steps hand over, in the order of the plan.
pub fn inputs(run: &Run, task: TaskId) -> Vec<StepInput> {
    let Some(position) = run.position(task) else { return Vec::new() };
    run.plan.tasks[position].needs.iter().map(|&need| StepInput::of(run, need as usize)).collect()
}

impl Effect {
    /// The attempt that it is about, where it is about one.
    pub fn attempt(self) -> Option<AttemptId> {
        match self {
            Self::Execute { attempt, .. }
            | Self::Stop { attempt, .. }
            | Self::ChangeTimeout { attempt, .. }
            | Self::Deliver { attempt, .. } => Some(attempt),
            Self::TakeSnapshot { .. }
            | Self::Review { .. }
            | Self::Prepare { .. }
            | Self::Write { .. } => None,
        }
    }
}
