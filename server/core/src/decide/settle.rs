//! What the time and the state alone lead to: skip, start and end what can be.

use super::{asking, operations, requests::stop_run, starts::starts};
use crate::{
    context,
    event::{Event, EventBody},
    ids::TaskId,
    outcome::{Output, RunOutcome, SkipReason, StopReason, TaskOutcome},
    plan::Retry,
    state::{ReviewPhase, Run, RunPhase, State, TaskPhase},
    template,
    time::{Millis, Timestamp},
};

/// The next events that nobody has to ask for; empty when there are none. What they lead to in turn
/// is found by asking again once they are applied.
pub(super) fn settle(state: &State, now: Timestamp) -> Vec<Event> {
    let event = |run, body| Event { run, at: now, body };
    let arrived = state.indices.arrived.iter().filter_map(|&id| Some((id, on_arrival(state, id)?)));
    let due = due(state, now).map(|task| (task, EventBody::TaskReady { task }));
    let decided: Vec<Event> = arrived
        .chain(due)
        .map(|(id, body)| event(id.run(), body))
        .chain(asking::due(state, now))
        .chain(operations::settled(state, now))
        .collect();
    if !decided.is_empty() {
        return decided;
    }
    let late = state.runs.values().find(|run| {
        run.phase == RunPhase::Running && run.deadline().is_some_and(|deadline| deadline <= now)
    });
    if let Some(run) = late {
        return stop_run(run, StopReason::Timeout, now);
    }
    let ended: Vec<Event> = state
        .indices
        .finished
        .iter()
        .filter_map(|id| state.run(*id))
        .filter_map(|run| Some(event(run.id, on_finish(run)?)))
        .collect();
    if !ended.is_empty() {
        return ended;
    }
    match operations::apply_automatically(state, now) {
        Some(started) => vec![started],
        None => starts(state, now),
    }
}

/// What follows on the end of a run's last task: what was made is brought together before the run ends.
fn on_finish(run: &Run) -> Option<EventBody> {
    if run.review.phase == ReviewPhase::Wanted {
        return None;
    }
    Some(match run.unreviewed() {
        Some(works) => EventBody::ReviewWanted { works },
        None => EventBody::RunEnded { outcome: outcome_of(run) },
    })
}

/// Delayed tasks whose time has come. One that would wait longer than any back-off does was delayed
/// before the clock was set back, and would else wait for as long as that was.
fn due(state: &State, now: Timestamp) -> impl Iterator<Item = TaskId> {
    let delayed = &state.indices.delayed;
    let longest = Millis(Retry::LONGEST_BACKOFF.0 + Retry::LONGEST_BACKOFF.0 / 5);
    let misdated = delayed.iter().rev().take_while(move |(at, _)| *at > now.after(longest));
    delayed.iter().take_while(move |(at, _)| *at <= now).chain(misdated).map(|(_, task)| *task)
}

/// Whether a task whose needs have ended runs.
fn on_arrival(state: &State, id: TaskId) -> Option<EventBody> {
    let (run, task, planned) = state.planned(id)?;
    let end = |outcome| EventBody::TaskEnded { task: id, outcome: Box::new(outcome) };
    if let Some(need) = task.failed_need {
        let step = run.plan.tasks.get(need as usize)?.step.to_string();
        return Some(end(TaskOutcome::Skipped { reason: SkipReason::NeedFailed { step } }));
    }
    let when = planned.when.as_deref()?;
    let references = template::check_expression(when).references;
    Some(match template::condition(when, &context::of_task(run, id, references)) {
        Ok(true) => EventBody::TaskReady { task: id },
        Ok(false) => end(TaskOutcome::Skipped { reason: SkipReason::WhenFalse }),
        Err(failure) => end(TaskOutcome::Failed { failure, output: Output::default() }),
    })
}

/// How a run whose tasks have all ended has ended itself.
fn outcome_of(run: &Run) -> RunOutcome {
    let outcomes = || {
        run.tasks.iter().filter_map(|task| match &task.phase {
            TaskPhase::Ended { outcome, .. } => Some(&**outcome),
            _ => None,
        })
    };
    let cancelled = |outcome: &TaskOutcome| matches!(outcome, TaskOutcome::Cancelled { .. });
    match run.phase {
        // Everything was done before the word to stop arrived.
        RunPhase::Stopping { .. } if outcomes().all(TaskOutcome::satisfies_needs) => {
            RunOutcome::Succeeded
        }
        RunPhase::Stopping { reason: StopReason::Timeout } => RunOutcome::TimedOut,
        RunPhase::Stopping { reason: StopReason::Person } => RunOutcome::Cancelled,
        _ if run.counts.failed > 0 => RunOutcome::Failed,
        _ if outcomes().any(cancelled) => RunOutcome::Cancelled,
        _ => RunOutcome::Succeeded,
    }
}
