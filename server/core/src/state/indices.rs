//! What scheduling looks up instead of looking through all tasks.

use super::{ReviewPhase, Run, Task, TaskPhase};
use crate::{
    decision::{About, Decision},
    ids::{AttemptId, DecisionId, OperationId, RunId, TaskId},
    outcome::{StopReason, TaskOutcome},
    plan::{Executor, Lane, PlannedTask},
    time::{Millis, Timestamp},
};
use std::{
    borrow::Borrow,
    collections::{BTreeMap, BTreeSet},
};

/// The tasks of all runs, by what is next for them.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Indices {
    /// Tasks that may start now; no queue is empty.
    pub(crate) ready: BTreeMap<Queue, BTreeSet<ReadyKey>>,
    /// Tasks that may start later, by the time from which on they may.
    pub(crate) delayed: BTreeSet<(Timestamp, TaskId)>,
    /// Tasks whose needs have ended and of which it is yet to be decided whether they run.
    pub(crate) arrived: BTreeSet<TaskId>,
    /// Runs whose last task has ended and whose own end is yet to be recorded.
    pub(crate) finished: BTreeSet<RunId>,
    /// Runs with tasks for agents, of which it is not known yet what these get to see.
    pub(crate) without_snapshot: BTreeSet<RunId>,
    pub(crate) decisions: DecisionIndices,
    /// Runs whose review is being made.
    pub(crate) reviews: BTreeSet<RunId>,
    /// Operations on the user's files that have not ended.
    pub(crate) operations: BTreeSet<OperationId>,
    /// Runs whose result is to be applied without anybody asking.
    pub(crate) automatic: BTreeSet<RunId>,
    pub(crate) under_way: BTreeMap<AttemptId, UnderWay>,
    /// Attempts under way by lane.
    pub(crate) busy: BTreeMap<Lane, u32>,
    /// Attempts under way by agent.
    pub(crate) load: BTreeMap<String, u32>,
}

/// Ready tasks that wait for exactly the same things: while the first of them cannot start, none
/// can. So a full run or a busy agent costs one look, however many tasks wait for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Queue {
    pub(crate) lane: Lane,
    pub(crate) run: RunId,
    /// Who may take the task, the preferred one first; empty for native actions, which need nobody.
    agents: Vec<String>,
}

impl Queue {
    fn of(task: &Task, planned: &PlannedTask) -> Self {
        let candidates = task.candidates(planned);
        let agents = candidates.iter().filter(|next| matches!(next, Executor::Agent { .. }));
        Self {
            lane: candidates.first().map_or(Lane::Inline, |first| first.lane()),
            run: task.id.run(),
            agents: agents.map(|agent| agent.name().to_owned()).collect(),
        }
    }
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
    fn new(since: Timestamp, priority: i32, ageing: Millis, task: TaskId) -> Self {
        let ageing = i64::try_from(ageing.0).unwrap_or(i64::MAX);
        let head_start = i64::from(priority).saturating_mul(ageing);
        Self { order: since.0.saturating_sub(head_start), task }
    }
}

/// What the shell has to know of an attempt under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnderWay {
    pub(crate) lane: Lane,
    pub(crate) stopping: Option<StopReason>,
    pub(crate) new_timeout: Option<Millis>,
}

/// The decisions of all runs, by what is next for them.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct DecisionIndices {
    /// Open ones, by what they are about.
    pub(crate) open: BTreeSet<(About, DecisionId)>,
    /// Open ones with a time-out, by its end.
    pub(crate) due: BTreeSet<(Timestamp, DecisionId)>,
    /// Ended ones of which the attempt under way is yet to take up how.
    pub(crate) undelivered: BTreeSet<(AttemptId, DecisionId)>,
}

impl DecisionIndices {
    pub(crate) fn insert(&mut self, decision: &Decision, is_under_way: bool) {
        let (id, about) = (decision.asked.decision, decision.asked.about);
        if decision.status.is_open() {
            self.open.insert((about, id));
            self.due.extend(decision.asked.until.map(|until| (until, id)));
        } else if let About::Attempt(attempt) = about
            && is_under_way
            && decision.status.is_news()
            && !decision.delivered
        {
            self.undelivered.insert((attempt, id));
        }
    }

    pub(crate) fn remove(&mut self, decision: &Decision) {
        let (id, about) = (decision.asked.decision, decision.asked.about);
        self.open.remove(&(about, id));
        if let About::Attempt(attempt) = about {
            self.undelivered.remove(&(attempt, id));
        }
        if let Some(until) = decision.asked.until {
            self.due.remove(&(until, id));
        }
    }

    /// The open ones of an attempt.
    pub(crate) fn open_of(&self, attempt: AttemptId) -> impl Iterator<Item = DecisionId> {
        let about = About::Attempt(attempt);
        let from = self.open.range((about, DecisionId::FIRST)..);
        from.take_while(move |(other, _)| *other == about).map(|(_, id)| *id)
    }
}

impl Indices {
    /// Takes up the review and the operations of a run as they are now.
    pub(super) fn insert_run(&mut self, run: &Run) {
        if run.review.phase == ReviewPhase::Wanted {
            self.reviews.insert(run.id);
        }
        if run.review.automatic {
            self.automatic.insert(run.id);
        }
        let open = run.operations.iter().filter(|operation| !operation.has_ended());
        self.operations.extend(open.map(super::Operation::id));
    }

