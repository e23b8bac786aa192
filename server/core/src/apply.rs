//! Applying events to the state: what has happened changes what is, and decides nothing.

mod decisions;
mod fits;
mod operations;
mod reviews;

use crate::{
    decision::DecisionStatus,
    event::{AttemptStarted, Event, EventBody},
    ids::{AttemptId, DecisionId, OperationId, RunId, TaskId},
    memory::Memory,
    outcome::{AttemptOutcome, TaskOutcome},
    plan::{Executor, Plan, PlannedTask},
    state::{
        Attempt, AttemptEnd, Clock, Counts, ReviewState, Run, RunPhase, SnapshotState, State, Task,
        TaskPhase,
    },
    time::{Millis, Timestamp},
    view::{RunStatus, TaskStatus},
};
use std::{collections::BTreeSet, sync::Arc};

/// Why an event does not fit the state: the journal is not the one that this state came from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    #[error("there are no events, and so no run")]
    Empty,
    #[error("{event} is about run {run}, which no earlier event created")]
    UnknownRun { event: &'static str, run: RunId },
    #[error("run {0} was created twice")]
    RunExists(RunId),
    #[error("the plan of run {run} needs task number {number}, which it does not have")]
    BadPlan { run: RunId, number: u32 },
    #[error("{event} is about task {task}, which is not in the plan of {run}")]
    UnknownTask { event: &'static str, run: RunId, task: TaskId },
    #[error("{event} is about attempt {attempt}, which is not the one under way or next")]
    UnknownAttempt { event: &'static str, attempt: AttemptId },
    #[error("{event} does not fit decision {decision}")]
    DecisionMisfit { event: &'static str, decision: DecisionId },
    #[error("{event} does not fit operation {operation}")]
    OperationMisfit { event: &'static str, operation: OperationId },
    #[error("{event} does not fit run {run}, which is {status}")]
    RunMisfit { event: &'static str, run: RunId, status: RunStatus },
    #[error("{event} does not fit task {task}, which is {status}")]
    TaskMisfit { event: &'static str, task: TaskId, status: TaskStatus },
}

/// Makes `state` what it is after `event`. An event that does not fit changes nothing.
pub fn apply(state: &mut State, event: &Event) -> Result<(), ApplyError> {
    if let EventBody::RunCreated { plan } = &event.body {
        return create(state, event, plan);
    }
    fits::check(state, event)?;
    let (id, now) = (event.run, event.at);
    match &event.body {
        EventBody::RunCreated { .. } => {}
        EventBody::RunApproved => with_run(state, id, |run| {
            run.approved = true;
            run.phase = RunPhase::Running;
        }),
        EventBody::RunResumed => with_run(state, id, |run| run.phase = RunPhase::Running),
        EventBody::RunPaused { reason } => {
            with_run(state, id, |run| run.phase = RunPhase::Paused { reason: reason.clone() });
        }
        EventBody::RunStopping { reason } => {
            with_run(state, id, |run| run.phase = RunPhase::Stopping { reason: *reason });
        }
        EventBody::RunEnded { outcome } => {
            reviews::run_ends(state, id);
            with_run(state, id, |run| {
                run.phase = RunPhase::Ended { outcome: *outcome, at: now };
                run.foreseen.clear();
            });
            state.indices.finished.remove(&id);
            if state.indices.without_snapshot.contains(&id) {
                set_snapshot(state, id, SnapshotState::NotNeeded);
            }
        }
        EventBody::RunTimeoutChanged { timeout } => {
            with_run(state, id, |run| run.timeout = Some(*timeout));
        }
        EventBody::SnapshotWanted => set_snapshot(state, id, SnapshotState::Wanted),
        EventBody::SnapshotTaken { snapshot } => {
            set_snapshot(state, id, SnapshotState::Taken(Arc::new((**snapshot).clone())));
        }
        EventBody::SnapshotFailed { failure } => {
            set_snapshot(state, id, SnapshotState::Failed(failure.clone()));
        }
        EventBody::TasksReopened { tasks } => {
            reviews::goes_on(state, id);
            reopen(state, id, tasks, now);
        }
        EventBody::TaskApproved { task } => state.change(*task, |task| {
            task.approved = true;
            task.phase = TaskPhase::Ready { since: now };
        }),
        EventBody::TaskReady { task } => admit(state, *task, now),
        EventBody::TaskDelayed { task, not_before, reason } => {
            let phase = TaskPhase::Delayed { not_before: *not_before, reason: reason.clone() };
            state.set_phase(*task, phase);
        }
        EventBody::TaskStopping { task, reason } => state.change(*task, |task| {
            if let TaskPhase::Running { stopping, .. } = &mut task.phase {
                *stopping = Some(*reason);
            }
        }),
        EventBody::TaskTimeoutChanged { task, timeout } => change_timeout(state, *task, *timeout),
        EventBody::TaskEnded { task, outcome } => end_task(state, *task, outcome, now),
        EventBody::AttemptStarted(started) => start(state, started, now),
        EventBody::AttemptEnded { attempt, outcome } => end_attempt(state, *attempt, outcome, now),
        EventBody::DecisionAsked(asked) => decisions::ask(state, asked, now),
        EventBody::DecisionAnswered { decision, choice, by, .. } => {
            let status = DecisionStatus::Answered { choice: choice.clone(), by: *by, at: now };
            decisions::end(state, *decision, status);
        }
        EventBody::DecisionWithdrawn { decision, reason, .. } => {
            let status = DecisionStatus::Withdrawn { reason: *reason, at: now };
            decisions::end(state, *decision, status);
        }
        EventBody::DecisionDelivered { decision, .. } => decisions::deliver(state, *decision),
        EventBody::MemorySet(set) => with_run(state, id, |run| run.memory.set(set)),
        EventBody::MemoryRemoved { scope, key } => {
            with_run(state, id, |run| run.memory.remove(scope, key));
        }
        EventBody::ConflictsForeseen { conflicts } => {
            with_run(state, id, |run| run.foreseen = conflicts.clone());
        }
        EventBody::TasksAdded { tasks } => add_tasks(state, event, tasks)?,
        EventBody::ReviewWanted { works } => reviews::want(state, id, works),
        EventBody::ReviewOpened(opened) => reviews::open(state, id, opened),
        EventBody::ReviewFailed { failure } => reviews::fail(state, id, failure),
        EventBody::HunksJudged { hunks, verdict } => reviews::judge(state, id, hunks, *verdict),
        EventBody::OperationStarted(started) => operations::start(state, started, now),
        EventBody::OperationPrepared { operation, before, after, files } => {
            operations::prepared(state, *operation, before, after, files);
        }
        EventBody::OperationWritten { operation, files, until } => {
            operations::written(state, *operation, files, *until);
        }
        EventBody::FilesConfirmed { operation, files } => {
            operations::confirmed(state, *operation, files);
        }
        EventBody::OperationEnded { operation, end } => {
            operations::end(state, *operation, end, now);
        }
    }
    with_run(state, id, |run| run.keep_time(now));
    Ok(())
}

fn with_run(state: &mut State, id: RunId, change: impl FnOnce(&mut Run)) {
    if let Some(run) = state.runs.get_mut(&id) {
        change(run);
    }
}

fn set_snapshot(state: &mut State, id: RunId, snapshot: SnapshotState) {
    let Some(run) = state.runs.get_mut(&id) else { return };
    if snapshot == SnapshotState::Wanted {
        state.indices.without_snapshot.insert(id);
    } else {
        state.indices.without_snapshot.remove(&id);
    }
    run.snapshot = snapshot;
}

impl Run {
    /// The run's clock goes only while something other than a person is waited for.
    fn keep_time(&mut self, now: Timestamp) {
        let running = self.phase == RunPhase::Running && self.counts.active > 0;
        self.clock.set_running(running, now);
    }
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
        approved: false,
        clock: Clock::default(),
        counts: Counts::of_all(&tasks),
        plan: Arc::new(plan.clone()),
        snapshot: SnapshotState::NotNeeded,
        decisions: Vec::new(),
        memory: Memory::default(),
        foreseen: Vec::new(),
        review: ReviewState::default(),
        operations: Vec::new(),
        tasks,
    };
    let first: Vec<TaskId> =
        run.tasks.iter().filter(|task| task.unmet == 0).map(|task| task.id).collect();
    if run.tasks.is_empty() {
        state.indices.finished.insert(id);
    }
    state.next_run = state.next_run.max(id.number().saturating_add(1));
    state.runs.insert(id, run);
    if plan.has_processes() {
        set_snapshot(state, id, SnapshotState::Wanted);
    }
    for task in first {
        arrive(state, task, event.at);
    }
    with_run(state, id, |run| run.keep_time(event.at));
    Ok(())
}

/// Tasks that follow those that there are; the run goes on with them.
fn add_tasks(state: &mut State, event: &Event, added: &[PlannedTask]) -> Result<(), ApplyError> {
    let id = event.run;
    let Some(run) = state.runs.get_mut(&id) else { return Ok(()) };
    let first = u32::try_from(run.tasks.len()).unwrap_or(u32::MAX);
    let count = first.saturating_add(u32::try_from(added.len()).unwrap_or(u32::MAX));
    let mut needs = added.iter().flat_map(|planned| &planned.needs);
    if let Some(&need) = needs.find(|&&need| need >= count) {
        return Err(ApplyError::BadPlan { run: id, number: need.saturating_add(1) });
    }
    let plan = Arc::make_mut(&mut run.plan);
    let mut ids = Vec::new();
    for (position, planned) in (first..).zip(added) {
        let Some(task) = TaskId::new(id, position.saturating_add(1)) else { continue };
        plan.tasks.push(planned.clone());
        let task = Task::new(task);
        run.counts.insert(&task);
        ids.push(task.id);
        run.tasks.push(task);
    }
    for (position, planned) in (first..).zip(added) {
        for &need in &planned.needs {
            run.tasks[need as usize].dependents.push(position);
        }
    }
    state.indices.finished.remove(&id);
    reviews::send_back(state, id);
    reopen(state, id, &ids, event.at);
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
            unmerged: None,
        }
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

/// Holds for the attempt under way and for all that follow.
fn change_timeout(state: &mut State, id: TaskId, timeout: Millis) {
    state.change(id, |task| {
        task.timeout = Some(timeout);
        if let (TaskPhase::Running { .. }, Some(current)) = (&task.phase, task.attempts.last_mut())
        {
            current.new_timeout = Some(timeout);
        }
    });
}

fn start(state: &mut State, started: &AttemptStarted, now: Timestamp) {
    state.change(started.attempt.task(), |task| {
        task.attempts.push(Attempt {
            started: Arc::new(started.clone()),
            started_at: now,
            new_timeout: None,
            decisions: Vec::new(),
            open_decisions: 0,
            ended: None,
        });
        task.phase = TaskPhase::Running { attempt: started.attempt, stopping: None };
    });
}

fn end_attempt(state: &mut State, id: AttemptId, outcome: &AttemptOutcome, now: Timestamp) {
    let Some((run, _, _)) = state.planned(id.task()) else { return };
    let plan = Arc::clone(&run.plan);
    let Some(planned) = run.position(id.task()).and_then(|at| plan.tasks.get(at)) else { return };
    state.change(id.task(), |task| {
        // Until the task's own end or its next start is applied it is nobody's turn.
        task.phase = TaskPhase::Waiting;
        if let Some(attempt) = task.attempts.last_mut() {
            let started = Arc::make_mut(&mut attempt.started);
            started.prompt = None;
            started.with = serde_json::Map::new();
            attempt.ended = Some(AttemptEnd { at: now, summary: outcome.summary() });
        }
        task.count(outcome, planned);
        if let Some(left) = outcome.output().and_then(|output| output.unmerged.as_deref()) {
            task.unmerged = Some(Arc::new(left.clone()));
        }
    });
    decisions::forget_asker(state, id);
}

impl Task {
    /// Keeps count of failures, to know when an executor's turns are used up.
    fn count(&mut self, outcome: &AttemptOutcome, planned: &PlannedTask) {
        if outcome.has_vanished() {
            self.vanished += 1;
            return;
        }
        self.vanished = 0;
        if !outcome.is_failure() {
            return;
        }
        let Some(last) = self.attempts.last() else { return };
        if last.started.executor.goes_on(outcome) {
            self.failures = 0;
            return;
        }
        self.failures += 1;
        let retries = planned.retries(&last.started.executor);
        if self.failures > retries || !outcome.is_worth_a_retry() {
            // The next executor starts with a count of its own.
            self.failures = 0;
            let is_last = |executor: &Executor| *executor == last.started.executor;
            let positions = (0u32..).zip(&planned.executors).filter(|(_, other)| is_last(other));
            self.given_up.extend(positions.map(|(position, _)| position));
        }
    }
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
        if satisfies {
            task.unmet = task.unmet.saturating_sub(1);
        } else if task.failed_need.is_none() {
            task.failed_need = u32::try_from(position).ok();
        }
        let has_arrived = task.unmet == 0 || task.failed_need.is_some();
        if has_arrived && task.phase == TaskPhase::Waiting {
            arrived.push(task.id);
        }
    }
    for task in arrived {
        arrive(state, task, now);
    }
}

/// Gives tasks back their first state, and counts anew what they wait for.
fn reopen(state: &mut State, run: RunId, tasks: &[TaskId], now: Timestamp) {
    for &id in tasks {
        state.change(id, |task| {
            task.phase = TaskPhase::Waiting;
            task.given_up.clear();
            task.failures = 0;
            task.vanished = 0;
            task.unmerged = None;
        });
    }
    with_run(state, run, |run| {
        if run.has_ended() {
            // Cancelled before anybody approved it, it still waits for that.
            let waits = run.plan.approve && !run.approved;
            run.phase = if waits { RunPhase::AwaitingApproval } else { RunPhase::Running };
            run.clock = Clock::default();
        }
    });
    for &id in tasks {
        let Some((run, _, planned)) = state.planned(id) else { continue };
        let ended = |need: u32| match &run.tasks[need as usize].phase {
            TaskPhase::Ended { outcome, .. } => Some(outcome.satisfies_needs()),
            _ => None,
        };
        let unmet = planned.needs.iter().filter(|need| ended(**need) != Some(true)).count();
        let failed_need = planned.needs.iter().copied().find(|need| ended(*need) == Some(false));
        state.change(id, |task| {
            task.unmet = u32::try_from(unmet).unwrap_or(u32::MAX);
            task.failed_need = failed_need;
        });
        if unmet == 0 || failed_need.is_some() {
            arrive(state, id, now);
        }
    }
}
