//! Private clones: where an agent works, with nothing in it that leads back into the user's
//! repository but the objects it reads.

mod remove;
mod skeleton;
mod source;

pub use remove::remove;

use crate::{
    GitError,
    git::{CHECKOUT_LIMIT, Git},
    state,
};
use source::Source;
use std::{
    ffi::OsString,
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
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
    let source = source::read(root)?;
    let partial = beside(slot, ".partial");
    let made = clear(&partial)
        .and_then(|()| fill(&source, &partial))
        .and_then(|()| fs::rename(&partial, slot).map_err(GitError::io("failed to create", slot)));
    if let Err(error) = made {
        // The error to report is the one that stopped us; what is left goes before the next try.
        let _ = remove::delete(&partial);
        return Err(error);
    }
    let src = slot.join("src");
    Ok(Clone {
        // Not `join`: an empty prefix would leave a slash at the end of what agents are shown.
        cwd: src.iter().chain(&source.layout.prefix).collect(),
        src,
        tmp: slot.join("tmp"),
        out: slot.join("out"),
        head: source.layout.head,
    })
}

/// What a crash in the middle of [`create`] left behind.
fn clear(partial: &Path) -> Result<(), GitError> {
    match remove::delete(partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(GitError::io("failed to remove", partial)(error))
        }
        _ => Ok(()),
    }
}

fn fill(source: &Source, slot: &Path) -> Result<(), GitError> {
    let src = slot.join("src");
    make_private(slot)?;
    for folder in [slot.join("tmp"), slot.join("out/tasks"), src.clone()] {
        fs::create_dir_all(&folder).map_err(GitError::io("failed to create", &folder))?;
    }
    skeleton::write(source, &src.join(".git"))?;
    Git::new(&src, "read-tree", CHECKOUT_LIMIT)
        .with_own_settings_only()
        .in_repository(".git")
        .args(["-m", "-u", &source.layout.head])
        .output()?;
    enter(&src, &source.layout.prefix)
}

/// Others on this machine do not read what the user works on.
fn make_private(slot: &Path) -> Result<(), GitError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(slot)
        .map_err(GitError::io("failed to create", slot))
}

/// Sees that the workspace's folder is in the clone. It may be new and thus in no commit, but a
/// commit in which it is a symbolic link would lead out of the clone.
fn enter(src: &Path, prefix: &Path) -> Result<(), GitError> {
    let mut folder = src.to_owned();
    for part in prefix {
        folder.push(part);
        match fs::symlink_metadata(&folder) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(GitError::NoFolder(prefix.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir(&folder).map_err(GitError::io("failed to create", &folder))?;
            }
            Err(error) => return Err(GitError::io("failed to read", &folder)(error)),
        }
    }
    Ok(())
}

/// A name in the same folder, hence on the same file system.
fn beside(slot: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(slot);
    path.push(suffix);
    path.into()
}
