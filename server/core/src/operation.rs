//! Operations: what Orchestra does to the user's own files and references, each with a number, a backup and
//! a way back.

use crate::{
    ids::{HunkId, OperationId, RunId},
    merge::Conflict,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What an operation does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum OperationKind {
    /// Bring accepted hunks to where the user wants them.
    Apply { target: Target, hunks: Vec<HunkId> },
    /// Take an earlier operation back.
    Undo { of: OperationId },
    /// Close the review without applying what is left of it.
    Discard,
    /// Put the run's references and kept trees aside.
    Clean,
}

/// Where accepted hunks go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Target {
    /// The user's files. Index, branch and stash stay as they are.
    #[default]
    Files,
    /// A new branch of this name, one commit on top of what is checked out.
    Branch { name: String },
    /// The same commit, under no branch.
    Commit,
}

/// Which side counts where two do not fit together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Favor {
    /// Neither: such a file is a conflict, and nothing is written.
    #[default]
    Neither,
    /// What the user has now.
    Ours,
    /// What comes in.
    Theirs,
}

/// A file that an operation on the user's files is to change: the row that is recorded before it is touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePlan {
    /// Relative to the top of the repository, with `/` between the parts.
    pub path: String,
    pub owner: Owner,
}

/// Who writes a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Owner {
    /// Orchestra, on the disk.
    Disk,
    /// The client which has it open with unsaved text, or has it open and asked.
    Client,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileResult {
    pub path: String,
    pub state: FileState,
}

/// Where a file stands after an operation, as it was read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum FileState {
    /// It is as it should be.
    Applied,
    /// The user has changed it since the operation was prepared; it was left alone.
    ChangedMeanwhile,
    /// It could not be written.
    Failed { problem: String },
    /// Its client has not said that it has taken it.
    Unanswered,
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum OperationEnd {
    /// Everything is where it belongs.
    Applied,
    /// There was nothing to do: the user has it already.
    Nothing,
    /// Some files are not as they should be; the others are.
    Partly { files: Vec<FileResult> },
    /// What the user has now does not fit; nothing was written.
    Conflict { conflicts: Vec<Conflict> },
    /// Something else stood in the way; nothing was written.
    Refused { message: String, hint: String },
}

impl FileResult {
    /// In bytes: more of what a client says is not kept.
    pub const MAX_PROBLEM: usize = 1 << 10;

    /// With a problem that is short enough to be recorded.
    pub(crate) fn bounded(mut self) -> Self {
        if let FileState::Failed { problem } = &mut self.state {
            problem.truncate(problem.floor_char_boundary(Self::MAX_PROBLEM));
        }
        self
    }
}

impl Target {
    /// The branch that a run becomes when nobody has named another.
    pub fn branch_of(run: RunId) -> String {
        format!("orchestra/{run}")
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files => f.write_str("the files"),
            Self::Branch { name } => write!(f, "branch {name}"),
            Self::Commit => f.write_str("a commit"),
        }
    }
}
