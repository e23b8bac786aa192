//! The history from HEAD back: with libgit2, and with git itself for repositories that libgit2 refuses.

use super::{changes::Changes, said, shallow};
use crate::git::{ANSWER_LIMIT, Git};
use git2::{Commit as GitCommit, ErrorCode, Oid, Repository, Sort};
use orchestra_core::{
    ports::{Change, Commit, LogEnd, RepoError},
    time::Timestamp,
};
use std::{collections::HashSet, ops::ControlFlow, path::Path};

pub(super) fn by_library(
    repository: &Repository,
    prefix: &Path,
    limit: usize,
    visit: &mut dyn FnMut(Commit) -> ControlFlow<()>,
) -> Result<LogEnd, RepoError> {
    let head = match repository.head() {
        Ok(head) => head,
        Err(error) if error.code() == ErrorCode::UnbornBranch => return Ok(LogEnd::Root),
        Err(error) => return Err(failed("read HEAD")(error)),
    };
    let head = head.peel_to_commit().map_err(failed("find the commit of HEAD"))?;
    let edge = shallow::edge(repository)?;
    let mut reached_edge = false;

    let mut walk = repository.revwalk().map_err(failed("walk the history"))?;
    // By time alone: a topological order would have to read the whole history first.
    walk.set_sorting(Sort::TIME).map_err(failed("sort the history"))?;
    walk.push(head.id()).map_err(failed("walk the history"))?;
    let changes = Changes::new(repository, prefix);
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

fn failed(what: &str) -> impl Fn(git2::Error) -> RepoError {
    move |error| RepoError(format!("failed to {what}: {}", error.message()))
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

/// How git tells of a commit: a mark that nothing else begins with, then its parts, each ended by NUL.
const FORMAT: &str = "--format=%x01%H%x00%an%x00%ct%x00%s";

pub(super) fn by_command(
    root: &Path,
    limit: usize,
    visit: &mut dyn FnMut(Commit) -> ControlFlow<()>,
) -> Result<LogEnd, RepoError> {
    let verify = Git::new(root, "rev-parse", ANSWER_LIMIT).args(["--quiet", "--verify", "HEAD"]);
    if !verify.answer().map_err(|error| said(&error))?.status.success() {
        return Ok(LogEnd::Root);
    }
    let edge = edge(root)?;
    // A partial clone lacks the contents that counting lines needs, but not the names.
    let counted = read(root, limit, "--numstat");
    let mut commits = counted.or_else(|_| read(root, limit, "--name-only"))?;
    let mut reached_edge = false;
    commits.retain(|commit| {
        let is_edge = edge.contains(&commit.id);
        reached_edge |= is_edge;
        !is_edge
    });
    let is_more = commits.len() > limit;
    for commit in commits.into_iter().take(limit) {
        if visit(commit).is_break() {
            return Ok(LogEnd::Stopped);
        }
    }
    Ok(match (is_more, reached_edge) {
        (true, _) => LogEnd::Limit,
        (false, true) => LogEnd::Shallow,
        (false, false) => LogEnd::Root,
    })
}

fn read(root: &Path, limit: usize, changes: &str) -> Result<Vec<Commit>, RepoError> {
    // One more than asked for tells whether there are more; those of the edge are left out later.
    let most = format!("--max-count={}", limit.saturating_add(1));
    let log = Git::new(root, "log", ANSWER_LIMIT).args(["-z", FORMAT, changes, &most]).args([
        "--no-merges",
        "--no-renames",
        "--no-ext-diff",
        "--no-textconv",
        "--no-show-signature",
        "--relative",
        "--end-of-options",
        "HEAD",
    ]);
    let mut parser = Parser::default();
    log.records(|record| parser.take(record)).map_err(|error| said(&error))?;
    Ok(parser.commits)
}

/// Takes the records of a log.
#[derive(Default)]
struct Parser {
    commits: Vec<Commit>,
    /// How many of the last commit's parts have come.
    parts: usize,
}

impl Parser {
    fn take(&mut self, record: &[u8]) {
        // A line break separates a commit from its changes.
        let record = record.strip_prefix(b"\n").unwrap_or(record);
        if let Some(id) = record.strip_prefix(&[1]) {
            self.parts = 1;
            self.commits.push(Commit {
                id: text(id),
                author: String::new(),
                at: Timestamp(0),
                subject: String::new(),
                changes: Vec::new(),
            });
            return;
        }
        let Some(commit) = self.commits.last_mut() else { return };
        self.parts += 1;
        match self.parts {
            2 => commit.author = text(record),
            3 => {
                let seconds: i64 = text(record).parse().unwrap_or(0);
                commit.at = Timestamp(seconds.saturating_mul(1_000));
            }
            4 => commit.subject = text(record),
            _ if record.is_empty() => {}
            _ => commit.changes.push(change(record)),
        }
    }
}

/// `added TAB removed TAB path`, where a binary file has `-` for its numbers; or the path alone.
fn change(record: &[u8]) -> Change {
    let mut parts = record.splitn(3, |byte| *byte == b'\t');
    let mut number = || parts.next().and_then(|part| text(part).parse::<u32>().ok()).unwrap_or(0);
    let (added, removed) = (number(), number());
    let path = parts.next().unwrap_or(record);
    Change { path: text(path), added, removed }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The commits at the edge of a shallow clone.
fn edge(root: &Path) -> Result<HashSet<String>, RepoError> {
    let path = Git::new(root, "rev-parse", ANSWER_LIMIT).args(["--git-path", "shallow"]);
    let path = path.output().map_err(|error| said(&error))?;
    let path = root.join(text(&path).trim_end_matches('\n'));
    shallow::read(&path)
}
