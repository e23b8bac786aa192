//! Reviews, and what is done to the user's files because of them.

use super::{
    Refusal, RefusalKind, Reviewed,
    requests::{find, wrong_state},
};
use crate::{
    event::{Event, EventBody, OperationStarted, ReviewOpened},
    ids::{AttemptId, HunkId, OperationId, RunId, StepId},
    merge::Foreseen,
    operation::{Favor, FileResult, OperationEnd, OperationKind, Target},
    outcome::{Artifact, Failure},
    plan::{Executor, Mode, PlannedTask, Retry},
    review::{Selection, Verdict},
    state::{Operation, OperationPhase, Prepared, ReviewPhase, Run, RunPhase, State},
    time::{Millis, Timestamp},
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
    if verdict == Some(Verdict::Rejected)
        && let Some(applied) = chosen.iter().find(|hunk| run.review.applied.contains(hunk))
    {
        return Err(wrong_state(
            format!("hunk {applied} is in your files already"),
            "take it back with `orchestra undo` first".to_owned(),
        ));
    }
    let is_news = |hunk: &HunkId| run.review.verdicts.get(hunk).copied() != verdict;
    let hunks: Vec<HunkId> = chosen.into_iter().filter(is_news).collect();
    if hunks.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Event { run: id, at, body: EventBody::HunksJudged { hunks, verdict } }])
}

/// What a person wants done with a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apply {
    pub run: RunId,
    pub target: Target,
    pub favor: Favor,
    /// Whether undecided hunks go along.
    pub all: bool,
    /// See [`OperationStarted::unsaved`].
    pub unsaved: Vec<Artifact>,
}

pub(super) fn apply(state: &State, apply: &Apply, at: Timestamp) -> Events {
    let id = apply.run;
    let run = find(state, id)?;
    let opened = open_review(run)?;
    let verdict = |hunk: &HunkId| run.review.verdicts.get(hunk).copied();
    let hunks = || opened.files.iter().flat_map(|file| &file.hunks).copied();
    // Where nobody has judged anything, the whole is meant.
    let takes_undecided = apply.all || run.review.verdicts.is_empty();
    let is_taken = |hunk: &HunkId| match verdict(hunk) {
        Some(verdict) => verdict == Verdict::Accepted,
        None => takes_undecided || run.review.applied.contains(hunk),
    };
    let taken: Vec<HunkId> = hunks().filter(is_taken).collect();
    if taken.is_empty() {
        return Err(wrong_state(
            format!("nothing of the review of {id} is accepted"),
            format!("accept hunks with `orchestra review {id}`"),
        ));
    }
    if apply.target == Target::Files && taken.iter().all(|hunk| run.review.applied.contains(hunk)) {
        return Err(wrong_state(
            format!("what is accepted of {id} is in your files already"),
            "take it back with `orchestra undo`".to_owned(),
        ));
    }
    let kind = OperationKind::Apply { target: apply.target.clone(), hunks: taken };
    start(state, run, kind, apply.favor, &apply.unsaved, at).map(|(event, _)| vec![event])
}

/// The result of a run whose policy wants it so.
pub(super) fn apply_automatically(state: &State, at: Timestamp) -> Option<Event> {
    if !state.indices.operations.is_empty() {
        return None;
    }
    let run = state.run(*state.indices.automatic.first()?)?;
    let target = run.automatic_target()?;
    let ReviewPhase::Open(opened) = &run.review.phase else { return None };
    let hunks = opened.files.iter().flat_map(|file| &file.hunks).copied().collect();
    let operation = OperationId::new(run.id, 1)?;
    let body = EventBody::OperationStarted(Box::new(OperationStarted {
        operation,
        kind: OperationKind::Apply { target, hunks },
        favor: Favor::Neither,
        by_person: false,
        unsaved: Vec::new(),
    }));
    Some(Event { run: run.id, at, body })
}

pub(super) fn discard(state: &State, id: RunId, at: Timestamp) -> Events {
    let run = find(state, id)?;
    open_review(run)?;
    at_once(state, run, OperationKind::Discard, at)
}

pub(super) fn clean(state: &State, id: RunId, at: Timestamp) -> Events {
    let run = find(state, id)?;
    if !run.has_ended() {
        return Err(wrong_state(
            format!("{id} has not ended"),
            format!("wait for its end, or end it with `orchestra cancel {id}`"),
        ));
    }
    if run.review.cleaned.is_some() {
        return Err(wrong_state(
            format!("{id} is cleaned up already"),
            "take that back with `orchestra undo`".to_owned(),
        ));
    }
    if let ReviewPhase::Open(opened) = &run.review.phase
        && run.review.discarded.is_none()
    {
        let mut hunks = opened.files.iter().flat_map(|file| &file.hunks);
        let is_open = |hunk: &&HunkId| {
            !run.review.applied.contains(hunk)
                && run.review.verdicts.get(hunk) != Some(&Verdict::Rejected)
        };
        if hunks.any(|hunk| is_open(&hunk)) && !run.has_become_a_branch() {
            return Err(wrong_state(
                format!("{id} has changes that are neither applied nor rejected"),
                format!("`orchestra apply {id}` or `orchestra discard {id}` first"),
            ));
        }
    }
    start(state, run, OperationKind::Clean, Favor::Neither, &[], at).map(|(event, _)| vec![event])
}

