//! The state of one workspace: its open runs, and the indices that make scheduling cheap.
//!
//! Only [`apply`](crate::apply) changes it, so it can always be folded again from the journal.
//! The indices are kept by [`State::change`] alone; scheduling never looks through all tasks.

mod indices;
mod review;

pub(crate) use indices::{Counts, Indices, ReadyKey, UnderWay};
pub use review::{Operation, OperationPhase, Prepared, ReviewPhase, ReviewState};

use crate::{
    change::Change,
    decision::{AskLimits, Decision},
    ids::{AttemptId, DecisionId, RunId, TaskId},
    memory::{Memory, MemoryLimits},
    merge::{Foreseen, Unmerged},
    outcome::{Failure, RunOutcome, StopReason, TaskOutcome},
    plan::{Executor, Lane, Plan, PlannedTask},
    snapshot::Snapshot,
    time::{Millis, Timestamp},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
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
    pub ask: AskLimits,
    pub memory: MemoryLimits,
}

impl Limits {
    /// For a state that only folds what has happened.
    pub const NONE: Self = Self {
        processes: 0,
        natives: 0,
        ageing: Millis(0),
        ask: AskLimits { open: 0, total: 0, timeout: Millis(0) },
        memory: MemoryLimits { entries: 0, bytes: 0 },
    };

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
    pub(crate) indices: Indices,
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
    pub snapshot: SnapshotState,
    /// The n-th (from one) is `r<run>/d<n>`.
    pub decisions: Vec<Decision>,
    pub memory: Memory,
    /// What is about to collide.
    pub foreseen: Vec<Foreseen>,
    pub review: ReviewState,
    /// What was done to the user's files for it; the n-th (from one) is `r<run>/o<n>`.
    pub operations: Vec<Operation>,
    /// For the whole run, when it has a limit.
    pub timeout: Option<Millis>,
    /// Whether a person has approved the plan; stays false when nobody has to.
    pub(crate) approved: bool,
    pub(crate) clock: Clock,
    pub(crate) counts: Counts,
}

/// What the agents of a run get to see.
#[derive(Debug, Clone, PartialEq)]
pub enum SnapshotState {
    /// No task is for an agent, or the run ended before one was.
    NotNeeded,
    /// It is being taken, and the run's agents wait for it.
    Wanted,
    Taken(Arc<Snapshot>),
    /// Attempts of agents fail for this reason.
    Failed(Failure),
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
    /// Failures of the executor of the last attempt, while it has retries left; else zero.
    pub(crate) failures: u32,
    /// Attempts in a row that were lost or never started.
    pub(crate) vanished: u32,
    /// Of a merge: what its executors have left to be put right.
    pub(crate) unmerged: Option<Arc<Unmerged>>,
}

/// Where a task stands.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskPhase {
    /// For its needs.
    Waiting,
    /// Its needs have ended, and it is yet to be decided whether it runs.
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
    /// Set when the time-out was changed after the start.
    pub new_timeout: Option<Millis>,
    /// What it has asked, in this order.
    pub decisions: Vec<DecisionId>,
    /// How many of those are open: while one is, the attempt waits for a person.
    pub(crate) open_decisions: u32,
    pub ended: Option<AttemptEnd>,
}

impl Attempt {
    /// What it may take, as things are now.
    pub fn timeout(&self) -> Millis {
        self.new_timeout.unwrap_or(self.started.timeout)
    }
}

