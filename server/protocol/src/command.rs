//! Commands: what clients ask of the daemon.

use crate::build::Build;
use orchestra_core::{
    ids::{AttemptId, DecisionId, RunId, WorkspaceId},
    plan::Mode,
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
        /// Whether agents also get files with merge conflicts, as they lie on the disk.
        #[serde(default)]
        with_conflicts: bool,
    },
    /// Give one agent one task.
    Start {
        agent: String,
        prompt: String,
        #[serde(default)]
        with_conflicts: bool,
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