pub(super) fn undo(
    state: &State,
    of: OperationId,
    favor: Favor,
    unsaved: &[Artifact],
    at: Timestamp,
) -> Events {
    let run = find(state, of.run())?;
    let Some(undone) = run.operation(of) else {
        return Err(not_found(
            format!("there is no operation {of}"),
            "`orchestra undo --list` names those that can be taken back".to_owned(),
        ));
    };
    if let Some(by) = undone.undone_by {
        return Err(wrong_state(
            format!("{of} was taken back already, by {by}"),
            format!("`orchestra undo {by}` does it again"),
        ));
    }
    if !undone.is_in_effect() {
        let message = match &undone.phase {
            OperationPhase::Ended { .. } => format!("{of} has changed nothing"),
            OperationPhase::Preparing
            | OperationPhase::Writing(_)
            | OperationPhase::Waiting { .. } => {
                format!("{of} is still under way")
            }
        };
        return Err(wrong_state(
            message,
            "`orchestra undo --list` names those that can be taken back".to_owned(),
        ));
    }
    let kind = OperationKind::Undo { of };
    if is_of_the_journal_alone(run, undone) {
        return at_once(state, run, kind, at);
    }
    start(state, run, kind, favor, unsaved, at).map(|(event, _)| vec![event])
}

/// Whether it has touched nothing but the review.
fn is_of_the_journal_alone(run: &Run, operation: &Operation) -> bool {
    match &operation.started.kind {
        OperationKind::Discard => true,
        OperationKind::Undo { of } => {
            run.operation(*of).is_some_and(|undone| is_of_the_journal_alone(run, undone))
        }
        OperationKind::Apply { .. } | OperationKind::Clean => false,
    }
}

/// An operation that touches nothing outside of the journal.
fn at_once(state: &State, run: &Run, kind: OperationKind, at: Timestamp) -> Events {
    let (started, operation) = start(state, run, kind, Favor::Neither, &[], at)?;
    let body = EventBody::OperationEnded { operation, end: OperationEnd::Applied };
    Ok(vec![started, Event { run: run.id, at, body }])
}

fn start(
    state: &State,
    run: &Run,
    kind: OperationKind,
    favor: Favor,
    unsaved: &[Artifact],
    at: Timestamp,
) -> Result<(Event, OperationId), Refusal> {
    if let Some(other) = state.indices.operations.first() {
        return Err(wrong_state(
            format!("{other} is under way"),
            "wait a moment for its end, then ask again".to_owned(),
        ));
    }
    if !run.has_ended() {
        return Err(wrong_state(
            format!("{} goes on", run.id),
            format!("wait for its end with `orchestra watch {}`", run.id),
        ));
    }
    let number = u32::try_from(run.operations.len()).ok().and_then(|count| count.checked_add(1));
    let operation =
        number.and_then(|number| OperationId::new(run.id, number)).ok_or_else(|| {
            let message = format!("all operation ids of {} are used up", run.id);
            wrong_state(message, "run the workflow again".to_owned())
        })?;
    let body = EventBody::OperationStarted(Box::new(OperationStarted {
        operation,
        kind,
        favor,
        by_person: true,
        unsaved: unsaved.to_vec(),
    }));
    Ok((Event { run: run.id, at, body }, operation))
}

/// Said twice, it counts once.
pub(super) fn prepared(
    state: &State,
    id: OperationId,
    result: &Result<Prepared, OperationEnd>,
    at: Timestamp,
) -> Vec<Event> {
    let operation = state.run(id.run()).and_then(|run| run.operation(id));
    if operation.is_none_or(|operation| operation.phase != OperationPhase::Preparing) {
        return Vec::new();
    }
    let body = match result {
        Ok(Prepared { before, after, files }) => EventBody::OperationPrepared {
            operation: id,
            before: before.clone(),
            after: after.clone(),
            files: files.clone(),
        },
        Err(end) => EventBody::OperationEnded { operation: id, end: end.clone() },
    };
    vec![Event { run: id.run(), at, body }]
}

/// What is on the disk is done. Said twice, it counts once.
pub(super) fn written(
    state: &State,
    id: OperationId,
    files: &[FileResult],
    wait: Millis,
    at: Timestamp,
) -> Vec<Event> {
    let operation = state.run(id.run()).and_then(|run| run.operation(id));
    let Some(OperationPhase::Writing(prepared)) = operation.map(|operation| &operation.phase)
    else {
        return Vec::new();
    };
    let body = if prepared.unanswered(files).next().is_some() {
        let until = at.after(wait);
        EventBody::OperationWritten { operation: id, files: files.to_vec(), until }
    } else {
        EventBody::OperationEnded { operation: id, end: prepared.end(files) }
    };
    vec![Event { run: id.run(), at, body }]
}

