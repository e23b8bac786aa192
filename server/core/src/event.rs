//! Events: what happened, as the journal keeps it for ever.
//!
//! Events hold outcomes (rendered prompts, results of `when`, the chosen executor and why, delays
//! with their jitter), so folding them never decides anything again. A new field gets a serde default; a
//! changed meaning gets a new [`VERSION`] and a branch in [`decode`], which reads every older version.

use crate::{
    decision::{About, AnsweredBy, DecisionAsked, WithdrawReason},
    ids::{AttemptId, DecisionId, HunkId, OperationId, RunId, TaskId},
    memory::{MemorySet, Scope},
    merge::Foreseen,
    operation::{Favor, FilePlan, FileResult, OperationEnd, OperationKind},
    outcome::{Artifact, AttemptOutcome, Failure, RunOutcome, StopReason, TaskOutcome},
    plan::{Executor, Plan, PlannedTask},
    review::{ReviewLimits, Verdict},
    snapshot::Snapshot,
    time::{Millis, Timestamp},
};
use serde::{Deserialize, Serialize};

/// The version that this build writes.
pub const VERSION: u32 = 3;

/// Something that happened in one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub run: RunId,
    pub at: Timestamp,
    pub body: EventBody,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum EventBody {
    /// The first event of every run.
    RunCreated {
        plan: Box<Plan>,
    },
    /// Waiting for a person ended, for the whole plan or for one task.
    RunApproved,
    TaskApproved {
        task: TaskId,
    },
    RunPaused {
        reason: String,
    },
    RunResumed,
    /// The run ends as soon as nothing is under way any more.
    RunStopping {
        reason: StopReason,
    },
    RunEnded {
        outcome: RunOutcome,
    },
    /// A person asked for another try; the named tasks, which had ended, start anew, and so does the
    /// run if it had ended.
    TasksReopened {
        tasks: Vec<TaskId>,
    },
    RunTimeoutChanged {
        timeout: Millis,
    },
    /// Its `when` was true, or the time of its next try has come.
    TaskReady {
        task: TaskId,
    },
    /// The task is tried again at `not_before`.
    TaskDelayed {
        task: TaskId,
        not_before: Timestamp,
        reason: String,
    },
    TaskStopping {
        task: TaskId,
        reason: StopReason,
    },
    TaskTimeoutChanged {
        task: TaskId,
        timeout: Millis,
    },
    TaskEnded {
        task: TaskId,
        outcome: Box<TaskOutcome>,
    },
    /// What the run's agents get to see is to be found out again.
    SnapshotWanted,
    /// What the run's agents get to see.
    SnapshotTaken {
        snapshot: Box<Snapshot>,
    },
    /// There is nothing that agents could work on; tasks that need one fail for this reason.
    SnapshotFailed {
        failure: Failure,
    },
    /// The intent: recorded before anything is started.
    AttemptStarted(Box<AttemptStarted>),
    AttemptEnded {
        attempt: AttemptId,
        outcome: Box<AttemptOutcome>,
    },
    /// A person is asked.
    DecisionAsked(Box<DecisionAsked>),
    DecisionAnswered {
        decision: DecisionId,
        #[serde(flatten)]
        about: About,
        /// The id of a choice, or a free text.
        choice: String,
        by: AnsweredBy,
    },
    /// Nobody has to answer any more.
    DecisionWithdrawn {
        decision: DecisionId,
        #[serde(flatten)]
        about: About,
        reason: WithdrawReason,
    },
    /// The attempt has taken up how its question ended.
    DecisionDelivered {
        decision: DecisionId,
        attempt: AttemptId,
    },
    MemorySet(Box<MemorySet>),
    /// By an attempt, or because its time was up.
    MemoryRemoved {
        scope: Scope,
        key: String,
    },
    /// What is about to collide, as far as can be seen before anybody merges: all of it, in place of what was
    /// said before.
    ConflictsForeseen {
        conflicts: Vec<Foreseen>,
    },
    /// A person sent work back: these tasks follow those that there are, and the run goes on.
    TasksAdded {
        tasks: Vec<PlannedTask>,
    },
    /// What these attempts have made is to be brought together and compared with what the user had.
    ReviewWanted {
        works: Vec<AttemptId>,
    },
    ReviewOpened(Box<ReviewOpened>),
    /// The work could not be brought together.
    ReviewFailed {
        failure: Failure,
    },
    /// What a person says of hunks; `None`: undecided again.
    HunksJudged {
        hunks: Vec<HunkId>,
        verdict: Option<Verdict>,
    },
    /// The intent: recorded before anything of the user is touched.
    OperationStarted(Box<OperationStarted>),
    /// What is to be written, file by file: recorded before the first one is.
    OperationPrepared {
        operation: OperationId,
        /// The commits with what the user had and with what is to be there. Lowercase hex.
        before: String,
        after: String,
        files: Vec<FilePlan>,
    },
    /// What lies on the disk is done; what clients are to write is waited for.
    OperationWritten {
        operation: OperationId,
        files: Vec<FileResult>,
        /// When those that have not answered by then count as unanswered.
        until: Timestamp,
    },
    /// What a client says of files that it was to write.
    FilesConfirmed {
        operation: OperationId,
        files: Vec<FileResult>,
    },
    OperationEnded {
        operation: OperationId,
        end: OperationEnd,
    },
}

