//! A workspace as the daemon's edge sees it: commands in, events out.

use crate::{
    actor::{Info, Message, Request},
    environment::Environment,
    hub::{Hub, Subscription},
    planning::Planner,
    targets::Pointer,
};
use orchestra_core::ids::{AttemptId, RunId};
use orchestra_protocol::{
    command::{Answer, Command, CommandRequest, Rebuilt},
    error::{ErrorBody, ErrorKind},
};
use orchestra_store::Reader;
use std::{path::PathBuf, sync::Arc};
use tokio::sync::{mpsc, oneshot};

/// Why a workspace cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("open the journal of {}: {source}", root.display())]
    Store { root: PathBuf, source: orchestra_store::OpenError },
    #[error("read the journal of {}: {source}", root.display())]
    Load { root: PathBuf, source: orchestra_store::StoreError },
}

impl OpenError {
    /// The next step.
    pub fn hint(&self) -> String {
        match self {
            Self::Store { source, .. } => source.hint(),
            Self::Load { source, .. } => source.hint(),
        }
    }
}

/// Opens the journal for reading.
type Read = dyn Fn() -> Result<Reader, ErrorBody>;

/// An open workspace. Cheap to clone.
#[derive(Clone)]
pub struct Workspace {
    pub(crate) sender: mpsc::UnboundedSender<Message>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) planner: Arc<Planner>,
    pub(crate) reader: Arc<dyn Fn() -> Result<Reader, orchestra_store::OpenError> + Send + Sync>,
}

impl Workspace {
    /// Carries out a command and answers when everything about it is durable.
    pub async fn command(&self, request: CommandRequest) -> Result<Answer, ErrorBody> {
        let CommandRequest { key, environment, command, .. } = request;
        let request = self.to_request(command, environment).await?;
        let (reply, answer) = oneshot::channel();
        self.sender.send(Message::Command { key, request, reply }).map_err(|_| closing())?;
        answer.await.map_err(|_| closing())?
    }

    async fn to_request(
        &self,
        command: Command,
        environment: Environment,
    ) -> Result<Request, ErrorBody> {
        Ok(match command {
            Command::Run { .. } | Command::Start { .. } => {
                self.blocking(move |planner, _| planner.plan(command, &environment)).await?
            }
            Command::Approve { target } => Request::Approve(Pointer::parse(&target)?),
            Command::Cancel { target } => Request::Cancel(Pointer::parse(&target)?),
            Command::Retry { target } => Request::Retry(Pointer::parse(&target)?, environment),
            Command::Timeout { target, timeout } => {
                Request::SetTimeout(Pointer::parse(&target)?, timeout)
            }
            Command::Pause { run } => Request::Pause(run),
            Command::Resume { run } => Request::Resume(run, environment),
            Command::Decide { decision, choice } => Request::Answer(decision, choice),
            Command::Judge { run, selection, verdict } => {
                Request::Judge { run, selection, verdict }
            }
            Command::SendBack { run, comment, hunks } => {
                let send = move |planner: &Planner, read: &Read| {
                    planner.send_back(&read()?, run, &comment, &hunks, environment)
                };
                self.blocking(send).await?
            }
            Command::Apply { run, target, favor, all, unsaved } => {
                let apply = move |planner: &Planner, _: &Read| {
                    planner.apply(run, target, favor, all, unsaved)
                };
                self.blocking(apply).await?
            }
            Command::Confirm { operation, files } => Request::Confirm(operation, files),
            Command::Discard { run } => Request::Discard(run),
            Command::Clean { run } => Request::Clean(run),
            Command::Undo { operation, favor, unsaved } => {
                let undo = move |planner: &Planner, read: &Read| {
                    planner.undo(&read()?, operation, favor, unsaved)
                };
                self.blocking(undo).await?
            }
        })
    }

    /// What reads files, away from those who must not wait.
    async fn blocking(
        &self,
        work: impl FnOnce(&Planner, &Read) -> Result<Request, ErrorBody> + Send + 'static,
    ) -> Result<Request, ErrorBody> {
        let (planner, reader) = (Arc::clone(&self.planner), Arc::clone(&self.reader));
        let work = move || {
            work(&planner, &move || {
                reader().map_err(|error| {
                    ErrorBody::new(ErrorKind::Internal, error.to_string(), error.hint())
                })
            })
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| {
            let hint = "please report this, with the daemon's log";
            ErrorBody::new(ErrorKind::Internal, error.to_string(), hint)
        })?
    }

    /// Events from `from` on, past ones included.
    pub fn subscribe(&self, from: u64, run: Option<RunId>) -> Subscription {
        self.hub.subscribe(from, run)
    }

    /// Opens the journal for reading; blocks for a moment.
    pub fn reader(&self) -> Result<Reader, orchestra_store::OpenError> {
        (self.reader)()
    }

    /// An attempt's shim has something to tell.
    pub fn poke(&self, attempt: AttemptId) {
        // An actor that has gone is followed by one that looks anyway.
        let _ = self.sender.send(Message::Poked(attempt));
    }

    /// Makes the rows and the files below `.orchestra/` anew from the journal.
    pub async fn rebuild(&self) -> Result<Rebuilt, ErrorBody> {
        let (reply, rebuilt) = oneshot::channel();
        self.sender.send(Message::Rebuild(reply)).map_err(|_| closing())?;
        let rebuilt = rebuilt.await.map_err(|_| closing())?.map_err(|error| {
            ErrorBody::new(ErrorKind::NotRecorded, error.to_string(), error.hint())
        })?;
        let frozen =
            rebuilt.frozen.iter().map(|frozen| format!("{}: {}", frozen.run, frozen.reason));
        Ok(Rebuilt { runs: rebuilt.runs, frozen: frozen.collect() })
    }

    /// Comes back when the files below `.orchestra/` say what is recorded now, as far as the workspace
    /// can be written.
    pub async fn projected(&self) -> Result<(), ErrorBody> {
        let (reply, projected) = oneshot::channel();
        self.sender.send(Message::Project(reply)).map_err(|_| closing())?;
        projected
            .await
            .map_err(|_| closing())?
            .map_err(|error| ErrorBody::new(ErrorKind::Internal, error.to_string(), error.hint()))
    }

    /// `None` when it is closing.
    pub(crate) async fn info(&self) -> Option<Info> {
        let (reply, info) = oneshot::channel();
        self.sender.send(Message::Info(reply)).ok()?;
        info.await.ok()
    }

    pub(crate) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.sender.send(Message::Close(done)).is_ok() {
            // An actor that has gone has nothing left to record.
            let _ = closed.await;
        }
    }
}

fn closing() -> ErrorBody {
    ErrorBody::new(
        ErrorKind::Leaving,
        "the daemon is leaving, and the command was not recorded",
        "send it again; a new daemon will take it",
    )
}
