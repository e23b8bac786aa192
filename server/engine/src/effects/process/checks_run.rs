//! `checks.run`, carried out: the project's own checks, each a job, in a slot in which no agent works. All
//! of it can be done again, and a daemon that finds it under way does.

use super::{
    Attempt, blocking, command, jobs,
    setup::{self, NotReady, Side},
    tree,
};
use crate::effects::native::keep;
use orchestra_core::outcome::{AttemptOutcome, Failure, Output, StopReason};
use orchestra_protocol::stream::AttemptProgress;
use orchestra_runtimes::{
    checks::Ran,
    native::{RUN_INFO, Stop, commands_to_run, none_ran, run_report},
};
use orchestra_vcs::trees::Tree;
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

pub(super) const NAME: &str = RUN_INFO.name;

/// Runs the checks and reports what they say, or takes up what an earlier daemon made of them.
pub(super) async fn carry(attempt: &Attempt) -> io::Result<AttemptOutcome> {
    let outcome = outcome(attempt).await;
    // One that an earlier daemon started may be at work where it was not looked for any more.
    jobs::end_all(attempt).await?;
    attempt.give_back(&attempt.holder()).await;
    outcome
}

async fn outcome(attempt: &Attempt) -> io::Result<AttemptOutcome> {
    let dir = attempt.dir();
    let of_earlier = dir.clone();
    if let Some(kept) = blocking(move || of_earlier.kept_outcome()).await? {
        return Ok(kept);
    }
    if let Err(gone) = attempt.work.environment() {
        // The run waits for an environment; then it is tried again.
        return Ok(AttemptOutcome::Lost { reason: gone.message, output: Output::default() });
    }
    let outcome = in_its_time(attempt).await?;
    let kept = outcome.clone();
    // Reports that the commands have written go with the tree, and cannot be read again.
    blocking(move || dir.keep_outcome(&kept)).await?;
    fail::fail_point!("engine::checks::kept", |_| std::process::abort());
    Ok(outcome)
}

async fn in_its_time(attempt: &Attempt) -> io::Result<AttemptOutcome> {
    let (work, desk) = (&attempt.work, &attempt.desk);
    let all = run_all(attempt);
    tokio::pin!(all);
    let ended = tokio::select! {
        ended = &mut all => ended,
        () = desk.time_is_up(work.started_at, work.timeout) => {
            desk.stop(StopReason::Timeout);
            all.await
        }
    };
    let output = Output::default();
    Ok(match (ended?, desk.stopped()) {
        (Ok(outcome), _) => outcome,
        (Err(NotReady::Failed(failure)), _) => AttemptOutcome::Failed { failure, output },
        (Err(NotReady::Stopped), Some(StopReason::Timeout)) => {
            AttemptOutcome::TimedOut { limit: desk.timeout(work.timeout), output }
        }
        (Err(NotReady::Stopped), _) => AttemptOutcome::Cancelled { output },
    })
}

async fn run_all(attempt: &Attempt) -> io::Result<Result<AttemptOutcome, NotReady>> {
    let base = match attempt.work.base.clone() {
        Ok(base) => base,
        Err(failure) => return Ok(Err(NotReady::Failed(failure))),
    };
    let Some(turn) = command::turn(attempt).await else { return Ok(Err(NotReady::Stopped)) };
    let tree = match tree::for_checks(attempt, attempt.holder(), base).await? {
        Ok(tree) => tree,
        Err(failure) => return Ok(Err(NotReady::Failed(failure))),
    };
    let commands = match commands(attempt, &tree).await? {
        Ok(commands) => commands,
        Err(not_ready) => return Ok(Err(not_ready)),
    };
    let ready = match setup::make_ready(attempt, &tree, Side::Checks, "setup").await? {
        Ok(ready) => ready,
        Err(not_ready) => return Ok(Err(not_ready)),
    };
    let mut runs = Vec::with_capacity(commands.len());
    let total = commands.len() as u64;
    for (number, words) in (1..).zip(commands) {
        attempt.shared.hub.progress(AttemptProgress {
            attempt: attempt.work.attempt,
            done: number - 1,
            total: Some(total),
            message: words.join(" "),
        });
        let name = format!("check-{number}");
        match command::check(attempt, &tree, &ready, &words, &name).await? {
            Ok(ran) => runs.push((words, ran)),
            Err(not_ready) => return Ok(Err(not_ready)),
        }
    }
    drop(turn);
    let attempt = attempt.clone();
    blocking(move || Ok(report(&attempt, &runs).map_err(NotReady::Failed))).await
}

/// What is to be run. Found out once, before anything has changed the tree: what a job said belongs to its
/// command for ever.
async fn commands(
    attempt: &Attempt,
    tree: &Tree,
) -> io::Result<Result<Vec<Vec<String>>, NotReady>> {
    let cancelled = Arc::new(AtomicBool::new(false));
    let (of_thread, flag, root) = (attempt.clone(), Arc::clone(&cancelled), tree.cwd.clone());
    let finding = blocking(move || {
        let (dir, work) = (of_thread.dir(), &of_thread.work);
        if let Some(kept) = dir.kept_commands()? {
            return Ok(Ok(kept));
        }
        let found = commands_to_run(&work.with, &work.plan.checks.commands, &root, &flag);
        if let Ok(commands) = &found {
            dir.keep_commands(commands)?;
        }
        Ok(found)
    });
    tokio::pin!(finding);
    let found = tokio::select! {
        found = &mut finding => found,
        () = attempt.desk.told_to_stop() => {
            cancelled.store(true, Ordering::Relaxed);
            finding.await
        }
    };
    Ok(found?.map_err(|stop| match stop {
        Stop::Cancelled => NotReady::Stopped,
        Stop::Failed(failure) => NotReady::Failed(failure),
    }))
}

/// What the step hands over. Red checks are what it was asked for; it has failed when none could run.
fn report(attempt: &Attempt, runs: &[(Vec<String>, Ran)]) -> Result<AttemptOutcome, Failure> {
    let report = run_report(runs, attempt.work.output.as_deref())?;
    let mut outcome = keep(&attempt.shared, report);
    if let AttemptOutcome::Succeeded { output } = &mut outcome {
        output.confined = runs.iter().find_map(|(_, ran)| ran.run.confined);
        if let Some(failure) = none_ran(runs) {
            let output = std::mem::take(output);
            return Ok(AttemptOutcome::Failed { failure, output });
        }
    }
    Ok(outcome)
}
