//! Reviews: what was made, what a person says of it, and what they send back.

use super::{
    Refusal, RefusalKind, Reviewed,
    operations::nothing_under_way,
    questions,
    requests::{find, wrong_state},
};
use crate::{
    event::{Event, EventBody, ReviewOpened},
    ids::{AttemptId, HunkId, RunId, StepId},
    merge::Foreseen,
    operation::OperationKind,
    outcome::Failure,
    plan::{Executor, Mode, PlannedTask, Retry},
    review::{Selection, Verdict},
    state::{Operation, ReviewPhase, Run, State, Task},
    template,
    time::Timestamp,
};
use std::collections::BTreeSet;

type Events = Result<Vec<Event>, Refusal>;

/// Said twice, it counts once; a run that has ended collides with nobody.
pub(super) fn foresee(
    state: &State,
    id: RunId,
    conflicts: &[Foreseen],
    at: Timestamp,
) -> Vec<Event> {
    match state.run(id) {
        Some(run) if !run.has_ended() && run.foreseen != conflicts => {
            let body = EventBody::ConflictsForeseen { conflicts: conflicts.to_vec() };
            vec![Event { run: id, at, body }]
        }
        _ => Vec::new(),
    }
}

/// Said twice, it counts once.
pub(super) fn review_ended(
    state: &State,
    id: RunId,
    result: &Result<Box<Reviewed>, Failure>,
    at: Timestamp,
) -> Vec<Event> {
    let Some(run) = state.run(id).filter(|run| run.review.phase == ReviewPhase::Wanted) else {
        return Vec::new();
    };
    let body = match result {
        Ok(reviewed) => {
            let Reviewed { base, result, data, limits, files, added, removed, flagged } =
                &**reviewed;
            EventBody::ReviewOpened(Box::new(ReviewOpened {
                base: base.clone(),
                result: result.clone(),
                data: data.clone(),
                limits: *limits,
                files: files.clone(),
                added: *added,
                removed: *removed,
                doubts: run.doubts(result, flagged),
            }))
        }
        Err(failure) => EventBody::ReviewFailed { failure: failure.clone() },
    };
    vec![Event { run: id, at, body }]
}

pub(super) fn judge(
    state: &State,
    id: RunId,
    selection: &Selection,
    verdict: Option<Verdict>,
    at: Timestamp,
) -> Events {
    let run = find(state, id)?;
    let opened = open_review(run)?;
    let all = || opened.files.iter().flat_map(|file| &file.hunks).copied();
    let chosen: Vec<HunkId> = match selection {
        Selection::All => all().collect(),
        Selection::File { path } => match opened.files.iter().find(|file| file.path == *path) {
            Some(file) => file.hunks.clone(),
            None => {
                return Err(not_found(
                    format!("the review of {id} has no file {path:?}"),
                    format!("`orchestra review {id}` lists its files"),
                ));
            }
        },
        Selection::Hunks { hunks } => {
            let known: BTreeSet<HunkId> = all().collect();
            if let Some(unknown) = hunks.iter().find(|hunk| !known.contains(hunk)) {
                return Err(not_found(
                    format!("the review of {id} has no hunk {unknown}"),
                    format!("`orchestra review {id}` lists its hunks"),
                ));
            }
            hunks.clone()
        }
    };
    if verdict == Some(Verdict::Rejected) {
        can_be_rejected(run, &chosen)?;
    }
    let mut said = BTreeSet::new();
    let is_news =
        |hunk: &HunkId| run.review.verdicts.get(hunk).copied() != verdict && said.insert(*hunk);
    let hunks: Vec<HunkId> = chosen.into_iter().filter(is_news).collect();
    if hunks.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Event { run: id, at, body: EventBody::HunksJudged { hunks, verdict } }])
}

/// What is in the user's files, or on its way there, is taken back before it is rejected.
fn can_be_rejected(run: &Run, hunks: &[HunkId]) -> Result<(), Refusal> {
    let under_way = run.operations.last().filter(|last| !last.has_ended());
    if let Some(OperationKind::Apply { hunks: applied, .. }) =
        under_way.map(|operation| &operation.started.kind)
        && let Some(hunk) = hunks.iter().find(|hunk| applied.contains(hunk))
    {
        return Err(wrong_state(
            format!("hunk {hunk} is being applied"),
            "wait a moment for its end, then ask again".to_owned(),
        ));
    }
    let applied = hunks.iter().find_map(|&hunk| Some((hunk, run.brought_by(hunk)?)));
    match applied {
        Some((hunk, by)) => Err(wrong_state(
            format!("hunk {hunk} is in your files already"),
            format!("take it back with `orchestra undo {by}` first"),
        )),
        None => Ok(()),
    }
}

/// Work that a person sends back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendBack {
    pub run: RunId,
    /// What the agent gets to read.
    pub prompt: String,
    /// Whose work it is about, whoever made most of it first; empty: the result as a whole.
    pub works: Vec<AttemptId>,
}

