//! What people ask for: approve, cancel, retry, change a time-out, pause, resume.

use super::{Refusal, RefusalKind, Target, operations::nothing_under_way, questions};
use crate::{
    event::{Event, EventBody},
    ids::{RunId, TaskId},
    outcome::{Output, SkipReason, StopReason, TaskOutcome},
    state::{Operation, ReviewPhase, Run, RunPhase, State, Task, TaskPhase},
    time::{Millis, Timestamp},
    view::TaskStatus,
};
use std::collections::BTreeSet;

type Decision = Result<Vec<Event>, Refusal>;

pub(super) fn approve(state: &State, target: Target, at: Timestamp) -> Decision {
    let run = find(state, target.run())?;
    match target {
        Target::Run(id) if run.phase == RunPhase::AwaitingApproval => {
            Ok(vec![Event { run: id, at, body: EventBody::RunApproved }])
        }
        // Approving a whole run also approves the tasks that wait for it right now.
        Target::Run(id) => {
            let waiting: Vec<Event> = run
                .tasks
                .iter()
                .filter(|task| task.phase == TaskPhase::AwaitingApproval)
                .map(|task| Event { run: id, at, body: EventBody::TaskApproved { task: task.id } })
                .collect();
            if waiting.is_empty() {
                return Err(wrong_state(
                    format!("nothing in {id} waits for approval"),
                    format!("see where it stands with `orchestra show {id}`"),
                ));
            }
            Ok(waiting)
        }
        Target::Task(id) => match &find_task(run, id)?.phase {
            TaskPhase::AwaitingApproval => {
                Ok(vec![Event { run: run.id, at, body: EventBody::TaskApproved { task: id } }])
            }
            _ => Err(wrong_state(
                format!("{id} does not wait for approval"),
                format!("see where it stands with `orchestra show {id}`"),
            )),
        },
    }
}

pub(super) fn cancel(state: &State, target: Target, at: Timestamp) -> Decision {
    let run = find(state, target.run())?;
    match target {
        Target::Run(id) => match &run.phase {
            RunPhase::Ended { .. } => Err(has_ended(target, id)),
            // Asked for twice, it is under way already.
            RunPhase::Stopping { .. } => Ok(Vec::new()),
            _ => Ok(stop_run(run, StopReason::Person, at)),
        },
        Target::Task(id) => match &find_task(run, id)?.phase {
            TaskPhase::Ended { .. } => Err(has_ended(target, run.id)),
            TaskPhase::Running { stopping: Some(_), .. } => Ok(Vec::new()),
            TaskPhase::Running { .. } => {
                let body = EventBody::TaskStopping { task: id, reason: StopReason::Person };
                Ok(vec![Event { run: run.id, at, body }])
            }
            _ => Ok(vec![cancelled(run.id, id, at)]),
        },
    }
}

/// Ends what has not started, and has what is under way stopped.
pub(super) fn stop_run(run: &Run, reason: StopReason, at: Timestamp) -> Vec<Event> {
    let mut events = vec![Event { run: run.id, at, body: EventBody::RunStopping { reason } }];
    for task in &run.tasks {
        match &task.phase {
            TaskPhase::Ended { .. } => {}
            TaskPhase::Running { stopping: Some(_), .. } => {}
            TaskPhase::Running { .. } => {
                let body = EventBody::TaskStopping { task: task.id, reason };
                events.push(Event { run: run.id, at, body });
            }
            _ => events.push(cancelled(run.id, task.id, at)),
        }
    }
    events
}

fn cancelled(run: RunId, task: TaskId, at: Timestamp) -> Event {
    let outcome = Box::new(TaskOutcome::Cancelled { output: Output::default() });
    Event { run, at, body: EventBody::TaskEnded { task, outcome } }
}

