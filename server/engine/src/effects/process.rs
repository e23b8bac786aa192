//! Attempts with a process: prepared, started under a shim, watched, stopped, and found again.

mod asking;
mod checks_run;
mod collecting;
mod command;
mod desk;
mod end;
mod evidence;
mod held;
mod jobs;
mod merging;
mod setup;
mod start;
mod sweeper;
mod tree;
mod work;

pub(crate) use desk::Desk;
pub(crate) use sweeper::Sweeper;
pub(crate) use work::ProcessWork;

use super::{
    Shared,
    ingest::Ingest,
    inline::unknown,
    radar::{self, OnRadar},
};
use crate::actor::Message;
use orchestra_core::{
    outcome::{AttemptOutcome, Output},
    plan::Executor,
};
use orchestra_runtimes::attempt::{AttemptDir, Found, Shim, probe};
use orchestra_vcs::trees::Tree;
use start::start;
use std::{fs, io, os::fd::OwnedFd, path::PathBuf, sync::Arc};
use tokio::io::{Interest, unix::AsyncFd};

/// An attempt that is being carried out. Cheap to clone.
#[derive(Clone)]
struct Attempt {
    shared: Arc<Shared>,
    work: Arc<ProcessWork>,
    desk: Arc<Desk>,
}

/// Carries the attempt to its end, and reports it.
pub(crate) async fn run(shared: Arc<Shared>, work: ProcessWork, desk: Arc<Desk>, found: bool) {
    let attempt = Attempt { shared, work: Arc::new(work), desk };
    let id = attempt.work.attempt;
    let outcome = match attempt.carry(found).await {
        Ok(outcome) => outcome,
        Err(error) => {
            tracing::error!(attempt = %id, %error, "the attempt could not be watched");
            let reason = format!("it could not be watched: {error}");
            AttemptOutcome::Lost { reason, output: Output::default() }
        }
    };
    attempt.shared.ended(id, outcome);
}

impl Attempt {
    async fn carry(&self, found: bool) -> io::Result<AttemptOutcome> {
        if let Executor::Native { action, .. } = &self.work.executor {
            return match action.as_str() {
                checks_run::NAME => checks_run::carry(self).await,
                Executor::MERGE => merging::carry(self).await,
                _ => Ok(unknown(action)),
            };
        }
        let mut ingest = Ingest::new(self.work.attempt, found);
        if !found {
            match start(self).await? {
                Ok(Shim { pidfd, mut child, .. }) => {
                    let _on_radar = self.enter_radar().await?;
                    self.listen(&mut ingest, pidfd).await?;
                    // It has ended, so this does not wait.
                    child.wait()?;
                }
                Err(outcome) => {
                    self.give_back(&self.holder()).await;
                    return Ok(outcome);
                }
            }
        }
        loop {
            let dir = self.dir();
            match blocking(move || probe(&dir)).await? {
                Found::Alive { pidfd, claim } => {
                    tracing::info!(attempt = %self.work.attempt, ?claim, "found again");
                    self.desk.is_found(&self.dir(), true);
                    let _on_radar = self.enter_radar().await?;
                    self.listen(&mut ingest, pidfd).await?;
                }
                Found::Ended(result) => {
                    self.desk.has_ended();
                    ingest.take_all(&self.shared).await;
                    self.agent_ended();
                    self.remove_socket();
                    return end::take_in(self, *result).await;
                }
                Found::Lost => {
                    ingest.take_all(&self.shared).await;
                    self.agent_ended();
                    self.remove_socket();
                    self.shared.sweeper.sweep(self.dir()).await;
                    let output = end::salvage(self).await?;
                    let reason = "its shim died before it could say how it ended".to_owned();
                    return Ok(AttemptOutcome::Lost { reason, output });
                }
                Found::NeverStarted => {
                    // Its tree may still be being made ready.
                    jobs::end_all(self).await?;
                    // No shim takes the claim any more, so nobody works in what was prepared.
                    self.give_back(&self.holder()).await;
                    let reason = "the daemon went down before it was started".to_owned();
                    return Ok(AttemptOutcome::NeverStarted { reason });
                }
            }
        }
    }

