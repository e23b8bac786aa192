//! The way out of quarantine: one pack, checked once more by the user's own git, and one reference.

use super::{
    Request,
    origin::Origin,
    quarantine::{Quarantine, line},
};
use crate::{
    GitError,
    git::{ANSWER_LIMIT, CHECKOUT_LIMIT, Git},
};
use std::{
    fs::File,
    path::{Path, PathBuf},
};

/// Brings a pack of what `commit` adds to the base into the user's repository, and has the reference hold
/// it.
pub(super) fn import(
    request: &Request<'_>,
    origin: &Origin,
    commit: &str,
    pack: &Path,
) -> Result<(), GitError> {
    let file = File::open(pack).map_err(GitError::io("failed to open", pack))?;
    // In a partial clone, what the commit refers to may be with the remote.
    let check = if origin.is_partial { "--fsck-objects" } else { "--strict" };
    Git::new(request.root, "index-pack", CHECKOUT_LIMIT)
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .args([check, "--stdin"])
        .input_file(file)
        .output()?;
    let old = origin.kept.as_ref().map(|kept| kept.commit.as_str());
    Git::new(request.root, "update-ref", ANSWER_LIMIT)
        // A user may have asked for a log of every reference.
        .set("core.logAllRefUpdates".into(), "false")
        // Nothing as the old value: the reference must be new.
        .args(["--no-deref", request.reference, commit, old.unwrap_or_default()])
        .output()
        .map(drop)
}

/// Writes what `commit` reaches and `base` does not into a pack of the quarantine. `git` is a call of
/// `pack-objects`.
pub(super) fn pack(
    quarantine: &Quarantine<'_>,
    git: Git,
    name: &str,
    commit: &str,
    base: &str,
) -> Result<PathBuf, GitError> {
    let input = format!("{commit}\n^{base}\n");
    let git = git.args(["--revs", "-q"]).args([quarantine.room(name)]);
    let hash = line(&git.input(input.into_bytes()).output()?);
    Ok(quarantine.room(&format!("{name}-{hash}.pack")))
}
