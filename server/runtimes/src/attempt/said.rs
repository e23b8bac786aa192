//! What an agent says through its tools that the daemon has to answer, and the answers.

use orchestra_core::{
    decision::{AnsweredBy, Question},
    ids::{DecisionId, TaskId},
    memory::Remember,
    time::Millis,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Something that the daemon answers with a [`Reply`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Said {
    Ask {
        question: Question,
        /// `None`: for as long as the attempt waits.
        timeout: Option<Millis>,
    },
    Remember(Remember),
    Recall {
        private: bool,
        /// `None`: which keys there are.
        key: Option<String>,
    },
    ListTasks,
    ReadArtifact {
        path: String,
        /// In bytes.
        offset: u64,
    },
}

/// How far an agent has come, by its own word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaidProgress {
    pub message: String,
    #[serde(default)]
    pub done: Option<u64>,
    #[serde(default)]
    pub total: Option<u64>,
}

/// An answer to an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Reply {
    /// The first word on a connection: how long a call may wait.
    Welcome {
        task: TaskId,
        wait: Millis,
    },
    Noted,
    /// A person is asked.
    Asked {
        decision: DecisionId,
    },
    /// Nobody has answered yet. `key` is the agent's name for the question, `decision` the one that
    /// people see.
    Pending {
        key: String,
        decision: Option<DecisionId>,
    },
    Answered {
        choice: String,
        by: AnsweredBy,
    },
    /// Nobody answered in time, and there was no default.
    NotAnswered,
    /// `null` when there is no such key.
    Value {
        value: Value,
    },
    Keys {
        keys: Vec<String>,
    },
    Tasks {
        /// How many there are; `tasks` may be fewer.
        total: usize,
        tasks: Vec<TaskLine>,
    },
    Artifact {
        text: String,
        /// Of the whole file.
        bytes: u64,
        /// Where to go on reading; `None` at its end.
        next: Option<u64>,
    },
    Failed {
        message: String,
        hint: String,
    },
}

/// A task of the run, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskLine {
    pub id: TaskId,
    pub step: String,
    pub status: String,
    pub detail: String,
    /// What [`Said::ReadArtifact`] takes.
    pub artifacts: Vec<String>,
}

impl Reply {
    pub fn failed(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), hint: hint.into() }
    }
}