/// A task that goes on from the result, by the agent that has made what is sent back.
pub(super) fn send_back(state: &State, back: &SendBack, at: Timestamp) -> Events {
    let run = find(state, back.run)?;
    let opened = open_review(run)?;
    if !run.has_ended() {
        return Err(goes_on(run.id));
    }
    nothing_under_way(run.operations.last().filter(|last| !last.has_ended()).map(Operation::id))?;
    if back.prompt.trim().is_empty() {
        return Err(Refusal {
            kind: RefusalKind::Invalid,
            message: format!("nothing is said of the work of {}", run.id),
            hint: "say in a sentence or two what is to be otherwise".to_owned(),
        });
    }
    let is_result = |task: &Task| {
        let commit = task.change().and_then(|change| change.commit.as_deref());
        commit == Some(opened.result.as_str())
    };
    let Some(result) = run.tasks.iter().rposition(is_result) else {
        return Err(wrong_state(
            format!("the result of {} is no single task's work", run.id),
            format!("try again what has failed with `orchestra retry {}`", run.id),
        ));
    };
    let (author, first) = author(run, &back.works)?;
    let step = (1u32..)
        .filter_map(|number| format!("follow-up-{number}").parse::<StepId>().ok())
        .find(|step| run.plan.tasks.iter().all(|task| task.step != *step));
    let (Some(step), Ok(need)) = (step, u32::try_from(result)) else { return Ok(Vec::new()) };
    let task = PlannedTask {
        step,
        needs: vec![need],
        mode: Mode::Strategic,
        executors: by_first(first, &author.executors),
        prompt: Some(template::literal(&back.prompt)),
        with: serde_json::Map::new(),
        when: None,
        retry: Retry::default(),
        approve: false,
        output: None,
        verify: run.plan.tasks[result].verify.clone(),
        accept: Vec::new(),
        allow_empty: false,
        optional: false,
        ..author.clone()
    };
    let superseded = questions::superseded(run);
    let bodies = superseded.into_iter().chain([EventBody::TasksAdded { tasks: vec![task] }]);
    Ok(bodies.map(|body| Event { run: run.id, at, body }).collect())
}

/// Who gets work back: the agent that made the first of `asked` that an agent has made, or else the last of
/// all works; with the task that it made it for.
fn author<'a>(
    run: &'a Run,
    asked: &[AttemptId],
) -> Result<(&'a PlannedTask, &'a Executor), Refusal> {
    let has_made = |attempt: &AttemptId| {
        let task = run.task(attempt.task());
        task.is_some_and(|task| task.change().is_some() && attempt.number() <= task.tries())
    };
    if let Some(unknown) = asked.iter().find(|attempt| !has_made(attempt)) {
        return Err(not_found(
            format!("the review of {} has no work of {unknown}", run.id),
            format!("`orchestra review {}` says who has made what", run.id),
        ));
    }
    let asked = asked.iter().filter_map(|attempt| run.position(attempt.task()));
    let made = (0..run.tasks.len()).rev().filter(|&at| run.tasks[at].change().is_some());
    let by_agent = |at: usize| {
        let executor = run.tasks[at].last_executor().filter(|executor| executor.is_agent());
        Some((&run.plan.tasks[at], executor?))
    };
    asked.chain(made).find_map(by_agent).ok_or_else(|| {
        wrong_state(
            format!("no agent has worked on {}", run.id),
            "there is nobody to send it back to".to_owned(),
        )
    })
}

/// The agents among `executors`, of which the others stand in for `first`.
fn by_first(first: &Executor, executors: &[Executor]) -> Vec<Executor> {
    let agent = |executor: &Executor, fallback| Executor::Agent {
        name: executor.name().to_owned(),
        fallback,
    };
    let others = executors.iter().filter(|other| other.is_agent() && other.name() != first.name());
    std::iter::once(agent(first, false)).chain(others.map(|other| agent(other, true))).collect()
}

pub(super) fn open_review(run: &Run) -> Result<&ReviewOpened, Refusal> {
    let id = run.id;
    if let Some(by) = run.review.cleaned {
        return Err(wrong_state(
            format!("{id} is cleaned up"),
            format!("take that back with `orchestra undo {by}`"),
        ));
    }
    if let Some(by) = run.review.discarded {
        return Err(wrong_state(
            format!("the review of {id} is discarded"),
            format!("take that back with `orchestra undo {by}`"),
        ));
    }
    match &run.review.phase {
        ReviewPhase::Open(opened) => Ok(opened),
        ReviewPhase::Failed(failure) => Err(wrong_state(
            format!("{id} cannot be reviewed: {failure}"),
            failure.hint.clone().unwrap_or_else(|| format!("see `orchestra show {id}`")),
        )),
        ReviewPhase::None if !run.has_ended() => Err(goes_on(id)),
        ReviewPhase::Wanted => Err(wrong_state(
            format!("what {id} has made is being brought together"),
            "wait a moment, then ask again".to_owned(),
        )),
        ReviewPhase::None => Err(wrong_state(
            format!("{id} has changed no file"),
            format!("see what it has made with `orchestra show {id}`"),
        )),
    }
}

pub(super) fn goes_on(run: RunId) -> Refusal {
    wrong_state(format!("{run} goes on"), format!("wait for its end with `orchestra watch {run}`"))
}

pub(super) fn not_found(message: String, hint: String) -> Refusal {
    Refusal { kind: RefusalKind::NotFound, message, hint }
}
