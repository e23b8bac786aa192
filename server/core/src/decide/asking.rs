//! What attempts ask and want kept, and what people answer.

use super::{
    Refusal, RefusalKind, questions,
    requests::{find, wrong_state},
};
use crate::{
    decision::{
        About, AnsweredBy, AskLimits, Asker, Decision, DecisionAsked, DecisionStatus, Question,
        WithdrawReason,
    },
    event::{Event, EventBody},
    ids::{AttemptId, DecisionId},
    memory::{MemorySet, Remember, Scope},
    outcome::Artifact,
    plan::Executor,
    state::{Attempt, Run, State},
    time::{Millis, Timestamp},
};
use serde_json::Value;

type Events = Result<Vec<Event>, Refusal>;

pub(super) fn ask(
    state: &State,
    attempt: AttemptId,
    by: Asker,
    question: &Question,
    timeout: Option<Millis>,
    at: Timestamp,
) -> Events {
    let Some((run, asker)) = under_way(state, attempt) else { return Ok(Vec::new()) };
    let mut asked = asker.decisions.iter().filter_map(|id| Some(&run.decision(*id)?.asked));
    if asked.any(|asked| asked.asker == by && asked.question.key == question.key) {
        return Ok(Vec::new());
    }
    question.check().map_err(|error| invalid(error.to_string(), error.hint().to_owned()))?;
    if by == Asker::Agent {
        has_room(state.limits.ask, attempt, asker)?;
    }
    let Some(decision) = next(run) else { return Ok(Vec::new()) };
    let about = About::Attempt(attempt);
    let until = Question::until(timeout, at);
    let asked = DecisionAsked { decision, about, asker: by, question: question.clone(), until };
    Ok(vec![Event { run: run.id, at, body: EventBody::DecisionAsked(Box::new(asked)) }])
}

/// The id of the next question of a run.
pub(super) fn next(run: &Run) -> Option<DecisionId> {
    let number = u32::try_from(run.decisions.len()).ok()?.checked_add(1)?;
    DecisionId::new(run.id, number)
}

/// Whether an agent may ask one question more.
fn has_room(limits: AskLimits, id: AttemptId, attempt: &Attempt) -> Result<(), Refusal> {
    if attempt.open_decisions >= limits.open {
        return Err(invalid(
            format!("{id} has {} open questions, and no more are allowed", limits.open),
            "wait for an answer first, or choose what is most sensible and say so".to_owned(),
        ));
    }
    if attempt.decisions.len() >= limits.total as usize {
        return Err(invalid(
            format!("{id} has asked {} questions, and no more are allowed", limits.total),
            "choose what is most sensible and say so".to_owned(),
        ));
    }
    Ok(())
}

pub(super) fn answer(
    state: &State,
    id: DecisionId,
    choice: &str,
    unsaved: &[Artifact],
    at: Timestamp,
) -> Events {
    let run = find(state, id.run())?;
    let Some(decision) = run.decision(id) else {
        return Err(Refusal {
            kind: RefusalKind::NotFound,
            message: format!("{} has no decision {id}", run.id),
            hint: "list what waits for an answer with `orchestra decide`".to_owned(),
        });
    };
    match &decision.status {
        DecisionStatus::Open => {}
        DecisionStatus::Answered { choice, by, at } => {
            return Err(wrong_state(
                format!("{id} was answered already: `{}`, by {by}, {at}", first_line(choice)),
                format!("see what became of it with `orchestra show {}`", run.id),
            ));
        }
        DecisionStatus::Withdrawn { reason, at } => {
            return Err(wrong_state(
                format!("{id} needs no answer any more: {reason}, {at}"),
                format!("see what became of it with `orchestra show {}`", run.id),
            ));
        }
    }
    let question = &decision.asked.question;
    if !question.accepts(choice) {
        return Err(not_accepted(id, question, choice));
    }
    let about = decision.asked.about;
    let next = match about {
        About::Attempt(_) => None,
        About::Operation(operation) => {
            questions::what_follows(state, run, operation, choice, unsaved, at)?
        }
    };
    let (choice, by) = (choice.to_owned(), AnsweredBy::Person);
    let body = EventBody::DecisionAnswered { decision: id, about, choice, by };
    Ok(std::iter::once(Event { run: run.id, at, body }).chain(next).collect())
}

