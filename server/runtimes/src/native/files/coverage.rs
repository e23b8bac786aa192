//! What an action has read, and what it has left out and why.

use super::super::ranked::Ranked;
use serde::{Deserialize, Serialize};

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Coverage {
    /// Text files read to their end.
    pub files: u64,
    /// Their size together.
    pub bytes: u64,
    pub left_out: LeftOut,
}

/// What was not read, by reason. Files that git's rules ignore are not counted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Skipped {
    pub count: u64,
    pub paths: Vec<String>,
}

/// How many paths are named for each reason.
const NAMED: usize = 5;

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
        let few = || Ranked::new(NAMED);
        Self {
            binary: few(),
            too_large: few(),
            not_utf8: few(),
            unreadable: few(),
            not_regular: few(),
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
        let skipped =
            |ranked: Ranked<String>| Skipped { count: ranked.total(), paths: ranked.into_sorted() };
        LeftOut {
            binary: skipped(self.binary),
            too_large: skipped(self.too_large),
            not_utf8: skipped(self.not_utf8),
            unreadable: skipped(self.unreadable),
            not_regular: skipped(self.not_regular),
        }
    }
}
