//! What `__mcp` and the shim say to one another: a line of JSON each.

use crate::attempt::{Reply, SaidProgress};
use orchestra_core::{decision::Choice, memory::Remember, time::Millis};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version that this build speaks. Both ends are of one build, unless the program was replaced
/// while the attempt runs.
pub(crate) const VERSION: u32 = 1;

/// The first line on a connection.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Hello {
    pub(crate) version: u32,
    pub(crate) token: String,
}

/// A line of the agent's side after that.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CallLine {
    /// Chosen by the caller; the reply has it, too.
    pub(crate) id: u64,
    pub(crate) call: Call,
}

/// A line of the shim.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReplyLine {
    /// Zero for the answer to [`Hello`].
    pub(crate) id: u64,
    pub(crate) reply: Reply,
}

/// What an agent asks of its shim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum Call {
    Progress(SaidProgress),
    /// Answered when the question has ended, or with [`Reply::Pending`].
    Ask {
        question: String,
        choices: Vec<Choice>,
        default: Option<String>,
        timeout: Option<Millis>,
    },
    /// The same for a question that was asked before.
    Decision {
        key: String,
    },
    Remember(Remember),
    Recall {
        private: bool,
        key: Option<String>,
    },
    ListTasks,
    ReadArtifact {
        path: String,
        offset: u64,
    },
    Finish(Finish),
}

/// An agent's word that its task is done, or why it is not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Finish {
    pub(crate) summary: String,
    #[serde(default)]
    pub(crate) result: Value,
    #[serde(default)]
    pub(crate) error: Option<String>,
}
