//! Views of the state: the only place where runs and tasks are put into the form that is shown.

use crate::{
    decision::Decision,
    ids::{DecisionId, HunkId, TaskId},
    outcome::{Output, RunOutcome, SkipReason, StopReason, TaskOutcome},
    ports::StepInput,
    review::Verdict,
    state::{
        Attempt, Operation, OperationPhase, ReviewPhase, Run, RunPhase, SnapshotState, Task,
        TaskPhase,
    },
    view::{
        AttemptView, DecisionView, OperationView, ReviewStatus, ReviewView, RunStatus, RunView,
        TaskStatus, TaskView,
    },
};

impl From<&RunPhase> for RunStatus {
    fn from(phase: &RunPhase) -> Self {
        match phase {
            RunPhase::AwaitingApproval => Self::AwaitingApproval,
            RunPhase::Running => Self::Running,
            RunPhase::Paused { .. } => Self::Paused,
            RunPhase::Stopping { .. } => Self::Stopping,
            RunPhase::Ended { outcome: RunOutcome::Succeeded, .. } => Self::Succeeded,
            RunPhase::Ended { outcome: RunOutcome::Failed, .. } => Self::Failed,
            RunPhase::Ended { outcome: RunOutcome::Cancelled, .. } => Self::Cancelled,
            RunPhase::Ended { outcome: RunOutcome::TimedOut, .. } => Self::TimedOut,
        }
    }
}

impl From<&TaskPhase> for TaskStatus {
    fn from(phase: &TaskPhase) -> Self {
        match phase {
            TaskPhase::Waiting | TaskPhase::Arrived => Self::Waiting,
            TaskPhase::AwaitingApproval => Self::AwaitingApproval,
            TaskPhase::Ready { .. } => Self::Ready,
            TaskPhase::Delayed { .. } => Self::Delayed,
            TaskPhase::Running { stopping: None, .. } => Self::Running,
            TaskPhase::Running { stopping: Some(_), .. } => Self::Stopping,
            TaskPhase::Ended { outcome, .. } => match **outcome {
                TaskOutcome::Succeeded { .. } => Self::Succeeded,
                TaskOutcome::Failed { .. } => Self::Failed,
                TaskOutcome::Cancelled { .. } => Self::Cancelled,
                TaskOutcome::TimedOut { .. } => Self::TimedOut,
                TaskOutcome::Skipped { .. } => Self::Skipped,
            },
        }
    }
}

impl Run {
    pub fn view(&self) -> RunView {
        let tasks = u32::try_from(self.tasks.len()).unwrap_or(u32::MAX);
        RunView {
            id: self.id,
            name: self.plan.name.clone(),
            description: self.plan.description.clone(),
            source: self.plan.source.clone(),
            status: (&self.phase).into(),
            detail: match &self.phase {
                RunPhase::Paused { reason } => reason.clone(),
                RunPhase::Stopping { reason: StopReason::Person } => "cancelled".to_owned(),
                RunPhase::Stopping { reason: StopReason::Timeout } => "its time is up".to_owned(),
                RunPhase::Running if self.counts.asking > 0 => {
                    format!("{} waiting for an answer", tasks_of(self.counts.asking))
                }
                _ => match self.question() {
                    Some(decision) => format!("waits for an answer: {decision}"),
                    None => String::new(),
                },
            },
            created: self.created,
            ended: match self.phase {
                RunPhase::Ended { at, .. } => Some(at),
                _ => None,
            },
            snapshot: match &self.snapshot {
                SnapshotState::Taken(snapshot) => Some((**snapshot).clone()),
                _ => None,
            },
            decisions: self.open_decisions(),
            foreseen: self.foreseen.clone(),
            review: self.review_view(),
            operations: self
                .operations
                .iter()
                .map(|operation| self.operation_view(operation))
                .collect(),
            busy: self.has_ended() && !self.is_at_rest(),
            tasks,
            tasks_ended: tasks.saturating_sub(self.counts.open),
            tasks_failed: self.counts.failed,
        }
    }

    fn operation_view(&self, operation: &Operation) -> OperationView {
        let prepared = operation.prepared();
        let (end, ended) = match &operation.phase {
            OperationPhase::Ended { end, at, .. } => (Some(end.clone()), Some(*at)),
            OperationPhase::Preparing
            | OperationPhase::Writing(_)
            | OperationPhase::Waiting { .. } => (None, None),
        };
        OperationView {
            id: operation.id(),
            kind: operation.started.kind.clone(),
            by_person: operation.started.by_person,
            started: operation.started_at,
            ended,
            end,
            before: prepared.map(|prepared| prepared.before.clone()),
            after: prepared.map(|prepared| prepared.after.clone()),
            files: prepared.map_or_else(Vec::new, |prepared| {
                prepared.files.iter().map(|file| file.path.clone()).collect()
            }),
            undone_by: operation.undone_by,
            in_effect: self.is_in_effect(operation),
            decision: operation.decision.and_then(|id| self.decision_view(id)),
        }
    }

