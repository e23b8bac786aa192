//! How attempts end in scenarios.

use orchestra_core::{
    change::{Change, ChangedFile, FileStatus},
    confinement::Confinement,
    decide::Reviewed,
    event::ReviewedFile,
    evidence::{Evidence, Verdict},
    ids::{HunkId, RunId},
    outcome::{Artifact, AttemptOutcome, Failure, FailureKind, Output},
    review::ReviewLimits,
    snapshot::Snapshot,
    state::Run,
    time::Millis,
};
use serde_json::Value;

pub(crate) fn output(summary: &str) -> Output {
    Output { summary: summary.to_owned(), ..Output::default() }
}

pub(crate) fn snapshot(run: RunId) -> Snapshot {
    Snapshot {
        commit: format!("{:040x}", run.number()),
        tree: format!("{:040x}", run.number() + 1_000),
        head: None,
        left_out: vec![],
        conflicted: vec![],
    }
}

pub(crate) fn no_snapshot() -> Failure {
    let message = "a.txt is unmerged".to_owned();
    Failure { kind: FailureKind::Environment, message, hint: Some("resolve it".to_owned()) }
}

pub(crate) fn succeeded() -> AttemptOutcome {
    AttemptOutcome::Succeeded { output: output("done") }
}

/// A changed file, as this commit.
pub(crate) fn change(commit: &str) -> Box<Change> {
    Box::new(Change {
        base: "00".to_owned(),
        commit: Some(commit.to_owned()),
        tree: Some(format!("{commit}00")),
        files: 1,
        added: 2,
        removed: 1,
        paths: vec![ChangedFile {
            path: "a.txt".to_owned(),
            status: FileStatus::Modified,
            added: Some(2),
            removed: Some(1),
        }],
        held: vec![],
        flags: vec![],
        commits: 0,
        notes: vec![],
    })
}

/// Work that an agent has left as this commit.
pub(crate) fn wrote(commit: &str) -> AttemptOutcome {
    AttemptOutcome::Succeeded { output: Output { change: Some(change(commit)), ..output("done") } }
}

/// The same, after its checks.
pub(crate) fn verified(outcome: AttemptOutcome, verdict: Verdict) -> AttemptOutcome {
    with_output(outcome, |output| {
        output.evidence = Some(Box::new(Evidence { checks: vec![], verdict }));
    })
}

/// The same, by an agent that the kernel has held.
pub(crate) fn confined(outcome: AttemptOutcome) -> AttemptOutcome {
    with_output(outcome, |output| output.confined = Some(Confinement::Landlock { abi: 7 }))
}

fn with_output(mut outcome: AttemptOutcome, change: impl FnOnce(&mut Output)) -> AttemptOutcome {
    let AttemptOutcome::Succeeded { output } = &mut outcome else { panic!("it has succeeded") };
    change(output);
    outcome
}

pub(crate) fn succeeded_with(result: Value) -> AttemptOutcome {
    AttemptOutcome::Succeeded { output: Output { result, ..output("done") } }
}

pub(crate) fn failed() -> AttemptOutcome {
    failed_as(FailureKind::Exit)
}

pub(crate) fn failed_as(kind: FailureKind) -> AttemptOutcome {
    let failure = Failure { kind, message: "exit code 3".to_owned(), hint: None };
    AttemptOutcome::Failed { failure, output: output("half") }
}

pub(crate) fn cancelled() -> AttemptOutcome {
    AttemptOutcome::Cancelled { output: output("half") }
}

pub(crate) fn timed_out(limit: u64) -> AttemptOutcome {
    AttemptOutcome::TimedOut { limit: Millis(limit), output: output("half") }
}

pub(crate) fn lost() -> AttemptOutcome {
    AttemptOutcome::Lost { reason: "its shim died".to_owned(), output: Output::default() }
}

pub(crate) fn never_started() -> AttemptOutcome {
    AttemptOutcome::NeverStarted { reason: "the daemon went down".to_owned() }
}

/// What a review says of a file.
pub(crate) fn file(path: &str, hunks: &[HunkId]) -> ReviewedFile {
    ReviewedFile { path: path.to_owned(), hunks: hunks.to_vec() }
}

pub(crate) fn hunk(number: u8) -> HunkId {
    HunkId::of_hash([0, 0, 0, 0, number])
}

/// What is found when the work of a run is brought together: for the work of the n-th task the n-th hunk, in
/// a file that has the name of its step.
pub(crate) fn reviewed(run: &Run) -> Reviewed {
    let works = run.works();
    let files = works.iter().map(|work| {
        let number = run.position(work.attempt.task()).unwrap() + 1;
        file(&format!("{}.txt", work.step), &[hunk(u8::try_from(number).unwrap())])
    });
    Reviewed {
        base: snapshot(run.id).commit,
        result: works.last().unwrap().commit.clone(),
        data: review_data(),
        limits: ReviewLimits { file: 4 << 20, total: 64 << 20 },
        files: files.collect(),
        added: 2,
        removed: 1,
        flagged: vec![],
    }
}

fn review_data() -> Artifact {
    Artifact { path: "review.json".to_owned(), bytes: 2, sha256: "cd".repeat(32) }
}
