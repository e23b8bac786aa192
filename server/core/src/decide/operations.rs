//! Operations on the user's files: which may begin, what is known of them, and how they end.

use super::{
    Refusal, questions,
    requests::{find, wrong_state},
    reviews::{goes_on, not_found, open_review},
};
use crate::{
    event::{Event, EventBody, OperationStarted},
    ids::{HunkId, OperationId, RunId},
    operation::{Favor, FileResult, OperationEnd, OperationKind, Target},
    outcome::Artifact,
    review::Verdict,
    state::{Operation, OperationPhase, Prepared, ReviewPhase, Run, State},
    time::{Millis, Timestamp},
};

type Events = Result<Vec<Event>, Refusal>;

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
    // Where nobody has judged anything of it, the whole is meant.
    let takes_undecided = apply.all || hunks().all(|hunk| verdict(&hunk).is_none());
    let is_taken = |hunk: &HunkId| match verdict(hunk) {
        Some(verdict) => verdict == Verdict::Accepted,
        None => takes_undecided || run.review.applied.contains(hunk),
    };
    let taken: Vec<HunkId> = hunks().filter(is_taken).collect();
    if hunks().next().is_none() {
        return Err(wrong_state(
            format!("what {id} has made changes nothing in the end"),
            format!("see what it has made with `orchestra show {id}`"),
        ));
    }
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
    start(state, run, kind, apply.favor, &apply.unsaved, at).map(|(events, _)| events)
}

/// The result of a run whose policy wants it so.
pub(super) fn apply_automatically(state: &State, at: Timestamp) -> Option<Event> {
    if !state.indices.operations.is_empty() {
        return None;
    }
    let waiting = state.indices.automatic.iter().filter_map(|id| state.run(*id));
    let (run, target) = waiting.filter_map(|run| Some((run, run.automatic_target()?))).next()?;
    let ReviewPhase::Open(opened) = &run.review.phase else { return None };
    let hunks = opened.files.iter().flat_map(|file| &file.hunks).copied().collect();
    let body = EventBody::OperationStarted(Box::new(OperationStarted {
        operation: next(run)?,
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
    start(state, run, OperationKind::Clean, Favor::Neither, &[], at).map(|(events, _)| events)
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
        let is_in_effect = run.operation(by).is_some_and(|by| run.is_in_effect(by));
        return Err(wrong_state(
            format!("{of} was taken back already, by {by}"),
            if is_in_effect {
                format!("`orchestra undo {by}` does it again")
            } else {
                "ask for the same again, if you want it".to_owned()
            },
        ));
    }
    // After two tries to take something back, the first one is not what stands any more.
    if let OperationKind::Undo { of: first } = undone.started.kind
        && let Some(by) = run.operation(first).and_then(|first| first.undone_by)
        && by != of
    {
        return Err(wrong_state(
            format!("{by} has taken {first} back after {of}"),
            format!("`orchestra undo {by}` does it again"),
        ));
    }
    if !run.is_in_effect(undone) {
        let message = match &undone.phase {
            OperationPhase::Ended { .. } => {
                format!("{of} has changed nothing that is still so")
            }
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
    start(state, run, kind, favor, unsaved, at).map(|(events, _)| events)
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
    let (mut events, operation) = start(state, run, kind, Favor::Neither, &[], at)?;
    let body = EventBody::OperationEnded { operation, end: OperationEnd::Applied };
    events.push(Event { run: run.id, at, body });
    Ok(events)
}

/// Begins it instead of what is asked, if something is.
fn start(
    state: &State,
    run: &Run,
    kind: OperationKind,
    favor: Favor,
    unsaved: &[Artifact],
    at: Timestamp,
) -> Result<(Vec<Event>, OperationId), Refusal> {
    let (started, operation) = begin(state, run, kind, favor, unsaved, at)?;
    let superseded = questions::superseded(run).map(|body| Event { run: run.id, at, body });
    Ok((superseded.into_iter().chain([started]).collect(), operation))
}

/// Whether nothing is done to the user's files right now.
pub(super) fn nothing_under_way(under_way: Option<OperationId>) -> Result<(), Refusal> {
    match under_way {
        Some(other) => Err(wrong_state(
            format!("{other} is under way"),
            "wait a moment for its end, then ask again".to_owned(),
        )),
        None => Ok(()),
    }
}

fn next(run: &Run) -> Option<OperationId> {
    let number = u32::try_from(run.operations.len()).ok()?.checked_add(1)?;
    OperationId::new(run.id, number)
}

/// The start of an operation that a person wants, where nothing stands in its way.
pub(super) fn begin(
    state: &State,
    run: &Run,
    kind: OperationKind,
    favor: Favor,
    unsaved: &[Artifact],
    at: Timestamp,
) -> Result<(Event, OperationId), Refusal> {
    nothing_under_way(state.indices.operations.first().copied())?;
    if !run.has_ended() {
        return Err(goes_on(run.id));
    }
    let operation = next(run).ok_or_else(|| {
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
    let Some(run) = state.run(id.run()) else { return Vec::new() };
    let operation = run.operation(id);
    let is_preparing = |operation: &&Operation| operation.phase == OperationPhase::Preparing;
    let Some(operation) = operation.filter(is_preparing) else { return Vec::new() };
    let body = match result {
        Ok(Prepared { before, after, files }) => EventBody::OperationPrepared {
            operation: id,
            before: before.clone(),
            after: after.clone(),
            files: files.clone(),
        },
        Err(end) => EventBody::OperationEnded { operation: id, end: end.clone() },
    };
    let question = match result {
        Err(OperationEnd::Conflict { conflicts }) => {
            questions::ask(state, run, operation, conflicts, at)
        }
        _ => None,
    };
    std::iter::once(Event { run: run.id, at, body }).chain(question).collect()
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
    if let Some(other) = prepared.not_awaited(files, confirmed) {
        return Err(wrong_state(
            format!("{id} does not wait for {other:?}"),
            "answer for the files that it names, each once".to_owned(),
        ));
    }
    if confirmed.is_empty() {
        return Ok(Vec::new());
    }
    let files = confirmed.iter().cloned().map(FileResult::bounded).collect();
    Ok(vec![Event { run: run.id, at, body: EventBody::FilesConfirmed { operation: id, files } }])
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
