//! Evidence: what the commands that check an agent's work say of it, before and after.

use super::{
    Attempt, command, jobs,
    setup::{self, NotReady, Side},
    tree,
};
use orchestra_core::{
    change::Change,
    evidence::{Check, CheckKind, Evidence, Facts, judge, needs_snapshot_run},
    outcome::{AttemptOutcome, Failure, FailureKind, Output},
};
use orchestra_runtimes::checks::{Ran, check};
use orchestra_vcs::trees::Tree;
use std::{collections::BTreeMap, io};

/// Why there is no evidence.
#[derive(Debug)]
enum NoEvidence {
    /// The attempt was told to stop.
    Stopped,
    Failed(Failure),
}

impl From<NotReady> for NoEvidence {
    fn from(not_ready: NotReady) -> Self {
        match not_ready {
            NotReady::Stopped => Self::Stopped,
            NotReady::Failed(failure) => Self::Failed(failure),
        }
    }
}

/// The work itself, and what it started from.
const PLACES: [&str; 2] = ["after", "before"];

/// The work of an attempt, or what it started from.
struct Place {
    /// Ends the names of the jobs that run there.
    name: &'static str,
    commit: String,
}

/// One command that is to be run.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    number: usize,
    kind: CheckKind,
    command: &'a [String],
}

/// The outcome of an attempt that has done its work, as what is seen of that says.
pub(super) async fn judged(
    attempt: &Attempt,
    mut output: Output,
    change: &Change,
) -> io::Result<AttemptOutcome> {
    Ok(match gather(attempt, change).await {
        Ok(Ok(evidence)) => {
            let failure = evidence.failure();
            output.evidence = Some(Box::new(evidence));
            match failure {
                Some(failure) => AttemptOutcome::Failed { failure, output },
                None => AttemptOutcome::Succeeded { output },
            }
        }
        Ok(Err(NoEvidence::Failed(failure))) => AttemptOutcome::Failed { failure, output },
        Ok(Err(NoEvidence::Stopped)) => AttemptOutcome::Cancelled { output },
        // The work is collected, and named: it is not done again.
        Err(error) => {
            give_up(attempt).await?;
            let message = format!("check the work: {error}");
            let failure = Failure { kind: FailureKind::Environment, message, hint: None };
            AttemptOutcome::Failed { failure, output }
        }
    })
}

/// Checks what the attempt has changed, and judges.
async fn gather(attempt: &Attempt, change: &Change) -> io::Result<Result<Evidence, NoEvidence>> {
    let work = &attempt.work;
    let checks = match &change.commit {
        Some(commit) => match check_all(attempt, commit, &change.base).await? {
            Ok(checks) => checks,
            Err(none) => {
                give_up(attempt).await?;
                return Ok(Err(none));
            }
        },
        None => Vec::new(),
    };
    let facts = Facts {
        writes: work.writes(),
        allow_empty: work.allow_empty,
        change_is_empty: Some(change.is_empty()),
        checks: &checks,
    };
    let verdict = judge(&facts);
    Ok(Ok(Evidence { checks, verdict }))
}

async fn check_all(
    attempt: &Attempt,
    commit: &str,
    base: &str,
) -> io::Result<Result<Vec<Check>, NoEvidence>> {
    let work = &attempt.work;
    let verify = work.verify.iter().map(|command| (CheckKind::Verify, command));
    let accept = work.accept.iter().map(|command| (CheckKind::Accept, command));
    let wanted: Vec<Wanted<'_>> = (1..)
        .zip(verify.chain(accept))
        .map(|(number, (kind, command))| Wanted { number, kind, command })
        .collect();
    if wanted.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let Some(turn) = command::turn(attempt).await else { return Ok(Err(NoEvidence::Stopped)) };
    let [after, before] = PLACES;
    let after = Place { name: after, commit: commit.to_owned() };
    let seen = match look(attempt, &after, &wanted).await? {
        Ok(seen) => seen,
        Err(none) => return Ok(Err(none)),
    };
    let again: Vec<Wanted<'_>> = wanted
        .iter()
        .zip(&seen)
        .filter(|(wanted, seen)| needs_snapshot_run(wanted.kind, &seen.run.outcome))
        .map(|(wanted, _)| *wanted)
        .collect();
    let before = Place { name: before, commit: base.to_owned() };
    let mut seen_before = match look(attempt, &before, &again).await? {
        Ok(seen) => again.iter().map(|wanted| wanted.number).zip(seen).collect::<BTreeMap<_, _>>(),
        Err(none) => return Ok(Err(none)),
    };
    drop(turn);
    let checks = wanted.iter().zip(seen).map(|(wanted, after)| {
        let before = seen_before.remove(&wanted.number);
        check(wanted.kind, wanted.command, after, before)
    });
    Ok(Ok(checks.collect()))
}

/// Runs the commands at a place, in a slot that no agent could ever write to.
async fn look(
    attempt: &Attempt,
    place: &Place,
    wanted: &[Wanted<'_>],
) -> io::Result<Result<Vec<Ran>, NoEvidence>> {
    if wanted.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let holder = holder(attempt, place.name);
    let tree = match tree::for_checks(attempt, holder.clone(), place.commit.clone()).await? {
        Ok(tree) => tree,
        Err(failure) => return Ok(Err(NoEvidence::Failed(failure))),
    };
    let seen = look_in(attempt, place, wanted, &tree).await?;
    if seen.is_ok() {
        attempt.give_back(&holder).await;
    }
    Ok(seen)
}

/// Ends what checks the work, and gives the slots back in which it does.
async fn give_up(attempt: &Attempt) -> io::Result<()> {
    // One that an earlier daemon started may be at work where it was not looked for any more.
    jobs::end_all(attempt).await?;
    for place in PLACES {
        attempt.give_back(&holder(attempt, place)).await;
    }
    Ok(())
}

/// As whom the attempt holds the slot of a place.
fn holder(attempt: &Attempt, place: &str) -> String {
    format!("{}.{place}", attempt.holder())
}

async fn look_in(
    attempt: &Attempt,
    place: &Place,
    wanted: &[Wanted<'_>],
    tree: &Tree,
) -> io::Result<Result<Vec<Ran>, NoEvidence>> {
    let name = format!("setup-{}", place.name);
    let ready = match setup::make_ready(attempt, tree, Side::Checks, &name).await? {
        Ok(ready) => ready,
        Err(not_ready) => return Ok(Err(not_ready.into())),
    };
    let mut all = Vec::new();
    for wanted in wanted {
        let kind = match wanted.kind {
            CheckKind::Verify => "verify",
            CheckKind::Accept => "accept",
        };
        let name = format!("{kind}-{}-{}", wanted.number, place.name);
        match command::check(attempt, tree, &ready, wanted.command, &name).await? {
            Ok(ran) => all.push(ran),
            Err(not_ready) => return Ok(Err(not_ready.into())),
        }
    }
    Ok(Ok(all))
}