/// What a run has made, ready to be judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewOpened {
    /// The commits with what the user saw and with the work of all. Lowercase hex.
    pub base: String,
    pub result: String,
    /// The [`Review`](crate::review::Review) as JSON, kept like an artifact.
    pub data: Artifact,
    /// With which it was made.
    pub limits: ReviewLimits,
    /// Its hunks, by file, in its order.
    pub files: Vec<ReviewedFile>,
    /// Lines.
    pub added: u64,
    pub removed: u64,
    /// Why it is not applied without a person, each a phrase.
    #[serde(default)]
    pub doubts: Vec<String>,
}

/// A file of a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewedFile {
    /// As in [`ReviewFile`](crate::review::ReviewFile).
    pub path: String,
    pub hunks: Vec<HunkId>,
}

/// Everything needed to carry out an operation, or to take it up again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OperationStarted {
    pub operation: OperationId,
    pub kind: OperationKind,
    #[serde(default)]
    pub favor: Favor,
    /// Whether a person wants it; else the run's policy.
    pub by_person: bool,
    /// What the asking client has not saved, by its path from the root of the workspace; kept like artifacts.
    #[serde(default)]
    pub unsaved: Vec<Artifact>,
}

/// Everything needed to start an attempt, or to find it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttemptStarted {
    pub attempt: AttemptId,
    pub executor: Executor,
    /// Why this executor, for `orchestra show`.
    pub why: String,
    #[serde(default)]
    pub prompt: Option<String>,
    /// `with` of the step, rendered.
    #[serde(default)]
    pub with: serde_json::Map<String, serde_json::Value>,
    pub timeout: Millis,
    /// The commit that an agent's tree starts from, lowercase hex; `None` where it has no tree.
    #[serde(default)]
    pub base: Option<String>,
}

/// Why a row of the journal cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("event version {0} is newer than this build reads ({VERSION})")]
    Newer(u32),
    #[error("event version 0 does not exist")]
    Zero,
    #[error("not an event: {0}")]
    Malformed(#[from] serde_json::Error),
}

/// The text that the journal keeps, in [`VERSION`].
pub fn encode(body: &EventBody) -> Result<String, serde_json::Error> {
    serde_json::to_string(body)
}

/// Reads the text of any version up to [`VERSION`].
pub fn decode(version: u32, text: &str) -> Result<EventBody, DecodeError> {
    match version {
        0 => Err(DecodeError::Zero),
        // The second and the third added kinds of events, and changed none.
        1..=3 => Ok(serde_json::from_str(text)?),
        newer => Err(DecodeError::Newer(newer)),
    }
}

