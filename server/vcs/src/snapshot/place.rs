//! Where a workspace's repository is, where it stands, and whether the snapshot is taken already.

use super::{line, record};
use crate::{
    GitError,
    git::{ANSWER_LIMIT, Git, at_once},
};
use orchestra_core::snapshot::Snapshot;
use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

/// A repository as a snapshot finds it.
#[derive(Debug)]
pub(super) struct Place {
    /// The top of the working tree.
    pub(super) top: PathBuf,
    /// The user's index; it need not exist.
    pub(super) index: PathBuf,
    /// `sha1` or `sha256`.
    pub(super) object_format: String,
    /// The commit of HEAD; `None` when there is none yet.
    pub(super) head: Option<String>,
    /// The snapshot that the reference holds.
    pub(super) existing: Option<Snapshot>,
}

pub(super) fn find(root: &Path, reference: &str) -> Result<Place, GitError> {
    if root.as_os_str().as_bytes().contains(&b'\n') {
        return Err(GitError::LineBreak(root.to_owned()));
    }
    let (layout, commits) = at_once(|| layout(root), || commits(root, reference));
    // The first one's error says best what is wrong with a folder.
    let (top, index, object_format) = layout?;
    if !root.starts_with(&top) {
        return Err(GitError::Outside { root: root.to_owned(), top });
    }
    let Commits { head, existing } = commits?;
    Ok(Place { top, index, object_format, head, existing })
}

fn layout(root: &Path) -> Result<(PathBuf, PathBuf, String), GitError> {
    let output = Git::new(root, "rev-parse", ANSWER_LIMIT)
        .args(["--path-format=absolute", "--show-toplevel", "--git-path", "index"])
        .args(["--show-object-format=storage"])
        .output()?;
    let lines: Vec<&[u8]> = output.split(|&byte| byte == b'\n').collect();
    let [top, index, format, b""] = lines[..] else {
        return Err(odd_answer("git rev-parse", root, lines.len()));
    };
    let path = |line: &[u8]| PathBuf::from(OsStr::from_bytes(line));
    Ok((path(top), path(index), line(format)))
}

/// The commit of HEAD, and the snapshot under a reference.
pub(super) struct Commits {
    pub(super) head: Option<String>,
    pub(super) existing: Option<Snapshot>,
}

pub(super) fn commits(root: &Path, reference: &str) -> Result<Commits, GitError> {
    let questions = format!("HEAD^{{commit}}\n{reference}\n");
    let git = Git::new(root, "cat-file", ANSWER_LIMIT).args(["--batch"]);
    let output = git.input(questions.into_bytes()).output()?;
    let odd = || odd_answer("git cat-file", root, output.len());
    let (head, rest) = object(&output).ok_or_else(odd)?;
    let (existing, _) = object(rest).ok_or_else(odd)?;
    let head = match head {
        Some(Object { id, .. }) => Some(id.to_owned()),
        None => unborn(root)?,
    };
    let existing = existing
        .map(|Object { id, content }| {
            record::read(id, content).ok_or_else(|| GitError::Failed {
                what: "git cat-file".to_owned(),
                place: root.to_owned(),
                detail: format!("{reference} is no snapshot"),
            })
        })
        .transpose()?;
    Ok(Commits { head, existing })
}

struct Object<'a> {
    id: &'a str,
    content: &'a [u8],
}

/// The first answer of `cat-file --batch` and what follows it: `<id> <type> <size>`, then so many bytes
/// and a line end; or one line that ends in `missing`. `None` when it is neither.
fn object(output: &[u8]) -> Option<(Option<Object<'_>>, &[u8])> {
    let end = output.iter().position(|&byte| byte == b'\n')?;
    let (header, rest) = (str::from_utf8(&output[..end]).ok()?, &output[end + 1..]);
    if header.ends_with(" missing") {
        return Some((None, rest));
    }
    let mut parts = header.split(' ');
    let (id, _type, size) = (parts.next()?, parts.next()?, parts.next()?.parse().ok()?);
    let (content, rest) = rest.split_at_checked(size)?;
    Some((Some(Object { id, content }), rest.strip_prefix(b"\n")?))
}

/// Sees that HEAD has no commit because there is none yet.
fn unborn(root: &Path) -> Result<Option<String>, GitError> {
    let git = Git::new(root, "rev-parse", ANSWER_LIMIT);
    let answer = git.args(["--quiet", "--verify", "HEAD"]).answer()?;
    if !answer.status.success() {
        return Ok(None);
    }
    Err(GitError::Failed {
        what: "git cat-file".to_owned(),
        place: root.to_owned(),
        detail: format!("commit {} of HEAD is missing", line(&answer.stdout)),
    })
}

fn odd_answer(what: &str, root: &Path, length: usize) -> GitError {
    GitError::Failed {
        what: what.to_owned(),
        place: root.to_owned(),
        detail: format!("its answer, {length} long, was not understood"),
    }
}
