//! The state of one workspace: its open runs, and the indices that make scheduling cheap.
//!
//! Only [`apply`](crate::apply) changes it, so it can always be folded again from the journal.
//! The indices are kept by [`State::set_phase`] alone; nothing here ever looks through all tasks.

use crate::{
    ids::{AttemptId, RunId, TaskId},
    outcome::{RunOutcome, StopReason, TaskOutcome},
    plan::{Lane, Plan, PlannedTask},
    time::{Millis, Timestamp},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What the machine allows. Comes from the configuration and is not journalled: it limits what is
/// started next and changes nothing that has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Attempts with a process, all runs of the workspace together.
    pub processes: u32,
    /// Native actions that read files, all runs of the workspace together.
    pub natives: u32,
    /// A ready task counts one priority higher for each such span that it has waited.
    pub ageing: Millis,
}

impl Limits {
    pub(crate) fn of(&self, lane: Lane) -> u32 {
        match lane {
            Lane::Inline => u32::MAX,
            Lane::Native => self.natives,
            Lane::Process => self.processes,
        }
    }
}

/// The state of one workspace.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub(crate) limits: Limits,
    pub(crate) next_run: u32,
    pub(crate) runs: BTreeMap<RunId, Run>,
    /// Tasks that may start now, by the lane of the executor that is next for them.
    pub(crate) ready: BTreeMap<Lane, BTreeSet<ReadyKey>>,
    /// Tasks that may start later, by the time from which on they may.
    pub(crate) delayed: BTreeSet<(Timestamp, TaskId)>,
    /// Tasks whose needs have ended and of which it is yet to be decided whether they run.
    pub(crate) arrived: BTreeSet<TaskId>,
    /// Runs whose last task has ended and whose own end is yet to be recorded.
    pub(crate) finished: BTreeSet<RunId>,
    pub(crate) under_way: BTreeMap<AttemptId, Lane>,
    pub(crate) busy: BTreeMap<Lane, u32>,
    /// Attempts under way by agent.
    pub(crate) load: BTreeMap<String, u32>,
}

/// The order in which ready tasks start: by priority, then first in first out, with ageing.
///
/// A task's effective priority is `priority + waited / ageing`. All tasks age at the same rate, so
/// their order never changes while they wait, and `since - priority * ageing` sorts them for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ReadyKey {
    order: i64,
    pub(crate) task: TaskId,
}

impl ReadyKey {
    pub(crate) fn new(since: Timestamp, priority: i32, ageing: Millis, task: TaskId) -> Self {
        let ageing = i64::try_from(ageing.0).unwrap_or(i64::MAX);
        let head_start = i64::from(priority).saturating_mul(ageing);
        Self { order: since.0.saturating_sub(head_start), task }
    }
}

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    pub id: RunId,
    pub plan: Arc<Plan>,
    pub created: Timestamp,
    pub phase: RunPhase,
    /// In the order of the plan.
    pub tasks: Vec<Task>,
    /// For the whole run, when it has a limit.
    pub timeout: Option<Millis>,
    pub(crate) clock: Clock,
    /// Tasks that have not ended.
    pub(crate) open: u32,
    /// Tasks that are ready, delayed or running: zero while the run only waits for a person.
    pub(crate) active: u32,
    /// Attempts under way that take up a worker.
    pub(crate) workers: u32,
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq)]
pub enum RunPhase {
    AwaitingApproval,
    Running,
    /// Nothing new is started; what is under way goes on.
    Paused {
        reason: String,
    },
    /// It ends when nothing is under way any more.
    Stopping {
        reason: StopReason,
    },
    Ended {
        outcome: RunOutcome,
        at: Timestamp,
    },
}

/// How much of its time a run has used: it stands still while the run waits for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Clock {
    used: Millis,
    running_since: Option<Timestamp>,
}

impl Clock {
    pub(crate) fn set_running(&mut self, running: bool, now: Timestamp) {
        match (self.running_since, running) {
            (None, true) => self.running_since = Some(now),
            (Some(since), false) => {
                self.used.0 = self.used.0.saturating_add(now.since(since).0);
                self.running_since = None;
            }
            _ => {}
        }
    }

