//! The git repository of a workspace, read with libgit2 for native actions.
//!
//! Nothing that the repository configures is ever run: libgit2 knows no external filters, diff drivers or
//! hooks, and lines are counted between bare blobs, so that not even `.gitattributes` is opened.

mod changes;
mod shallow;

use changes::Changes;
use git2::{Commit as GitCommit, ErrorCode, Oid, Repository, RepositoryOpenFlags, Sort};
use orchestra_core::{
    ports::{Commit, LogEnd, Repo, RepoError},
    time::Timestamp,
};
use std::{
    ffi::OsStr,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// A repository, opened for reading.
pub struct GitRepo {
    /// libgit2's handle may move between threads but not be used by two at once.
    repository: Mutex<Repository>,
    /// The workspace's root relative to the top of the work tree; empty at the top.
    prefix: PathBuf,
}

impl GitRepo {
    /// Opens the repository that `root` belongs to: its own, a linked worktree's, a bare one, or one
    /// further up. `None` when there is none.
    pub fn open(root: &Path) -> Result<Option<Self>, RepoError> {
        let no_ceilings: [&OsStr; 0] = [];
        let repository = match Repository::open_ext(root, RepositoryOpenFlags::empty(), no_ceilings)
        {
            Ok(repository) => repository,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(refused(root, &error)),
        };
        let prefix = match repository.workdir() {
            Some(top) => relative(root, top)?,
            None => PathBuf::new(),
        };
        Ok(Some(Self { repository: Mutex::new(repository), prefix }))
    }
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

fn failed(what: &str) -> impl Fn(git2::Error) -> RepoError {
    move |error| RepoError(format!("failed to {what}: {}", error.message()))
}

impl Repo for GitRepo {
    fn log(
        &self,
        limit: usize,
        visit: &mut dyn FnMut(Commit) -> ControlFlow<()>,
    ) -> Result<LogEnd, RepoError> {
        // Only reads happen under this lock, so it is whole even after a panic.
        let repository = self.repository.lock().unwrap_or_else(PoisonError::into_inner);
        let head = match repository.head() {
            Ok(head) => head,
            Err(error) if error.code() == ErrorCode::UnbornBranch => return Ok(LogEnd::Root),
            Err(error) => return Err(failed("read HEAD")(error)),
        };
        let head = head.peel_to_commit().map_err(failed("find the commit of HEAD"))?;
        let edge = shallow::edge(&repository)?;
        let mut reached_edge = false;

        let mut walk = repository.revwalk().map_err(failed("walk the history"))?;
        // By time alone: a topological order would have to read the whole history first.
        walk.set_sorting(Sort::TIME).map_err(failed("sort the history"))?;
        walk.push(head.id()).map_err(failed("walk the history"))?;
        let changes = Changes::new(&repository, &self.prefix);
        let mut seen = 0;
        for id in walk {
            let id = id.map_err(failed("walk the history"))?;
            if edge.contains(&id) {
                reached_edge = true;
                continue;
            }
            let commit = repository.find_commit(id).map_err(failed("read a commit"))?;
            if commit.parent_count() > 1 {
                continue;
            }
            if seen == limit {
                return Ok(LogEnd::Limit);
            }
            seen += 1;
            if visit(changes.describe(&commit)?).is_break() {
                return Ok(LogEnd::Stopped);
            }
        }
        Ok(if reached_edge { LogEnd::Shallow } else { LogEnd::Root })
    }
}

impl Changes<'_> {
    fn describe(&self, commit: &GitCommit<'_>) -> Result<Commit, RepoError> {
        let author = commit.author();
        let name = String::from_utf8_lossy(author.name_bytes()).into_owned();
        let message = String::from_utf8_lossy(commit.message_bytes()).into_owned();
        Ok(Commit {
            id: commit.id().to_string(),
            author: name,
            at: Timestamp(commit.time().seconds().saturating_mul(1_000)),
            subject: message.trim_start().lines().next().unwrap_or_default().to_owned(),
            changes: self.of(commit).map_err(|error| unreadable(commit.id(), &error))?,
        })
    }
}

fn unreadable(commit: Oid, error: &git2::Error) -> RepoError {
    RepoError(format!(
        "failed to read what commit {commit} changed: {}; run `git fsck`, or `git fetch` in a partial clone",
        error.message()
    ))
}
