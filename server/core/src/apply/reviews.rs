//! What happens to reviews, and to the user's files because of them.

use crate::{
    event::{OperationStarted, ReviewOpened},
    ids::{AttemptId, HunkId, OperationId, RunId},
    operation::{FilePlan, FileResult, OperationEnd, OperationKind, Target},
    outcome::Failure,
    review::Verdict,
    state::{Operation, OperationPhase, Prepared, ReviewPhase, Run, State},
    time::Timestamp,
};
use std::sync::Arc;

pub(super) fn want(state: &mut State, id: RunId, works: &[AttemptId]) {
    state.change_run(id, |run| {
        run.review.phase = ReviewPhase::Wanted;
        run.review.of = works.to_vec();
        // It is another result.
        run.review.discarded = None;
    });
}

pub(super) fn open(state: &mut State, id: RunId, opened: &ReviewOpened) {
    state.change_run(id, |run| {
        run.review.phase = ReviewPhase::Open(Arc::new(opened.clone()));
    });
}

pub(super) fn fail(state: &mut State, id: RunId, failure: &Failure) {
    state.change_run(id, |run| run.review.phase = ReviewPhase::Failed(failure.clone()));
}

/// What the policy of the run wants now.
pub(super) fn run_ended(state: &mut State, id: RunId) {
    state.change_run(id, |run| {
        // What was begun once is a person's from then on.
        let is_first = run.operations.is_empty();
        run.review.automatic = is_first && run.automatic_target().is_some();
    });
}

pub(super) fn judge(state: &mut State, id: RunId, hunks: &[HunkId], verdict: Option<Verdict>) {
    state.change_run(id, |run| {
        for hunk in hunks {
            match verdict {
                Some(verdict) => drop(run.review.verdicts.insert(*hunk, verdict)),
                None => drop(run.review.verdicts.remove(hunk)),
            }
        }
    });
}

pub(super) fn start(state: &mut State, started: &OperationStarted, now: Timestamp) {
    state.change_run(started.operation.run(), |run| {
        run.review.automatic = false;
        run.operations.push(Operation {
            started: Arc::new(started.clone()),
            started_at: now,
            phase: OperationPhase::Preparing,
            undone_by: None,
        });
    });
}

pub(super) fn prepared(
    state: &mut State,
    id: OperationId,
    before: &str,
    after: &str,
    files: &[FilePlan],
) {
    let prepared =
        Prepared { before: before.to_owned(), after: after.to_owned(), files: files.to_vec() };
    state.change_run(id.run(), |run| {
        if let Some(operation) = run.operations.last_mut() {
            operation.phase = OperationPhase::Writing(Arc::new(prepared));
        }
    });
}

pub(super) fn written(state: &mut State, id: OperationId, files: &[FileResult], until: Timestamp) {
    state.change_run(id.run(), |run| {
        let Some(operation) = run.operations.last_mut() else { return };
        if let Some(prepared) = operation.prepared().cloned() {
            operation.phase = OperationPhase::Waiting { prepared, files: files.to_vec(), until };
        }
    });
}

pub(super) fn confirmed(state: &mut State, id: OperationId, confirmed: &[FileResult]) {
    state.change_run(id.run(), |run| {
        if let Some(Operation { phase: OperationPhase::Waiting { files, .. }, .. }) =
            run.operations.last_mut()
        {
            files.extend_from_slice(confirmed);
        }
    });
}

pub(super) fn end(state: &mut State, id: OperationId, end: &OperationEnd, now: Timestamp) {
    state.change_run(id.run(), |run| {
        let Some(operation) = run.operations.last_mut() else { return };
        let prepared = operation.prepared().cloned();
        operation.phase = OperationPhase::Ended { end: end.clone(), at: now, prepared };
        match end {
            OperationEnd::Applied | OperationEnd::Partly { .. } => take_effect(run, id, end),
            // The user has it already, by his own hand.
            OperationEnd::Nothing
            | OperationEnd::Conflict { .. }
            | OperationEnd::Refused { .. } => {}
        }
    });
}

/// What an operation that has changed something means for the review.
fn take_effect(run: &mut Run, id: OperationId, end: &OperationEnd) {
    let Some(operation) = run.operation(id) else { return };
    let kind = operation.started.kind.clone();
    match kind {
        OperationKind::Undo { of } => {
            // Undoing a part of it leaves the rest to be undone.
            if *end == OperationEnd::Applied {
                mark(run, of, Some(id));
            }
            set_effect(run, of, false);
        }
        _ => set_effect(run, id, true),
    }
}

fn mark(run: &mut Run, id: OperationId, undone_by: Option<OperationId>) {
    let operation = run.operations.iter_mut().find(|operation| operation.id() == id);
    if let Some(operation) = operation {
        operation.undone_by = undone_by;
    }
}

/// Follows an operation to what it did, or took back, or did again.
fn set_effect(run: &mut Run, id: OperationId, in_effect: bool) {
    let Some(operation) = run.operation(id) else { return };
    let kind = operation.started.kind.clone();
    let is_whole =
        matches!(operation.phase, OperationPhase::Ended { end: OperationEnd::Applied, .. });
    match kind {
        OperationKind::Apply { target: Target::Files, hunks } => {
            if in_effect && is_whole {
                run.review.applied.extend(hunks);
            } else {
                run.review.applied.retain(|hunk| !hunks.contains(hunk));
            }
        }
        // The user's files are as they were.
        OperationKind::Apply { .. } => {}
        OperationKind::Undo { of } => {
            mark(run, of, in_effect.then_some(id));
            set_effect(run, of, !in_effect);
        }
        OperationKind::Discard => run.review.discarded = in_effect.then_some(id),
        OperationKind::Clean => run.review.cleaned = in_effect.then_some(id),
    }
}
