//! Decisions: questions that only a person answers, about an attempt or an operation, kept in the journal.

use crate::{
    ids::{AttemptId, DecisionId, OperationId, RunId},
    time::{Millis, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};

/// One of the answers that a person may choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What is typed: `orchestra decide r12/d1 <id>`.
    pub id: String,
    /// What it means, in one line.
    pub label: String,
}

/// What an attempt wants to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The asker's own name for it: asked twice under one key, it is one decision.
    pub key: String,
    pub text: String,
    /// Empty: the answer is free text.
    #[serde(default)]
    pub choices: Vec<Choice>,
    /// The safe answer, taken when nobody gives one in time.
    #[serde(default)]
    pub default: Option<String>,
}

/// Who wants to know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asker {
    /// The agent of the attempt, by its tools.
    #[default]
    Agent,
    /// Orchestra, about what the agent has left, or about the user's files.
    Orchestra,
}

/// What a question is about. Beside other fields, as journals have always had it: `"attempt": "r12.3@1"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// An attempt, which waits for the answer.
    Attempt(AttemptId),
    /// An operation which has ended without changing anything, since two sides did not fit together. An
    /// answer that names a side begins the next one.
    Operation(OperationId),
}

impl About {
    pub fn run(self) -> RunId {
        match self {
            Self::Attempt(attempt) => attempt.run(),
            Self::Operation(operation) => operation.run(),
        }
    }

    pub fn attempt(self) -> Option<AttemptId> {
        match self {
            Self::Attempt(attempt) => Some(attempt),
            Self::Operation(_) => None,
        }
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attempt(attempt) => attempt.fmt(f),
            Self::Operation(operation) => operation.fmt(f),
        }
    }
}

/// A question as it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionAsked {
    pub decision: DecisionId,
    #[serde(flatten)]
    pub about: About,
    #[serde(default)]
    pub asker: Asker,
    pub question: Question,
    /// Until when a person may answer; `None`: for as long as somebody waits for it.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// Who gave an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnsweredBy {
    Person,
    /// Nobody in time, so it is the default.
    Timeout,
}

impl fmt::Display for AnsweredBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Person => "a person",
            Self::Timeout => "the time-out",
        })
    }
}

/// Why a question has no answer and will get none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WithdrawReason {
    /// Whoever asked does not need it any more.
    AttemptEnded,
    /// Nobody answered in time, and there is no default.
    Timeout,
    /// Something else was asked for, so it is not what comes next any more.
    Superseded,
}

impl fmt::Display for WithdrawReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AttemptEnded => "whoever asked has ended",
            Self::Timeout => "nobody answered in time",
            Self::Superseded => "something else was asked for",
        })
    }
}

/// Where a decision stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum DecisionStatus {
    Open,
    Answered { choice: String, by: AnsweredBy, at: Timestamp },
    Withdrawn { reason: WithdrawReason, at: Timestamp },
}

impl DecisionStatus {
    pub fn is_open(&self) -> bool {
        *self == Self::Open
    }

    /// Whether it ended in a way that the asker is to be told of.
    pub(crate) fn is_news(&self) -> bool {
        match self {
            Self::Open => false,
            Self::Withdrawn { reason, .. } => *reason == WithdrawReason::Timeout,
            Self::Answered { .. } => true,
        }
    }
}

/// A decision of a run, as the state keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub asked: DecisionAsked,
    pub asked_at: Timestamp,
    pub status: DecisionStatus,
    /// Whether the attempt has taken up how it ended.
    pub delivered: bool,
}

/// What may be asked. Comes from the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskLimits {
    /// Open questions of one attempt.
    pub open: u32,
    /// Questions of one attempt, answered ones included.
    pub total: u32,
    /// How long a question about an operation waits for a person.
    pub timeout: Millis,
}

/// What is wrong with a question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    #[error("the question is empty")]
    Empty,
    #[error("the question has control characters")]
    Control,
    #[error("the question has {0} bytes, and {max} are allowed", max = Question::MAX_TEXT)]
    TooLong(usize),
    #[error("the question has {0} choices, and {max} are allowed", max = Question::MAX_CHOICES)]
    TooManyChoices(usize),
    #[error("choice {0} has an id that is empty, longer than {max} bytes or not one line", max = Choice::MAX_ID)]
    BadId(usize),
    #[error("two choices have the id `{0}`")]
    Twice(String),
    #[error("the label of choice `{0}` has more than {max} bytes or not one line", max = Choice::MAX_LABEL)]
    BadLabel(String),
    #[error("the default is none of the choices")]
    BadDefault,
    #[error("the default has {0} bytes, and {max} are allowed", max = Question::MAX_ANSWER)]
    LongDefault(usize),
    #[error("its key is empty or has more than {max} bytes", max = Question::MAX_KEY)]
    BadKey,
}

impl QuestionError {
    /// The next step for the asker.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Control => "write it as plain text; lines and tabs are fine",
            Self::Empty => "say in one or two sentences what a person is to decide",
            Self::TooLong(_) => "say it shorter; put details into an artifact",
            Self::TooManyChoices(_) => "offer the most sensible ones, or none for a free answer",
            Self::BadId(_) | Self::Twice(_) => "give each choice a short word of its own as its id",
            Self::BadLabel(_) => "say in one line what the choice means",
            Self::BadDefault => "name the id of a choice as the default, or no default",
            Self::LongDefault(_) => "a default is a short answer",
            Self::BadKey => "leave the key out, and one is made",
        }
    }
}