    /// When `timeout` is used up, if the clock goes on running.
    pub(crate) fn deadline(&self, timeout: Millis) -> Option<Timestamp> {
        let left = Millis(timeout.0.saturating_sub(self.used.0));
        self.running_since.map(|since| since.after(left))
    }
}

/// One task.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    pub id: TaskId,
    pub phase: TaskPhase,
    pub attempts: Vec<Attempt>,
    /// Positions of the tasks that need this one.
    pub(crate) dependents: Vec<u32>,
    /// How many needs have not ended in a way that satisfies.
    pub(crate) unmet: u32,
    /// The position of the first need that ended without satisfying.
    pub(crate) failed_need: Option<u32>,
    pub(crate) approved: bool,
    pub(crate) timeout: Option<Millis>,
    /// Positions in [`PlannedTask::executors`] that have failed for good.
    pub(crate) given_up: BTreeSet<u32>,
    /// Failures of the executor that is next, for its retries.
    pub(crate) failures: u32,
    /// Attempts in a row that were lost or never started.
    pub(crate) vanished: u32,
}

/// Where a task stands.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskPhase {
    /// For its needs.
    Waiting,
    /// Its needs have ended: see [`State::arrived`].
    Arrived,
    AwaitingApproval,
    Ready {
        since: Timestamp,
    },
    Delayed {
        not_before: Timestamp,
        reason: String,
    },
    Running {
        attempt: AttemptId,
        stopping: Option<StopReason>,
    },
    Ended {
        outcome: Arc<TaskOutcome>,
        at: Timestamp,
    },
}

/// One try of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// What was recorded when it started. Prompt and arguments are dropped when it has ended: they
    /// stay in the journal, and the state of a long run stays small.
    pub started: Arc<crate::event::AttemptStarted>,
    pub started_at: Timestamp,
    pub ended: Option<AttemptEnd>,
}

/// How a try ended, in short; the task's outcome holds the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptEnd {
    pub at: Timestamp,
    pub summary: String,
}

impl State {
    /// `next_run` is one more than the highest run id that the database or the repository knows.
    pub fn new(limits: Limits, next_run: u32) -> Self {
        Self {
            limits,
            next_run: next_run.max(1),
            runs: BTreeMap::new(),
            ready: BTreeMap::new(),
            delayed: BTreeSet::new(),
            arrived: BTreeSet::new(),
            finished: BTreeSet::new(),
            under_way: BTreeMap::new(),
            busy: BTreeMap::new(),
            load: BTreeMap::new(),
        }
    }

