//! Making the review of a run: what its attempts have made is brought together and compared.

use super::Shared;
use crate::actor::Message;
use orchestra_core::{
    decide::{InputKind, Reviewed},
    ids::{HunkId, OperationId, RunId},
    merge::Conflict,
    operation::OperationEnd,
    outcome::{Artifact, Failure, FailureKind},
    pending::{ToReview, to_review},
    provenance::{AppliedHunk, Origin, Provenance},
    review::{Review, ReviewLimits},
    state::{ReviewPhase, Run},
};
use orchestra_vcs::{
    GitError,
    collect::Author,
    merge::{self, Merged},
    review::{self as compared, CompareRequest, SelectRequest},
};
use std::{collections::BTreeSet, sync::Arc};

/// What is needed to make it, taken out of the state.
pub(super) struct Work {
    run: RunId,
    made: ToReview,
}

impl Work {
    pub(super) fn new(run: &Run) -> Option<Self> {
        Some(Self { run: run.id, made: to_review(run)? })
    }
}

/// Makes it and reports it.
pub(super) async fn report(shared: Arc<Shared>, work: Work) {
    let (job, run) = (Arc::clone(&shared), work.run);
    let made = tokio::task::spawn_blocking(move || {
        fail::fail_point!("engine::review::before", |_| std::process::abort());
        let made = make(&job, &work);
        fail::fail_point!("engine::review::after", |_| std::process::abort());
        made
    });
    let result = made.await.unwrap_or_else(|panic| {
        let hint = Some("please report this, with the daemon's log".to_owned());
        Err(failure(panic.to_string(), hint))
    });
    // An actor that is gone makes it anew after its next start.
    let kind = InputKind::ReviewEnded { run, result: result.map(Box::new) };
    let _ = shared.sender.send(Message::Came(kind));
}

fn make(shared: &Shared, work: &Work) -> Result<Reviewed, Failure> {
    let Work { run, made } = work;
    let result = together(shared, work)?;
    let limits =
        ReviewLimits { file: shared.apply.review_limit.0, total: shared.apply.review_total.0 };
    let review = compared::compare(&CompareRequest {
        root: &shared.root,
        scratch: &shared.folders.scratch(&shared.workspace),
        base: &made.base,
        result: &result,
        works: &made.works,
        limits: vcs_limits(limits),
    });
    let review = review.map_err(|error| git("compare the result with what you had", &error))?;
    let json = serde_json::to_vec(&review).map_err(|error| failure(error.to_string(), None))?;
    let data = shared.artifacts.put(&json, &format!("reviews/{run}.json")).map_err(|error| {
        let hint = "make room on the disk of the state folder, then retry the run".to_owned();
        failure(format!("keep the review: {error}"), Some(hint))
    })?;
    Ok(Reviewed::of(&review, data, limits))
}

/// The commit with the work of all. A run whose tasks all succeeded has one already; of one where something
/// failed, what there is comes together here.
fn together(shared: &Shared, work: &Work) -> Result<String, Failure> {
    let Work { run, made } = work;
    let names: Vec<String> =
        made.works.iter().map(|work| work.attempt.task().to_string()).collect();
    let works = made.works.iter().zip(&names);
    let works: Vec<merge::Work<'_>> =
        works.map(|(work, name)| merge::Work { commit: &work.commit, name }).collect();
    let merged = merge::merge(&merge::Request {
        root: &shared.root,
        scratch: &shared.folders.scratch(&shared.workspace),
        reference: &shared.reference(*run, "merge"),
        base: &made.base,
        works: &works,
        subject: &format!("What {run} has made"),
        author: Author {
            agent: "orchestra",
            run: &run.to_string(),
            task: "",
            attempt: "",
            model: None,
        },
        resolutions: &[],
        limits: merge::Limits {
            file: shared.merge.file_limit.0,
            total: shared.merge.total_limit.0,
        },
    });
    match merged.map_err(|error| git("bring the work together", &error))? {
        Merged::Whole(change) => {
            change.commit.ok_or_else(|| failure("the work of all changes nothing".to_owned(), None))
        }
        Merged::Conflicts(conflicted) => {
            let [first, second] = &conflicted.between;
            let message = format!(
                "the work of {first} and of {second} does not fit together: {}",
                files(&conflicted.conflicts)
            );
            let hint = format!("`orchestra retry {run}` tries again what has failed");
            Err(failure(message, Some(hint)))
        }
    }
}

fn files(conflicts: &[Conflict]) -> String {
    const NAMED: usize = 5;
    let named = conflicts.iter().take(NAMED);
    let mut text: Vec<String> =
        named.map(|conflict| format!("{} ({})", conflict.path, conflict.kind)).collect();
    if conflicts.len() > NAMED {
        text.push(format!("and {} more", conflicts.len() - NAMED));
    }
    text.join(", ")
}

fn vcs_limits(limits: ReviewLimits) -> compared::Limits {
    compared::Limits { file: limits.file, total: limits.total }
}

fn git(what: &str, error: &GitError) -> Failure {
    failure(format!("{what}: {error}"), Some(error.hint()))
}

fn failure(message: String, hint: Option<String>) -> Failure {
    Failure { kind: FailureKind::Environment, message, hint }
}

/// Hunks of a review that are to be brought somewhere.
pub(super) struct Selection {
    run: RunId,
    pub(super) base: String,
    result: String,
    data: Artifact,
    limits: ReviewLimits,
    hunks: BTreeSet<HunkId>,
}

impl Selection {
    pub(super) fn new(run: &Run, hunks: &[HunkId]) -> Option<Self> {
        let ReviewPhase::Open(opened) = &run.review.phase else { return None };
        Some(Self {
            run: run.id,
            base: opened.base.clone(),
            result: opened.result.clone(),
            data: opened.data.clone(),
            limits: opened.limits,
            hunks: hunks.iter().copied().collect(),
        })
    }

    /// The commit with them and nothing else.
    pub(super) fn accepted(
        &self,
        shared: &Shared,
        references: &str,
    ) -> Result<String, OperationEnd> {
        let selected = compared::select(&SelectRequest {
            root: &shared.root,
            scratch: &shared.folders.scratch(&shared.workspace),
            base: &self.base,
            result: &self.result,
            accepted: &self.hunks,
            limits: vcs_limits(self.limits),
            reference: &format!("{references}/accepted"),
            subject: &format!("What is accepted of {}", self.run),
        });
        selected.map(|selected| selected.commit).map_err(|error| OperationEnd::Refused {
            message: format!("take the accepted hunks: {error}"),
            hint: error.hint(),
        })
    }

    /// Where they came from, as a note.
    pub(super) fn provenance(
        &self,
        shared: &Shared,
        operation: OperationId,
        works: &[Origin],
    ) -> Result<String, String> {
        let json = shared.artifacts.read(&self.data.sha256).map_err(|error| error.to_string())?;
        let review: Review = serde_json::from_slice(&json).map_err(|error| error.to_string())?;
        let applied = review.hunks().filter(|(_, hunk)| self.hunks.contains(&hunk.id));
        let hunks = applied.map(|(file, hunk)| AppliedHunk {
            id: hunk.id,
            path: file.path.clone(),
            works: hunk.works.clone(),
        });
        let provenance = Provenance {
            version: Provenance::VERSION,
            operation,
            at: crate::clock::now(),
            works: works.to_vec(),
            hunks: hunks.collect(),
        };
        provenance.to_note().map_err(|error| error.to_string())
    }
}
