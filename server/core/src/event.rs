//! Events: what happened, as the journal keeps it for ever.
//!
//! Events hold outcomes (rendered prompts, results of `when`, the chosen executor and why, delays
//! with their jitter), so folding them never decides anything again. A new field gets a serde default; a
//! changed meaning gets a new [`VERSION`] and a branch in [`decode`], which reads every older version.

use crate::{
    decision::{AnsweredBy, DecisionAsked, WithdrawReason},
    ids::{AttemptId, DecisionId, RunId, TaskId},
    memory::{MemorySet, Scope},
    outcome::{AttemptOutcome, Failure, RunOutcome, StopReason, TaskOutcome},
    plan::{Executor, Plan},
    snapshot::Snapshot,
    time::{Millis, Timestamp},
};
use serde::{Deserialize, Serialize};

/// The version that this build writes.
pub const VERSION: u32 = 2;

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
    /// An attempt under way asks a person.
    DecisionAsked(Box<DecisionAsked>),
    DecisionAnswered {
        decision: DecisionId,
        attempt: AttemptId,
        /// The id of a choice, or a free text.
        choice: String,
        by: AnsweredBy,
    },
    /// Nobody has to answer any more.
    DecisionWithdrawn {
        decision: DecisionId,
        attempt: AttemptId,
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
        // The second added kinds of events, and changed none.
        1 | 2 => Ok(serde_json::from_str(text)?),
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
            Self::DecisionAsked(asked) => Some(asked.attempt.task()),
            Self::AttemptEnded { attempt, .. }
            | Self::DecisionAnswered { attempt, .. }
            | Self::DecisionWithdrawn { attempt, .. }
            | Self::DecisionDelivered { attempt, .. } => Some(attempt.task()),
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
            | Self::TasksReopened { .. } => None,
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
        }
    }
}
