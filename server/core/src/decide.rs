//! Deciding: what a request, an outcome or the time means for the state, as events.
//!
//! Nothing here changes the state or looks at a clock. The events of one call belong together: they
//! are recorded in one transaction or not at all.

mod asking;
mod choice;
mod operations;
mod outcomes;
mod questions;
mod requests;
mod resolving;
mod reviews;
mod settle;
mod starts;

pub use operations::Apply;
pub use reviews::SendBack;

use crate::{
    apply::{ApplyError, apply},
    decision::{Asker, Question},
    event::{Event, EventBody, ReviewedFile},
    ids::{AttemptId, DecisionId, OperationId, RunId, TaskId},
    memory::Remember,
    merge::Foreseen,
    operation::{Favor, FileResult, OperationEnd},
    outcome::{Artifact, AttemptOutcome, Failure},
    plan::Plan,
    review::{HunkContent, LineKind, Review, ReviewLimits, Selection, Verdict},
    snapshot::Snapshot,
    state::{Prepared, State},
    time::{Millis, Timestamp},
};
use std::fmt;

/// Something that has come to the workspace, when it came, and the chance that it brings along.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    pub now: Timestamp,
    /// Where jitter comes from.
    pub seed: u64,
    pub kind: InputKind,
}

#[derive(Debug, Clone, PartialEq)]
pub enum InputKind {
    CreateRun {
        plan: Box<Plan>,
    },
    Approve {
        target: Target,
    },
    Cancel {
        target: Target,
    },
    Retry {
        target: Target,
    },
    SetTimeout {
        target: Target,
        timeout: Millis,
    },
    Pause {
        run: RunId,
        reason: String,
    },
    Resume {
        run: RunId,
    },
    /// An attempt under way has ended. Said twice, it counts once.
    AttemptEnded {
        attempt: AttemptId,
        outcome: Box<AttemptOutcome>,
    },
    /// What the agents of a run get to see is known, or why they get to see nothing.
    SnapshotEnded {
        run: RunId,
        result: Result<Box<Snapshot>, Failure>,
    },
    /// An attempt under way asks a person. Asked twice under one key, it is one decision; an attempt
    /// that has ended asks nothing.
    Ask {
        attempt: AttemptId,
        asker: Asker,
        question: Box<Question>,
        /// After which the default is taken; `None`: never.
        timeout: Option<Millis>,
    },
    /// The agent of an attempt under way has ended; what it has left is yet to be looked at. What it has
    /// asked needs no answer any more.
    AgentEnded {
        attempt: AttemptId,
    },
    /// A person answers. The first answer counts.
    Answer {
        decision: DecisionId,
        /// The id of a choice, or a free text where there are none.
        choice: String,
        /// See [`OperationStarted::unsaved`](crate::event::OperationStarted::unsaved), for an answer that
        /// begins an operation.
        unsaved: Vec<Artifact>,
    },
    /// The attempt has taken up how its question ended.
    Delivered {
        decision: DecisionId,
    },
    /// An attempt under way wants something kept.
    Remember {
        attempt: AttemptId,
        entry: Box<Remember>,
    },
    /// What is about to collide, all of it.
    Foresee {
        run: RunId,
        conflicts: Vec<Foreseen>,
    },
    /// The work of a run is brought together and compared, or why it cannot be.
    ReviewEnded {
        run: RunId,
        result: Result<Box<Reviewed>, Failure>,
    },
    /// A person says something of hunks; `None`: they are undecided again.
    Judge {
        run: RunId,
        selection: Selection,
        verdict: Option<Verdict>,
    },
    SendBack(Box<SendBack>),
    Apply(Box<Apply>),
    Discard {
        run: RunId,
    },
    Clean {
        run: RunId,
    },
    Undo {
        operation: OperationId,
        favor: Favor,
        unsaved: Vec<Artifact>,
    },
    /// It is known what the operation means for each file, or how it ended without writing any.
    OperationPrepared {
        operation: OperationId,
        result: Result<Prepared, OperationEnd>,
    },
    /// What lies on the disk is done. Clients that are to write others have `wait` to say so.
    OperationWritten {
        operation: OperationId,
        files: Vec<FileResult>,
        wait: Millis,
    },
    /// A client says what became of files that it was to write.
    Confirm {
        operation: OperationId,
        files: Vec<FileResult>,
    },
    /// Time has passed, or the state has changed: start, skip and end what can be.
    Settle,
}

/// A review that was made and kept, in short.
#[derive(Debug, Clone, PartialEq)]
pub struct Reviewed {
    pub base: String,
    pub result: String,
    /// The review as JSON, kept like an artifact.
    pub data: Artifact,
    pub limits: ReviewLimits,
    pub files: Vec<ReviewedFile>,
    /// Lines.
    pub added: u64,
    pub removed: u64,
    /// Paths of files that a person should look at.
    pub flagged: Vec<String>,
}