/// What a task has made, as another one is given it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GivenWork<'a> {
    pub task: TaskId,
    /// Of the change.
    pub commit: &'a str,
    pub change: &'a Change,
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
            indices: Indices::default(),
        }
    }

    pub fn run(&self, id: RunId) -> Option<&Run> {
        self.runs.get(&id)
    }

    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.runs.values()
    }

    /// Drops a run that is at rest; the journal keeps it.
    pub fn forget(&mut self, id: RunId) {
        if self.runs.get(&id).is_some_and(Run::is_at_rest) {
            self.runs.remove(&id);
        }
    }

    pub(crate) fn planned(&self, id: TaskId) -> Option<(&Run, &Task, &PlannedTask)> {
        let run = self.runs.get(&id.run())?;
        let position = run.position(id)?;
        Some((run, run.tasks.get(position)?, run.plan.tasks.get(position)?))
    }

    /// Changes a task, and with it what the indices and its run's counts say of it.
    pub(crate) fn change(&mut self, id: TaskId, change: impl FnOnce(&mut Task)) {
        let Some(run) = self.runs.get_mut(&id.run()) else { return };
        let Some(position) = run.position(id) else { return };
        let (task, planned) = (&mut run.tasks[position], &run.plan.tasks[position]);
        let ageing = self.limits.ageing;

        self.indices.remove(task, planned, ageing);
        run.counts.remove(task);
        change(task);
        self.indices.insert(task, planned, ageing);
        run.counts.insert(task);

        if run.counts.open == 0 {
            self.indices.finished.insert(run.id);
        } else {
            self.indices.finished.remove(&run.id);
        }
    }

    pub(crate) fn set_phase(&mut self, id: TaskId, phase: TaskPhase) {
        self.change(id, |task| task.phase = phase);
    }

    /// Changes what a run says of its review and its operations, and with it what the indices say of them.
    pub(crate) fn change_run(&mut self, id: RunId, change: impl FnOnce(&mut Run)) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        self.indices.remove_run(run);
        change(run);
        self.indices.insert_run(run);
    }

    /// Operations that wait for clients, and for how long.
    pub(crate) fn waiting_operations(&self) -> impl Iterator<Item = (&Operation, Timestamp)> {
        let open = self.indices.operations.iter();
        let open = open.filter_map(|id| self.runs.get(&id.run())?.operation(*id));
        open.filter_map(|operation| match &operation.phase {
            OperationPhase::Waiting { until, .. } => Some((operation, *until)),
            _ => None,
        })
    }

    /// Compares the indices and counts, which are kept as things change, with what a look through
    /// all tasks gives. They differ only by a defect of this program.
    pub fn audit(&self) -> Result<(), AuditError> {
        let mut counted = Indices::default();
        for run in self.runs.values() {
            let counts = Counts::of_all(&run.tasks);
            for (task, planned) in run.tasks.iter().zip(&run.plan.tasks) {
                counted.insert(task, planned, self.limits.ageing);
            }
            AuditError::unless_equal(format!("the counts of {}", run.id), &run.counts, &counts)?;
            if counts.open == 0 && !run.has_ended() {
                counted.finished.insert(run.id);
            }
            if run.snapshot == SnapshotState::Wanted {
                counted.without_snapshot.insert(run.id);
            }
            counted.insert_run(run);
            for decision in &run.decisions {
                let attempt = decision.asked.about.attempt();
                let is_under_way =
                    attempt.is_some_and(|attempt| counted.under_way.contains_key(&attempt));
                counted.decisions.insert(decision, is_under_way);
            }
        }
        AuditError::unless_equal("the indices".to_owned(), &self.indices, &counted)
    }
}

/// What [`State::audit`] found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} say {kept}, but the tasks say {counted}")]
pub struct AuditError {
    what: String,
    kept: String,
    counted: String,
}

