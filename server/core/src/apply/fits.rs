//! Which events may follow on which state. Whatever is decided fits; a journal that does not is
//! refused, instead of being folded into a state that never was.

use super::ApplyError;
use crate::{
    decision::About,
    event::{AttemptStarted, Event, EventBody},
    ids::{DecisionId, OperationId, TaskId},
    operation::{OperationEnd, OperationKind},
    state::{
        Operation, OperationPhase, ReviewPhase, Run, RunPhase, SnapshotState, State, TaskPhase,
    },
};

pub(super) fn check(state: &State, event: &Event) -> Result<(), ApplyError> {
    let name = event.body.name();
    let Some(run) = state.run(event.run) else {
        return Err(ApplyError::UnknownRun { event: name, run: event.run });
    };
    match &event.body {
        EventBody::TasksReopened { tasks } => {
            tasks.iter().try_for_each(|task| check_task(run, event, *task))?;
        }
        body => body.task().map_or(Ok(()), |task| check_task(run, event, task))?,
    }
    match &event.body {
        EventBody::AttemptStarted(started) if !is_next(run, started) => {
            Err(ApplyError::UnknownAttempt { event: name, attempt: started.attempt })
        }
        EventBody::AttemptEnded { attempt, .. }
            if !state.indices.under_way.contains_key(attempt) =>
        {
            Err(ApplyError::UnknownAttempt { event: name, attempt: *attempt })
        }
        body if let Some(decision) = misfit(state, run, body) => {
            Err(ApplyError::DecisionMisfit { event: name, decision })
        }
        body if let Some(operation) = misfitting_operation(run, body) => {
            Err(ApplyError::OperationMisfit { event: name, operation })
        }
        body if !fits_run(state, run, body) => {
            Err(ApplyError::RunMisfit { event: name, run: run.id, status: (&run.phase).into() })
        }
        _ => Ok(()),
    }
}

fn is_next(run: &Run, started: &AttemptStarted) -> bool {
    let attempts = run.task(started.attempt.task()).map_or(0, |task| task.attempts.len());
    u32::try_from(attempts).ok().and_then(|count| count.checked_add(1))
        == Some(started.attempt.number())
}

fn fits_run(state: &State, run: &Run, body: &EventBody) -> bool {
    match body {
        EventBody::RunApproved => run.phase == RunPhase::AwaitingApproval,
        EventBody::RunPaused { .. } | EventBody::AttemptStarted(_) => {
            run.phase == RunPhase::Running
        }
        EventBody::RunResumed => matches!(run.phase, RunPhase::Paused { .. }),
        EventBody::RunStopping { .. } => {
            !run.has_ended() && !matches!(run.phase, RunPhase::Stopping { .. })
        }
        EventBody::RunEnded { .. } => {
            state.indices.finished.contains(&run.id) && run.review.phase != ReviewPhase::Wanted
        }
        EventBody::ReviewWanted { .. } => {
            let has_failed = matches!(run.review.phase, ReviewPhase::Failed(_));
            let is_due = state.indices.finished.contains(&run.id) && run.unreviewed().is_some();
            is_due || run.has_ended() && has_failed
        }
        EventBody::ReviewOpened(_) | EventBody::ReviewFailed { .. } => {
            run.review.phase == ReviewPhase::Wanted
        }
        EventBody::HunksJudged { .. } => matches!(run.review.phase, ReviewPhase::Open(_)),
        EventBody::TasksAdded { tasks } => !tasks.is_empty() && can_go_on(run),
        EventBody::SnapshotWanted => !run.has_ended() && run.wants_snapshot_again(),
        EventBody::SnapshotTaken { .. } | EventBody::SnapshotFailed { .. } => {
            run.snapshot == SnapshotState::Wanted
        }
        EventBody::DecisionAsked(asked) => asked.decision.run() == run.id,
        EventBody::OperationStarted(started) => run.has_ended() && can_start(run, &started.kind),
        // See `misfit`: what was asked about an operation is open after the end of its run.
        EventBody::DecisionAnswered { .. } | EventBody::DecisionWithdrawn { .. } => true,
        // See `misfitting_operation`.
        EventBody::OperationPrepared { .. }
        | EventBody::OperationWritten { .. }
        | EventBody::FilesConfirmed { .. }
        | EventBody::OperationEnded { .. } => true,
        EventBody::TasksReopened { tasks } => !tasks.is_empty() && can_go_on(run),
        _ => !run.has_ended(),
    }
}

/// Whether tasks may be opened or added: not while it stops, nor beside a review or an operation.
fn can_go_on(run: &Run) -> bool {
    !run.is_stopping()
        && run.review.phase != ReviewPhase::Wanted
        && run.operations.last().is_none_or(Operation::has_ended)
}

fn can_start(run: &Run, kind: &OperationKind) -> bool {
    match kind {
        OperationKind::Apply { .. } | OperationKind::Discard => {
            matches!(run.review.phase, ReviewPhase::Open(_))
        }
        OperationKind::Undo { of } => {
            run.operation(*of).is_some_and(|undone| run.is_in_effect(undone))
        }
        OperationKind::Clean => true,
    }
}

