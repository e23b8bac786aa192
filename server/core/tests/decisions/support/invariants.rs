//! What must hold after every step, whatever was asked for and however attempts ended.

use orchestra_core::{
    decide::{Input, InputKind, decide},
    event::{Event, EventBody},
    ids::HunkId,
    operation::{OperationEnd, OperationKind, Target as Place},
    pending::{Effect, added, next_wake, pending, work},
    plan::{Executor, Lane},
    state::{
        Limits, Operation, OperationPhase, ReviewPhase, Run, RunPhase, SnapshotState, State,
        TaskPhase,
    },
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
        rests_when_nothing_is_left(state, run);
        assert_eq!(run.review.applied, brought(run), "{}", run.id);
    }
    let under_way = state.runs().flat_map(|run| &run.operations).filter(|one| !one.has_ended());
    assert!(under_way.count() <= 1, "two operations at once");
}

/// A run of which nothing is pending and about which nobody is asked is at rest, and no other.
fn rests_when_nothing_is_left(state: &State, run: &Run) {
    let view = run.view();
    assert_eq!(view.is_open(), !run.is_at_rest(), "{view:?}");
    let under_way = run.operations.iter().filter(|operation| !operation.has_ended()).count();
    assert!(under_way == 0 || run.has_ended(), "an operation of {} while it goes on", run.id);
    if run.is_at_rest() {
        assert_eq!((under_way, view.decisions), (0, vec![]));
        let is_of_run = |effect: &Effect| match effect {
            Effect::Review { run: of } | Effect::TakeSnapshot { run: of } => *of == run.id,
            Effect::Prepare { operation } | Effect::Write { operation } => {
                operation.run() == run.id
            }
            other => other.attempt().is_some_and(|attempt| attempt.run() == run.id),
        };
        assert!(!pending(state).iter().any(is_of_run), "{} is at rest", run.id);
    }
    for operation in &view.operations {
        let undone = operation.undone_by.and_then(|by| run.operation(by));
        let kind = undone.map(|undone| undone.started.kind.clone());
        assert!(kind.is_none_or(|kind| kind == OperationKind::Undo { of: operation.id }));
        assert!(!operation.in_effect || operation.undone_by.is_none());
    }
}

fn end(operation: &Operation) -> Option<&OperationEnd> {
    match &operation.phase {
        OperationPhase::Ended { end, .. } => Some(end),
        _ => None,
    }
}

/// What the operations of a run have brought into the user's files, one after the other.
fn brought(run: &Run) -> BTreeSet<HunkId> {
    let path = |hunk: &HunkId| {
        let number = usize::from_str_radix(&hunk.to_string(), 16).unwrap();
        run.plan.tasks.get(number - 1).map(|task| format!("{}.txt", task.step))
    };
    let mut in_files = BTreeSet::new();
    let mut moved: Vec<(BTreeSet<HunkId>, bool)> = Vec::new();
    for operation in &run.operations {
        let open = match end(operation) {
            Some(OperationEnd::Applied | OperationEnd::Nothing) => vec![],
            Some(OperationEnd::Partly { files }) => files.clone(),
            Some(OperationEnd::Conflict { .. } | OperationEnd::Refused { .. }) | None => {
                moved.push((BTreeSet::new(), true));
                continue;
            }
        };
        let is_done =
            |hunk: &HunkId| !open.iter().any(|file| path(hunk).as_ref() == Some(&file.path));
        let (hunks, brings_in): (BTreeSet<HunkId>, bool) = match &operation.started.kind {
            OperationKind::Apply { target: Place::Files, hunks } => {
                let is_new = |hunk: &HunkId| !in_files.contains(hunk) && is_done(hunk);
                (hunks.iter().copied().filter(is_new).collect(), true)
            }
            OperationKind::Undo { of } => {
                let (hunks, brought_in) = &moved[usize::try_from(of.number()).unwrap() - 1];
                (hunks.iter().copied().filter(is_done).collect(), !brought_in)
            }
            _ => (BTreeSet::new(), true),
        };
        if brings_in {
            in_files.extend(&hunks);
        } else {
            in_files.retain(|hunk| !hunks.contains(hunk));
        }
        moved.push((hunks, brings_in));
    }
    in_files
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
    if run.review.phase == ReviewPhase::Wanted {
        assert!(all, "{} goes on while it is reviewed", run.id);
    } else {
        assert_eq!(run.has_ended(), all, "{} is {:?}", run.id, run.phase);
    }
}
