//! The merge that an agent has put right: nothing is left of the conflict, and what was yet to come is merged.

use super::{super::Attempt, conflict, together, work::MergeWork};
use orchestra_core::{
    change::Change,
    merge::Unmerged,
    outcome::{AttemptOutcome, Failure, FailureKind, Output},
};
use orchestra_vcs::merge::Merged;
use std::io;

/// Why there is no merge yet.
pub(in super::super) struct Incomplete {
    pub(super) failure: Failure,
    /// What is there to be put right.
    pub(super) unmerged: Option<Box<Unmerged>>,
}

impl Incomplete {
    /// The outcome of the attempt, of which this much is known.
    pub(in super::super) fn end(self, output: Output) -> AttemptOutcome {
        let Self { failure, unmerged } = self;
        AttemptOutcome::Failed { failure, output: Output { unmerged, ..output } }
    }
}

impl From<Failure> for Incomplete {
    fn from(failure: Failure) -> Self {
        Self { failure, unmerged: None }
    }
}

/// The whole change, compared with what the user saw, of an attempt that was to put a merge right; of any other
/// one the change as it is.
pub(in super::super) async fn complete(
    attempt: &Attempt,
    change: Change,
) -> io::Result<Result<Change, Incomplete>> {
    let Some(merge) = &attempt.work.merge else { return Ok(Ok(change)) };
    let (Some(unmerged), Some(resolved)) = (&merge.unmerged, &change.commit) else {
        return Ok(failed("it changed nothing, so that nothing is put right".to_owned()));
    };
    if !unmerged.conflicts.is_empty() {
        match together::leftover(attempt, &unmerged.commit, resolved).await? {
            Ok(None) => {}
            Ok(Some(found)) => {
                return Ok(failed(format!(
                    "{}:{} still has a conflict marker",
                    found.path, found.line
                )));
            }
            Err(failure) => return Ok(Err(failure.into())),
        }
    }
    rest(attempt, merge, unmerged, &change, resolved).await
}

async fn rest(
    attempt: &Attempt,
    merge: &MergeWork,
    unmerged: &Unmerged,
    change: &Change,
    resolved: &str,
) -> io::Result<Result<Change, Incomplete>> {
    let parts = merge.parts_after(unmerged, resolved);
    let merged = together::merge(attempt, &parts, &[]).await?;
    fail::fail_point!("engine::merge::resolved", |_| std::process::abort());
    Ok(match merged {
        // What was held back of the agent's work stays said.
        Ok(Merged::Whole(whole)) => {
            Ok(Change { held: change.held.clone(), notes: change.notes.clone(), ..whole })
        }
        // The next work does not fit to it, which is to be put right in turn.
        Ok(Merged::Conflicts(conflicted)) => Err(conflict(attempt, &parts, conflicted)),
        Err(failure) => Err(failure.into()),
    })
}

/// Work that does not hold, so that another try may do better.
fn failed(message: String) -> Result<Change, Incomplete> {
    let hint = Some("see what the agent wrote".to_owned());
    Err(Failure { kind: FailureKind::Evidence, message, hint }.into())
}
