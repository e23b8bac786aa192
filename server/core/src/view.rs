//! Views: runs and tasks as people and programs read them.
//!
//! The rows of the database, the JSON of the command line and the files below `.orchestra/` are all
//! made of these, and these are made of the state alone: that is why they can be rebuilt.

use crate::{
    decision::{About, Asker, Choice, DecisionStatus},
    ids::{AttemptId, DecisionId, HunkId, OperationId, RunId, StepId, TaskId},
    merge::Foreseen,
    operation::{OperationEnd, OperationKind},
    outcome::{Artifact, Failure, Output},
    plan::{Lane, Source},
    review::Verdict,
    snapshot::Snapshot,
    time::{Millis, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunStatus {
    AwaitingApproval,
    Running,
    Paused,
    Stopping,
    Succeeded,
    Failed,
    Cancelled,
    TimedOut,
}

impl RunStatus {
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled | Self::TimedOut)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::AwaitingApproval => "awaiting-approval",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopping => "stopping",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed-out",
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskStatus {
    /// For the tasks that it needs.
    Waiting,
    AwaitingApproval,
    /// For a free worker.
    Ready,
    Running,
    /// For the time of its next try.
    Delayed,
    Stopping,
    Succeeded,
    Failed,
    Cancelled,
    TimedOut,
    Skipped,
}

impl TaskStatus {
    pub fn has_ended(self) -> bool {
        self.sentinel().is_some()
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::AwaitingApproval => "awaiting-approval",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Delayed => "delayed",
            Self::Stopping => "stopping",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed-out",
            Self::Skipped => "skipped",
        }
    }

    /// The ending of the file `tasks/<id>.<ending>` that tells scripts how the task ended.
    pub fn sentinel(self) -> Option<&'static str> {
        match self {
            Self::Succeeded => Some("done"),
            Self::Failed => Some("error"),
            Self::Cancelled | Self::Skipped => Some("cancelled"),
            Self::TimedOut => Some("timeout"),
            Self::Waiting
            | Self::AwaitingApproval
            | Self::Ready
            | Self::Running
            | Self::Delayed
            | Self::Stopping => None,
        }
    }
}

impl fmt::Display for TaskStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One run, without its tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunView {
    pub id: RunId,
    pub name: String,
    pub description: String,
    pub source: Source,
    pub status: RunStatus,
    /// Why it is paused or stopping, in one line; empty otherwise.
    #[serde(default)]
    pub detail: String,
    pub created: Timestamp,
    #[serde(default)]
    pub ended: Option<Timestamp>,
    /// What its agents get to see, once that is known.
    #[serde(default)]
    pub snapshot: Option<Snapshot>,
    /// What waits for a person's answer, oldest first.
    #[serde(default)]
    pub decisions: Vec<DecisionView>,
    /// What its agents, other runs' agents and the user are about to collide in.
    #[serde(default)]
    pub foreseen: Vec<Foreseen>,
    /// The review of what it has made, if it has made something.
    #[serde(default)]
    pub review: Option<ReviewView>,
    /// What was done to the user's files because of it, oldest first.
    #[serde(default)]
    pub operations: Vec<OperationView>,
    /// Whether something is yet to come of it after its end: Orchestra does something to the user's files, or
    /// asks what it should do.
    #[serde(default)]
    pub busy: bool,
    pub tasks: u32,
    pub tasks_ended: u32,
    pub tasks_failed: u32,
}

impl RunView {
    /// Whether something is yet to happen in it, or to the user's files because of it.
    pub fn is_open(&self) -> bool {
        !self.status.has_ended() || self.busy
    }
}

/// A review, without its hunks: those are in its file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewView {
    pub status: ReviewStatus,
    /// Why there is none, where that has failed.
    #[serde(default)]
    pub failure: Option<Failure>,
    /// The [`Review`](crate::review::Review) as JSON, kept like an artifact; from then on.
    #[serde(default)]
    pub data: Option<Artifact>,
    pub files: u32,
    pub hunks: u32,
    /// Lines.
    pub added: u64,
    pub removed: u64,
    /// Why it is not applied without a person, each a phrase.
    #[serde(default)]
    pub doubts: Vec<String>,
    /// Of the hunks that are judged.
    #[serde(default)]
    pub verdicts: BTreeMap<HunkId, Verdict>,
    /// What the user's files have of it.
    #[serde(default)]
    pub applied: BTreeSet<HunkId>,
}

/// Where a review stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReviewStatus {
    /// It is being made.
    Wanted,
    /// It waits for a person.
    Open,
    /// All of it that was not rejected is in the user's files.
    Applied,
    Discarded,
    /// The run's references are put aside.
    Cleaned,
    /// The work could not be brought together.
    Failed,
}

impl fmt::Display for ReviewStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Wanted => "wanted",
            Self::Open => "open",
            Self::Applied => "applied",
            Self::Discarded => "discarded",
            Self::Cleaned => "cleaned",
            Self::Failed => "failed",
        })
    }
}

/// Something that was done to the user's files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OperationView {
    pub id: OperationId,
    pub kind: OperationKind,
    /// Whether a person wanted it; else the run's policy.
    pub by_person: bool,
    pub started: Timestamp,
    #[serde(default)]
    pub ended: Option<Timestamp>,
    /// `None` while it is under way.
    #[serde(default)]
    pub end: Option<OperationEnd>,
    /// The commits with what the user had before and with what was to be there after; of a branch, its commit.
    #[serde(default)]
    pub before: Option<String>,
    #[serde(default)]
    pub after: Option<String>,
    /// The files that it is about.
    #[serde(default)]
    pub files: Vec<String>,
    #[serde(default)]
    pub undone_by: Option<OperationId>,
    /// Whether it has changed something that is still so: it can be undone.
    pub in_effect: bool,
    /// What was asked because it did not fit, and what became of that.
    #[serde(default)]
    pub decision: Option<DecisionView>,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskView {
    pub id: TaskId,
    pub step: StepId,
    pub status: TaskStatus,
    /// What it made, or why it waits, failed or was skipped, in one line; may be empty.
    #[serde(default)]
    pub detail: String,
    pub needs: Vec<TaskId>,
    #[serde(default)]
    pub output: Option<Output>,
    #[serde(default)]
    pub failure: Option<Failure>,
    pub attempts: Vec<AttemptView>,
    /// What its attempts have asked a person, oldest first.
    #[serde(default)]
    pub decisions: Vec<DecisionView>,
}

/// A question to a person, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionView {
    pub id: DecisionId,
    /// Who asks, or about whose work, or about which operation.
    #[serde(flatten)]
    pub about: About,
    #[serde(default)]
    pub asker: Asker,
    /// Of the attempt; `None` for an operation.
    #[serde(default)]
    pub step: Option<StepId>,
    pub question: String,
    /// Empty: the answer is free text.
    pub choices: Vec<Choice>,
    /// What counts when nobody answers in time.
    #[serde(default)]
    pub default: Option<String>,
    pub asked: Timestamp,
    /// Until when a person may answer; `None`: for as long as somebody waits for it.
    #[serde(default)]
    pub until: Option<Timestamp>,
    pub status: DecisionStatus,
}

/// One try of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttemptView {
    pub id: AttemptId,
    /// The action or the agent.
    pub executor: String,
    pub lane: Lane,
    /// Why this one was chosen.
    pub why: String,
    pub timeout: Millis,
    pub started: Timestamp,
    #[serde(default)]
    pub ended: Option<Timestamp>,
    /// `running`, or how it ended, in one line.
    pub outcome: String,
}
