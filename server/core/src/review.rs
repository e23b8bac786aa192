//! Reviews: the combined change of a run, hunk by hunk, with who wrote each, for a person to judge.

mod unified;

use crate::{
    change::{FileStatus, FlagKind},
    ids::{AttemptId, HunkId, StepId},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a run has made of what the user had, hunk by hunk. Kept as a file beside the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The commit with what the user saw when the run started. Object ids are lowercase hex.
    pub base: String,
    /// The commit with the work of all.
    pub result: String,
    /// Whose work it is, in the order of the plan.
    pub works: Vec<Work>,
    /// Sorted by path.
    pub files: Vec<ReviewFile>,
}

/// How much of what has changed is compared line by line, in bytes of both sides. Other limits make other hunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewLimits {
    /// Of a file; a larger one is reviewed as a whole.
    pub file: u64,
    /// Of all files together; in the order of their paths, those beyond it are reviewed as a whole.
    pub total: u64,
}

/// What one attempt has added to the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    pub attempt: AttemptId,
    pub step: StepId,
    pub agent: String,
    #[serde(default)]
    pub model: Option<String>,
    /// What the attempt started from, and what it made.
    pub base: String,
    pub commit: String,
}

/// A file that the result changes. A renamed file is one that is gone and one that is new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewFile {
    /// Relative to the top of the repository, with `/` between the parts; bytes that are no UTF-8 are shown
    /// with replacement characters.
    pub path: String,
    pub status: FileStatus,
    /// As git writes it, such as `0o100644`; 0 where there is no file.
    pub old_mode: u32,
    pub new_mode: u32,
    /// Why a person should look at it.
    #[serde(default)]
    pub flags: Vec<FlagKind>,
    /// Never empty.
    pub hunks: Vec<Hunk>,
}

/// The smallest part of a change that is accepted or rejected by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hunk {
    /// The same for the same change of the same file, however often it is compared.
    pub id: HunkId,
    /// Positions in [`Review::works`] of those who wrote it, or parts of it; empty when that is not known.
    pub works: Vec<u32>,
    pub content: HunkContent,
}

/// What a hunk changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum HunkContent {
    /// Lines of a text file. A whole file that is added or deleted is one of these.
    Text {
        /// From one; 0 when the side has no lines here.
        old_start: u32,
        old_lines: u32,
        new_start: u32,
        new_lines: u32,
        lines: Vec<Line>,
    },
    /// Only the mode, as git writes it, such as `0o100755`.
    Mode { old: u32, new: u32 },
    /// The whole entry: a binary or very large file, a link, a submodule, an empty file, or a change of kind.
    Whole { old: Option<Entry>, new: Option<Entry> },
}

/// A line of a hunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub kind: LineKind,
    /// Without its line break; bytes that are no UTF-8 are shown with replacement characters.
    pub text: String,
    /// The last line of a file that does not end with a line break.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_newline: bool,
}

/// On which side a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineKind {
    Context,
    Added,
    Removed,
}

/// What a tree says of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// As git writes it, such as `0o100644`.
    pub mode: u32,
    /// The object's id; of a submodule, its commit.
    pub object: String,
    /// `None` for a submodule.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// Where a link leads.
    #[serde(default)]
    pub link: Option<String>,
}

/// What a person says of a hunk. A hunk without a verdict is undecided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Accepted,
    Rejected,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
        })
    }
}

impl Review {
    /// All hunks with the files that they belong to, in order.
    pub fn hunks(&self) -> impl Iterator<Item = (&ReviewFile, &Hunk)> {
        self.files.iter().flat_map(|file| file.hunks.iter().map(move |hunk| (file, hunk)))
    }
}

/// Which hunks a person means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Selection {
    All,
    /// All of one file, by its path as the review has it.
    File {
        path: String,
    },
    Hunks {
        hunks: Vec<HunkId>,
    },
}
