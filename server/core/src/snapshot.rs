//! Snapshots: what a user sees in the moment in which a run starts, as a private commit.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A private commit of HEAD with what is not committed yet, and what of that is not in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Object ids are lowercase hex.
    pub commit: String,
    pub tree: String,
    /// The commit of HEAD; `None` in a repository without one.
    #[serde(default)]
    pub head: Option<String>,
    /// Sorted by path.
    #[serde(default)]
    pub left_out: Vec<LeftOut>,
    /// Unmerged files that are in it as they lie on the disk, conflict markers and all; sorted.
    #[serde(default)]
    pub conflicted: Vec<String>,
}

/// Something that the user sees and agents do not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Relative to the top of the repository, with `/` between the parts; bytes that are no UTF-8 are
    /// shown with replacement characters.
    pub path: String,
    pub reason: LeftOutReason,
}

/// Why something is not in a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum LeftOutReason {
    /// An untracked file that is larger than one may be.
    TooLarge { bytes: u64 },
    /// An untracked file for which there was no room beside the others.
    OverTotal { bytes: u64 },
    /// A repository of its own.
    NestedRepository,
    /// A submodule is there as it was committed; what was done in it since is not.
    DirtySubmodule,
    /// A FIFO, a socket or a device.
    Special,
}

impl fmt::Display for LeftOutReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes } => write!(f, "untracked and large ({bytes} bytes)"),
            Self::OverTotal { bytes } => {
                write!(f, "untracked, beyond what fits together ({bytes} bytes)")
            }
            Self::NestedRepository => f.write_str("a repository of its own"),
            Self::DirtySubmodule => f.write_str("a submodule with changes of its own"),
            Self::Special => f.write_str("no regular file"),
        }
    }
}
