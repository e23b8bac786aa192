//! How attempts end in scenarios.

use orchestra_core::{
    ids::RunId,
    outcome::{AttemptOutcome, Failure, FailureKind, Output},
    snapshot::Snapshot,
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
    AttemptOutcome::Lost { reason: "its shim died".to_owned() }
}

pub(crate) fn never_started() -> AttemptOutcome {
    AttemptOutcome::NeverStarted { reason: "the daemon went down".to_owned() }
}
