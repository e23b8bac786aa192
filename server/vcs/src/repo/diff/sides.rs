//! What a comparison begins and ends with, when somebody names it and when nobody does.

use super::{
    candidates::{self, Candidate},
    said,
};
use crate::git::{ANSWER_LIMIT, Git};
use orchestra_core::ports::{DiffQuery, DiffSide, RepoError};
use std::path::Path;

/// Both sides, with the files that may differ.
pub(super) struct Sides {
    pub(super) from: DiffSide,
    pub(super) to: DiffSide,
    pub(super) candidates: Vec<Candidate>,
}

pub(super) fn find(root: &Path, query: &DiffQuery<'_>) -> Result<Sides, RepoError> {
    if is_bare(root)? && query.to.is_none() {
        let hint = "name the revision to compare with";
        return Err(RepoError(format!("the repository has no working tree; {hint}")));
    }
    let to = match query.to {
        Some(revision) => named(root, revision)?,
        None => DiffSide { name: "the files as they are".to_owned(), commit: None },
    };
    if let Some(revision) = query.from {
        return Sides::of(root, named(root, revision)?, to);
    }
    let Some(end) = commit(root, query.to.unwrap_or("HEAD"))? else {
        let nothing = DiffSide { name: "no commit yet".to_owned(), commit: None };
        return Sides::of(root, nothing, to);
    };
    if let Some(base) = branched_off(root, &end)? {
        return Sides::of(root, base, to);
    }
    if query.to.is_none() {
        let head = DiffSide { name: "HEAD".to_owned(), commit: Some(end.clone()) };
        let sides = Sides::of(root, head, to.clone())?;
        if !sides.candidates.is_empty() {
            return Ok(sides);
        }
    }
    let before = match commit(root, &format!("{end}^"))? {
        Some(parent) => {
            let name = "the commit before".to_owned();
            DiffSide { name, commit: Some(parent) }
        }
        None if is_shallow(root)? => {
            let name = "HEAD, because the clone has no commit before it".to_owned();
            DiffSide { name, commit: Some(end) }
        }
        None => DiffSide { name: "nothing".to_owned(), commit: None },
    };
    Sides::of(root, before, to)
}

impl Sides {
    fn of(root: &Path, from: DiffSide, to: DiffSide) -> Result<Self, RepoError> {
        let start = match &from.commit {
            Some(commit) => commit.clone(),
            None => empty_tree(root)?,
        };
        let candidates = match &to.commit {
            Some(commit) => candidates::between(root, &start, commit)?,
            None => candidates::with_files(root, &start)?,
        };
        Ok(Self { from, to, candidates })
    }
}

fn named(root: &Path, revision: &str) -> Result<DiffSide, RepoError> {
    match commit(root, revision)? {
        Some(commit) => Ok(DiffSide { name: revision.to_owned(), commit: Some(commit) }),
        None => Err(RepoError(format!(
            "there is no revision `{revision}`; `git log --oneline` and `git branch -a` show what there is"
        ))),
    }
}

/// The commit that a revision names.
fn commit(root: &Path, revision: &str) -> Result<Option<String>, RepoError> {
    // Git cannot be told of a NUL, and a line break is part of no revision.
    if revision.is_empty() || revision.contains(['\0', '\n']) {
        return Ok(None);
    }
    let git = Git::new(root, "rev-parse", ANSWER_LIMIT).args(["--quiet", "--verify"]);
    line(git.args(["--end-of-options", &format!("{revision}^{{commit}}")]))
}

/// Where the branch left its upstream, when it has gone on since.
fn branched_off(root: &Path, end: &str) -> Result<Option<DiffSide>, RepoError> {
    for upstream in ["@{upstream}", "refs/remotes/origin/HEAD"] {
        let Some(theirs) = commit(root, upstream)? else { continue };
        let base = Git::new(root, "merge-base", ANSWER_LIMIT).args([end, &theirs]);
        let Some(base) = line(base)? else { continue };
        let name = format!("where the branch left {}", shown(upstream));
        return Ok((base != end).then_some(DiffSide { name, commit: Some(base) }));
    }
    Ok(None)
}

fn shown(upstream: &str) -> &str {
    upstream.strip_prefix("refs/remotes/").unwrap_or("its upstream")
}

fn is_bare(root: &Path) -> Result<bool, RepoError> {
    let git = Git::new(root, "rev-parse", ANSWER_LIMIT).args(["--is-inside-work-tree"]);
    Ok(line(git)?.as_deref() != Some("true"))
}

fn is_shallow(root: &Path) -> Result<bool, RepoError> {
    let git = Git::new(root, "rev-parse", ANSWER_LIMIT).args(["--is-shallow-repository"]);
    Ok(line(git)?.as_deref() == Some("true"))
}

/// Its id hangs on the repository's hash.
fn empty_tree(root: &Path) -> Result<String, RepoError> {
    let git = Git::new(root, "hash-object", ANSWER_LIMIT).args(["-t", "tree", "--stdin"]);
    git.output()
        .map(|output| String::from_utf8_lossy(&output).trim_end().to_owned())
        .map_err(|error| said(&error))
}

/// The one line of an answer; `None` when git says no.
fn line(git: Git) -> Result<Option<String>, RepoError> {
    let answer = git.answer().map_err(|error| said(&error))?;
    let text = String::from_utf8_lossy(&answer.stdout).trim_end().to_owned();
    Ok((answer.status.success() && !text.is_empty()).then_some(text))
}