fn not_accepted(id: DecisionId, question: &Question, choice: &str) -> Refusal {
    if question.choices.is_empty() {
        return invalid(
            format!("the answer to {id} is empty or has more than {} bytes", Question::MAX_ANSWER),
            format!("write the answer as text: orchestra decide {id} \"…\""),
        );
    }
    let ids: Vec<&str> = question.choices.iter().map(|choice| choice.id.as_str()).collect();
    invalid(
        format!("{id} has no choice `{}`", first_line(choice)),
        format!("choose one of: {}", ids.join(", ")),
    )
}

/// Said twice, or about an attempt that has ended meanwhile, it changes nothing.
pub(super) fn delivered(state: &State, id: DecisionId, at: Timestamp) -> Vec<Event> {
    let decision = state.run(id.run()).and_then(|run| run.decision(id));
    let Some(Decision { asked, .. }) = decision else { return Vec::new() };
    let About::Attempt(attempt) = asked.about else { return Vec::new() };
    let key = (attempt, id);
    if !state.indices.decisions.undelivered.contains(&key) {
        return Vec::new();
    }
    let body = EventBody::DecisionDelivered { decision: id, attempt };
    vec![Event { run: id.run(), at, body }]
}

/// Those whose time is up: their default is taken, or nobody is asked any more.
pub(super) fn due(state: &State, now: Timestamp) -> impl Iterator<Item = Event> {
    let due = state.indices.decisions.due.iter().take_while(move |(until, _)| *until <= now);
    due.filter_map(move |(_, id)| {
        let asked = &state.run(id.run())?.decision(*id)?.asked;
        let (decision, about) = (*id, asked.about);
        let body = match asked.question.default.clone() {
            Some(choice) => {
                let by = AnsweredBy::Timeout;
                EventBody::DecisionAnswered { decision, about, choice, by }
            }
            None => {
                let reason = WithdrawReason::Timeout;
                EventBody::DecisionWithdrawn { decision, about, reason }
            }
        };
        Some(Event { run: id.run(), at: now, body })
    })
}

/// The open questions of an attempt that nobody waits for any more: all, or those of one asker.
pub(super) fn withdrawn(
    state: &State,
    attempt: AttemptId,
    of: Option<Asker>,
) -> impl Iterator<Item = EventBody> {
    let run = state.run(attempt.run());
    let asker = move |id| Some(run?.decision(id)?.asked.asker);
    let open = state.indices.decisions.open_of(attempt);
    open.filter(move |id| of.is_none() || asker(*id) == of).map(move |decision| {
        let reason = WithdrawReason::AttemptEnded;
        EventBody::DecisionWithdrawn { decision, about: About::Attempt(attempt), reason }
    })
}

pub(super) fn remember(
    state: &State,
    attempt: AttemptId,
    entry: &Remember,
    at: Timestamp,
) -> Events {
    let Some((run, owner)) = under_way(state, attempt) else { return Ok(Vec::new()) };
    entry.check().map_err(|error| invalid(error.to_string(), error.hint().to_owned()))?;
    let scope = match (&owner.started.executor, entry.private) {
        (Executor::Agent { name, .. }, true) => Scope::Private { agent: name.clone() },
        _ => Scope::Shared,
    };
    let event = |body| Event { run: run.id, at, body };
    let key = entry.key.clone();
    if entry.value == Value::Null {
        let is_there = run.memory.holds(&scope, &key);
        let removed = is_there.then(|| event(EventBody::MemoryRemoved { scope, key }));
        return Ok(removed.into_iter().collect());
    }
    let until = entry.ttl.map(|ttl| at.after(ttl));
    // Kept already, for as long as the run.
    if until.is_none() && run.memory.keeps(&scope, &key, &entry.value) {
        return Ok(Vec::new());
    }
    let set = MemorySet { attempt, scope, key, value: entry.value.clone(), until };
    if !run.memory.has_room(&set, state.limits.memory, at) {
        let error = run.memory.full();
        return Err(invalid(error.to_string(), error.hint().to_owned()));
    }
    let expired = run.memory.expired(at).map(|(scope, key)| {
        event(EventBody::MemoryRemoved { scope: scope.clone(), key: key.to_owned() })
    });
    let mut events: Vec<Event> = expired.collect();
    events.push(event(EventBody::MemorySet(Box::new(set))));
    Ok(events)
}

fn under_way(state: &State, attempt: AttemptId) -> Option<(&Run, &Attempt)> {
    state.indices.under_way.get(&attempt)?;
    let (run, task, _) = state.planned(attempt.task())?;
    Some((run, task.attempts.last()?))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(80).collect()
}

fn invalid(message: String, hint: String) -> Refusal {
    Refusal { kind: RefusalKind::Invalid, message, hint }
}
