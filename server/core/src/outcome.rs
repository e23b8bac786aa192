//! How attempts, tasks and runs end.

use crate::{
    change::Change, confinement::Confinement, evidence::Evidence, merge::Unmerged, time::Millis,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a successful attempt hands over.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Output {
    /// One line for people.
    #[serde(default)]
    pub summary: String,
    /// What later steps read as `steps.<id>.result`. Bounded by [`Output::MAX_RESULT_BYTES`].
    #[serde(default)]
    pub result: serde_json::Value,
    #[serde(default)]
    pub artifacts: Vec<Artifact>,
    /// The tree in which the attempt worked, when it is kept for a person to look at.
    #[serde(default)]
    pub tree: Option<String>,
    /// What it left in its tree, for agents that write.
    #[serde(default)]
    pub change: Option<Box<Change>>,
    /// What held the attempt's processes; `None` when it had none.
    #[serde(default)]
    pub confined: Option<Confinement>,
    /// Why nothing better held them, if that was asked for.
    #[serde(default)]
    pub confine_problem: Option<String>,
    /// Settings of the user that the attempt changed, and that were put back.
    #[serde(default)]
    pub settings: Vec<SettingsChange>,
    /// What its program says that its model has used; `None` when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// What was seen of its work; `None` when nothing was looked at.
    #[serde(default)]
    pub evidence: Option<Box<Evidence>>,
    /// Of a merge that has failed: what is to be put right, for whoever takes over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmerged: Option<Box<Unmerged>>,
}

impl Output {
    /// A result goes through the journal; what is larger belongs into an artifact.
    pub const MAX_RESULT_BYTES: usize = 1 << 20;
}

/// A file of settings in a folder that an agent shares with the user, which was not as before when it had
/// ended. Paths are absolute; bytes that are no UTF-8 are shown with replacement characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsChange {
    pub path: String,
    /// Where the agent's version is kept, if there was one.
    pub kept: Option<String>,
    /// Why it was not put back, if it was not.
    pub problem: Option<String>,
}

/// What a model has read and written for an attempt, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// All that it read, what was cached included.
    pub input_tokens: u64,
    /// What of that came from the provider's cache.
    pub cached_tokens: u64,
    /// What it wrote, its reasoning included.
    pub output_tokens: u64,
}

/// A file that a task hands over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Its path below `.orchestra/workspace/`, with `/` between the parts.
    pub path: String,
    pub bytes: u64,
    /// Lowercase hex SHA-256 of the content.
    pub sha256: String,
}

/// Why an attempt failed, as a class; the message says the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The program could not be started.
    NotStarted,
    /// It ended with a code other than zero.
    Exit,
    /// It was ended by a signal that did not come from us.
    Signal,
    /// It broke the protocol that its profile names, such as a missing sentinel.
    Protocol,
    /// A template or an expression could not be evaluated.
    Template,
    /// The work itself reported an error.
    Work,
    /// It claimed success, and what was seen of its work says otherwise.
    Evidence,
    /// Works that do not fit together; [`Output::unmerged`] says where.
    Conflict,
    /// The surroundings were at fault: no git repository, no space, no permission.
    Environment,
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub kind: FailureKind,
    /// A lowercase fragment that names the file, program or id.
    pub message: String,
    /// The next step for a person, where there is one.
    #[serde(default)]
    pub hint: Option<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// How one attempt ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum AttemptOutcome {
    Succeeded {
        output: Output,
    },
    /// `output` holds what it had made until then.
    Failed {
        failure: Failure,
        #[serde(default)]
        output: Output,
    },
    Cancelled {
        #[serde(default)]
        output: Output,
    },
    TimedOut {
        limit: Millis,
        #[serde(default)]
        output: Output,
    },
    /// Its shim died without a result: whether it did its work is not known.
    /// `output` holds what it had left until then.
    Lost {
        reason: String,
        #[serde(default)]
        output: Output,
    },
    /// The daemon went down between intent and start: it certainly did nothing.
    NeverStarted {
        reason: String,
    },
}

/// Who or what stopped something before its own end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// A person asked for it.
    Person,
    /// The run's or the task's time was up.
    Timeout,
}

/// How one task ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum TaskOutcome {
    Succeeded {
        output: Output,
    },
    Failed {
        failure: Failure,
        #[serde(default)]
        output: Output,
    },
    Cancelled {
        #[serde(default)]
        output: Output,
    },
    TimedOut {
        limit: Millis,
        #[serde(default)]
        output: Output,
    },
    /// It did not have to run (`when` was false) or could not (a need failed).
    Skipped {
        reason: SkipReason,
    },
}

/// Why a task was skipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum SkipReason {
    /// Counts as an end that satisfies the tasks which need it.
    WhenFalse,
    /// The step that failed, was cancelled, timed out or was itself skipped for such a reason.
    NeedFailed { step: String },
}

impl TaskOutcome {
    /// Whether the tasks that need this one may run.
    pub fn satisfies_needs(&self) -> bool {
        matches!(self, Self::Succeeded { .. } | Self::Skipped { reason: SkipReason::WhenFalse })
    }

    pub fn output(&self) -> Option<&Output> {
        match self {
            Self::Succeeded { output }
            | Self::Failed { output, .. }
            | Self::Cancelled { output }
            | Self::TimedOut { output, .. } => Some(output),
            Self::Skipped { .. } => None,
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunOutcome {
    Succeeded,
    /// At least one task failed; what the others made is kept.
    Failed,
    Cancelled,
    TimedOut,
}

impl AttemptOutcome {
    /// What it has made until its end.
    pub fn output(&self) -> Option<&Output> {
        match self {
            Self::Succeeded { output }
            | Self::Failed { output, .. }
            | Self::Cancelled { output }
            | Self::TimedOut { output, .. }
            | Self::Lost { output, .. } => Some(output),
            Self::NeverStarted { .. } => None,
        }
    }

    /// The failure of a merge because works do not fit together.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Failed { failure, .. } if failure.kind == FailureKind::Conflict)
    }

    /// Whether the attempt did its turn and did not succeed.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::TimedOut { .. })
    }

    /// Whether the attempt ended with no word of its own: such ends are not the executor's fault.
    pub fn has_vanished(&self) -> bool {
        matches!(self, Self::Lost { .. } | Self::NeverStarted { .. })
    }

    /// Whether the same executor might do better next time.
    pub fn is_worth_a_retry(&self) -> bool {
        match self {
            Self::Failed { failure, .. } => failure.kind.may_pass(),
            _ => true,
        }
    }

    /// How it ended, in one line.
    pub fn summary(&self) -> String {
        match self {
            Self::Succeeded { output } if output.summary.is_empty() => "succeeded".to_owned(),
            Self::Succeeded { output } => format!("succeeded: {}", output.summary),
            Self::Failed { failure, .. } => format!("failed: {failure}"),
            Self::Cancelled { .. } => "cancelled".to_owned(),
            Self::TimedOut { limit, .. } => format!("timed out after {limit}"),
            Self::Lost { reason, .. } => format!("lost: {reason}"),
            Self::NeverStarted { reason } => format!("never started: {reason}"),
        }
    }
}

impl FailureKind {
    /// Whether the cause may be gone at the next try; a missing program stays missing.
    fn may_pass(self) -> bool {
        match self {
            Self::Exit | Self::Signal | Self::Protocol | Self::Work | Self::Evidence => true,
            Self::NotStarted | Self::Template | Self::Conflict | Self::Environment => false,
        }
    }
}