impl Reviewed {
    /// `data` is where the review was kept, and `limits` with which it was made.
    pub fn of(review: &Review, data: Artifact, limits: ReviewLimits) -> Self {
        let lines = |kind| {
            let hunks = review.hunks().map(|(_, hunk)| match &hunk.content {
                HunkContent::Text { lines, .. } => {
                    lines.iter().filter(|line| line.kind == kind).count() as u64
                }
                HunkContent::Mode { .. } | HunkContent::Whole { .. } => 0,
            });
            hunks.sum()
        };
        let files = review.files.iter().map(|file| ReviewedFile {
            path: file.path.clone(),
            hunks: file.hunks.iter().map(|hunk| hunk.id).collect(),
        });
        let flagged = review.files.iter().filter(|file| !file.flags.is_empty());
        Self {
            base: review.base.clone(),
            result: review.result.clone(),
            data,
            limits,
            files: files.collect(),
            added: lines(LineKind::Added),
            removed: lines(LineKind::Removed),
            flagged: flagged.map(|file| file.path.clone()).collect(),
        }
    }
}

/// What a person points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Run(RunId),
    Task(TaskId),
}

impl Target {
    pub fn run(self) -> RunId {
        match self {
            Self::Run(run) => run,
            Self::Task(task) => task.run(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(run) => run.fmt(f),
            Self::Task(task) => task.fmt(f),
        }
    }
}

/// Why a request changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    pub kind: RefusalKind,
    /// A lowercase fragment that names the id.
    pub message: String,
    /// The next step.
    pub hint: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    NotFound,
    /// It exists, but what was asked for is over, or not yet possible.
    WrongState,
    /// What was given cannot be taken: no such choice, too much, too many.
    Invalid,
}

/// The events that `input` leads to, not yet applied.
pub fn decide(state: &State, input: &Input) -> Result<Vec<Event>, Refusal> {
    let at = input.now;
    match &input.kind {
        InputKind::CreateRun { plan } => {
            let run = RunId::new(state.next_run).ok_or_else(|| Refusal {
                kind: RefusalKind::WrongState,
                message: "all run ids are used up".to_owned(),
                hint: "remove the workspace's state folder to count from r1 again".to_owned(),
            })?;
            Ok(vec![Event { run, at, body: EventBody::RunCreated { plan: plan.clone() } }])
        }
        InputKind::Approve { target } => requests::approve(state, *target, at),
        InputKind::Cancel { target } => requests::cancel(state, *target, at),
        InputKind::Retry { target } => requests::retry(state, *target, at),
        InputKind::SetTimeout { target, timeout } => {
            requests::set_timeout(state, *target, *timeout, at)
        }
        InputKind::Pause { run, reason } => requests::pause(state, *run, reason, at),
        InputKind::Resume { run } => requests::resume(state, *run, at),
        InputKind::AttemptEnded { attempt, outcome } => {
            Ok(outcomes::attempt_ended(state, *attempt, outcome, input))
        }
        InputKind::SnapshotEnded { run, result } => {
            Ok(outcomes::snapshot_ended(state, *run, result, at))
        }
        InputKind::Ask { attempt, asker, question, timeout } => {
            asking::ask(state, *attempt, *asker, question, *timeout, at)
        }
        InputKind::AgentEnded { attempt } => {
            let run = attempt.run();
            let withdrawn = asking::withdrawn(state, *attempt, Some(Asker::Agent));
            Ok(withdrawn.map(|body| Event { run, at, body }).collect())
        }
        InputKind::Answer { decision, choice, unsaved } => {
            asking::answer(state, *decision, choice, unsaved, at)
        }
        InputKind::Delivered { decision } => Ok(asking::delivered(state, *decision, at)),
        InputKind::Remember { attempt, entry } => asking::remember(state, *attempt, entry, at),
        InputKind::Foresee { run, conflicts } => Ok(reviews::foresee(state, *run, conflicts, at)),
        InputKind::ReviewEnded { run, result } => {
            Ok(reviews::review_ended(state, *run, result, at))
        }
        InputKind::Judge { run, selection, verdict } => {
            reviews::judge(state, *run, selection, *verdict, at)
        }
        InputKind::SendBack(back) => reviews::send_back(state, back, at),
        InputKind::Apply(apply) => operations::apply(state, apply, at),
        InputKind::Discard { run } => operations::discard(state, *run, at),
        InputKind::Clean { run } => operations::clean(state, *run, at),
        InputKind::Undo { operation, favor, unsaved } => {
            operations::undo(state, *operation, *favor, unsaved, at)
        }
        InputKind::OperationPrepared { operation, result } => {
            Ok(operations::prepared(state, *operation, result, at))
        }
        InputKind::OperationWritten { operation, files, wait } => {
            Ok(operations::written(state, *operation, files, *wait, at))
        }
        InputKind::Confirm { operation, files } => {
            operations::confirm(state, *operation, files, at)
        }
        InputKind::Settle => Ok(settle::settle(state, at)),
    }
}

/// Why [`step`] did not go through.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

/// Decides and applies `input`, and then whatever follows from it at the same moment, until nothing
/// more does. Returns all events, in order.
pub fn step(state: &mut State, input: &Input) -> Result<Vec<Event>, StepError> {
    let mut events = decide(state, input)?;
    for event in &events {
        apply(state, event)?;
    }
    loop {
        let more = settle::settle(state, input.now);
        if more.is_empty() {
            return Ok(events);
        }
        for event in &more {
            apply(state, event)?;
        }
        events.extend(more);
    }
}
