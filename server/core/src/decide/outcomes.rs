//! What the end of an attempt means for its task: done, another try, the next executor, or failed.

use super::{Input, asking};
use crate::{
    event::{Event, EventBody},
    ids::{AttemptId, RunId},
    outcome::{AttemptOutcome, Failure, FailureKind, Output, StopReason, TaskOutcome},
    plan::{PlannedTask, Retry},
    snapshot::Snapshot,
    state::{Run, RunPhase, State, Task, TaskPhase},
    time::{Millis, Timestamp},
};

/// After so many attempts in a row that vanished, something is wrong with the machine.
const VANISHED_IN_A_ROW: u32 = 3;

pub(super) fn attempt_ended(
    state: &State,
    attempt: AttemptId,
    outcome: &AttemptOutcome,
    input: &Input,
) -> Vec<Event> {
    let Some((run, task, planned)) = state.planned(attempt.task()) else { return Vec::new() };
    let stopping = match &task.phase {
        TaskPhase::Running { attempt: current, stopping } if *current == attempt => *stopping,
        _ => return Vec::new(),
    };
    let mut bodies: Vec<EventBody> = asking::withdrawn(state, attempt, None).collect();
    bodies.push(EventBody::AttemptEnded { attempt, outcome: Box::new(outcome.clone()) });
    let stops = stopping.is_some() || matches!(run.phase, RunPhase::Stopping { .. });
    let next = if stops {
        Next::end(when_stopped(outcome, stopping, run))
    } else {
        after(outcome, task, planned, input.seed)
    };
    bodies.push(match next {
        Next::End(outcome) => EventBody::TaskEnded { task: task.id, outcome },
        Next::TryAgain { wait, reason } => {
            EventBody::TaskDelayed { task: task.id, not_before: input.now.after(wait), reason }
        }
    });
    bodies.into_iter().map(|body| Event { run: run.id, at: input.now, body }).collect()
}

/// Said twice, it counts once; a run that has ended meanwhile needs none.
pub(super) fn snapshot_ended(
    state: &State,
    run: RunId,
    result: &Result<Box<Snapshot>, Failure>,
    at: Timestamp,
) -> Vec<Event> {
    if !state.indices.without_snapshot.contains(&run) {
        return Vec::new();
    }
    let body = match result {
        Ok(snapshot) => EventBody::SnapshotTaken { snapshot: snapshot.clone() },
        Err(failure) => EventBody::SnapshotFailed { failure: failure.clone() },
    };
    vec![Event { run, at, body }]
}

enum Next {
    End(Box<TaskOutcome>),
    TryAgain { wait: Millis, reason: String },
}

impl Next {
    fn end(outcome: TaskOutcome) -> Self {
        Self::End(Box::new(outcome))
    }
}

/// A task that was told to stop ends here, whatever its attempt makes of it; work that was
/// complete before the word arrived still counts.
fn when_stopped(outcome: &AttemptOutcome, stopping: Option<StopReason>, run: &Run) -> TaskOutcome {
    let output = match outcome {
        AttemptOutcome::Succeeded { output } => {
            return TaskOutcome::Succeeded { output: output.clone() };
        }
        AttemptOutcome::Failed { output, .. }
        | AttemptOutcome::Cancelled { output }
        | AttemptOutcome::TimedOut { output, .. }
        | AttemptOutcome::Lost { output, .. } => output.clone(),
        AttemptOutcome::NeverStarted { .. } => Output::default(),
    };
    match (stopping, run.timeout) {
        // Only a run's time ends a task like this; its own time is kept where its attempt runs.
        (Some(StopReason::Timeout), Some(limit)) => TaskOutcome::TimedOut { limit, output },
        _ => TaskOutcome::Cancelled { output },
    }
}

fn after(outcome: &AttemptOutcome, task: &Task, planned: &PlannedTask, seed: u64) -> Next {
    match outcome {
        AttemptOutcome::Succeeded { output } => {
            Next::end(TaskOutcome::Succeeded { output: output.clone() })
        }
        AttemptOutcome::Cancelled { output } => {
            Next::end(TaskOutcome::Cancelled { output: output.clone() })
        }
        AttemptOutcome::Lost { reason, .. } | AttemptOutcome::NeverStarted { reason } => {
            if task.vanished + 1 < VANISHED_IN_A_ROW {
                let reason = format!("the attempt vanished: {reason}");
                return Next::TryAgain { wait: Millis(0), reason };
            }
            let failure = Failure {
                kind: FailureKind::Environment,
                message: format!("{VANISHED_IN_A_ROW} attempts in a row vanished: {reason}"),
                hint: Some("look for what kills processes (memory, disk), then retry".to_owned()),
            };
            let output = match outcome {
                AttemptOutcome::Lost { output, .. } => output.clone(),
                _ => Output::default(),
            };
            Next::end(TaskOutcome::Failed { failure, output })
        }
        AttemptOutcome::Failed { failure, output } => again(outcome, task, planned, seed)
            .unwrap_or_else(|| {
                Next::end(TaskOutcome::Failed { failure: failure.clone(), output: output.clone() })
            }),
        AttemptOutcome::TimedOut { limit, output } => again(outcome, task, planned, seed)
            .unwrap_or_else(|| {
                Next::end(TaskOutcome::TimedOut { limit: *limit, output: output.clone() })
            }),
    }
}

/// The same executor while it has retries left, then the next one at once, then nobody.
fn again(outcome: &AttemptOutcome, task: &Task, planned: &PlannedTask, seed: u64) -> Option<Next> {
    let current = &task.attempts.last()?.started.executor;
    if current.goes_on(outcome) {
        return Some(Next::TryAgain { wait: Millis(0), reason: outcome.summary() });
    }
    let (failures, retries) = (task.failures + 1, planned.retries(current));
    if outcome.is_worth_a_retry() && failures <= retries {
        let wait = backoff(planned.retry, failures, seed);
        let reason = format!("retry {failures} of {retries} in {wait}: {}", outcome.summary());
        return Some(Next::TryAgain { wait, reason });
    }
    // A merge that failed for another reason than its works leaves nothing to be put right.
    let left = || outcome.output().is_some_and(|output| output.unmerged.is_some());
    if planned.is_merge() && task.unmerged.is_none() && !left() {
        return None;
    }
    let has_next = (0u32..)
        .zip(&planned.executors)
        .any(|(position, executor)| !task.given_up.contains(&position) && executor != current);
    let reason = format!("{current} is given up, the next one takes over: {}", outcome.summary());
    has_next.then_some(Next::TryAgain { wait: Millis(0), reason })
}

/// `backoff * 2^(failures - 1)`, at most [`Retry::LONGEST_BACKOFF`], plus up to a fifth, so that
/// what failed together does not all come back together.
fn backoff(retry: Retry, failures: u32, seed: u64) -> Millis {
    let factor = 1u64.checked_shl(failures.saturating_sub(1)).unwrap_or(u64::MAX);
    let base = retry.backoff.0.saturating_mul(factor).min(Retry::LONGEST_BACKOFF.0);
    let jitter = if base < 5 { 0 } else { mix(seed ^ u64::from(failures)) % (base / 5) };
    Millis(base + jitter)
}

/// SplitMix64: neighbouring seeds give unrelated numbers.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