pub(super) fn retry(state: &State, target: Target, at: Timestamp) -> Decision {
    let run = find(state, target.run())?;
    if matches!(run.phase, RunPhase::Stopping { .. }) {
        return Err(wrong_state(
            format!("{} is being stopped", run.id),
            format!("wait for its end with `orchestra watch {}`, then retry", run.id),
        ));
    }
    if let Some(by) = run.review.cleaned {
        return Err(wrong_state(
            format!("{} is cleaned up", run.id),
            format!("take that back with `orchestra undo {by}`"),
        ));
    }
    if run.review.phase == ReviewPhase::Wanted {
        return Err(wrong_state(
            format!("what {} has made is being brought together", run.id),
            format!("wait for its end with `orchestra watch {}`, then retry", run.id),
        ));
    }
    nothing_under_way(run.operations.last().filter(|last| !last.has_ended()).map(Operation::id))?;
    let tasks: Vec<TaskId> = match target {
        Target::Run(_) => {
            run.tasks.iter().filter(|task| has_ended_badly(task)).map(|task| task.id).collect()
        }
        Target::Task(id) => {
            let task = find_task(run, id)?;
            if !has_ended_badly(task) {
                let what = match TaskStatus::from(&task.phase) {
                    TaskStatus::Succeeded => "has succeeded",
                    TaskStatus::Skipped => "was skipped because its `when` is false",
                    _ => "has not ended",
                };
                return Err(wrong_state(
                    format!("{id} {what}"),
                    "only what failed, was cancelled, timed out or was skipped for it can be \
                     retried"
                        .to_owned(),
                ));
            }
            if let Some(cause) = cause_of_skip(run, task) {
                let step = &run.plan.tasks[cause].step;
                let cause = run.tasks[cause].id;
                return Err(wrong_state(
                    format!("{id} was skipped because {step} ({cause}) did not succeed"),
                    format!("`orchestra retry {cause}` tries that again, and {id} with it"),
                ));
            }
            with_skipped_dependents(run, id)
        }
    };
    if tasks.is_empty()
        && run.has_ended()
        && let ReviewPhase::Failed(_) = run.review.phase
        && let Some(works) = run.works_to_review()
    {
        return Ok(vec![Event { run: run.id, at, body: EventBody::ReviewWanted { works } }]);
    }
    if tasks.is_empty() {
        return Err(wrong_state(
            format!("nothing in {} has failed", run.id),
            format!("see where it stands with `orchestra show {}`", run.id),
        ));
    }
    let mut bodies: Vec<EventBody> = questions::superseded(run).into_iter().collect();
    bodies.push(EventBody::TasksReopened { tasks });
    if run.wants_snapshot_again() {
        bodies.push(EventBody::SnapshotWanted);
    }
    Ok(bodies.into_iter().map(|body| Event { run: run.id, at, body }).collect())
}

fn has_ended_badly(task: &Task) -> bool {
    match &task.phase {
        TaskPhase::Ended { outcome, .. } => !outcome.satisfies_needs(),
        _ => false,
    }
}

/// The position of the task that is to blame for a skipped one: retrying the latter alone would
/// only skip it again.
fn cause_of_skip(run: &Run, task: &Task) -> Option<usize> {
    let mut cause = None;
    let mut position = run.position(task.id)?;
    // Each turn goes one need further up, so an acyclic plan ends this.
    while is_skipped(&run.tasks[position]) {
        let needs = &run.plan.tasks[position].needs;
        position = needs
            .iter()
            .map(|&need| need as usize)
            .find(|&need| has_ended_badly(&run.tasks[need]))?;
        cause = Some(position);
    }
    cause
}

fn is_skipped(task: &Task) -> bool {
    match &task.phase {
        TaskPhase::Ended { outcome, .. } => {
            matches!(**outcome, TaskOutcome::Skipped { reason: SkipReason::NeedFailed { .. } })
        }
        _ => false,
    }
}

