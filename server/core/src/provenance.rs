//! Provenance: whose work an apply has brought, and what had seen to it, as a note on the commit of what the
//! user had afterwards.

use crate::{
    evidence::Evidence,
    ids::{HunkId, OperationId},
    review::Work,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// One apply: kept as one JSON document in a git note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// [`Provenance::VERSION`] of who wrote it.
    pub version: u32,
    /// Names the run, too.
    pub operation: OperationId,
    pub at: Timestamp,
    /// In the order of the plan.
    pub works: Vec<Origin>,
    /// In the order of the review.
    pub hunks: Vec<AppliedHunk>,
}

/// Whose work came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub work: Work,
    #[serde(default)]
    pub checked: Checked,
}

/// The commands that were run on a work, each as its arguments. None in both: nothing has verified it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    #[serde(default)]
    pub green: Vec<Vec<String>>,
    /// Red, or not run to the end.
    #[serde(default)]
    pub red: Vec<Vec<String>>,
}

/// A hunk that was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedHunk {
    pub id: HunkId,
    /// Relative to the top of the repository, with `/` between the parts.
    pub path: String,
    /// Positions in [`Provenance::works`]; empty when it is not known who wrote it.
    pub works: Vec<u32>,
}

/// A text that is no provenance.
#[derive(Debug, thiserror::Error)]
pub enum ProvenanceError {
    #[error(
        "the note is written in version {found}, and this program knows versions up to {}",
        Provenance::VERSION
    )]
    TooNew { found: u32 },
    #[error("the note does not read as a provenance: {0}")]
    Unreadable(#[from] serde_json::Error),
}

impl Provenance {
    /// Raised when an older program would misread what is written. What is added beside that has a default.
    pub const VERSION: u32 = 1;

    /// As a note holds it.
    pub fn to_note(&self) -> Result<String, ProvenanceError> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Reads what a note holds, of this version or an older one.
    pub fn of_note(text: &str) -> Result<Self, ProvenanceError> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version: found } = serde_json::from_str(text)?;
        if found > Self::VERSION {
            return Err(ProvenanceError::TooNew { found });
        }
        Ok(serde_json::from_str(text)?)
    }
}

impl From<&Evidence> for Checked {
    fn from(evidence: &Evidence) -> Self {
        let (green, red): (Vec<_>, Vec<_>) =
            evidence.checks.iter().partition(|check| check.on_result.outcome.is_green());
        let commands = |checks: Vec<&crate::evidence::Check>| {
            checks.into_iter().map(|check| check.command.clone()).collect()
        };
        Self { green: commands(green), red: commands(red) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provenance() -> Provenance {
        Provenance {
            version: Provenance::VERSION,
            operation: "r12/o1".parse().unwrap(),
            at: Timestamp(1_700_000_000_000),
            works: vec![Origin {
                work: Work {
                    attempt: "r12.3@2".parse().unwrap(),
                    step: "write".parse().unwrap(),
                    agent: "coder".to_owned(),
                    model: None,
                    base: "0".repeat(40),
                    commit: "1".repeat(40),
                },
                checked: Checked {
                    green: vec![vec!["cargo".to_owned(), "test".to_owned()]],
                    red: Vec::new(),
                },
            }],
            hunks: vec![AppliedHunk {
                id: "00a10203ff".parse().unwrap(),
                path: "src/lib.rs".to_owned(),
                works: vec![0],
            }],
        }
    }

    #[test]
    fn a_note_reads_as_it_was_written() {
        let provenance = provenance();
        let note = provenance.to_note().unwrap();
        assert_eq!(Provenance::of_note(&note).unwrap(), provenance);
    }

    #[test]
    fn a_note_of_a_newer_program_is_told_from_one_that_is_damaged() {
        let newer = Provenance { version: 2, ..provenance() }.to_note().unwrap();
        let error = Provenance::of_note(&newer).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the note is written in version 2, and this program knows versions up to 1"
        );
        for text in ["", "{}", "[1]", "{\"version\":1}", "{\"version\":1"] {
            assert!(matches!(Provenance::of_note(text), Err(ProvenanceError::Unreadable(_))));
        }
    }
}