impl AuditError {
    fn unless_equal<T: PartialEq + fmt::Debug>(
        what: String,
        kept: &T,
        counted: &T,
    ) -> Result<(), Self> {
        if kept == counted {
            return Ok(());
        }
        Err(Self { what, kept: format!("{kept:?}"), counted: format!("{counted:?}") })
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

    pub fn decision(&self, id: DecisionId) -> Option<&Decision> {
        let position = usize::try_from(id.number()).ok()?.checked_sub(1)?;
        self.decisions.get(position).filter(|decision| decision.asked.decision == id)
    }

    /// The tasks that need the given one.
    pub fn dependents(&self, id: TaskId) -> impl Iterator<Item = TaskId> {
        self.task(id)
            .into_iter()
            .flat_map(|task| &task.dependents)
            .map(|&position| self.tasks[position as usize].id)
    }

    /// The commit that the tree of whoever takes the task starts from.
    ///
    /// The work of those that it needs; the snapshot where there is none. Whoever puts a merge right starts from
    /// what could be merged.
    pub(crate) fn base(&self, task: TaskId, executor: &Executor) -> Option<String> {
        let snapshot = self.snapshot_commit()?;
        let position = self.position(task)?;
        if self.plan.tasks[position].is_merge() {
            let unmerged = self.tasks[position].unmerged.as_ref();
            let is_agent = matches!(executor, Executor::Agent { .. });
            let base = unmerged.filter(|_| is_agent).map_or(snapshot, |left| &left.commit);
            return Some(base.to_owned());
        }
        match self.works_for(task).as_slice() {
            [only] => Some(only.commit.to_owned()),
            // Several only where the plan is that of an earlier version, which had no merges.
            _ => Some(snapshot.to_owned()),
        }
    }

    /// The works that the task needs, directly or by way of tasks that have changed nothing, without those that
    /// are contained in another one. In the order of the plan.
    pub fn works_for(&self, task: TaskId) -> Vec<GivenWork<'_>> {
        let needs_of = |position: usize| self.plan.tasks[position].needs.iter().copied();
        let mut works = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let mut front: Vec<u32> = self.position(task).into_iter().flat_map(needs_of).collect();
        while let Some(need) = front.pop() {
            if !seen.insert(need) {
                continue;
            }
            match self.tasks[need as usize].work() {
                // What it started from is in it.
                Some(work) => drop(works.insert(need, work)),
                None => front.extend(needs_of(need as usize)),
            }
        }
        if works.len() > 1 {
            let mut front: Vec<u32> = works.keys().copied().collect();
            let mut seen = BTreeSet::new();
            while let Some(position) = front.pop() {
                for need in needs_of(position as usize).filter(|need| seen.insert(*need)) {
                    works.remove(&need);
                    front.push(need);
                }
            }
        }
        works.into_values().collect()
    }

    /// The commits that an attempt's tree comes from, the nearest first: what it was given, what the work in
    /// that was given, and so on, to the snapshot.
    pub(crate) fn bases(&self, given: &str) -> Vec<String> {
        let Some(snapshot) = self.snapshot_commit() else { return vec![given.to_owned()] };
        let works = self.works();
        let mut bases = vec![given.to_owned()];
        // Each work is older than those that start from it, so this ends.
        while let Some(last) = bases.last().filter(|last| *last != snapshot)
            && let Some(work) = works.iter().find(|work| work.commit == *last)
            && !bases.contains(&work.base)
        {
            bases.push(work.base.clone());
        }
        if bases.last().is_none_or(|last| last != snapshot) {
            bases.push(snapshot.to_owned());
        }
        bases
    }

    /// Whether a snapshot is to be taken, should the run go on after its end: what stood in its way
    /// may be gone. One that was taken stays what the run is about.
    pub(crate) fn wants_snapshot_again(&self) -> bool {
        let has_none = matches!(self.snapshot, SnapshotState::NotNeeded | SnapshotState::Failed(_));
        has_none && self.plan.has_processes()
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
    /// What it has made, if it has changed something.
    fn work(&self) -> Option<GivenWork<'_>> {
        let change = self.change()?;
        Some(GivenWork { task: self.id, commit: change.commit.as_deref()?, change })
    }

    /// Who may carry out the next attempt, the preferred one first: the executor that has retries
    /// left, else the first that has not failed for good together with its equals.
    pub(crate) fn candidates<'a>(&self, planned: &'a PlannedTask) -> Vec<&'a Executor> {
        if self.failures > 0
            && let Some(last) = self.attempts.last()
            && let Some(same) =
                planned.executors.iter().find(|next| **next == last.started.executor)
        {
            return vec![same];
        }
        let mut left = (0u32..)
            .zip(&planned.executors)
            .filter(|(position, _)| !self.given_up.contains(position))
            .map(|(_, executor)| executor);
        let is_equal =
            |executor: &&Executor| matches!(executor, Executor::Agent { fallback: false, .. });
        match left.next() {
            None => Vec::new(),
            Some(first) if is_equal(&first) => {
                std::iter::once(first).chain(left.filter(is_equal)).collect()
            }
            Some(first) => vec![first],
        }
    }
}

impl Task {
    /// Whether its attempt under way waits for a person.
    pub(crate) fn asks(&self) -> bool {
        let is_asking = |attempt: &Attempt| attempt.ended.is_none() && attempt.open_decisions > 0;
        self.attempts.last().is_some_and(is_asking)
    }
}

impl TaskPhase {
    pub fn has_ended(&self) -> bool {
        matches!(self, Self::Ended { .. })
    }
}
