//! Changes: what an attempt left in its tree, as commits, with what was held back of it and what a
//! person should look at.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What an attempt left in its tree, compared with what it was given.
///
/// Paths are relative to the top of the repository, with `/` between the parts; bytes that are no
/// UTF-8 are shown with replacement characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The commit that the tree was given. Object ids are lowercase hex.
    pub base: String,
    /// `None`: nothing changed, or all that did was held back.
    #[serde(default)]
    pub commit: Option<String>,
    /// The tree of `commit`.
    #[serde(default)]
    pub tree: Option<String>,
    /// How many files are different.
    pub files: u32,
    /// Lines; binary files have none.
    pub added: u64,
    pub removed: u64,
    /// The first [`Change::MAX_PATHS`] files, sorted by path.
    #[serde(default)]
    pub paths: Vec<ChangedFile>,
    /// What is not in the commit until somebody allows it, sorted by path.
    #[serde(default)]
    pub held: Vec<Held>,
    /// What a person should look at before it is used, sorted by path.
    #[serde(default)]
    pub flags: Vec<Flag>,
    /// How many commits of the agent itself are among the ancestors of `commit`.
    #[serde(default)]
    pub commits: u32,
    /// What else was found and how it was understood, such as "nested repository vendor/x left out".
    #[serde(default)]
    pub notes: Vec<String>,
}

impl Change {
    /// How many files are listed by name.
    pub const MAX_PATHS: usize = 1_000;

    /// Whether nothing is different and nothing waits to be allowed. Commits that take each other
    /// back are nothing, too.
    pub fn is_empty(&self) -> bool {
        self.files == 0 && self.held.is_empty()
    }
}

/// One file that is different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedFile {
    pub path: String,
    pub status: FileStatus,
    /// Lines; `None` for what is not text, or too large for its lines to be counted.
    #[serde(default)]
    pub added: Option<u32>,
    #[serde(default)]
    pub removed: Option<u32>,
}

/// How a file is different.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileStatus {
    Added,
    Modified,
    Deleted,
    /// A link became a file, or the other way round.
    TypeChanged,
    /// Only whether it may be executed.
    ModeChanged,
}

impl fmt::Display for FileStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Added => "added",
            Self::Modified => "modified",
            Self::Deleted => "deleted",
            Self::TypeChanged => "type changed",
            Self::ModeChanged => "mode changed",
        })
    }
}

/// A file that is not in the commit until somebody allows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub path: String,
    pub reason: HeldReason,
}

/// Why a file is held back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum HeldReason {
    /// Larger than one file may be.
    TooLarge { bytes: u64 },
    /// There was no room for it beside the others.
    OverTotal { bytes: u64 },
    /// What it looks like, in the words of the rule that found it.
    SuspectedSecret { rule: String },
}

impl fmt::Display for HeldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes } => write!(f, "large ({bytes} bytes)"),
            Self::OverTotal { bytes } => write!(f, "beyond what fits together ({bytes} bytes)"),
            Self::SuspectedSecret { rule } => write!(f, "looks like a secret ({rule})"),
        }
    }
}

/// A change that a person should look at, and that is never applied automatically.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flag {
    pub path: String,
    pub kind: FlagKind,
}

/// Why a person should look at a change: it may run, or steer what runs, outside of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlagKind {
    /// Below `.orchestra/`.
    Orchestra,
    /// Servers that agents and editors start.
    Mcp,
    /// What a CI service runs.
    Ci,
    /// What git runs at a commit, a checkout or a push.
    Hook,
    /// What a package manager or build tool runs by itself.
    PackageScript,
    /// What an editor runs when the folder is opened.
    EditorTask,
    /// What agents are told, or allowed.
    AgentInstructions,
    /// What git does with files: attributes, submodules.
    GitSettings,
    /// A submodule was added, moved or taken out.
    Submodule,
    /// A file that could not be executed before, or is new, can be.
    ExecutableBit,
    /// A link that leads out of the tree.
    SymlinkOutside,
    /// Every file is gone; the path is empty.
    EverythingDeleted,
}

impl fmt::Display for FlagKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Orchestra => "orchestra's own files",
            Self::Mcp => "mcp servers",
            Self::Ci => "ci",
            Self::Hook => "hook",
            Self::PackageScript => "package script",
            Self::EditorTask => "editor task",
            Self::AgentInstructions => "agent instructions",
            Self::GitSettings => "git settings",
            Self::Submodule => "submodule",
            Self::ExecutableBit => "executable",
            Self::SymlinkOutside => "link out of the tree",
            Self::EverythingDeleted => "every file is deleted",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_recorded_with_what_was_held_back_and_flagged() {
        let change = Change {
            base: "ab".to_owned(),
            commit: Some("cd".to_owned()),
            tree: Some("ef".to_owned()),
            files: 1,
            added: 2,
            removed: 1,
            paths: vec![ChangedFile {
                path: ".mcp.json".to_owned(),
                status: FileStatus::TypeChanged,
                added: Some(2),
                removed: None,
            }],
            held: vec![
                Held { path: "a".to_owned(), reason: HeldReason::TooLarge { bytes: 7 } },
                Held {
                    path: "b".to_owned(),
                    reason: HeldReason::SuspectedSecret { rule: "private key".to_owned() },
                },
            ],
            flags: vec![Flag { path: ".mcp.json".to_owned(), kind: FlagKind::Mcp }],
            commits: 3,
            notes: vec!["fifo p left out".to_owned()],
        };
        let recorded = serde_json::json!({
            "base": "ab", "commit": "cd", "tree": "ef", "files": 1, "added": 2, "removed": 1,
            "paths": [{"path": ".mcp.json", "status": "type-changed", "added": 2, "removed": null}],
            "held": [
                {"path": "a", "reason": {"type": "too-large", "bytes": 7}},
                {"path": "b", "reason": {"type": "suspected-secret", "rule": "private key"}},
            ],
            "flags": [{"path": ".mcp.json", "kind": "mcp"}],
            "commits": 3, "notes": ["fifo p left out"],
        });
        assert_eq!(serde_json::to_value(&change).unwrap(), recorded);
        assert_eq!(serde_json::from_value::<Change>(recorded).unwrap(), change);
    }

    #[test]
    fn an_agent_that_only_left_what_is_held_back_did_something() {
        let nothing = serde_json::json!({"base": "ab", "files": 0, "added": 0, "removed": 0});
        let mut change: Change = serde_json::from_value(nothing).unwrap();
        assert!(change.is_empty());
        change.held.push(Held { path: "a".to_owned(), reason: HeldReason::OverTotal { bytes: 9 } });
        assert!(!change.is_empty());
    }
}
