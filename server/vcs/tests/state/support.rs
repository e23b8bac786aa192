//! A folder for each scenario, with a repository in it that git itself made.

#[path = "../support/mod.rs"]
mod shared;
#[path = "../support/trap.rs"]
mod trap;

use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

pub(crate) use shared::{commit, git, try_git, write};
pub(crate) use trap::{Trap, make_program};

/// A temporary folder with the user's repository in `user`.
pub(crate) struct Sandbox {
    folder: PathBuf,
    _guard: TempDir,
}

impl Sandbox {
    /// With no repository yet.
    pub(crate) fn empty() -> Self {
        let guard = tempfile::tempdir().unwrap();
        let folder = guard.path().canonicalize().unwrap();
        fs::create_dir(folder.join("user")).unwrap();
        Self { folder, _guard: guard }
    }

    /// With a repository that has one commit of two files.
    pub(crate) fn with_commit() -> Self {
        let sandbox = Self::empty();
        let user = sandbox.user();
        git(&user, &["init", "-q"]);
        write(&user, "README", "hello\n");
        write(&user, "src/lib.rs", "pub fn one() {}\n");
        commit(&user, "first");
        sandbox
    }

    pub(crate) fn user(&self) -> PathBuf {
        self.folder.join("user")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

pub(crate) fn read(folder: &Path, path: &str) -> String {
    fs::read_to_string(folder.join(path)).unwrap()
}