    /// Forgets them.
    pub(super) fn remove_run(&mut self, run: &Run) {
        self.reviews.remove(&run.id);
        self.automatic.remove(&run.id);
        for operation in &run.operations {
            self.operations.remove(&operation.id());
        }
    }

    /// Takes up a task as it is now.
    pub(super) fn insert(&mut self, task: &Task, planned: &PlannedTask, ageing: Millis) {
        match &task.phase {
            TaskPhase::Arrived => {
                self.arrived.insert(task.id);
            }
            TaskPhase::Ready { since } => {
                let key = ReadyKey::new(*since, planned.priority, ageing, task.id);
                self.ready.entry(Queue::of(task, planned)).or_default().insert(key);
            }
            TaskPhase::Delayed { not_before, .. } => {
                self.delayed.insert((*not_before, task.id));
            }
            TaskPhase::Running { attempt, stopping } => {
                let Some(current) = task.attempts.last() else { return };
                let executor = &current.started.executor;
                let (lane, new_timeout) = (executor.lane(), current.new_timeout);
                self.under_way
                    .insert(*attempt, UnderWay { lane, stopping: *stopping, new_timeout });
                *self.busy.entry(lane).or_default() += 1;
                if let Executor::Agent { name, .. } = executor {
                    *self.load.entry(name.clone()).or_default() += 1;
                }
            }
            TaskPhase::Waiting | TaskPhase::AwaitingApproval | TaskPhase::Ended { .. } => {}
        }
    }

    /// Forgets a task that is as it was when it was taken up.
    pub(super) fn remove(&mut self, task: &Task, planned: &PlannedTask, ageing: Millis) {
        match &task.phase {
            TaskPhase::Arrived => {
                self.arrived.remove(&task.id);
            }
            TaskPhase::Ready { since } => {
                let queue = Queue::of(task, planned);
                if let Some(tasks) = self.ready.get_mut(&queue) {
                    tasks.remove(&ReadyKey::new(*since, planned.priority, ageing, task.id));
                    if tasks.is_empty() {
                        self.ready.remove(&queue);
                    }
                }
            }
            TaskPhase::Delayed { not_before, .. } => {
                self.delayed.remove(&(*not_before, task.id));
            }
            TaskPhase::Running { attempt, .. } => {
                self.under_way.remove(attempt);
                let Some(current) = task.attempts.last() else { return };
                decrement(&mut self.busy, &current.started.executor.lane());
                if let Executor::Agent { name, .. } = &current.started.executor {
                    decrement(&mut self.load, name.as_str());
                }
            }
            TaskPhase::Waiting | TaskPhase::AwaitingApproval | TaskPhase::Ended { .. } => {}
        }
    }
}

/// Takes one from a count and drops it at zero, so that equal states compare equal.
fn decrement<K: Ord + Borrow<Q>, Q: Ord + ?Sized>(counts: &mut BTreeMap<K, u32>, key: &Q) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

/// How many tasks of one run are in which phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    /// Tasks that have not ended.
    pub(crate) open: u32,
    /// Tasks that go on without a person: zero while the run only waits for one.
    pub(crate) active: u32,
    /// Tasks whose attempt waits for a person's answer.
    pub(crate) asking: u32,
    /// Attempts under way that take up a worker.
    pub(crate) workers: u32,
    /// Tasks that failed or timed out.
    pub(crate) failed: u32,
}

impl Counts {
    pub(crate) fn of_all(tasks: &[Task]) -> Self {
        let mut counts = Self::default();
        tasks.iter().for_each(|task| counts.insert(task));
        counts
    }

    pub(crate) fn insert(&mut self, task: &Task) {
        let one = Self::of(task);
        self.open += one.open;
        self.active += one.active;
        self.asking += one.asking;
        self.workers += one.workers;
        self.failed += one.failed;
    }

    pub(super) fn remove(&mut self, task: &Task) {
        let one = Self::of(task);
        self.open -= one.open;
        self.active -= one.active;
        self.asking -= one.asking;
        self.workers -= one.workers;
        self.failed -= one.failed;
    }

    fn of(task: &Task) -> Self {
        let works = |task: &Task| {
            task.attempts.last().is_some_and(|last| last.started.executor.lane() != Lane::Inline)
        };
        let phase = &task.phase;
        Self {
            open: u32::from(!phase.has_ended()),
            active: u32::from(match phase {
                TaskPhase::Arrived | TaskPhase::Ready { .. } | TaskPhase::Delayed { .. } => true,
                TaskPhase::Running { stopping, .. } => stopping.is_some() || !task.asks(),
                TaskPhase::Waiting | TaskPhase::AwaitingApproval | TaskPhase::Ended { .. } => false,
            }),
            asking: u32::from(matches!(phase, TaskPhase::Running { .. }) && task.asks()),
            workers: u32::from(matches!(phase, TaskPhase::Running { .. }) && works(task)),
            failed: u32::from(matches!(
                phase,
                TaskPhase::Ended { outcome, .. }
                    if matches!(**outcome, TaskOutcome::Failed { .. } | TaskOutcome::TimedOut { .. })
            )),
        }
    }
}