impl EventBody {
    /// The task that it is about, for events that are about one.
    pub fn task(&self) -> Option<TaskId> {
        match self {
            Self::TaskApproved { task }
            | Self::TaskReady { task }
            | Self::TaskDelayed { task, .. }
            | Self::TaskStopping { task, .. }
            | Self::TaskTimeoutChanged { task, .. }
            | Self::TaskEnded { task, .. } => Some(*task),
            Self::AttemptStarted(started) => Some(started.attempt.task()),
            Self::DecisionAsked(asked) => Some(asked.about.attempt()?.task()),
            Self::DecisionAnswered { about, .. } | Self::DecisionWithdrawn { about, .. } => {
                Some(about.attempt()?.task())
            }
            Self::AttemptEnded { attempt, .. } | Self::DecisionDelivered { attempt, .. } => {
                Some(attempt.task())
            }
            Self::RunCreated { .. }
            | Self::RunApproved
            | Self::RunPaused { .. }
            | Self::RunResumed
            | Self::RunStopping { .. }
            | Self::RunEnded { .. }
            | Self::RunTimeoutChanged { .. }
            | Self::SnapshotWanted
            | Self::SnapshotTaken { .. }
            | Self::SnapshotFailed { .. }
            | Self::MemorySet(_)
            | Self::MemoryRemoved { .. }
            | Self::TasksReopened { .. }
            | Self::TasksAdded { .. }
            | Self::ConflictsForeseen { .. }
            | Self::ReviewWanted { .. }
            | Self::ReviewOpened(_)
            | Self::ReviewFailed { .. }
            | Self::HunksJudged { .. }
            | Self::OperationStarted(_)
            | Self::OperationPrepared { .. }
            | Self::OperationWritten { .. }
            | Self::FilesConfirmed { .. }
            | Self::OperationEnded { .. } => None,
        }
    }

    /// The kebab-case name, as in the journal.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RunCreated { .. } => "run-created",
            Self::RunApproved => "run-approved",
            Self::TaskApproved { .. } => "task-approved",
            Self::RunPaused { .. } => "run-paused",
            Self::RunResumed => "run-resumed",
            Self::RunStopping { .. } => "run-stopping",
            Self::RunEnded { .. } => "run-ended",
            Self::TasksReopened { .. } => "tasks-reopened",
            Self::RunTimeoutChanged { .. } => "run-timeout-changed",
            Self::SnapshotWanted => "snapshot-wanted",
            Self::SnapshotTaken { .. } => "snapshot-taken",
            Self::SnapshotFailed { .. } => "snapshot-failed",
            Self::TaskReady { .. } => "task-ready",
            Self::TaskDelayed { .. } => "task-delayed",
            Self::TaskStopping { .. } => "task-stopping",
            Self::TaskTimeoutChanged { .. } => "task-timeout-changed",
            Self::TaskEnded { .. } => "task-ended",
            Self::AttemptStarted(_) => "attempt-started",
            Self::AttemptEnded { .. } => "attempt-ended",
            Self::DecisionAsked(_) => "decision-asked",
            Self::DecisionAnswered { .. } => "decision-answered",
            Self::DecisionWithdrawn { .. } => "decision-withdrawn",
            Self::DecisionDelivered { .. } => "decision-delivered",
            Self::MemorySet(_) => "memory-set",
            Self::MemoryRemoved { .. } => "memory-removed",
            Self::ConflictsForeseen { .. } => "conflicts-foreseen",
            Self::TasksAdded { .. } => "tasks-added",
            Self::ReviewWanted { .. } => "review-wanted",
            Self::ReviewOpened(_) => "review-opened",
            Self::ReviewFailed { .. } => "review-failed",
            Self::HunksJudged { .. } => "hunks-judged",
            Self::OperationStarted(_) => "operation-started",
            Self::OperationPrepared { .. } => "operation-prepared",
            Self::OperationWritten { .. } => "operation-written",
            Self::FilesConfirmed { .. } => "files-confirmed",
            Self::OperationEnded { .. } => "operation-ended",
        }
    }
}
