//! What happens to reviews.

use crate::{
    event::ReviewOpened,
    ids::{AttemptId, HunkId, RunId},
    outcome::Failure,
    review::Verdict,
    state::{ReviewPhase, State},
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

/// What the policy of the run wants now that it ends. What somebody has stopped, or has begun to judge or to
/// apply, is a person's.
pub(super) fn run_ends(state: &mut State, id: RunId) {
    state.change_run(id, |run| {
        let is_free = run.operations.is_empty() && !run.review.is_persons && !run.is_stopping();
        run.review.automatic = is_free && run.automatic_target().is_some();
    });
}

/// Its tasks are carried out again, so nothing that is known of its result is the last word.
pub(super) fn goes_on(state: &mut State, id: RunId) {
    state.change_run(id, |run| {
        run.review.of.clear();
        run.review.automatic = false;
    });
}

/// The same, because a person wants the result otherwise.
pub(super) fn send_back(state: &mut State, id: RunId) {
    goes_on(state, id);
    state.change_run(id, |run| run.review.is_persons = true);
}

pub(super) fn judge(state: &mut State, id: RunId, hunks: &[HunkId], verdict: Option<Verdict>) {
    state.change_run(id, |run| {
        run.review.is_persons = true;
        run.review.automatic = false;
        for hunk in hunks {
            match verdict {
                Some(verdict) => drop(run.review.verdicts.insert(*hunk, verdict)),
                None => drop(run.review.verdicts.remove(hunk)),
            }
        }
    });
}
