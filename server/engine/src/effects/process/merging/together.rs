//! Merging by git, off the actor.

use super::{super::Attempt, blocking, work::Part};
use orchestra_core::outcome::{Failure, FailureKind};
use orchestra_vcs::{
    GitError,
    merge::{self, Leftover, Limits, Merged, Request, Resolution, Work, markers_left},
};
use std::io;

/// Merges the parts, one after the other. Done again, it answers the same.
pub(super) async fn merge(
    attempt: &Attempt,
    parts: &[Part],
    decided: &[Resolution],
) -> io::Result<Result<Merged, Failure>> {
    let (attempt, parts, decided) = (attempt.clone(), parts.to_owned(), decided.to_owned());
    blocking(move || Ok(now(&attempt, &parts, &decided).map_err(failure))).await
}

fn now(attempt: &Attempt, parts: &[Part], decided: &[Resolution]) -> Result<Merged, GitError> {
    let (shared, work) = (&attempt.shared, &attempt.work);
    let names: Vec<String> = parts.iter().map(Part::name).collect();
    let works: Vec<Work<'_>> =
        parts.iter().zip(&names).map(|(part, name)| Work { commit: &part.commit, name }).collect();
    let base = work.merge.as_ref().map_or("", |merge| &merge.snapshot);
    let author = work.names();
    merge::merge(&Request {
        root: &shared.root,
        scratch: &shared.folders.scratch(&shared.workspace),
        reference: &attempt.reference(""),
        base,
        works: &works,
        subject: &format!("{}: {}", work.executor, work.step),
        author: author.author(),
        resolutions: decided,
        limits: Limits { file: shared.merge.file_limit.0, total: shared.merge.total_limit.0 },
    })
}

/// The first conflict marker that `resolved` still has.
pub(super) async fn leftover(
    attempt: &Attempt,
    with_markers: &str,
    resolved: &str,
) -> io::Result<Result<Option<Leftover>, Failure>> {
    let (attempt, with_markers) = (attempt.clone(), with_markers.to_owned());
    let resolved = resolved.to_owned();
    blocking(move || {
        let shared = &attempt.shared;
        let scratch = shared.folders.scratch(&shared.workspace);
        let limit = shared.merge.file_limit.0;
        let found = markers_left(&shared.root, &scratch, &with_markers, &resolved, limit);
        Ok(found.map_err(failure))
    })
    .await
}

fn failure(error: GitError) -> Failure {
    Failure {
        kind: FailureKind::Environment,
        message: format!("merge the works: {error}"),
        hint: Some(error.hint()),
    }
}
