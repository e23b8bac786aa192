//! What must hold after every step, whatever was asked for and however attempts ended.

use orchestra_core::{
    decide::{Input, InputKind, decide},
    event::{Event, EventBody},
    pending::{Effect, added, next_wake, pending, work},
    plan::{Executor, Lane},
    state::{Limits, ReviewPhase, Run, RunPhase, SnapshotState, State, TaskPhase},
    time::Timestamp,
    view::TaskStatus,
};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(
    before: &State,
    state: &State,
    limits: &Limits,
    events: &[Event],
    now: Timestamp,
) {
    state.audit().unwrap();
    nothing_is_left_to_settle(state, now);
    effects_are_what_was_added(before, state, events);
    limits_are_kept(state, limits);
    events.iter().for_each(|event| starts_are_allowed(state, event));
    for run in state.runs() {
        views_agree(run);
        run_ends_with_its_tasks(run);
    }
}

fn nothing_is_left_to_settle(state: &State, now: Timestamp) {
    let input = Input { now, seed: 0, kind: InputKind::Settle };
    assert_eq!(decide(state, &input), Ok(Vec::new()), "settled, and yet there is more");
    assert!(next_wake(state, now).is_none_or(|wake| wake > now), "would wake without end");
    let arrived = |run: &Run| run.tasks.iter().any(|task| task.phase == TaskPhase::Arrived);
    assert!(!state.runs().any(arrived), "a task is left undecided");
}

fn effects_are_what_was_added(before: &State, state: &State, events: &[Event]) {
    let effects = |state| pending(state).into_iter().collect::<BTreeSet<Effect>>();
    let (before, after) = (effects(before), effects(state));
    let added: BTreeSet<Effect> = added(state, events).into_iter().collect();
    assert_eq!(added, after.difference(&before).copied().collect());
}

fn limits_are_kept(state: &State, limits: &Limits) {
    let mut lanes: BTreeMap<Lane, u32> = BTreeMap::new();
    let mut workers: BTreeMap<_, u32> = BTreeMap::new();
    let mut load: BTreeMap<String, u32> = BTreeMap::new();
    for effect in pending(state) {
        let Effect::Execute { attempt, lane } = effect else { continue };
        let work = work(state, attempt).unwrap();
        *lanes.entry(lane).or_default() += 1;
        *workers.entry(attempt.run()).or_default() += u32::from(lane != Lane::Inline);
        if let Executor::Agent { name, .. } = &work.started.executor {
            *load.entry(name.clone()).or_default() += 1;
            let max = work.run.plan.agents[name].max_load;
            assert!(load[name] <= max, "{name} has more than {max} attempts");
        }
    }
    assert!(lanes.get(&Lane::Native).is_none_or(|busy| *busy <= limits.natives), "{lanes:?}");
    assert!(lanes.get(&Lane::Process).is_none_or(|busy| *busy <= limits.processes), "{lanes:?}");
    for (run, workers) in workers {
        let max = state.run(run).unwrap().plan.max_parallel.unwrap_or(u32::MAX);
        assert!(workers <= max, "{run} has {workers} workers");
    }
}

/// No attempt starts before what it needs has ended well, before a person has approved what they
/// are to approve, or while its run does not run.
fn starts_are_allowed(state: &State, event: &Event) {
    let EventBody::AttemptStarted(started) = &event.body else { return };
    let run = state.run(event.run).unwrap();
    let at = run.position(started.attempt.task()).unwrap();
    for &need in &run.plan.tasks[at].needs {
        let phase = &run.tasks[need as usize].phase;
        let satisfied = matches!(
            phase, TaskPhase::Ended { outcome, .. } if outcome.satisfies_needs()
        );
        assert!(satisfied, "{} started while a need is {phase:?}", started.attempt);
    }
    assert_eq!(run.phase, RunPhase::Running, "{} started", started.attempt);
    if started.executor.lane() == Lane::Process {
        assert_ne!(run.snapshot, SnapshotState::Wanted, "{} started", started.attempt);
    }
}

fn views_agree(run: &Run) {
    let view = run.view();
    let statuses: Vec<TaskStatus> = run
        .tasks
        .iter()
        .map(|task| {
            let view = run.task_view(task.id).unwrap();
            let open = view.attempts.iter().filter(|attempt| attempt.ended.is_none()).count();
            let running = matches!(view.status, TaskStatus::Running | TaskStatus::Stopping);
            assert_eq!(open, usize::from(running), "{view:?}");
            view.status
        })
        .collect();
    let count = |is: fn(&TaskStatus) -> bool| {
        u32::try_from(statuses.iter().filter(|status| is(status)).count()).unwrap()
    };
    assert_eq!(view.tasks, count(|_| true));
    assert_eq!(view.tasks_ended, count(|status| status.has_ended()));
    let failed = |status: &TaskStatus| matches!(status, TaskStatus::Failed | TaskStatus::TimedOut);
    assert_eq!(view.tasks_failed, count(failed));
    assert_eq!(view.status.has_ended(), view.ended.is_some());
}

fn run_ends_with_its_tasks(run: &Run) {
    let all = run.tasks.iter().all(|task| task.phase.has_ended());
    let is_reviewed = run.review.phase != ReviewPhase::Wanted;
    assert!(all || is_reviewed, "{} goes on while it is reviewed", run.id);
    assert_eq!(run.has_ended(), all && is_reviewed, "{} is {:?}", run.id, run.phase);
}
