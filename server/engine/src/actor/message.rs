//! What the actor is told and asked.

use super::{Effects, Hub, Limits, Reply, Store, StoreError, recovery};
use crate::{batch::Asked, environment::Environment, targets::Pointer};
use orchestra_core::{
    decide::{Apply, InputKind, SendBack},
    decision::Question,
    event::Event,
    ids::{AttemptId, DecisionId, OperationId, RunId},
    operation::{Favor, FileResult},
    outcome::{Artifact, AttemptOutcome},
    plan::Plan,
    review::{Selection, Verdict},
    time::Millis,
};
use orchestra_protocol::command::WorkspaceInfo;
use orchestra_runtimes::attempt::EventLine;
use orchestra_store::Rebuilt;
use std::{sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot};

/// What a command asks of the actor.
#[derive(Debug)]
pub(crate) enum Request {
    CreateRun { plan: Box<Plan>, environment: Environment, notes: Vec<String> },
    Approve(Pointer),
    Cancel(Pointer),
    Retry(Pointer, Environment),
    SetTimeout(Pointer, Millis),
    Pause(RunId),
    Resume(RunId, Environment),
    Answer(DecisionId, String),
    Judge { run: RunId, selection: Selection, verdict: Option<Verdict> },
    SendBack(Box<SendBack>, Environment),
    Apply(Box<Apply>),
    Confirm(OperationId, Vec<FileResult>),
    Discard(RunId),
    Clean(RunId),
    Undo { operation: OperationId, favor: Favor, unsaved: Vec<Artifact> },
}

impl Request {
    pub(super) fn run(&self) -> Option<RunId> {
        match self {
            Self::CreateRun { .. } => None,
            Self::Approve(pointer)
            | Self::Cancel(pointer)
            | Self::Retry(pointer, _)
            | Self::SetTimeout(pointer, _) => Some(pointer.run()),
            Self::Pause(run) | Self::Resume(run, _) => Some(*run),
            Self::Answer(decision, _) => Some(decision.run()),
            Self::Judge { run, .. } | Self::Discard(run) | Self::Clean(run) => Some(*run),
            Self::SendBack(back, _) => Some(back.run),
            Self::Apply(apply) => Some(apply.run),
            Self::Confirm(operation, _) | Self::Undo { operation, .. } => Some(operation.run()),
        }
    }
}

/// The end of an attempt, on its way into the journal.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) attempt: AttemptId,
    pub(crate) outcome: AttemptOutcome,
}

pub(crate) enum Message {
    Command {
        key: String,
        request: Request,
        reply: Reply,
    },
    /// A run that had ended and that a command is about.
    Loaded {
        run: RunId,
        events: Result<Vec<(u64, Event)>, StoreError>,
        key: String,
        request: Request,
        reply: Reply,
    },
    Ended(Outcome),
    /// What an effect that is no attempt has come to. When it cannot be recorded, the effect is begun anew.
    Came(InputKind),
    /// A shim says that its attempt has news.
    Poked(AttemptId),
    /// What an attempt's shim has told, up to a byte of its file. Answered when it is recorded; dropped
    /// when it could not be.
    Told {
        attempt: AttemptId,
        lines: Vec<EventLine>,
        next: u64,
        recorded: oneshot::Sender<()>,
    },
    /// The agent of an attempt has ended, and what it has left is being looked at.
    AgentEnded(AttemptId),
    /// A person is to say what becomes of something that an agent has left. Asked twice under one key, it
    /// is one question; its answer comes as an effect.
    Ask {
        attempt: AttemptId,
        question: Box<Question>,
        timeout: Millis,
        asked: Asked,
    },
    Committed {
        turn: u64,
        result: Result<(), StoreError>,
    },
    Info(oneshot::Sender<Info>),
    /// Make rows and projection anew from the events.
    Rebuild(oneshot::Sender<Result<Rebuilt, StoreError>>),
    /// Answered when the projection is up to date.
    Project(oneshot::Sender<Result<(), StoreError>>),
    /// Record what is under way and let go of the store.
    Close(oneshot::Sender<()>),
}

/// What the daemon shows and decides its own end by.
#[derive(Debug, Clone)]
pub(crate) struct Info {
    pub(crate) workspace: WorkspaceInfo,
    /// Nothing is under way, and nothing will start by itself.
    pub(crate) idle: bool,
}

pub(crate) struct Parts {
    pub(crate) recovered: recovery::Recovered,
    pub(crate) limits: Limits,
    pub(crate) try_again_after: Duration,
    pub(crate) store: Arc<Store>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) effects: Effects,
    pub(crate) info: WorkspaceInfo,
    pub(crate) messages: mpsc::UnboundedReceiver<Message>,
    pub(crate) sender: mpsc::UnboundedSender<Message>,
}