    fn review_view(&self) -> Option<ReviewView> {
        let review = &self.review;
        let mut view = ReviewView {
            status: ReviewStatus::Wanted,
            failure: None,
            data: None,
            files: 0,
            hunks: 0,
            added: 0,
            removed: 0,
            doubts: Vec::new(),
            verdicts: review.verdicts.clone(),
            applied: review.applied.clone(),
        };
        match &review.phase {
            ReviewPhase::None => return None,
            ReviewPhase::Wanted => {}
            ReviewPhase::Failed(failure) => {
                view.status = ReviewStatus::Failed;
                view.failure = Some(failure.clone());
            }
            ReviewPhase::Open(opened) => {
                let hunks = || opened.files.iter().flat_map(|file| &file.hunks);
                let is_done = |hunk: &HunkId| {
                    review.applied.contains(hunk)
                        || review.verdicts.get(hunk) == Some(&Verdict::Rejected)
                };
                let is_applied = !review.applied.is_empty() && hunks().all(is_done);
                view.status = if is_applied { ReviewStatus::Applied } else { ReviewStatus::Open };
                view.data = Some(opened.data.clone());
                view.files = u32::try_from(opened.files.len()).unwrap_or(u32::MAX);
                view.hunks = u32::try_from(hunks().count()).unwrap_or(u32::MAX);
                view.added = opened.added;
                view.removed = opened.removed;
                view.doubts = opened.doubts.clone();
            }
        }
        if review.discarded.is_some() {
            view.status = ReviewStatus::Discarded;
        }
        if review.cleaned.is_some() {
            view.status = ReviewStatus::Cleaned;
        }
        Some(view)
    }

    /// `None` when the run has no such task.
    pub fn task_view(&self, id: TaskId) -> Option<TaskView> {
        let position = self.position(id)?;
        let (task, planned) = (&self.tasks[position], &self.plan.tasks[position]);
        let outcome = match &task.phase {
            TaskPhase::Ended { outcome, .. } => Some(&**outcome),
            _ => None,
        };
        Some(TaskView {
            id,
            step: planned.step.clone(),
            status: (&task.phase).into(),
            detail: self.detail(task),
            needs: planned.needs.iter().map(|&need| self.tasks[need as usize].id).collect(),
            output: outcome.and_then(TaskOutcome::output).cloned(),
            failure: match outcome {
                Some(TaskOutcome::Failed { failure, .. }) => Some(failure.clone()),
                _ => None,
            },
            attempts: task.attempts.iter().map(attempt_view).collect(),
            decisions: task
                .attempts
                .iter()
                .flat_map(|attempt| &attempt.decisions)
                .filter_map(|&id| self.decision_view(id))
                .collect(),
        })
    }

    /// `None` when the run has no such decision.
    pub fn decision_view(&self, id: DecisionId) -> Option<DecisionView> {
        let Decision { asked, asked_at, status, .. } = self.decision(id)?;
        let task = asked.about.attempt().and_then(|attempt| self.position(attempt.task()));
        Some(DecisionView {
            id,
            about: asked.about,
            asker: asked.asker,
            step: task.map(|position| self.plan.tasks[position].step.clone()),
            question: asked.question.text.clone(),
            choices: asked.question.choices.clone(),
            default: asked.question.default.clone(),
            asked: *asked_at,
            until: asked.until,
            status: status.clone(),
        })
    }

    fn open_decisions(&self) -> Vec<DecisionView> {
        // Mostly there are none, and a run may have had many.
        if self.counts.asking == 0 && self.question().is_none() {
            return Vec::new();
        }
        let is_open = |decision: &&Decision| decision.status.is_open();
        let open = self.decisions.iter().filter(is_open);
        open.filter_map(|decision| self.decision_view(decision.asked.decision)).collect()
    }

    /// What a task made, or why it waits, failed or was skipped, in one line; may be empty.
    fn detail(&self, task: &Task) -> String {
        if task.asks() {
            let asked = task.attempts.iter().flat_map(|attempt| &attempt.decisions);
            let is_open = |id: &&DecisionId| {
                self.decision(**id).is_some_and(|decision| decision.status.is_open())
            };
            let open: Vec<String> = asked.filter(is_open).map(ToString::to_string).collect();
            return format!("waits for an answer: {}", open.join(", "));
        }
        detail(task)
    }
}

fn tasks_of(count: u32) -> String {
    if count == 1 { "a task is".to_owned() } else { format!("{count} tasks are") }
}

fn detail(task: &Task) -> String {
    match &task.phase {
        TaskPhase::Delayed { reason, .. } => reason.clone(),
        TaskPhase::Ended { outcome, .. } => match &**outcome {
            TaskOutcome::Succeeded { output } => output.summary.clone(),
            TaskOutcome::Cancelled { .. } => String::new(),
            TaskOutcome::Failed { failure, .. } => failure.message.clone(),
            TaskOutcome::TimedOut { limit, .. } => format!("timed out after {limit}"),
            TaskOutcome::Skipped { reason: SkipReason::WhenFalse } => "`when` is false".to_owned(),
            TaskOutcome::Skipped { reason: SkipReason::NeedFailed { step } } => {
                format!("{step} did not succeed")
            }
        },
        _ => String::new(),
    }
}

fn attempt_view(attempt: &Attempt) -> AttemptView {
    AttemptView {
        id: attempt.started.attempt,
        executor: attempt.started.executor.to_string(),
        lane: attempt.started.executor.lane(),
        why: attempt.started.why.clone(),
        timeout: attempt.timeout(),
        started: attempt.started_at,
        ended: attempt.ended.as_ref().map(|end| end.at),
        outcome: attempt
            .ended
            .as_ref()
            .map_or_else(|| "running".to_owned(), |end| end.summary.clone()),
    }
}

impl StepInput {
    /// What the task at `position` hands over.
    pub(crate) fn of(run: &Run, position: usize) -> Self {
        let (task, planned) = (&run.tasks[position], &run.plan.tasks[position]);
        let output = match &task.phase {
            TaskPhase::Ended { outcome, .. } => outcome.output().cloned(),
            _ => None,
        };
        let status = TaskStatus::from(&task.phase);
        Self {
            step: planned.step.clone(),
            executor: task
                .attempts
                .last()
                .map_or_else(String::new, |attempt| attempt.started.executor.to_string()),
            status,
            detail: if status == TaskStatus::Succeeded { String::new() } else { detail(task) },
            output: output.unwrap_or_else(Output::default),
        }
    }
}
