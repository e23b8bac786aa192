//! How two trees differ, as `git diff-tree` lists it.

use crate::{GitError, git::Git};

/// The mode of a submodule.
pub(super) const SUBMODULE: &str = "160000";

/// A path at which two trees differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Changed {
    pub(super) path: Vec<u8>,
    pub(super) old: Option<Blob>,
    pub(super) new: Option<Blob>,
}

/// What a tree has at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blob {
    /// As git writes it, such as `100644`.
    pub(super) mode: String,
    pub(super) id: String,
}

/// From the tree of one commit to that of another, sorted by path. `git` is a call of `diff-tree`.
pub(super) fn between(git: Git, old: &str, new: &str) -> Result<Vec<Changed>, GitError> {
    let mut changes = Vec::new();
    let mut about = None;
    git.args(["-r", "-z", "--raw", "--no-renames", "--no-abbrev", old, new]).records(|record| {
        // `:<mode> <mode> <id> <id> <letter>`, then the path.
        match about.take() {
            None => about = sides(record),
            Some((old, new)) => changes.push(Changed { path: record.to_owned(), old, new }),
        }
    })?;
    Ok(changes)
}

fn sides(record: &[u8]) -> Option<(Option<Blob>, Option<Blob>)> {
    let mut parts = str::from_utf8(record.strip_prefix(b":")?).ok()?.split(' ');
    let modes = (parts.next()?, parts.next()?);
    let ids = (parts.next()?, parts.next()?);
    let blob = |mode: &str, id: &str| {
        (mode != "000000").then(|| Blob { mode: mode.to_owned(), id: id.to_owned() })
    };
    Some((blob(modes.0, ids.0), blob(modes.1, ids.1)))
}
