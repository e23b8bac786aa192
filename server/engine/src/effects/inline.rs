//! Inline actions: pure computation without I/O, done on the spot.

use orchestra_core::{
    ids::AttemptId,
    outcome::{AttemptOutcome, Failure, FailureKind, Output},
    pending::{inputs, work},
    state::State,
    time::Timestamp,
};
use orchestra_runtimes::native::{self, Context, Stop};
use std::{path::Path, sync::atomic::AtomicBool};

/// Carries out the inline action of an attempt under way.
pub(crate) fn carry_out(state: &State, attempt: AttemptId, now: Timestamp) -> AttemptOutcome {
    let Some(work) = work(state, attempt) else {
        return AttemptOutcome::NeverStarted { reason: "it is not under way".to_owned() };
    };
    let name = work.started.executor.name();
    let Some(action) = native::find(name) else { return unknown(name) };
    let context = Context {
        root: Path::new("/"),
        repo: None,
        run_name: &work.run.plan.name,
        run_description: &work.run.plan.description,
        with: &work.started.with,
        prompt: work.started.prompt.as_deref(),
        output: work.planned.output.as_deref(),
        inputs: &inputs(work.run, attempt.task()),
        cancelled: &AtomicBool::new(false),
        progress: &|_| {},
        now,
    };
    match action.run(&context) {
        Ok(report) => AttemptOutcome::Succeeded {
            output: Output { summary: report.summary, result: report.result, ..Output::default() },
        },
        Err(Stop::Cancelled) => AttemptOutcome::Cancelled { output: Output::default() },
        Err(Stop::Failed(failure)) => AttemptOutcome::Failed { failure, output: Output::default() },
    }
}

/// The plan was made by a build that had this action.
pub(crate) fn unknown(name: &str) -> AttemptOutcome {
    let failure = Failure {
        kind: FailureKind::NotStarted,
        message: format!("this build has no native action `{name}`"),
        hint: Some("plan the workflow again with this build".to_owned()),
    };
    AttemptOutcome::Failed { failure, output: Output::default() }
}