    pub fn run(&self, id: RunId) -> Option<&Run> {
        self.runs.get(&id)
    }

    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.runs.values()
    }

    /// Drops a run that has ended; the journal keeps it.
    pub fn forget(&mut self, id: RunId) {
        if self.runs.get(&id).is_some_and(Run::has_ended) {
            self.runs.remove(&id);
        }
    }

    pub(crate) fn planned(&self, id: TaskId) -> Option<(&Run, &Task, &PlannedTask)> {
        let run = self.runs.get(&id.run())?;
        let position = run.position(id)?;
        Some((run, run.tasks.get(position)?, run.plan.tasks.get(position)?))
    }

    /// Moves a task to another phase, and it and its run with it through all indices.
    pub(crate) fn set_phase(&mut self, id: TaskId, phase: TaskPhase) {
        let ageing = self.limits.ageing;
        let Some(run) = self.runs.get_mut(&id.run()) else { return };
        let Some(position) = run.position(id) else { return };
        let planned = &run.plan.tasks[position];
        let task = &mut run.tasks[position];

        let lane = task.next_lane(planned);
        let key = |since| ReadyKey::new(since, planned.priority, ageing, id);
        let (was_open, was_active) = (!task.phase.has_ended(), task.phase.is_active());
        match &task.phase {
            TaskPhase::Arrived => {
                self.arrived.remove(&id);
            }
            TaskPhase::Ready { since } => {
                // Its next lane may have changed since it was put there.
                for set in self.ready.values_mut() {
                    set.remove(&key(*since));
                }
            }
            TaskPhase::Delayed { not_before, .. } => {
                self.delayed.remove(&(*not_before, id));
            }
            TaskPhase::Running { attempt, .. } => {
                if let Some(lane) = self.under_way.remove(attempt) {
                    decrement(&mut self.busy, &lane);
                    if lane != Lane::Inline {
                        run.workers = run.workers.saturating_sub(1);
                    }
                    if let Some(attempt) = task.attempts.last() {
                        decrement(&mut self.load, attempt.started.executor.name());
                    }
                }
            }
            TaskPhase::Waiting | TaskPhase::AwaitingApproval | TaskPhase::Ended { .. } => {}
        }
        match &phase {
            TaskPhase::Arrived => {
                self.arrived.insert(id);
            }
            TaskPhase::Ready { since } => {
                self.ready.entry(lane).or_default().insert(key(*since));
            }
            TaskPhase::Delayed { not_before, .. } => {
                self.delayed.insert((*not_before, id));
            }
            TaskPhase::Running { attempt, .. } => {
                if let Some(current) = task.attempts.last() {
                    let executor = &current.started.executor;
                    let lane = executor.lane();
                    self.under_way.insert(*attempt, lane);
                    *self.busy.entry(lane).or_default() += 1;
                    *self.load.entry(executor.name().to_owned()).or_default() += 1;
                    if lane != Lane::Inline {
                        run.workers += 1;
                    }
                }
            }
            TaskPhase::Waiting | TaskPhase::AwaitingApproval | TaskPhase::Ended { .. } => {}
        }
        task.phase = phase;
        let (is_open, is_active) = (!task.phase.has_ended(), task.phase.is_active());
        run.open = run.open + u32::from(is_open) - u32::from(was_open);
        run.active = run.active + u32::from(is_active) - u32::from(was_active);
        if run.open == 0 {
            self.finished.insert(run.id);
        } else {
            self.finished.remove(&run.id);
        }
    }
}

/// Takes one from a count and drops it at zero, so that equal states compare equal.
fn decrement<K: Ord + std::borrow::Borrow<Q>, Q: Ord + ?Sized>(
    counts: &mut BTreeMap<K, u32>,
    key: &Q,
) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

impl Run {
    pub fn has_ended(&self) -> bool {
        matches!(self.phase, RunPhase::Ended { .. })
    }

    /// The position of a task in [`Run::tasks`] and in the plan.
    pub fn position(&self, id: TaskId) -> Option<usize> {
        match (id.run() == self.id, id.path()) {
            (true, [number]) => {
                let position = usize::try_from(*number).ok()?.checked_sub(1)?;
                (position < self.tasks.len()).then_some(position)
            }
            _ => None,
        }
    }

    pub fn task(&self, id: TaskId) -> Option<&Task> {
        self.position(id).map(|position| &self.tasks[position])
    }

    /// The tasks that need the given one.
    pub fn dependents(&self, id: TaskId) -> impl Iterator<Item = TaskId> {
        self.task(id)
            .into_iter()
            .flat_map(|task| &task.dependents)
            .map(|&position| self.tasks[position as usize].id)
    }

    /// Whether a task that has not ended may yet be given to an agent.
    pub fn will_start_processes(&self) -> bool {
        self.tasks.iter().zip(&self.plan.tasks).any(|(task, planned)| {
            !task.phase.has_ended()
                && planned.executors.iter().any(|executor| executor.lane() == Lane::Process)
        })
    }

    /// When its time is up, unless a person makes it wait.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.clock.deadline(self.timeout?)
    }
}

impl Task {
    /// The first executor that has not failed for good, and its position.
    pub(crate) fn next_executor<'a>(
        &self,
        planned: &'a PlannedTask,
    ) -> Option<(u32, &'a crate::plan::Executor)> {
        (0u32..).zip(&planned.executors).find(|(position, _)| !self.given_up.contains(position))
    }

    fn next_lane(&self, planned: &PlannedTask) -> Lane {
        self.next_executor(planned).map_or(Lane::Inline, |(_, executor)| executor.lane())
    }
}

impl TaskPhase {
    pub fn has_ended(&self) -> bool {
        matches!(self, Self::Ended { .. })
    }

    fn is_active(&self) -> bool {
        matches!(
            self,
            Self::Arrived | Self::Ready { .. } | Self::Delayed { .. } | Self::Running { .. }
        )
    }
}
