//! Commands: what clients ask of the daemon.

use crate::build::Build;
use orchestra_core::{
    ids::{AttemptId, DecisionId, HunkId, OperationId, RunId, WorkspaceId},
    operation::{Favor, FileResult, Target},
    plan::Mode,
    review::{Selection, Verdict},
    time::{Millis, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf};

/// One command for one workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommandRequest {
    /// Chosen by the client. The same key is carried out once, however often it is sent, and is
    /// answered alike each time.
    pub key: String,
    /// The canonical root of the workspace.
    pub root: PathBuf,
    /// The client's environment. Runs that this command starts or resumes get the part of it that
    /// their agents ask for; it is never journalled.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    pub command: Command,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Command {
    /// Plan a workflow and run it.
    Run {
        workflow: String,
        #[serde(default)]
        params: serde_json::Map<String, serde_json::Value>,
        #[serde(default)]
        mode: Option<Mode>,
        /// Whether a person approves the plan first; `None`: as the workflow says.
        #[serde(default)]
        approve: Option<bool>,
        #[serde(flatten)]
        sight: Sight,
    },
    /// Give one agent one task.
    Start {
        agent: String,
        prompt: String,
        #[serde(flatten)]
        sight: Sight,
    },
    Approve {
        target: String,
    },
    Cancel {
        target: String,
    },
    Retry {
        target: String,
    },
    Timeout {
        target: String,
        timeout: Millis,
    },
    Pause {
        run: RunId,
    },
    Resume {
        run: RunId,
    },
    /// Answer a question of an agent.
    Decide {
        decision: DecisionId,
        /// The id of a choice, or a free text where there are none.
        choice: String,
    },
    /// Say something of hunks of a review; `None`: they are undecided again.
    Judge {
        run: RunId,
        selection: Selection,
        #[serde(default)]
        verdict: Option<Verdict>,
    },
    /// Have an agent go on from the result of a run, with what a person says of it.
    SendBack {
        run: RunId,
        comment: String,
        /// What the comment is about; empty: the result as a whole.
        #[serde(default)]
        hunks: Vec<HunkId>,
    },
    /// Bring the accepted hunks of a review to where the user wants them. Where nobody has judged any, all
    /// are meant.
    Apply {
        run: RunId,
        #[serde(default)]
        target: Target,
        #[serde(default)]
        favor: Favor,
        /// Whether undecided hunks go along.
        #[serde(default)]
        all: bool,
        /// Text that the client's user has not saved yet. The client writes these files; see
        /// [`Owner::Client`](orchestra_core::operation::Owner).
        #[serde(default)]
        unsaved: Vec<Unsaved>,
    },
    /// A client says what became of the files of an operation that it was to write.
    Confirm {
        operation: OperationId,
        files: Vec<FileResult>,
    },
    /// Close a review without applying what is left of it.
    Discard {
        run: RunId,
    },
    /// Put the references and kept trees of a run aside that needs them no more.
    Clean {
        run: RunId,
    },
    /// Take an operation on the user's files back.
    Undo {
        /// `None`: the last one that is in effect.
        #[serde(default)]
        operation: Option<OperationId>,
        #[serde(default)]
        favor: Favor,
        #[serde(default)]
        unsaved: Vec<Unsaved>,
    },
}

/// What the agents of a run get to see besides files that are saved and whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sight {
    /// Whether files with merge conflicts, as they lie on the disk.
    #[serde(default)]
    pub with_conflicts: bool,
    /// Text that the client's user has not saved yet; it wins over the disk.
    #[serde(default)]
    pub unsaved: Vec<Unsaved>,
}

impl Sight {
    /// Of all unsaved text together, in bytes: a request is held in memory.
    pub const MAX_UNSAVED: usize = 32 << 20;
}

/// A file as an editor would write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsaved {
    /// From the root of the workspace, with `/` between the parts.
    pub path: String,
    /// Its bytes; base64 in JSON.
    #[serde(with = "base64")]
    pub content: Vec<u8>,
}

mod base64 {
    use data_encoding::BASE64;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(content: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64.encode(content))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        BASE64.decode(text.as_bytes()).map_err(|error| D::Error::custom(format!("base64: {error}")))
    }
}

/// What became of a command. It is sent when everything about it is durable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    pub run: RunId,
    /// The seq of the first event that the command led to; events from here on tell the rest.
    pub seq: u64,
    /// What the user should know besides, each a sentence.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The operation on the user's files that it began; its end is an event.
    #[serde(default)]
    pub operation: Option<OperationId>,
}

/// Which events a client wants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventsRequest {
    pub root: PathBuf,
    /// The first seq; past ones come from the journal.
    pub from: u64,
    /// Only this run.
    #[serde(default)]
    pub run: Option<RunId>,
}

/// A shim's word that there is something new in its folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Poke {
    pub workspace: WorkspaceId,
    pub attempt: AttemptId,
}

/// Names a workspace by its canonical root.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkspaceRequest {
    pub root: PathBuf,
}

/// What a rebuild has done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rebuilt {
    /// How many runs were written anew.
    pub runs: u32,
    /// Runs that cannot be read, each a sentence; they keep what they had.
    pub frozen: Vec<String>,
}

/// Who the daemon is and what it has under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DaemonInfo {
    pub build: Build,
    pub pid: u32,
    pub started: Timestamp,
    pub workspaces: Vec<WorkspaceInfo>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkspaceInfo {
    pub id: WorkspaceId,
    pub root: PathBuf,
    pub open_runs: u32,
    pub attempts_under_way: u32,
}
