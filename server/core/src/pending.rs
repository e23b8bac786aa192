//! What must be under way now, read off the state: the shell starts what it has not started yet,
//! so after a restart the very same call is recovery.

use crate::{
    event::AttemptStarted,
    ids::{AttemptId, TaskId},
    outcome::StopReason,
    plan::{Lane, PlannedTask},
    ports::StepInput,
    state::{Run, RunPhase, State, TaskPhase},
    time::{Millis, Timestamp},
};
use std::sync::Arc;

/// Something that must be under way. The value itself is its stable key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// The attempt runs; its end comes back as an input.
    Execute { attempt: AttemptId, lane: Lane },
    /// The attempt has been told to stop.
    Stop { attempt: AttemptId, reason: StopReason },
    /// The attempt knows its new time-out.
    ChangeTimeout { attempt: AttemptId, timeout: Millis },
}

/// All effects of the moment, in a stable order.
pub fn pending(state: &State) -> Vec<Effect> {
    let mut effects = Vec::with_capacity(state.under_way.len());
    for (&attempt, &lane) in &state.under_way {
        effects.push(Effect::Execute { attempt, lane });
        let Some((_, task, _)) = state.planned(attempt.task()) else { continue };
        if let TaskPhase::Running { stopping: Some(reason), .. } = task.phase {
            effects.push(Effect::Stop { attempt, reason });
        }
        let given = task.attempts.last().map(|attempt| attempt.started.timeout);
        if let Some(timeout) = task.timeout
            && given != Some(timeout)
        {
            effects.push(Effect::ChangeTimeout { attempt, timeout });
        }
    }
    effects
}

/// When the state has to be settled next, even if nothing comes in until then.
pub fn next_wake(state: &State, now: Timestamp) -> Option<Timestamp> {
    let running = |run: &Run| run.phase == RunPhase::Running;
    let delayed = state
        .delayed
        .iter()
        .map(|(not_before, _)| *not_before)
        .find(|not_before| *not_before > now);
    let deadline = state.runs.values().filter(|run| running(run)).filter_map(Run::deadline).min();
    [delayed, deadline].into_iter().flatten().min()
}

/// What an attempt under way is about.
#[derive(Debug, Clone)]
pub struct Work<'a> {
    pub run: &'a Run,
    pub planned: &'a PlannedTask,
    pub started: Arc<AttemptStarted>,
    pub started_at: Timestamp,
}

/// `None` when the attempt is not under way.
pub fn work(state: &State, attempt: AttemptId) -> Option<Work<'_>> {
    state.under_way.get(&attempt)?;
    let (run, task, planned) = state.planned(attempt.task())?;
    let current = task.attempts.last()?;
    Some(Work {
        run,
        planned,
        started: Arc::clone(&current.started),
        started_at: current.started_at,
    })
}

/// What the needed steps hand over, in the order of the plan.
pub fn inputs(run: &Run, task: TaskId) -> Vec<StepInput> {
    let Some(position) = run.position(task) else { return Vec::new() };
    run.plan.tasks[position].needs.iter().map(|&need| StepInput::of(run, need as usize)).collect()
}

impl Effect {
    /// The attempt that it is about.
    pub fn attempt(self) -> AttemptId {
        match self {
            Self::Execute { attempt, .. }
            | Self::Stop { attempt, .. }
            | Self::ChangeTimeout { attempt, .. } => attempt,
        }
    }
}