/// `id`, and every task further down that was skipped because of it.
fn with_skipped_dependents(run: &Run, id: TaskId) -> Vec<TaskId> {
    let mut found = BTreeSet::from([id]);
    let mut front = vec![id];
    while let Some(task) = front.pop().and_then(|id| run.task(id)) {
        for dependent in task.dependents.iter().map(|&position| &run.tasks[position as usize]) {
            if is_skipped(dependent) && found.insert(dependent.id) {
                front.push(dependent.id);
            }
        }
    }
    found.into_iter().collect()
}

pub(super) fn set_timeout(
    state: &State,
    target: Target,
    timeout: Millis,
    at: Timestamp,
) -> Decision {
    let run = find(state, target.run())?;
    if timeout == Millis(0) {
        return Err(wrong_state(
            "a time-out of zero leaves no time for anything".to_owned(),
            format!("to end it now, use `orchestra cancel {target}`"),
        ));
    }
    let body = match target {
        Target::Run(id) if run.has_ended() => return Err(has_ended(target, id)),
        Target::Run(_) => EventBody::RunTimeoutChanged { timeout },
        Target::Task(id) => {
            let task = find_task(run, id)?;
            if task.phase.has_ended() {
                return Err(has_ended(target, run.id));
            }
            // Said twice, it is not done twice.
            if task.timeout == Some(timeout) {
                return Ok(Vec::new());
            }
            EventBody::TaskTimeoutChanged { task: id, timeout }
        }
    };
    Ok(vec![Event { run: run.id, at, body }])
}

pub(super) fn pause(state: &State, id: RunId, reason: &str, at: Timestamp) -> Decision {
    let run = find(state, id)?;
    match &run.phase {
        RunPhase::Running => {
            let body = EventBody::RunPaused { reason: reason.to_owned() };
            Ok(vec![Event { run: id, at, body }])
        }
        RunPhase::Paused { .. } => Ok(Vec::new()),
        _ => Err(wrong_state(
            format!("{id} is not running"),
            format!("see where it stands with `orchestra show {id}`"),
        )),
    }
}

pub(super) fn resume(state: &State, id: RunId, at: Timestamp) -> Decision {
    let run = find(state, id)?;
    match &run.phase {
        RunPhase::Paused { .. } => Ok(vec![Event { run: id, at, body: EventBody::RunResumed }]),
        RunPhase::Running => Ok(Vec::new()),
        RunPhase::AwaitingApproval => Err(wrong_state(
            format!("{id} waits for approval"),
            format!("approve it with `orchestra approve {id}`"),
        )),
        RunPhase::Stopping { .. } => Err(wrong_state(
            format!("{id} is being stopped"),
            format!("wait for its end with `orchestra watch {id}`"),
        )),
        RunPhase::Ended { .. } => Err(wrong_state(
            format!("{id} has ended"),
            format!("to try again what failed, use `orchestra retry {id}`"),
        )),
    }
}

pub(super) fn find(state: &State, id: RunId) -> Result<&Run, Refusal> {
    state.run(id).ok_or_else(|| Refusal {
        kind: RefusalKind::NotFound,
        message: format!("there is no run {id} in this workspace"),
        hint: "list the runs with `orchestra status`".to_owned(),
    })
}

fn find_task(run: &Run, id: TaskId) -> Result<&Task, Refusal> {
    run.task(id).ok_or_else(|| Refusal {
        kind: RefusalKind::NotFound,
        message: format!("{} has no task {id}", run.id),
        hint: format!("list its tasks with `orchestra show {}`", run.id),
    })
}

fn has_ended(target: Target, run: RunId) -> Refusal {
    wrong_state(
        format!("{target} has ended already"),
        format!(
            "see how with `orchestra show {target}`, or try again with `orchestra retry {run}`"
        ),
    )
}

pub(super) fn wrong_state(message: String, hint: String) -> Refusal {
    Refusal { kind: RefusalKind::WrongState, message, hint }
}
