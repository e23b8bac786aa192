//! What the domain asks of its surroundings, as traits, so that the rooms which provide it and the
//! rooms which use it need not know each other.

use crate::{ids::StepId, outcome::Output, time::Timestamp, view::TaskStatus};
use std::ops::ControlFlow;

/// What a needed step hands over to a native action or an agent.
#[derive(Debug, Clone, PartialEq)]
pub struct StepInput {
    pub step: StepId,
    /// The action or the agent that did it; empty when none did.
    pub executor: String,
    pub status: TaskStatus,
    /// Why it failed or was skipped; empty otherwise.
    pub detail: String,
    pub output: Output,
}

/// The git repository of a workspace, as native actions see it. Implemented by `vcs`.
pub trait Repo: Send + Sync {
    /// Visits the commits reachable from HEAD, newest first, merges left out, each with the files
    /// that it changed against its parent, until `visit` breaks or `limit` commits were seen.
    /// Commits that change nothing below the workspace's root count towards the limit and are
    /// visited with no changes.
    ///
    /// An unborn HEAD has no commits and is no error.
    fn log(
        &self,
        limit: usize,
        visit: &mut dyn FnMut(Commit) -> ControlFlow<()>,
    ) -> Result<LogEnd, RepoError>;
}

/// Where [`Repo::log`] came to its end, so that a reader can say what it has not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogEnd {
    /// At the first commit: nothing was left out.
    Root,
    /// At the limit, with older commits left.
    Limit,
    /// At the edge of a shallow clone. The commits at the edge are not visited, because what they
    /// changed is not known.
    Shallow,
    /// `visit` asked for it.
    Stopped,
}

/// One commit, as [`Repo::log`] shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Lowercase hex.
    pub id: String,
    pub author: String,
    pub at: Timestamp,
    /// The first line of its message.
    pub subject: String,
    pub changes: Vec<Change>,
}

/// What a commit did to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Relative to the workspace's root, with `/` between the parts. Non-UTF-8 names are shown with
    /// replacement characters.
    pub path: String,
    pub added: u32,
    pub removed: u32,
}

/// Why git did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RepoError(pub String);
