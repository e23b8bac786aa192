//! What is held back of an agent's work: a person says whether it is to be in the change after all.

use super::Attempt;
use crate::actor::Message;
use orchestra_core::{
    change::{Held, HeldReason},
    decision::{Choice, Question},
};
use std::{fmt::Write as _, io};
use tokio::sync::oneshot;

/// What the question is called. Agents' own have numbers.
const KEY: &str = "held";

/// How many files are named in the question.
const NAMED: usize = 10;
/// How much of a path is, in characters.
const LONGEST_PATH: usize = 60;

const ALL: &str = "include";
const LARGE: &str = "include-large";
const NONE: &str = "leave-out";

/// Asks which of these are to be in the change, and waits for the answer; answers their paths. `None`: the
/// attempt was told to stop.
///
/// What is answered stays undelivered until the end of the attempt is recorded, so that a daemon that finds
/// the attempt again is told the answer again.
pub(super) async fn ask(attempt: &Attempt, held: &[Held]) -> io::Result<Option<Vec<String>>> {
    if held.is_empty() {
        return Ok(Some(Vec::new()));
    }
    put(attempt, question(attempt.work.executor.name(), held)).await?;
    tokio::select! {
        answer = attempt.desk.answer_to(KEY) => Ok(Some(included(held, &answer))),
        () = attempt.desk.told_to_stop() => Ok(None),
    }
}

/// Returns when the question is recorded.
async fn put(attempt: &Attempt, question: Question) -> io::Result<()> {
    let (shared, id) = (&attempt.shared, attempt.work.attempt);
    loop {
        let (asked, is_asked) = oneshot::channel();
        let (question, timeout) = (Box::new(question.clone()), shared.decision.timeout);
        if shared.sender.send(Message::Ask { attempt: id, question, timeout, asked }).is_err() {
            // The actor has gone; the next one takes the attempt up again.
            return std::future::pending().await;
        }
        match is_asked.await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(refusal)) => return Err(io::Error::other(refusal)),
            // The journal did not take it.
            Err(_) => tokio::time::sleep(shared.try_again_after).await,
        }
    }
}

fn question(agent: &str, held: &[Held]) -> Question {
    let one = held.len() == 1;
    let (files, them) = if one { ("a file", "it") } else { ("files", "them") };
    let mut text = format!("{agent} has left {files} that Orchestra holds back:\n");
    for Held { path, reason } in held.iter().take(NAMED) {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "  {}: {reason}", shown(path));
    }
    if held.len() > NAMED {
        let _ = writeln!(text, "  and {} more", held.len() - NAMED);
    }
    let _ = write!(text, "Take {them} into the change?");
    let choice = |id: &str, label: String| Choice { id: id.to_owned(), label };
    let mut choices = vec![choice(ALL, format!("take {them} in as the agent left {them}"))];
    if held.iter().any(is_large) && !held.iter().all(is_large) {
        choices.push(choice(LARGE, "take in what is only large".to_owned()));
    }
    choices.push(choice(NONE, format!("go on without {them}")));
    Question { key: KEY.to_owned(), text, choices, default: Some(NONE.to_owned()) }
}

fn included(held: &[Held], answer: &str) -> Vec<String> {
    let is_wanted = |held: &&Held| match answer {
        ALL => true,
        LARGE => is_large(held),
        _ => false,
    };
    held.iter().filter(is_wanted).map(|held| held.path.clone()).collect()
}

fn is_large(held: &Held) -> bool {
    match held.reason {
        HeldReason::TooLarge { .. } | HeldReason::OverTotal { .. } => true,
        HeldReason::SuspectedSecret { .. } => false,
    }
}

/// A path as it may be shown in a question: the agent has chosen it.
fn shown(path: &str) -> String {
    let mut shown: String = path
        .chars()
        .take(LONGEST_PATH)
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    if path.chars().nth(LONGEST_PATH).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(path: &str, reason: HeldReason) -> Held {
        Held { path: path.to_owned(), reason }
    }

    fn secret(path: &str) -> Held {
        held(path, HeldReason::SuspectedSecret { rule: "private key".to_owned() })
    }

    #[test]
    fn one_file_is_taken_in_or_left_out() {
        let question = question("coder", &[secret("a\u{1b}[2J")]);
        assert_eq!(question.check(), Ok(()));
        assert_eq!(
            question.text,
            "coder has left a file that Orchestra holds back:\n  \
             a\u{fffd}[2J: looks like a secret (private key)\nTake it into the change?"
        );
        let ids: Vec<&str> = question.choices.iter().map(|choice| choice.id.as_str()).collect();
        assert_eq!(ids, ["include", "leave-out"]);
        assert_eq!(question.default.as_deref(), Some("leave-out"));
    }

    #[test]
    fn what_is_large_can_be_taken_in_without_what_looks_like_a_secret() {
        let all = [
            held("big", HeldReason::TooLarge { bytes: 9 }),
            secret("key"),
            held("rest", HeldReason::OverTotal { bytes: 8 }),
        ];
        assert_eq!(question("coder", &all).choices[1].id, "include-large");
        assert_eq!(included(&all, "include"), ["big", "key", "rest"]);
        assert_eq!(included(&all, "include-large"), ["big", "rest"]);
        assert_eq!(included(&all, "leave-out"), [""; 0]);
    }

    #[test]
    fn however_much_is_held_back_can_be_asked() {
        let many: Vec<Held> =
            (0..5_000).map(|number| secret(&format!("{number}{}", "ä".repeat(3_000)))).collect();
        assert_eq!(question(&"a".repeat(64), &many).check(), Ok(()));
    }
}
