//! Snapshots: a private commit of exactly what the user sees in a workspace.
//!
//! It is put together in a copy of the user's index, by plumbing that takes nested repositories for what
//! they are: `add`, `status` and `diff` would run the filters which those configure. In the user's
//! repository only objects and the one reference are new.

mod buffers;
mod contents;
mod folders;
mod index;
mod listing;
mod place;
mod record;
mod special;
mod submodules;

use crate::{
    GitError,
    git::{ANSWER_LIMIT, Git, at_once},
    state,
    wrapper::Wrapper,
};
use index::Index;
use orchestra_core::snapshot::{LeftOut, LeftOutReason, Snapshot};
use place::Place;
use std::path::{Path, PathBuf};

pub(crate) use buffers::resolve;

/// Where snapshots may be kept, so that nothing of the user's can be taken for one.
pub(crate) const NAMESPACE: &str = "refs/orchestra/";

/// What is to be kept, and as what.
#[derive(Debug)]
pub struct Request<'a> {
    /// The workspace's root, canonical. The whole repository is in the snapshot, also when the root
    /// lies below its top.
    pub root: &'a Path,
    /// A private folder of ours, for the copy of the index. What a crash leaves in it may go when no
    /// snapshot is being taken.
    pub scratch: &'a Path,
    /// The full name of the reference that will hold the snapshot, below `refs/orchestra/`. When it
    /// exists, the snapshot that it holds is the answer: a crash hid it from whoever asked.
    pub reference: &'a str,
    /// Text that is not saved yet; it wins over the disk.
    pub buffers: &'a [Buffer],
    /// Keeps unmerged files as they lie on the disk, rather than refuse.
    pub with_conflicts: bool,
    /// Whether clean filters are run as `git add` would run them. Who may not run programs of a
    /// workspace gets files as they lie on the disk.
    pub run_filters: bool,
    pub limits: Limits,
    /// The first line of the commit's message.
    pub subject: &'a str,
    /// What starts every git that looks at the working tree, or at that of a submodule. That git writes
    /// to `scratch` and to the repository's objects.
    pub wrapper: Option<&'a Wrapper>,
}

/// The text of a file as an editor has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buffer {
    /// Relative to the workspace's root.
    pub path: PathBuf,
    /// What the editor would write.
    pub content: Vec<u8>,
}

/// How much of what git does not know yet is taken along, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For each file.
    pub file: u64,
    /// For all of them together; in the order of their paths, what fits is taken.
    pub total: u64,
}

/// Takes a snapshot. Blocks for about as long as `git status`, and for as long as it takes to
/// read what has changed.
///
/// The user's index, branches, stash, logs and files stay as they are, and no hook is run. Changes
/// of files that git was told not to look at (`--assume-unchanged`, `--skip-worktree`) are in it:
/// the user sees them. Ignored files are not, even when a buffer has them.
pub fn take(request: &Request<'_>) -> Result<Snapshot, GitError> {
    if !request.reference.starts_with(NAMESPACE) {
        return Err(GitError::Reference(request.reference.to_owned()));
    }
    state::require_version()?;
    let place = place::find(request.root, request.reference)?;
    if let Some(snapshot) = place.existing {
        return Ok(snapshot);
    }
    let (tree, left_out, conflicted) = collect(request, &place)?;
    let mut snapshot =
        Snapshot { commit: String::new(), tree, head: place.head, left_out, conflicted };
    snapshot.commit = commit(&place.top, request.subject, &snapshot)?;
    keep(&place.top, request.reference, snapshot)
}

/// The snapshot that a reference holds.
pub(crate) fn existing(root: &Path, reference: &str) -> Result<Option<Snapshot>, GitError> {
    place::commits(root, reference).map(|commits| commits.existing)
}

/// The tree, what is not in it, and what is in it although it is not merged.
fn collect(
    request: &Request<'_>,
    place: &Place,
) -> Result<(String, Vec<LeftOut>, Vec<String>), GitError> {
    let index = Index::copy(request, place)?;
    let listing = match listing::guess(&index)? {
        Some(listing) => listing,
        None => listing::read(&index)?,
    };
    if !request.with_conflicts && !listing.unmerged.is_empty() {
        return Err(GitError::Unmerged(listing.unmerged.keys().map(|path| text(path)).collect()));
    }
    let contents = contents::choose(&place.top, &listing, request.limits)?;
    let (found, tree) = at_once(
        || -> Result<_, GitError> {
            let mut found = special::find(&index, &listing)?;
            found.extend(submodules::dirty(&index, &listing));
            Ok(found)
        },
        || {
            index.enter(contents.resets)?;
            index.update(contents.updates)?;
            let left_out =
                buffers::apply(request, &index, &listing, contents.left_out, contents.total)?;
            Ok::<_, GitError>((index.write_tree()?, left_out))
        },
    );
    // What stopped the snapshot is to be told first.
    let (tree, mut left_out) = tree?;
    left_out.extend(found?);
    left_out.sort_by(|a, b| a.path.cmp(&b.path));
    left_out.dedup_by(|a, b| a.path == b.path);
    Ok((tree, left_out, contents.conflicted))
}

fn commit(top: &Path, subject: &str, snapshot: &Snapshot) -> Result<String, GitError> {
    let git = Git::new(top, "commit-tree", ANSWER_LIMIT)
        .env("GIT_AUTHOR_NAME", "Orchestra")
        .env("GIT_AUTHOR_EMAIL", "orchestra@localhost")
        .env("GIT_COMMITTER_NAME", "Orchestra")
        .env("GIT_COMMITTER_EMAIL", "orchestra@localhost")
        // Else the commit would say that it is not in UTF-8.
        .set("i18n.commitEncoding".into(), "UTF-8")
        .args(["--no-gpg-sign", "-F", "-"])
        .args(snapshot.head.iter().flat_map(|head| ["-p", head]))
        .args([&snapshot.tree]);
    git.input(record::message(subject, snapshot).into_bytes()).output().map(|output| line(&output))
}

fn keep(top: &Path, reference: &str, snapshot: Snapshot) -> Result<Snapshot, GitError> {
    let kept = Git::new(top, "update-ref", ANSWER_LIMIT)
        // A user may have asked for a log of every reference.
        .set("core.logAllRefUpdates".into(), "false")
        // Nothing as the old value: the reference must be new.
        .args(["--no-deref", reference, &snapshot.commit, ""])
        .output();
    match kept {
        Ok(_) => Ok(snapshot),
        // Somebody else took the same one in the meantime.
        Err(error) => place::commits(top, reference)?.existing.ok_or(error),
    }
}

fn left_out(path: &[u8], reason: LeftOutReason) -> LeftOut {
    LeftOut { path: text(path), reason }
}

/// As people are shown it.
fn text(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// Without the line end.
fn line(output: &[u8]) -> String {
    String::from_utf8_lossy(output).trim_end().to_owned()
}
