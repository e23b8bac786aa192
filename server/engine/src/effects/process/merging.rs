//! `changes.merge`, carried out: works become one commit, a person says what counts where they do not fit
//! together, and the whole is checked. All of it can be done again, and a daemon that finds it under way does.

mod complete;
mod question;
mod together;
mod work;

pub(super) use complete::complete;
pub(super) use work::MergeWork;

use super::{Attempt, asking, blocking, evidence};
use crate::effects::{handover, inline::unknown};
use complete::Incomplete;
use orchestra_core::{
    change::Change,
    merge::{Conflict, Unmerged},
    outcome::{AttemptOutcome, Failure, FailureKind, Output},
    plan::Executor,
};
use orchestra_vcs::merge::{Conflicted, Merged, Resolution, Takes};
use serde_json::json;
use std::io;
use work::{Part, called};

/// How many files a failure names.
const NAMED: usize = 3;

/// Merges and checks, or takes up what an earlier daemon made of it.
pub(super) async fn carry(attempt: &Attempt) -> io::Result<AttemptOutcome> {
    let dir = attempt.dir();
    let of_earlier = dir.clone();
    if let Some(kept) = blocking(move || of_earlier.kept_outcome()).await? {
        return Ok(kept);
    }
    if !attempt.work.verify.is_empty()
        && let Err(gone) = attempt.work.environment()
    {
        // The run waits for an environment; then it is tried again.
        return Ok(AttemptOutcome::Lost { reason: gone.message, output: Output::default() });
    }
    let outcome = outcome(attempt).await?;
    let kept = outcome.clone();
    blocking(move || dir.keep_outcome(&kept)).await?;
    fail::fail_point!("engine::merge::kept", |_| std::process::abort());
    Ok(outcome)
}

async fn outcome(attempt: &Attempt) -> io::Result<AttemptOutcome> {
    let failed = |failure| AttemptOutcome::Failed { failure, output: Output::default() };
    if let Err(failure) = &attempt.work.base {
        return Ok(failed(failure.clone()));
    }
    // With a base there is a snapshot.
    let Some(merge) = &attempt.work.merge else { return Ok(unknown(Executor::MERGE)) };
    let parts = merge.parts();
    if parts.is_empty() {
        let summary = "there is nothing to merge".to_owned();
        return Ok(AttemptOutcome::Succeeded { output: Output { summary, ..Output::default() } });
    }
    let mut decided = Vec::new();
    let change = loop {
        match together::merge(attempt, &parts, &decided).await? {
            Ok(Merged::Whole(change)) => break change,
            Ok(Merged::Conflicts(conflicted)) => {
                match decide(attempt, merge, &parts, &conflicted, &decided).await? {
                    Decided::As(takes) => decided.extend(resolutions(&conflicted, takes)),
                    Decided::NotHere => {
                        return Ok(conflict(attempt, &parts, conflicted).end(Output::default()));
                    }
                    Decided::Stopped => {
                        return Ok(AttemptOutcome::Cancelled { output: Output::default() });
                    }
                }
            }
            Err(failure) => return Ok(failed(failure)),
        }
    };
    fail::fail_point!("engine::merge::merged", |_| std::process::abort());
    let output = output(merge, &change, &decided);
    // One work alone was checked when it was made.
    if parts.len() == 1 {
        return Ok(AttemptOutcome::Succeeded { output });
    }
    let mut outcome = evidence::judged(attempt, output, &change).await?;
    if let Some(output) = handover::output_of(&mut outcome) {
        let checks = output.evidence.iter().flat_map(|evidence| &evidence.checks);
        output.confined = checks.filter_map(|check| check.on_result.confined).next();
    }
    Ok(with_unmerged(outcome, merge, &change))
}

/// What is to be done about a conflict.
enum Decided {
    As(Takes),
    /// Nobody said anything that helps: an agent takes over, or the merge fails.
    NotHere,
    Stopped,
}

async fn decide(
    attempt: &Attempt,
    merge: &MergeWork,
    parts: &[Part],
    conflicted: &Conflicted,
    decided: &[Resolution],
) -> io::Result<Decided> {
    // What an answer has not settled once, it would not settle twice.
    if merge.has_resolver || decided.iter().any(|one| one.between == conflicted.between) {
        return Ok(Decided::NotHere);
    }
    let mut asked: Vec<&[String; 2]> = decided.iter().map(|one| &one.between).collect();
    asked.dedup();
    let (question, answers) = question::about(parts, conflicted, asked.len() + 1);
    fail::fail_point!("engine::merge::asking", |_| std::process::abort());
    let Some(answer) = asking::ask(attempt, question).await? else { return Ok(Decided::Stopped) };
    fail::fail_point!("engine::merge::answered", |_| std::process::abort());
    Ok(answers.takes(&answer).map_or(Decided::NotHere, Decided::As))
}

fn resolutions(conflicted: &Conflicted, takes: Takes) -> impl Iterator<Item = Resolution> {
    conflicted.conflicts.iter().map(move |conflict| Resolution {
        path: conflict.path.clone(),
        between: conflicted.between.clone(),
        takes,
    })
}

/// The merge fails, and says where and with what somebody can go on.
fn conflict(attempt: &Attempt, parts: &[Part], conflicted: Conflicted) -> Incomplete {
    let conflicts = &conflicted.conflicts;
    let files: Vec<String> = conflicts.iter().take(NAMED).map(Conflict::shown_path).collect();
    let more = if conflicts.len() > NAMED { ", …" } else { "" };
    let [ours, theirs] = work::sides(parts, &conflicted);
    let message = format!(
        "{} does not fit together with {} in {}{more}",
        called(&theirs),
        called(&ours),
        files.join(", ")
    );
    let task = attempt.work.attempt.task();
    let hint = format!(
        "`orchestra retry {task}` asks again; `resolve:` in a workflow names an agent for it"
    );
    let failure = Failure { kind: FailureKind::Conflict, message, hint: Some(hint) };
    Incomplete { failure, unmerged: Some(Box::new(work::unmerged(parts, conflicted))) }
}

/// Works that fit together, and of which the checks say that they do not work so: that can be put right, too.
fn with_unmerged(outcome: AttemptOutcome, merge: &MergeWork, change: &Change) -> AttemptOutcome {
    match (outcome, &change.commit) {
        (AttemptOutcome::Failed { failure, output }, Some(commit))
            if failure.kind == FailureKind::Evidence =>
        {
            let unmerged = Some(Box::new(Unmerged {
                works: merge.works.iter().map(|work| work.task).collect(),
                left: Vec::new(),
                commit: commit.clone(),
                conflicts: Vec::new(),
                more: 0,
            }));
            AttemptOutcome::Failed { failure, output: Output { unmerged, ..output } }
        }
        (outcome, _) => outcome,
    }
}

fn output(merge: &MergeWork, change: &Change, decided: &[Resolution]) -> Output {
    let side = |resolution: &Resolution| {
        let [ours, theirs] = &resolution.between;
        json!({
            "path": resolution.path,
            "takes": if resolution.takes == Takes::Ours { ours } else { theirs },
        })
    };
    let (works, files) = (merge.works.len(), change.files);
    let merged = if works == 1 { "work handed on" } else { "works merged" };
    let plural = if files == 1 { "" } else { "s" };
    Output {
        summary: format!("{works} {merged}, {files} file{plural}"),
        result: json!({
            "works": merge.works.iter().map(|work| &work.step).collect::<Vec<_>>(),
            "files": files,
            "decided": decided.iter().map(side).collect::<Vec<_>>(),
        }),
        change: Some(Box::new(change.clone())),
        ..Output::default()
    }
}