impl Choice {
    pub const MAX_ID: usize = 64;
    pub const MAX_LABEL: usize = 512;
}

impl Question {
    /// In bytes. A question goes through the journal and is shown whole.
    pub const MAX_TEXT: usize = 4 * 1024;
    pub const MAX_CHOICES: usize = 20;
    /// In bytes, of a free answer.
    pub const MAX_ANSWER: usize = 64 * 1024;
    pub const MAX_KEY: usize = 64;

    /// Whether it can be asked.
    pub fn check(&self) -> Result<(), QuestionError> {
        if self.key.is_empty() || self.key.len() > Self::MAX_KEY {
            return Err(QuestionError::BadKey);
        }
        if self.text.trim().is_empty() {
            return Err(QuestionError::Empty);
        }
        // It is shown on terminals, which such characters could write all over.
        if self.text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
            return Err(QuestionError::Control);
        }
        if self.text.len() > Self::MAX_TEXT {
            return Err(QuestionError::TooLong(self.text.len()));
        }
        if self.choices.len() > Self::MAX_CHOICES {
            return Err(QuestionError::TooManyChoices(self.choices.len()));
        }
        let mut ids = BTreeSet::new();
        for (number, choice) in (1..).zip(&self.choices) {
            if choice.id.len() > Choice::MAX_ID || !is_one_line(&choice.id) {
                return Err(QuestionError::BadId(number));
            }
            if !ids.insert(choice.id.as_str()) {
                return Err(QuestionError::Twice(choice.id.clone()));
            }
            let is_fine = choice.label.is_empty() || is_one_line(&choice.label);
            if choice.label.len() > Choice::MAX_LABEL || !is_fine {
                return Err(QuestionError::BadLabel(choice.id.clone()));
            }
        }
        match &self.default {
            Some(default) if !self.choices.is_empty() && !ids.contains(default.as_str()) => {
                Err(QuestionError::BadDefault)
            }
            Some(default) if default.len() > Self::MAX_ANSWER => {
                Err(QuestionError::LongDefault(default.len()))
            }
            _ => Ok(()),
        }
    }

    /// Whether `answer` can be given.
    pub(crate) fn accepts(&self, answer: &str) -> bool {
        if self.choices.is_empty() {
            return !answer.trim().is_empty() && answer.len() <= Self::MAX_ANSWER;
        }
        self.choices.iter().any(|choice| choice.id == answer)
    }

    /// How long its answer may take, as the moment at which the default is taken.
    pub(crate) fn until(timeout: Option<Millis>, now: Timestamp) -> Option<Timestamp> {
        timeout.map(|timeout| now.after(timeout))
    }
}

fn is_one_line(text: &str) -> bool {
    !text.trim().is_empty() && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(choices: &[&str]) -> Question {
        Question {
            key: "q1".to_owned(),
            text: "Which?".to_owned(),
            choices: choices
                .iter()
                .map(|id| Choice { id: (*id).to_owned(), label: String::new() })
                .collect(),
            default: None,
        }
    }

    #[test]
    fn what_cannot_be_asked_says_why() {
        let with = |change: fn(&mut Question)| {
            let mut changed = question(&["a", "b"]);
            change(&mut changed);
            changed.check().unwrap_err()
        };
        assert_eq!(question(&["a", "b"]).check(), Ok(()));
        assert_eq!(with(|asked| asked.text = " \n".to_owned()), QuestionError::Empty);
        assert_eq!(with(|asked| asked.text = "a\u{1b}[2J".to_owned()), QuestionError::Control);
        assert_eq!(with(|asked| asked.text = "x".repeat(5_000)), QuestionError::TooLong(5_000));
        assert_eq!(with(|asked| asked.choices[1].id = String::new()), QuestionError::BadId(2));
        assert_eq!(
            with(|asked| asked.choices[1].id = "\u{1b}[2J".to_owned()),
            QuestionError::BadId(2)
        );
        assert_eq!(
            with(|asked| asked.choices[1].id = "a".to_owned()),
            QuestionError::Twice("a".to_owned())
        );
        assert_eq!(
            with(|asked| asked.choices[0].label = "two\nlines".to_owned()),
            QuestionError::BadLabel("a".to_owned())
        );
        assert_eq!(with(|asked| asked.default = Some("c".to_owned())), QuestionError::BadDefault);
        assert_eq!(with(|asked| asked.key = String::new()), QuestionError::BadKey);
        let many: Vec<String> = (0..21).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(question(&many).check(), Err(QuestionError::TooManyChoices(21)));
    }

    #[test]
    fn a_choice_is_named_by_its_id_and_a_free_answer_is_any_text() {
        assert!(question(&["a", "b"]).accepts("b"));
        assert!(!question(&["a", "b"]).accepts("B"));
        assert!(question(&[]).accepts("whatever you like"));
        assert!(!question(&[]).accepts(" "));
        assert!(!question(&[]).accepts(&"x".repeat(Question::MAX_ANSWER + 1)));
    }
}