/// The operation that is not as the event would have it.
fn misfitting_operation(run: &Run, body: &EventBody) -> Option<OperationId> {
    let last = run.operations.last();
    let (id, fits) = match body {
        EventBody::OperationStarted(started) => {
            let next =
                u32::try_from(run.operations.len()).ok().and_then(|count| count.checked_add(1));
            let is_next = OperationId::new(run.id, next?) == Some(started.operation);
            (started.operation, is_next && last.is_none_or(Operation::has_ended))
        }
        EventBody::OperationPrepared { operation, .. } => {
            let is_preparing = |last: &Operation| {
                last.id() == *operation && last.phase == OperationPhase::Preparing
            };
            (*operation, last.is_some_and(is_preparing))
        }
        EventBody::OperationWritten { operation, .. } => {
            let is_writing = |last: &Operation| {
                last.id() == *operation && matches!(last.phase, OperationPhase::Writing(_))
            };
            (*operation, last.is_some_and(is_writing))
        }
        EventBody::FilesConfirmed { operation, files: confirmed } => {
            let is_waiting = |last: &Operation| match &last.phase {
                OperationPhase::Waiting { prepared, files, .. } => {
                    last.id() == *operation && prepared.not_awaited(files, confirmed).is_none()
                }
                _ => false,
            };
            (*operation, last.is_some_and(is_waiting))
        }
        EventBody::OperationEnded { operation, .. } => {
            let is_open = |last: &Operation| last.id() == *operation && !last.has_ended();
            (*operation, last.is_some_and(is_open))
        }
        _ => return None,
    };
    (!fits).then_some(id)
}

/// The decision that keeps the event from happening.
fn misfit(state: &State, run: &Run, body: &EventBody) -> Option<DecisionId> {
    let (id, fits) = match body {
        EventBody::DecisionAsked(asked) => {
            let next =
                u32::try_from(run.decisions.len()).ok().and_then(|count| count.checked_add(1));
            let is_next = DecisionId::new(run.id, next?) == Some(asked.decision);
            let can_be_asked = match asked.about {
                About::Attempt(attempt) => state.indices.under_way.contains_key(&attempt),
                About::Operation(operation) => run.operations.last().is_some_and(|last| {
                    last.id() == operation && last.decision.is_none() && is_conflict(last)
                }),
            };
            (asked.decision, is_next && can_be_asked)
        }
        EventBody::DecisionAnswered { decision, about, .. }
        | EventBody::DecisionWithdrawn { decision, about, .. } => {
            (*decision, state.indices.decisions.open.contains(&(*about, *decision)))
        }
        EventBody::DecisionDelivered { decision, attempt } => {
            (*decision, state.indices.decisions.undelivered.contains(&(*attempt, *decision)))
        }
        // What it has asked is withdrawn first.
        EventBody::AttemptEnded { attempt, .. } => {
            (state.indices.decisions.open_of(*attempt).next()?, false)
        }
        // The same of what is asked about an operation.
        EventBody::OperationStarted(_)
        | EventBody::TasksReopened { .. }
        | EventBody::TasksAdded { .. } => (run.question()?, false),
        _ => return None,
    };
    (!fits).then_some(id)
}

fn is_conflict(operation: &Operation) -> bool {
    let phase = &operation.phase;
    matches!(phase, OperationPhase::Ended { end: OperationEnd::Conflict { .. }, .. })
}

fn check_task(run: &Run, event: &Event, id: TaskId) -> Result<(), ApplyError> {
    let name = event.body.name();
    let Some(task) = run.task(id) else {
        return Err(ApplyError::UnknownTask { event: name, run: run.id, task: id });
    };
    let phase = &task.phase;
    let fits = match &event.body {
        EventBody::TaskApproved { .. } => *phase == TaskPhase::AwaitingApproval,
        EventBody::TaskReady { .. } => {
            matches!(phase, TaskPhase::Arrived | TaskPhase::Delayed { .. })
        }
        EventBody::TaskDelayed { .. } => *phase == TaskPhase::Waiting,
        EventBody::TaskStopping { .. }
        | EventBody::AttemptEnded { .. }
        | EventBody::DecisionAsked(_)
        | EventBody::DecisionAnswered { .. }
        | EventBody::DecisionWithdrawn { .. }
        | EventBody::DecisionDelivered { .. } => {
            matches!(phase, TaskPhase::Running { .. })
        }
        EventBody::TaskTimeoutChanged { .. } => !phase.has_ended(),
        EventBody::TaskEnded { .. } => {
            !matches!(phase, TaskPhase::Running { .. } | TaskPhase::Ended { .. })
        }
        EventBody::AttemptStarted(_) => matches!(phase, TaskPhase::Ready { .. }),
        EventBody::TasksReopened { .. } => phase.has_ended(),
        EventBody::RunCreated { .. }
        | EventBody::RunApproved
        | EventBody::RunPaused { .. }
        | EventBody::RunResumed
        | EventBody::RunStopping { .. }
        | EventBody::RunEnded { .. }
        | EventBody::RunTimeoutChanged { .. }
        | EventBody::SnapshotWanted
        | EventBody::SnapshotTaken { .. }
        | EventBody::SnapshotFailed { .. }
        | EventBody::MemorySet(_)
        | EventBody::MemoryRemoved { .. }
        | EventBody::TasksAdded { .. }
        | EventBody::ConflictsForeseen { .. }
        | EventBody::ReviewWanted { .. }
        | EventBody::ReviewOpened(_)
        | EventBody::ReviewFailed { .. }
        | EventBody::HunksJudged { .. }
        | EventBody::OperationStarted(_)
        | EventBody::OperationPrepared { .. }
        | EventBody::OperationWritten { .. }
        | EventBody::FilesConfirmed { .. }
        | EventBody::OperationEnded { .. } => true,
    };
    if fits {
        return Ok(());
    }
    Err(ApplyError::TaskMisfit { event: name, task: id, status: phase.into() })
}
