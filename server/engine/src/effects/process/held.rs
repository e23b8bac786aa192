//! What is held back of an agent's work: a person says whether it is to be in the change after all.

use super::{Attempt, asking};
use orchestra_core::{
    change::{Held, HeldReason},
    decision::{Choice, Question},
};
use std::{fmt::Write as _, io};

/// What the questions are called, one after the other. Agents' own have numbers. After the second, nothing new
/// can come: what was held back unread for its size has been searched.
const KEYS: [&str; 2] = ["held", "held-2"];

/// How many files are named in the question.
const NAMED: usize = 10;
/// How much of a path is, in characters.
const LONGEST_PATH: usize = 60;

const ALL: &str = "include";
const LARGE: &str = "include-large";
const NONE: &str = "leave-out";

/// What was asked about the files of an attempt, and what a person said. A daemon that finds the attempt again
/// begins anew: it collects the same, asks the same, and is told the answers again.
#[derive(Debug, Default)]
pub(super) struct Words {
    asked: Vec<Held>,
    included: Vec<Held>,
    questions: usize,
}

/// What a person wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// More is [`Words::included`] than before.
    Include,
    /// The change is as it is to be.
    NothingMore,
    /// The attempt was told to stop.
    Stop,
}

impl Words {
    /// What is to be in the change, each file in spite of that one reason.
    pub(super) fn included(&self) -> &[Held] {
        &self.included
    }

    /// Asks which of these are to be in the change, and waits for the answer. Nobody is asked twice about a
    /// file that is held back for the same reason.
    pub(super) async fn ask(&mut self, attempt: &Attempt, held: &[Held]) -> io::Result<Said> {
        let new = self.unasked(held);
        let Some(key) = KEYS.get(self.questions).filter(|_| !new.is_empty()) else {
            return Ok(Said::NothingMore);
        };
        let question = question(key, attempt.work.executor.name(), &new);
        Ok(match asking::ask(attempt, question).await? {
            Some(answer) => self.hear(new, &answer),
            None => Said::Stop,
        })
    }

    fn unasked(&self, held: &[Held]) -> Vec<Held> {
        held.iter().filter(|held| !self.asked.contains(held)).cloned().collect()
    }

    fn hear(&mut self, new: Vec<Held>, answer: &str) -> Said {
        let included = included(&new, answer);
        self.questions += 1;
        self.asked.extend(new);
        if included.is_empty() {
            return Said::NothingMore;
        }
        self.included.extend(included);
        Said::Include
    }
}

fn question(key: &str, agent: &str, held: &[Held]) -> Question {
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
    Question { key: key.to_owned(), text, choices, default: Some(NONE.to_owned()) }
}

fn included(held: &[Held], answer: &str) -> Vec<Held> {
    let is_wanted = |held: &&Held| match answer {
        ALL => true,
        LARGE => is_large(held),
        _ => false,
    };
    held.iter().filter(is_wanted).cloned().collect()
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
        let question = question("held", "coder", &[secret("a\u{1b}[2J")]);
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
        assert_eq!(question("held", "coder", &all).choices[1].id, "include-large");
        assert_eq!(included(&all, "include"), all);
        assert_eq!(included(&all, "include-large"), [all[0].clone(), all[2].clone()]);
        assert_eq!(included(&all, "leave-out"), []);
    }

    #[test]
    fn what_is_held_back_for_another_reason_is_asked_about_and_nothing_else_again() {
        let (big, key) = (held("big", HeldReason::TooLarge { bytes: 9 }), secret("key"));
        let mut words = Words::default();
        let first = words.unasked(&[big.clone(), key.clone()]);
        assert_eq!(first, [big.clone(), key.clone()]);
        assert_eq!(words.hear(first, LARGE), Said::Include);
        assert_eq!(words.included(), std::slice::from_ref(&big));
        let second = words.unasked(&[secret("big"), key.clone()]);
        assert_eq!(second, [secret("big")]);
        assert_eq!(words.hear(second, ALL), Said::Include);
        assert_eq!(words.included(), [big, secret("big")]);
        assert_eq!(words.unasked(&[key]), []);
    }

    #[test]
    fn however_much_is_held_back_can_be_asked() {
        let many: Vec<Held> =
            (0..5_000).map(|number| secret(&format!("{number}{}", "ä".repeat(3_000)))).collect();
        assert_eq!(question("held", &"a".repeat(64), &many).check(), Ok(()));
    }
}