pub(super) fn confirm(
    state: &State,
    id: OperationId,
    confirmed: &[FileResult],
    at: Timestamp,
) -> Events {
    let run = find(state, id.run())?;
    let Some(operation) = run.operation(id) else {
        return Err(not_found(
            format!("there is no operation {id}"),
            "`orchestra undo --list` names those that there are".to_owned(),
        ));
    };
    let OperationPhase::Waiting { prepared, files, .. } = &operation.phase else {
        return Err(wrong_state(
            format!("{id} waits for no client"),
            "`orchestra undo --list` says how it ended".to_owned(),
        ));
    };
    let is_open = |path: &str| prepared.unanswered(files).any(|plan| plan.path == path);
    if let Some(other) = confirmed.iter().find(|file| !is_open(&file.path)) {
        return Err(wrong_state(
            format!("{id} does not wait for {:?}", other.path),
            "answer for the files that it names, each once".to_owned(),
        ));
    }
    let body = EventBody::FilesConfirmed { operation: id, files: confirmed.to_vec() };
    Ok(vec![Event { run: run.id, at, body }])
}

/// Operations for which nobody is waited any more.
pub(super) fn settled(state: &State, at: Timestamp) -> impl Iterator<Item = Event> {
    state.waiting_operations().filter_map(move |(operation, until)| {
        let OperationPhase::Waiting { prepared, files, .. } = &operation.phase else { return None };
        if until > at && prepared.unanswered(files).next().is_some() {
            return None;
        }
        let end = prepared.end(files);
        let body = EventBody::OperationEnded { operation: operation.id(), end };
        Some(Event { run: operation.id().run(), at, body })
    })
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
    if matches!(run.phase, RunPhase::Stopping { .. }) || !run.has_ended() {
        return Err(wrong_state(
            format!("{} goes on", run.id),
            format!("wait for its end with `orchestra watch {}`", run.id),
        ));
    }
    if let Some(other) = state.indices.operations.first() {
        return Err(wrong_state(
            format!("{other} is under way"),
            "wait a moment for its end, then ask again".to_owned(),
        ));
    }
    let has_result = |position: &usize| {
        run.tasks[*position].change().and_then(|change| change.commit.as_deref())
            == Some(&opened.result)
    };
    let Some(result) = (0..run.tasks.len()).rev().find(has_result) else {
        return Err(wrong_state(
            format!("the result of {} is no single task's work", run.id),
            format!("try again what has failed with `orchestra retry {}`", run.id),
        ));
    };
    let is_agent = |position: &usize| {
        let executors = &run.plan.tasks[*position].executors;
        executors.iter().any(|executor| matches!(executor, Executor::Agent { .. }))
    };
    let asked = back.works.iter().filter_map(|attempt| run.position(attempt.task()));
    let worked = || {
        let works = (0..run.tasks.len()).rev();
        works.filter(|position| run.tasks[*position].change().is_some())
    };
    let Some(author) = asked.chain(worked()).find(is_agent) else {
        return Err(wrong_state(
            format!("no agent has worked on {}", run.id),
            "there is nobody to send it back to".to_owned(),
        ));
    };
    let step = (1u32..)
        .filter_map(|number| format!("follow-up-{number}").parse::<StepId>().ok())
        .find(|step| run.plan.tasks.iter().all(|task| task.step != *step));
    let (Some(step), Ok(need)) = (step, u32::try_from(result)) else { return Ok(Vec::new()) };
    let author = &run.plan.tasks[author];
    let is_agent = |executor: &&Executor| matches!(executor, Executor::Agent { .. });
    let task = PlannedTask {
        step,
        needs: vec![need],
        mode: Mode::Strategic,
        executors: author.executors.iter().filter(is_agent).cloned().collect(),
        prompt: Some(back.prompt.clone()),
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
    let body = EventBody::TasksAdded { tasks: vec![task] };
    Ok(vec![Event { run: run.id, at, body }])
}

fn open_review(run: &Run) -> Result<&ReviewOpened, Refusal> {
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
        ReviewPhase::None | ReviewPhase::Wanted if !run.has_ended() => Err(wrong_state(
            format!("{id} goes on"),
            format!("wait for its end with `orchestra watch {id}`"),
        )),
        ReviewPhase::None | ReviewPhase::Wanted => Err(wrong_state(
            format!("{id} has changed no file"),
            format!("see what it has made with `orchestra show {id}`"),
        )),
    }
}

fn not_found(message: String, hint: String) -> Refusal {
    Refusal { kind: RefusalKind::NotFound, message, hint }
}
