//! Submodules in which something is not committed. Each is a repository with settings of its own, which
//! a `status` there, or here, would follow to the programs that they name.

use super::{
    index::Index,
    left_out,
    listing::{Listing, absolute},
};
use crate::{GitError, git::at_once, state};
use orchestra_core::snapshot::{LeftOut, LeftOutReason};
use std::path::Path;

pub(super) fn dirty(index: &Index<'_>, listing: &Listing) -> Vec<LeftOut> {
    let is_dirty = |path: &&Vec<u8>| {
        let folder = absolute(index.top, path);
        // One that cannot be read counts: nobody knows what is in it.
        folder.join(".git").exists() && is_dirty(index, &folder).unwrap_or(true)
    };
    let dirty = listing.submodules.keys().filter(is_dirty);
    dirty.map(|path| left_out(path, LeftOutReason::DirtySubmodule)).collect()
}

fn is_dirty(index: &Index<'_>, folder: &Path) -> Result<bool, GitError> {
    let filters = state::without_filters(folder)?;
    let (has_staged, has_files) = at_once(
        || {
            let git = index.git_elsewhere(folder, "diff-index");
            let answer = git.args(["--cached", "--quiet", "HEAD"]).answer()?;
            Ok::<_, GitError>(!answer.status.success())
        },
        || {
            let mut is_any = false;
            let git = index.git_elsewhere(folder, "ls-files");
            let git = filters.into_iter().fold(git, |git, (key, value)| git.set(key, value));
            git.args(["-z", "--modified", "--deleted", "--others", "--exclude-standard"])
                .records(|_| is_any = true)?;
            Ok::<_, GitError>(is_any)
        },
    );
    Ok(has_staged? || has_files?)
}
