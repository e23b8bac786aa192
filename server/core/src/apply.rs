//! Applying events to the state: what has happened changes what is, and decides nothing.

use crate::{
    event::{AttemptStarted, Event, EventBody},
    ids::{AttemptId, RunId, TaskId},
    outcome::{AttemptOutcome, TaskOutcome},
    plan::Plan,
    state::{Attempt, AttemptEnd, Clock, Run, RunPhase, State, Task, TaskPhase},
    time::Timestamp,
};
use std::{collections::BTreeSet, sync::Arc};

/// Why an event does not fit the state: the journal is not the one that this state came from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    #[error("{event} is about run {run}, which no earlier event created")]
    UnknownRun { event: &'static str, run: RunId },
    #[error("run {0} was created twice")]
    RunExists(RunId),
    #[error("the plan of run {run} needs task number {number}, which it does not have")]
    BadPlan { run: RunId, number: u32 },
    #[error("{event} is about task {task}, which its plan does not have")]
    UnknownTask { event: &'static str, task: TaskId },
    #[error("{event} is about attempt {attempt}, which is not under way")]
    UnknownAttempt { event: &'static str, attempt: AttemptId },
}

/// Makes `state` what it is after `event`.
pub fn apply(state: &mut State, event: &Event) -> Result<(), ApplyError> {
    if let EventBody::RunCreated { plan } = &event.body {
        return create(state, event, plan);
    }
    let name = event.body.name();
    let Some(run) = state.runs.get_mut(&event.run) else {
        return Err(ApplyError::UnknownRun { event: name, run: event.run });
    };
    if let Some(task) = event.body.task()
        && run.task(task).is_none()
    {
        return Err(ApplyError::UnknownTask { event: name, task });
    }
    match &event.body {
        EventBody::RunCreated { .. } => {}
        EventBody::RunApproved | EventBody::RunResumed => run.phase = RunPhase::Running,
        EventBody::RunPaused { reason } => run.phase = RunPhase::Paused { reason: reason.clone() },
        EventBody::RunStopping { reason } => run.phase = RunPhase::Stopping { reason: *reason },
        EventBody::RunEnded { outcome } => {
            run.phase = RunPhase::Ended { outcome: *outcome, at: event.at };
            state.finished.remove(&event.run);
        }
        EventBody::RunTimeoutChanged { timeout } => run.timeout = Some(*timeout),
        EventBody::TasksReopened { tasks } => reopen(state, event, tasks)?,
        EventBody::TaskApproved { task } => {
            with_task(state, *task, |task| task.approved = true);
            state.set_phase(*task, TaskPhase::Ready { since: event.at });
        }
        EventBody::TaskReady { task } => admit(state, *task, event.at),
        EventBody::TaskDelayed { task, not_before, reason } => {
            let phase = TaskPhase::Delayed { not_before: *not_before, reason: reason.clone() };
            state.set_phase(*task, phase);
        }
        EventBody::TaskStopping { task, reason } => {
            with_task(state, *task, |task| {
                if let TaskPhase::Running { stopping, .. } = &mut task.phase {
                    *stopping = Some(*reason);
                }
            });
        }
        EventBody::TaskTimeoutChanged { task, timeout } => {
            with_task(state, *task, |task| task.timeout = Some(*timeout));
        }
        EventBody::TaskEnded { task, outcome } => end_task(state, *task, outcome, event.at),
        EventBody::AttemptStarted(started) => start(state, started, event.at),
        EventBody::AttemptEnded { attempt, outcome } => {
            end_attempt(state, *attempt, outcome, event)?;
        }
    }
    keep_time(state, event);
    Ok(())
}

fn create(state: &mut State, event: &Event, plan: &Plan) -> Result<(), ApplyError> {
    let id = event.run;
    if state.runs.contains_key(&id) {
        return Err(ApplyError::RunExists(id));
    }
    let mut tasks: Vec<Task> = (1..)
        .zip(&plan.tasks)
        .filter_map(|(number, _)| TaskId::new(id, number))
        .map(Task::new)
        .collect();
    for (dependent, planned) in (0u32..).zip(&plan.tasks) {
        tasks[dependent as usize].unmet = u32::try_from(planned.needs.len()).unwrap_or(u32::MAX);
        for &need in &planned.needs {
            let Some(task) = tasks.get_mut(need as usize) else {
                return Err(ApplyError::BadPlan { run: id, number: need.saturating_add(1) });
            };
            task.dependents.push(dependent);
        }
    }
    let run = Run {
        id,
        created: event.at,
        phase: if plan.approve { RunPhase::AwaitingApproval } else { RunPhase::Running },
        timeout: plan.timeout,
        clock: Clock::default(),
        open: u32::try_from(tasks.len()).unwrap_or(u32::MAX),
        active: 0,
        workers: 0,
        plan: Arc::new(plan.clone()),
        tasks,
    };
    let first: Vec<TaskId> =
        run.tasks.iter().filter(|task| task.unmet == 0).map(|task| task.id).collect();
    if run.tasks.is_empty() {
        state.finished.insert(id);
    }
    state.next_run = state.next_run.max(id.number().saturating_add(1));
    state.runs.insert(id, run);
    for task in first {
        arrive(state, task, event.at);
    }
    keep_time(state, event);
    Ok(())
}

impl Task {
    fn new(id: TaskId) -> Self {
        Self {
            id,
            phase: TaskPhase::Waiting,
            attempts: Vec::new(),
            dependents: Vec::new(),
            unmet: 0,
            failed_need: None,
            approved: false,
            timeout: None,
            given_up: BTreeSet::new(),
            failures: 0,
            vanished: 0,
        }
    }
}

fn with_task(state: &mut State, id: TaskId, change: impl FnOnce(&mut Task)) {
    if let Some(run) = state.runs.get_mut(&id.run())
        && let Some(position) = run.position(id)
    {
        change(&mut run.tasks[position]);
    }
}

/// All needs of a task have ended, or one of them in a way that leaves it without hope.
fn arrive(state: &mut State, id: TaskId, now: Timestamp) {
    let Some((_, task, planned)) = state.planned(id) else { return };
    if task.failed_need.is_some() || planned.when.is_some() {
        state.set_phase(id, TaskPhase::Arrived);
    } else {
        admit(state, id, now);
    }
}

/// Nothing but a person and a free worker stand between the task and its start.
fn admit(state: &mut State, id: TaskId, now: Timestamp) {
    let Some((_, task, planned)) = state.planned(id) else { return };
    let waits = planned.approve && !task.approved;
    let phase = if waits { TaskPhase::AwaitingApproval } else { TaskPhase::Ready { since: now } };
    state.set_phase(id, phase);
}

fn start(state: &mut State, started: &AttemptStarted, now: Timestamp) {
    let (attempt, id) = (started.attempt, started.attempt.task());
    with_task(state, id, |task| {
        task.attempts.push(Attempt {
            started: Arc::new(started.clone()),
            started_at: now,
            ended: None,
        });
    });
    state.set_phase(id, TaskPhase::Running { attempt, stopping: None });
}

fn end_attempt(
    state: &mut State,
    id: AttemptId,
    outcome: &AttemptOutcome,
    event: &Event,
) -> Result<(), ApplyError> {
    if !state.under_way.contains_key(&id) {
        return Err(ApplyError::UnknownAttempt { event: event.body.name(), attempt: id });
    }
    // Until the task's own end or its next start is applied it is nobody's turn: `Waiting`.
    state.set_phase(id.task(), TaskPhase::Waiting);
    let position = state.planned(id.task()).and_then(|(_, task, planned)| {
        let executor = &task.attempts.last()?.started.executor;
        planned.executors.iter().position(|candidate| candidate == executor)
    });
    let max = state.planned(id.task()).map_or(0, |(_, _, planned)| planned.retry.max);
    with_task(state, id.task(), |task| {
        if let Some(attempt) = task.attempts.last_mut() {
            let started = Arc::make_mut(&mut attempt.started);
            started.prompt = None;
            started.with = serde_json::Map::new();
            attempt.ended = Some(AttemptEnd { at: event.at, summary: outcome.summary() });
        }
        if outcome.has_vanished() {
            task.vanished += 1;
            return;
        }
        task.vanished = 0;
        if outcome.is_failure() {
            task.failures += 1;
            // The executor's turns are used up; the next one starts with a count of its own.
            if (task.failures > max || !outcome.is_worth_a_retry())
                && let Some(position) = position.and_then(|p| u32::try_from(p).ok())
            {
                task.given_up.insert(position);
                task.failures = 0;
            }
        }
    });
    Ok(())
}

fn end_task(state: &mut State, id: TaskId, outcome: &TaskOutcome, now: Timestamp) {
    let outcome = Arc::new(outcome.clone());
    let satisfies = outcome.satisfies_needs();
    state.set_phase(id, TaskPhase::Ended { outcome, at: now });
    let Some(run) = state.runs.get_mut(&id.run()) else { return };
    let Some(position) = run.position(id) else { return };
    let mut arrived = Vec::new();
    for dependent in run.tasks[position].dependents.clone() {
        let task = &mut run.tasks[dependent as usize];
        let was_hopeless = task.failed_need.is_some();
        if satisfies {
            task.unmet = task.unmet.saturating_sub(1);
        } else if !was_hopeless {
            task.failed_need = u32::try_from(position).ok();
        }
        let turned_hopeless = !was_hopeless && task.failed_need.is_some();
        if matches!(task.phase, TaskPhase::Waiting) && (task.unmet == 0 || turned_hopeless) {
            arrived.push(task.id);
        }
    }
    for task in arrived {
        arrive(state, task, now);
    }
}

/// Gives tasks back their first state, and counts anew what they and their dependents wait for.
fn reopen(state: &mut State, event: &Event, tasks: &[TaskId]) -> Result<(), ApplyError> {
    for &id in tasks {
        if state.planned(id).is_none() {
            return Err(ApplyError::UnknownTask { event: event.body.name(), task: id });
        }
        state.set_phase(id, TaskPhase::Waiting);
        with_task(state, id, |task| {
            task.given_up.clear();
            task.failures = 0;
            task.vanished = 0;
        });
    }
    if let Some(run) = state.runs.get_mut(&event.run)
        && run.has_ended()
    {
        run.phase = RunPhase::Running;
        run.clock = Clock::default();
    }
    for &id in tasks {
        let Some((run, _, planned)) = state.planned(id) else { continue };
        let ended = |need: u32| match &run.tasks[need as usize].phase {
            TaskPhase::Ended { outcome, .. } => Some(outcome.satisfies_needs()),
            _ => None,
        };
        let unmet = planned.needs.iter().filter(|need| ended(**need) != Some(true)).count();
        let failed_need = planned.needs.iter().copied().find(|need| ended(*need) == Some(false));
        with_task(state, id, |task| {
            task.unmet = u32::try_from(unmet).unwrap_or(u32::MAX);
            task.failed_need = failed_need;
        });
        if unmet == 0 || failed_need.is_some() {
            arrive(state, id, event.at);
        }
    }
    Ok(())
}

/// The run's clock goes only while something other than a person is waited for.
fn keep_time(state: &mut State, event: &Event) {
    if let Some(run) = state.runs.get_mut(&event.run) {
        let running = matches!(run.phase, RunPhase::Running) && run.active > 0;
        run.clock.set_running(running, event.at);
    }
}
