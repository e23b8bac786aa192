//! What a person is asked when an operation does not fit what they have, and what the answer begins.

use super::{Refusal, asking::next, operations, requests::wrong_state};
use crate::{
    decision::{About, Asker, Choice, DecisionAsked, Question, WithdrawReason},
    event::{Event, EventBody},
    ids::OperationId,
    merge::{self, Conflict},
    operation::{Favor, OperationKind, Target},
    outcome::Artifact,
    review::Verdict,
    state::{Operation, Run, State},
    time::Timestamp,
};

const MINE: &str = "mine";
const THEIRS: &str = "theirs";
const LEAVE: &str = "leave";

/// How much of the name of a branch is shown, in characters.
const LONGEST_TARGET: usize = 120;

/// How an operation that has just ended so goes on; `None` where nobody can say more than was said.
pub(super) fn ask(
    state: &State,
    run: &Run,
    operation: &Operation,
    conflicts: &[Conflict],
    at: Timestamp,
) -> Option<Event> {
    // Who has chosen a side already is not asked for it.
    if operation.started.favor != Favor::Neither {
        return None;
    }
    let question = question(run, operation, conflicts)?;
    let asked = DecisionAsked {
        decision: next(run)?,
        about: About::Operation(operation.id()),
        asker: Asker::Orchestra,
        question,
        until: Question::until(Some(state.limits.ask.timeout), at),
    };
    Some(Event { run: run.id, at, body: EventBody::DecisionAsked(Box::new(asked)) })
}

fn question(run: &Run, operation: &Operation, conflicts: &[Conflict]) -> Option<Question> {
    let id = operation.id();
    let (what, rest, theirs, side) = match &operation.started.kind {
        OperationKind::Apply { target, .. } => {
            let what = match target {
                Target::Files => format!("Applying {} to your files", run.id),
                Target::Branch { .. } | Target::Commit => {
                    format!(
                        "Making {} of {}",
                        merge::cut(&target.to_string(), LONGEST_TARGET),
                        run.id
                    )
                }
            };
            (what, "the rest is applied", "take what comes in", "comes in")
        }
        OperationKind::Undo { of } => {
            let theirs = "take what was there before it";
            (format!("Taking {of} back"), "the rest is taken back", theirs, "was there before")
        }
        OperationKind::Discard | OperationKind::Clean => return None,
    };
    let mut text = format!("{what} ({id}) does not fit what you have now. Nothing was changed.\n");
    const END: &str = "What counts where the two do not fit together?";
    let room = Question::MAX_TEXT.saturating_sub(text.len() + END.len());
    text.push_str(&merge::shown(conflicts, ["you have", side], room));
    text.push_str(END);
    let choice = |id: &str, label: String| Choice { id: id.to_owned(), label };
    Some(Question {
        key: id.to_string(),
        text,
        choices: vec![
            choice(MINE, format!("where they conflict, keep what I have; {rest}")),
            choice(THEIRS, format!("where they conflict, {theirs}; {rest}")),
            choice(LEAVE, "nothing is done".to_owned()),
        ],
        default: Some(LEAVE.to_owned()),
    })
}

/// What the answer to a question about an operation begins, if it begins something.
pub(super) fn what_follows(
    state: &State,
    run: &Run,
    id: OperationId,
    choice: &str,
    unsaved: &[Artifact],
    at: Timestamp,
) -> Result<Option<Event>, Refusal> {
    let favor = match choice {
        MINE => Favor::Ours,
        THEIRS => Favor::Theirs,
        _ => return Ok(None),
    };
    let Some(operation) = run.operation(id) else { return Ok(None) };
    let kind = match &operation.started.kind {
        OperationKind::Apply { target, hunks } => {
            // What was rejected since is not wanted any more.
            let is_wanted = |hunk: &&_| run.review.verdicts.get(*hunk) != Some(&Verdict::Rejected);
            let hunks: Vec<_> = hunks.iter().filter(is_wanted).copied().collect();
            if hunks.is_empty() {
                return Err(wrong_state(
                    format!("all that {id} was to apply is rejected by now"),
                    format!(
                        "answer with `{LEAVE}`, or accept hunks with `orchestra review {}`",
                        run.id
                    ),
                ));
            }
            OperationKind::Apply { target: target.clone(), hunks }
        }
        other => other.clone(),
    };
    operations::begin(state, run, kind, favor, unsaved, at).map(|(event, _)| Some(event))
}

/// Something else is asked for than the answer to the question that is open.
pub(super) fn superseded(run: &Run) -> Option<EventBody> {
    let decision = run.question()?;
    let about = run.decision(decision)?.asked.about;
    let reason = WithdrawReason::Superseded;
    Some(EventBody::DecisionWithdrawn { decision, about, reason })
}
