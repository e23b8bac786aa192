//! The end of an attempt: what its agent has left is taken over, looked at, and made an outcome of.

use super::{
    Attempt, blocking, collecting, evidence,
    held::{self, Said},
    merging,
};
use crate::effects::handover;
use orchestra_core::{
    change::{Change, Held},
    outcome::{AttemptOutcome, Failure, FailureKind, Output},
};
use orchestra_runtimes::attempt::{self, AttemptResult};
use orchestra_vcs::trees::Tree;
use std::io;

/// Makes an outcome of the agent's result. A daemon that dies on the way does it again: each step is found
/// done, or can be repeated.
pub(super) async fn take_in(
    attempt: &Attempt,
    result: AttemptResult,
) -> io::Result<AttemptOutcome> {
    fail::fail_point!("engine::ingest::before", |_| std::process::abort());
    let dir = attempt.dir();
    let of_result = dir.clone();
    let (kept, outcome) = blocking(move || {
        Ok((of_result.kept_outcome()?, attempt::outcome(&result, &of_result.spec()?)))
    })
    .await?;
    let mut outcome = match kept {
        Some(kept) => kept,
        // Nothing of the tree is in it, so it can be made again when that has gone.
        None if !attempt.work.hands_over() => outcome,
        None => {
            let outcome = complete(attempt, outcome).await?;
            let (dir, kept) = (dir.clone(), outcome.clone());
            // Once the tree is given back, it cannot be looked at again.
            blocking(move || dir.keep_outcome(&kept)).await?;
            outcome
        }
    };
    if handover::output_of(&mut outcome).is_some_and(|output| output.tree.is_some()) {
        attempt.put_aside().await?;
        fail::fail_point!("engine::ingest::put_aside", |_| std::process::abort());
    }
    attempt.give_back(&attempt.holder()).await;
    fail::fail_point!("engine::ingest::after", |_| std::process::abort());
    Ok(outcome)
}

/// The outcome with what the agent has handed over, what it has changed, and what was seen of that.
async fn complete(attempt: &Attempt, outcome: AttemptOutcome) -> io::Result<AttemptOutcome> {
    let Some(tree) = attempt.tree().await? else {
        return Ok(match outcome {
            AttemptOutcome::Succeeded { output } => {
                let message = "its tree is gone".to_owned();
                let failure = Failure { kind: FailureKind::Environment, message, hint: None };
                AttemptOutcome::Failed { failure, output }
            }
            outcome => outcome,
        });
    };
    let (taker, of_tree) = (attempt.clone(), tree.clone());
    let outcome = blocking(move || {
        let output = taker.work.output.as_deref();
        let secrets = taker.work.secrets();
        Ok(handover::take(&taker.shared, &secrets, outcome, &of_tree.out, output))
    })
    .await?;
    if !attempt.work.writes() {
        return Ok(outcome);
    }
    let (mut outcome, mut change) = collect(attempt, &tree, &[], outcome).await?;
    let mut words = held::Words::default();
    let change = loop {
        let Some(collected) = change else { return Ok(outcome) };
        // Work that its own agent does not call done is worth neither a question nor a check.
        if !matches!(outcome, AttemptOutcome::Succeeded { .. }) {
            return Ok(outcome);
        }
        match words.ask(attempt, &collected.held).await? {
            Said::NothingMore => break collected,
            // What is searched only now may be held back for another reason.
            Said::Include => {
                (outcome, change) = collect(attempt, &tree, words.included(), outcome).await?;
            }
            Said::Stop => return Ok(stopped(outcome)),
        }
    };
    let AttemptOutcome::Succeeded { mut output } = outcome else { return Ok(outcome) };
    let change = match merging::complete(attempt, change).await? {
        Ok(change) => change,
        Err(incomplete) => return Ok(incomplete.end(output)),
    };
    output.change = Some(Box::new(change.clone()));
    evidence::judged(attempt, output, &change).await
}

/// Takes over what the agent has changed, as part of the outcome. Without a change that failed, and the outcome
/// says so, with where the tree will be put.
async fn collect(
    attempt: &Attempt,
    tree: &Tree,
    included: &[Held],
    outcome: AttemptOutcome,
) -> io::Result<(AttemptOutcome, Option<Change>)> {
    let (mut outcome, change, kept) =
        match collecting::collect_from(attempt, tree, included).await? {
            Ok(change) => (outcome, Some(change), None),
            Err(failure) => (failed(outcome, failure), None, Some(attempt.kept_tree())),
        };
    if let Some(output) = handover::output_of(&mut outcome) {
        output.change = change.clone().map(Box::new);
        output.tree = kept;
    }
    Ok((outcome, change))
}

/// What a lost attempt has left, for a person; there is no word on whether it is whole.
pub(super) async fn salvage(attempt: &Attempt) -> io::Result<Output> {
    let mut output = Output::default();
    if attempt.work.writes() {
        if let Some(tree) = attempt.tree().await? {
            match collecting::collect_from(attempt, &tree, &[]).await? {
                Ok(change) => output.change = Some(Box::new(change)),
                Err(failure) => {
                    attempt.put_aside().await?;
                    tracing::warn!(attempt = %attempt.work.attempt, %failure, "its tree is kept");
                }
            }
        }
        // Maybe by an earlier daemon that could not say so.
        if attempt.is_put_aside().await? {
            output.tree = Some(attempt.kept_tree());
        }
    }
    attempt.give_back(&attempt.holder()).await;
    Ok(output)
}

fn stopped(outcome: AttemptOutcome) -> AttemptOutcome {
    match outcome {
        AttemptOutcome::Succeeded { output } => AttemptOutcome::Cancelled { output },
        outcome => outcome,
    }
}

fn failed(outcome: AttemptOutcome, failure: Failure) -> AttemptOutcome {
    match outcome {
        AttemptOutcome::Succeeded { output } => AttemptOutcome::Failed { failure, output },
        // It has not succeeded anyway, for a reason that comes first.
        outcome => outcome,
    }
}
