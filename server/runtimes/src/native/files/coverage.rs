//! What an action has read, and what it has left out and why.

use super::super::ranked::Ranked;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// Text files read to their end.
    pub files: u64,
    /// Their size together.
    pub bytes: u64,
    pub left_out: LeftOut,
}

/// What was not read, by reason. Files that git's rules ignore are not counted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct LeftOut {
    /// A NUL byte in the first 8 KiB.
    pub binary: Skipped,
    /// More than 10 MiB.
    pub too_large: Skipped,
    pub not_utf8: Skipped,
    /// No permission, or gone before they were read.
    pub unreadable: Skipped,
    /// Symbolic links, FIFOs, sockets and devices.
    pub not_regular: Skipped,
}

/// How many files were left out, and the first few of them by path.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    pub count: u64,
    pub paths: Vec<String>,
}

/// How many paths are named for each reason.
const NAMED: usize = 5;

impl Skipped {
    /// Counts files, and keeps the first few of them.
    pub(crate) fn collector() -> Ranked<String> {
        Ranked::new(NAMED)
    }
}

impl From<Ranked<String>> for Skipped {
    fn from(collector: Ranked<String>) -> Self {
        Self { count: collector.total(), paths: collector.into_sorted() }
    }
}

/// Counts what is left out.
pub(crate) struct LeftOutCollector {
    pub(crate) binary: Ranked<String>,
    pub(crate) too_large: Ranked<String>,
    pub(crate) not_utf8: Ranked<String>,
    pub(crate) unreadable: Ranked<String>,
    pub(crate) not_regular: Ranked<String>,
}

impl LeftOutCollector {
    pub(crate) fn new() -> Self {
        Self {
            binary: Skipped::collector(),
            too_large: Skipped::collector(),
            not_utf8: Skipped::collector(),
            unreadable: Skipped::collector(),
            not_regular: Skipped::collector(),
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.binary.merge(other.binary);
        self.too_large.merge(other.too_large);
        self.not_utf8.merge(other.not_utf8);
        self.unreadable.merge(other.unreadable);
        self.not_regular.merge(other.not_regular);
    }

    pub(crate) fn finish(self) -> LeftOut {
        LeftOut {
            binary: self.binary.into(),
            too_large: self.too_large.into(),
            not_utf8: self.not_utf8.into(),
            unreadable: self.unreadable.into(),
            not_regular: self.not_regular.into(),
        }
    }
}
