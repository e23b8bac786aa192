//! What happens to decisions.

use crate::{
    decision::{About, Decision, DecisionAsked, DecisionStatus},
    ids::{AttemptId, DecisionId},
    state::State,
    time::Timestamp,
};

pub(super) fn ask(state: &mut State, asked: &DecisionAsked, now: Timestamp) {
    let Some(run) = state.runs.get_mut(&asked.decision.run()) else { return };
    let decision = Decision {
        asked: asked.clone(),
        asked_at: now,
        status: DecisionStatus::Open,
        delivered: false,
    };
    state.indices.decisions.insert(&decision, true);
    run.decisions.push(decision);
    match asked.about {
        About::Attempt(attempt) => state.change(attempt.task(), |task| {
            if let Some(attempt) = task.attempts.last_mut() {
                attempt.decisions.push(asked.decision);
                attempt.open_decisions += 1;
            }
        }),
        About::Operation(_) => {
            if let Some(operation) = run.operations.last_mut() {
                operation.decision = Some(asked.decision);
            }
        }
    }
}

pub(super) fn end(state: &mut State, id: DecisionId, status: DecisionStatus) {
    let about = change(state, id, |decision| decision.status = status);
    let Some(attempt) = about.and_then(About::attempt) else { return };
    state.change(attempt.task(), |task| {
        if let Some(attempt) = task.attempts.last_mut() {
            attempt.open_decisions = attempt.open_decisions.saturating_sub(1);
        }
    });
}

pub(super) fn deliver(state: &mut State, id: DecisionId) {
    change(state, id, |decision| decision.delivered = true);
}

/// Nobody is left to be told how the questions of an attempt ended.
pub(super) fn forget_asker(state: &mut State, attempt: AttemptId) {
    let undelivered = &mut state.indices.decisions.undelivered;
    let of_attempt: Vec<_> = undelivered
        .range((attempt, DecisionId::FIRST)..)
        .take_while(|(asker, _)| *asker == attempt)
        .copied()
        .collect();
    for key in of_attempt {
        undelivered.remove(&key);
    }
}

/// Changes a decision that somebody waits for, and with it what the indices say of it. Answers what it is
/// about.
fn change(state: &mut State, id: DecisionId, change: impl FnOnce(&mut Decision)) -> Option<About> {
    let run = state.runs.get_mut(&id.run())?;
    let position = usize::try_from(id.number()).ok()?.checked_sub(1)?;
    let decision = run.decisions.get_mut(position)?;
    state.indices.decisions.remove(decision);
    change(decision);
    state.indices.decisions.insert(decision, true);
    Some(decision.asked.about)
}