    /// Has what its agent writes compared with what others do, for as long as the answer lives.
    async fn enter_radar(&self) -> io::Result<Option<OnRadar>> {
        if !self.work.writes() {
            return Ok(None);
        }
        let enter =
            |tree| radar::enter(&self.shared, self.work.attempt, tree, self.work.bases.clone());
        Ok(self.tree().await?.map(enter))
    }

    /// Takes in what the shim tells until it has ended.
    async fn listen(&self, ingest: &mut Ingest, pidfd: OwnedFd) -> io::Result<()> {
        let ended = has_ended(pidfd);
        tokio::pin!(ended);
        loop {
            ingest.take_all(&self.shared).await;
            tokio::select! {
                ended = &mut ended => return ended,
                () = self.desk.news() => {}
            }
        }
    }

    /// An actor that is gone says so itself when it takes the attempt up again.
    fn agent_ended(&self) {
        let _ = self.shared.sender.send(Message::AgentEnded(self.work.attempt));
    }

    /// A shim that was killed has left it behind.
    fn remove_socket(&self) {
        let socket = self.shared.folders.tools_socket(&self.shared.workspace, self.work.attempt);
        if let Err(error) = fs::remove_file(&socket)
            && error.kind() != io::ErrorKind::NotFound
        {
            let socket = socket.display();
            tracing::warn!(%socket, %error, "a socket that nobody needs stays");
        }
    }

    /// As whom it holds its tree; also its name in references.
    fn holder(&self) -> String {
        self.work.attempt.file_name()
    }

    /// The reference that holds what it makes; `suffix` tells several apart.
    fn reference(&self, suffix: &str) -> String {
        let name = format!("t/{}{suffix}", self.holder());
        self.shared.reference(self.work.attempt.run(), &name)
    }

    fn dir(&self) -> AttemptDir {
        self.shared.attempt_dir(self.work.attempt)
    }

    /// The tree that it has been given, if that is whole.
    async fn tree(&self) -> io::Result<Option<Tree>> {
        let (pool, holder) = (self.shared.pool.clone(), self.holder());
        blocking(move || pool.find(&holder)).await
    }

    /// Gives a tree back to the pool. What cannot be given back is looked at again at the next start.
    async fn give_back(&self, holder: &str) {
        let (pool, holder) = (self.shared.pool.clone(), holder.to_owned());
        let released = blocking(move || pool.release(&holder).map_err(io::Error::other)).await;
        if let Err(error) = released {
            tracing::warn!(attempt = %self.work.attempt, %error, "a tree was not given back");
        }
    }

    /// Takes the tree out of the pool, for a person to look at, unless that is done already.
    async fn put_aside(&self) -> io::Result<()> {
        let Some(Tree { slot, .. }) = self.tree().await? else { return Ok(()) };
        let kept = self.kept();
        blocking(move || {
            if let Some(parent) = kept.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::rename(slot, &kept)
        })
        .await
    }

    async fn is_put_aside(&self) -> io::Result<bool> {
        let kept = self.kept();
        blocking(move || kept.try_exists()).await
    }

    /// Where its files are once its tree has been put aside.
    fn kept_tree(&self) -> String {
        self.kept().join("src").display().to_string()
    }

    fn kept(&self) -> PathBuf {
        self.shared.folders.kept(&self.shared.workspace, self.work.attempt)
    }
}

/// Waits until the process has ended.
async fn has_ended(pidfd: OwnedFd) -> io::Result<()> {
    // SAFETY: the `AsyncFd` owns the open descriptor for its whole life, and `OwnedFd` always names
    // the same one.
    let pidfd = unsafe { AsyncFd::register_with_interest(pidfd, Interest::READABLE) }?;
    pidfd.readable().await.map(drop)
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
