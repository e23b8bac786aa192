//! Private clones: where an agent works, with nothing in it that leads back into the user's
//! repository but the objects it reads.

use crate::{
    GitError,
    git::{CHECKOUT_LIMIT, Git},
    state,
    trees::{
        prepare::{enter, make_private},
        remove::{absent_is_fine, delete},
        skeleton::{self, View},
        source::{self, Source},
    },
};
use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

/// A private clone of a repository's last commit, in a slot of its own.
#[derive(Debug, PartialEq, Eq)]
pub struct Clone {
    /// The top of the clone's working tree.
    pub src: PathBuf,
    /// The folder in the clone that the workspace's root is in the repository.
    pub cwd: PathBuf,
    /// For temporary files.
    pub tmp: PathBuf,
    /// For what is handed over; has a folder `tasks`.
    pub out: PathBuf,
    /// The id of the commit that it shows, lowercase hex.
    pub head: String,
}

/// Makes a clone of HEAD, of the repository to which the workspace at `root` (canonical) belongs, in
/// the new folder `slot`.
///
/// It has refs, index and settings of its own, no remotes, no hooks, and reads the objects of the
/// user's repository through `objects/info/alternates`; nothing of that repository is run or
/// written. Its branches and tags are those of the user, and it is on the same branch. Files that
/// an external filter would make (git-lfs) are left as they are committed.
///
/// `slot` appears when it is whole. A slot that exists is refused: somebody's work may be in it.
/// Blocks for as long as it takes to write the files.
pub fn create(root: &Path, slot: &Path) -> Result<Clone, GitError> {
    if fs::symlink_metadata(slot).is_ok() {
        return Err(GitError::SlotTaken(slot.to_owned()));
    }
    state::require_version()?;
    let source = source::read(root, "HEAD")?;
    let partial = beside(slot, ".partial");
    let made = clear(&partial)
        .and_then(|()| fill(&source, &partial))
        .and_then(|()| fs::rename(&partial, slot).map_err(GitError::io("failed to create", slot)));
    if let Err(error) = made {
        // The error to report is the one that stopped us; what is left goes before the next try.
        let _ = delete(&partial);
        return Err(error);
    }
    let src = slot.join("src");
    Ok(Clone {
        // Not `join`: an empty prefix would leave a slash at the end of what agents are shown.
        cwd: src.iter().chain(&source.layout.prefix).collect(),
        src,
        tmp: slot.join("tmp"),
        out: slot.join("out"),
        head: source.commit,
    })
}

/// What a crash in the middle of [`create`] left behind.
fn clear(partial: &Path) -> Result<(), GitError> {
    match delete(partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(GitError::io("failed to remove", partial)(error))
        }
        _ => Ok(()),
    }
}

fn fill(source: &Source, slot: &Path) -> Result<(), GitError> {
    let src = slot.join("src");
    make_private(slot).map_err(GitError::io("failed to create", slot))?;
    for folder in [slot.join("tmp"), slot.join("out/tasks"), src.clone()] {
        fs::create_dir_all(&folder).map_err(GitError::io("failed to create", &folder))?;
    }
    skeleton::write(source, View { commit: &source.commit, cone: None }, &src.join(".git"))?;
    Git::new(&src, "read-tree", CHECKOUT_LIMIT)
        .with_own_settings_only()
        .in_repository(".git")
        .args(["-m", "-u", &source.commit])
        .output()?;
    enter(&src, &source.layout.prefix)
}

/// Deletes a slot with all that is in it. One that does not exist is no error.
///
/// It is renamed first, so that a slot is either whole or gone, also after a crash in the middle;
/// what such a crash left is deleted by the next call for the same slot, with what a crash in the
/// middle of making it left.
pub fn remove(slot: &Path) -> io::Result<()> {
    absent_is_fine(delete(&beside(slot, ".partial")))?;
    let doomed = beside(slot, ".removed");
    absent_is_fine(delete(&doomed))?;
    match fs::rename(slot, &doomed) {
        Ok(()) => delete(&doomed),
        other => absent_is_fine(other),
    }
}

/// A name in the same folder, hence on the same file system.
fn beside(slot: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(slot);
    path.push(suffix);
    path.into()
}
