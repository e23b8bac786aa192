//! The git repository of a workspace, read for native actions.
//!
//! History is read with libgit2, and with git itself where libgit2 refuses the repository (a partial clone,
//! reftable). Comparisons with the files as they are go through git's plumbing. Nothing that the repository
//! configures is ever run: libgit2 knows no external filters, diff drivers or hooks, git is told to leave
//! them, and lines are compared between bare texts, so that not even `.gitattributes` is opened.

mod changes;
pub(crate) mod diff;
mod log;
mod shallow;

use crate::{GitError, state};
use git2::{ErrorCode, Repository, RepositoryOpenFlags};
use orchestra_core::ports::{Commit, Diff, DiffQuery, FileDiff, LogEnd, Repo, RepoError};
use std::{
    ffi::OsStr,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// A repository, opened for reading.
pub struct GitRepo {
    root: PathBuf,
    history: History,
}

/// Who reads the history.
enum History {
    Library {
        /// libgit2's handle may move between threads but not be used by two at once.
        repository: Mutex<Repository>,
        /// The workspace's root relative to the top of the work tree; empty at the top.
        prefix: PathBuf,
    },
    /// git itself, because libgit2 does not know what the repository is made of.
    Command,
}

impl GitRepo {
    /// Opens the repository that `root` belongs to: its own, a linked worktree's, a bare one, or one
    /// further up. `None` when there is none.
    pub fn open(root: &Path) -> Result<Option<Self>, RepoError> {
        let no_ceilings: [&OsStr; 0] = [];
        let opened = Repository::open_ext(root, RepositoryOpenFlags::empty(), no_ceilings);
        let history = match opened {
            // Contents that a partial clone lacks end libgit2's work, and only git can do without them.
            Ok(repository) if is_partial(&repository) => History::Command,
            Ok(repository) => {
                let prefix = match repository.workdir() {
                    Some(top) => relative(root, top)?,
                    None => PathBuf::new(),
                };
                History::Library { repository: Mutex::new(repository), prefix }
            }
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) if error.code() == ErrorCode::Owner => return Err(refused(root, &error)),
            Err(error) => match state::toplevel(root) {
                Ok(Some(_)) => History::Command,
                // Neither can read it; libgit2 says more about why.
                _ => return Err(refused(root, &error)),
            },
        };
        Ok(Some(Self { root: root.to_owned(), history }))
    }
}

fn is_partial(repository: &Repository) -> bool {
    let promises = |config: git2::Config| {
        let entries = config.entries(Some("^remote\\..*\\.promisor$")).ok()?;
        let mut count = 0;
        entries.for_each(|_| count += 1).ok()?;
        Some(count > 0)
    };
    repository.config().ok().and_then(promises).unwrap_or(false)
}

fn refused(root: &Path, error: &git2::Error) -> RepoError {
    let root = root.display();
    RepoError(match error.code() {
        ErrorCode::Owner => format!(
            "the repository of {root} belongs to another user; if you trust it, run \
             `git config --global --add safe.directory {root}`"
        ),
        _ => format!("failed to open the repository of {root}: {}", error.message()),
    })
}

fn relative(root: &Path, top: &Path) -> Result<PathBuf, RepoError> {
    let canonical = |path: &Path| {
        path.canonicalize()
            .map_err(|error| RepoError(format!("failed to resolve {}: {error}", path.display())))
    };
    let (root, top) = (canonical(root)?, canonical(top)?);
    root.strip_prefix(&top).map(Path::to_owned).map_err(|_| {
        RepoError(format!(
            "{} is not below its repository's work tree {}; check `core.worktree`",
            root.display(),
            top.display()
        ))
    })
}

/// A refusal of git, with its hint: what a native's reader sees of it.
fn said(error: &GitError) -> RepoError {
    RepoError(format!("{error}; {}", error.hint()))
}

impl Repo for GitRepo {
    fn log(
        &self,
        limit: usize,
        visit: &mut dyn FnMut(Commit) -> ControlFlow<()>,
    ) -> Result<LogEnd, RepoError> {
        match &self.history {
            History::Library { repository, prefix } => {
                // Only reads happen under this lock, so it is whole even after a panic.
                let repository = repository.lock().unwrap_or_else(PoisonError::into_inner);
                log::by_library(&repository, prefix, limit, visit)
            }
            History::Command => log::by_command(&self.root, limit, visit),
        }
    }

    fn diff(
        &self,
        query: &DiffQuery<'_>,
        visit: &mut dyn FnMut(FileDiff) -> ControlFlow<()>,
    ) -> Result<Diff, RepoError> {
        diff::diff(&self.root, query, visit)
    }
}
