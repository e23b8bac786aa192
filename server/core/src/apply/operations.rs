//! What happens to operations, and what that means for the review of their run.

use crate::{
    event::{OperationStarted, ReviewedFile},
    ids::{HunkId, OperationId},
    operation::{FilePlan, FileResult, OperationEnd, OperationKind, Target},
    review::Verdict,
    state::{Operation, OperationPhase, Prepared, ReviewPhase, Run, State},
    time::Timestamp,
};
use std::{collections::BTreeSet, sync::Arc};

pub(super) fn start(state: &mut State, started: &OperationStarted, now: Timestamp) {
    state.change_run(started.operation.run(), |run| {
        run.review.automatic = false;
        run.review.is_persons |= started.by_person;
        run.operations.push(Operation {
            started: Arc::new(started.clone()),
            started_at: now,
            phase: OperationPhase::Preparing,
            undone_by: None,
            moved: Vec::new(),
            decision: None,
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
            // Where there was nothing to do, the user's files are as it wanted them all the same.
            OperationEnd::Applied | OperationEnd::Nothing => take_effect(run, id, None),
            OperationEnd::Partly { files } => take_effect(run, id, Some(files)),
            OperationEnd::Conflict { .. } | OperationEnd::Refused { .. } => {}
        }
    });
}

/// What the end of an operation means for the review; `open` are the files that are not as they should be,
/// where there are some.
fn take_effect(run: &mut Run, id: OperationId, open: Option<&[FileResult]>) {
    let Some(operation) = run.operation(id) else { return };
    let has_changed = operation.has_changed();
    let is_done =
        |file: &&ReviewedFile| !open.unwrap_or_default().iter().any(|open| open.path == file.path);
    match operation.started.kind.clone() {
        OperationKind::Apply { target: Target::Files, hunks } => {
            let ReviewPhase::Open(opened) = &run.review.phase else { return };
            let hunks: BTreeSet<HunkId> = hunks.into_iter().collect();
            let is_new = |hunk: &HunkId| hunks.contains(hunk) && !run.review.applied.contains(hunk);
            let files = opened.files.iter().filter(is_done).map(|file| ReviewedFile {
                path: file.path.clone(),
                hunks: file.hunks.iter().copied().filter(is_new).collect(),
            });
            let moved = files.filter(|file| !file.hunks.is_empty()).collect();
            move_hunks(run, id, moved, true);
        }
        // The user's files are as they were.
        OperationKind::Apply { .. } => {}
        OperationKind::Undo { of } => {
            let Some(undone) = run.operation(of) else { return };
            let moved = undone.moved.iter().filter(is_done).cloned().collect();
            let brings_in = run.brings_in(id);
            move_hunks(run, id, moved, brings_in);
            // What was taken back in part can still be taken back as a whole.
            if open.is_none() {
                set_effect(run, of, Some(id));
            }
        }
        OperationKind::Discard => run.review.discarded = Some(id),
        OperationKind::Clean if has_changed => run.review.cleaned = Some(id),
        OperationKind::Clean => {}
    }
}

fn move_hunks(run: &mut Run, id: OperationId, moved: Vec<ReviewedFile>, brings_in: bool) {
    for hunk in moved.iter().flat_map(|file| &file.hunks) {
        if brings_in {
            run.review.applied.insert(*hunk);
            // Brought in again, it is wanted after all.
            if run.review.verdicts.get(hunk) == Some(&Verdict::Rejected) {
                run.review.verdicts.remove(hunk);
            }
        } else {
            run.review.applied.remove(hunk);
        }
    }
    if let Some(operation) = run.operations.iter_mut().find(|operation| operation.id() == id) {
        operation.moved = moved;
    }
}

/// Marks an operation as taken back, or as done again; follows it to what it did itself.
fn set_effect(run: &mut Run, id: OperationId, undone_by: Option<OperationId>) {
    let operation = run.operations.iter_mut().find(|operation| operation.id() == id);
    let Some(operation) = operation else { return };
    operation.undone_by = undone_by;
    let is_in_effect = undone_by.is_none();
    match operation.started.kind {
        OperationKind::Apply { .. } => {}
        OperationKind::Undo { of } => set_effect(run, of, is_in_effect.then_some(id)),
        OperationKind::Discard => set_mark(&mut run.review.discarded, id, is_in_effect),
        OperationKind::Clean => set_mark(&mut run.review.cleaned, id, is_in_effect),
    }
}

/// The mark of another operation is not taken away.
fn set_mark(mark: &mut Option<OperationId>, id: OperationId, is_in_effect: bool) {
    if is_in_effect {
        *mark = Some(id);
    } else if *mark == Some(id) {
        *mark = None;
    }
}
