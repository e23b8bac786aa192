//! Conflicts: where two changes of one file do not fit together, as merging, applying, undoing and the
//! conflict radar all name them.

mod shown;

pub(crate) use shown::cut;
pub use shown::shown;

use crate::ids::{AttemptId, RunId, TaskId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Works that are merged as far as git can, with what a person or an agent has to put right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmerged {
    /// The tasks whose works are in `commit`, in the order in which they were merged: the last one's work
    /// does not fit to those before.
    pub works: Vec<TaskId>,
    /// Those whose works are yet to come.
    #[serde(default)]
    pub left: Vec<TaskId>,
    /// The commit to go on from. Files that conflict hold both sides, between markers, where that is
    /// possible. Lowercase hex.
    pub commit: String,
    /// The first [`Unmerged::MAX_CONFLICTS`], sorted by path. Empty: everything fits together, but the checks
    /// say that the whole does not work.
    #[serde(default)]
    pub conflicts: Vec<Conflict>,
    /// How many conflicts there are beyond those.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Unmerged {
    /// How many conflicts go through the journal.
    pub const MAX_CONFLICTS: usize = 100;
}

/// A file whose two sides do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Relative to the top of the repository, with `/` between the parts; bytes that are no UTF-8 are shown
    /// with replacement characters.
    pub path: String,
    pub kind: ConflictKind,
    pub ours: Side,
    pub theirs: Side,
}

/// What one side has where the two do not fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// In this side's own text, the first [`Conflict::MAX_SPANS`]; empty where it is no text.
    #[serde(default)]
    pub lines: Vec<Span>,
    /// The text of those lines, cut at [`Conflict::MAX_EXCERPT`] bytes; `None` where the side has no such
    /// file, or no text.
    #[serde(default)]
    pub excerpt: Option<String>,
}

/// Lines of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// From one.
    pub first: u32,
    /// Zero: between the line before `first` and `first`.
    pub count: u32,
}

/// Why two sides do not fit together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConflictKind {
    /// Both have changed the same lines.
    Lines,
    /// Both have added a file of this name.
    BothAdded,
    /// One has changed the file, the other has deleted it.
    ChangedAndDeleted,
    /// One has a folder where the other has a file.
    FileAndFolder,
    /// They have given the file different names, or different files this name.
    Renamed,
    /// Both have changed what is no text: a binary file, or one that is too large to compare.
    NotText,
    /// They disagree about the kind of the file, or whether it may be executed.
    Mode,
    /// They want different commits of a submodule.
    Submodule,
    /// The user is in the middle of a merge of his own, and git has the file as not merged yet.
    Unmerged,
    /// Git sees a conflict of another kind.
    Other,
}

/// Two who are about to collide in a file, seen while agents run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foreseen {
    /// Whose side is `ours`, and whose is `theirs`.
    pub between: [Party; 2],
    pub conflict: Conflict,
}

/// Who changes files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Party {
    User,
    Attempt(AttemptId),
}

impl Foreseen {
    /// How many of a run are told.
    pub const MOST: usize = 100;
}

impl Party {
    /// Whether it is an attempt of the run.
    pub fn is_of(self, run: RunId) -> bool {
        matches!(self, Self::Attempt(attempt) if attempt.run() == run)
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User => f.write_str("you"),
            Self::Attempt(attempt) => attempt.fmt(f),
        }
    }
}

impl Conflict {
    /// How many spans of a side are kept.
    pub const MAX_SPANS: usize = 100;
    /// In bytes, of one side.
    pub const MAX_EXCERPT: usize = 1 << 10;
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            0 | 1 => write!(f, "{}", self.first),
            count => write!(f, "{}-{}", self.first, self.first.saturating_add(count - 1)),
        }
    }
}

impl fmt::Display for ConflictKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lines => "both changed the same lines",
            Self::BothAdded => "both added it",
            Self::ChangedAndDeleted => "one changed it, the other deleted it",
            Self::FileAndFolder => "a file on one side, a folder on the other",
            Self::Renamed => "it was renamed in two ways",
            Self::NotText => "both changed it, and it is no text",
            Self::Mode => "the kinds of the file differ",
            Self::Submodule => "two commits of a submodule",
            Self::Unmerged => "a merge in git has not resolved it yet",
            Self::Other => "it does not fit together",
        })
    }
}
