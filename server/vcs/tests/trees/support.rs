//! A folder for each scenario: the user's repository, made by git itself, and a pool beside it.

#[path = "../support/mod.rs"]
mod shared;
#[path = "../support/trap.rs"]
mod trap;

use orchestra_vcs::{
    GitError,
    trees::{Clean, DiskLimit, Pool, Purpose, Tree, TreeRequest},
};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::{self, Permissions},
    os::unix::{ffi::OsStringExt as _, fs::PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Command, Output},
};
use tempfile::TempDir;

pub(crate) use shared::{commit, git, try_git, write};
pub(crate) use trap::{Trap, make_program};

/// A temporary folder with the user's repository in `user`, and the pool in `pool`.
pub(crate) struct Sandbox {
    folder: PathBuf,
    pub(crate) pool: Pool,
    _guard: TempDir,
}

impl Sandbox {
    /// With no repository yet.
    pub(crate) fn empty() -> Self {
        let guard = tempfile::tempdir().unwrap();
        let folder = guard.path().canonicalize().unwrap();
        fs::create_dir(folder.join("user")).unwrap();
        let pool = Pool::open(folder.join("pool"), folder.join("user"));
        Self { folder, pool, _guard: guard }
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

    pub(crate) fn slot(&self, name: &str) -> PathBuf {
        self.folder.join("pool").join(name)
    }

    /// Another pool in the same folder, as a restarted daemon opens it.
    pub(crate) fn restarted(&self) -> Pool {
        Pool::open(self.folder.join("pool"), self.user())
    }

    pub(crate) fn head(&self) -> String {
        git(&self.user(), &["rev-parse", "HEAD"])
    }

    /// Commits all that is in the user's folder.
    pub(crate) fn commit(&self, message: &str) -> String {
        commit(&self.user(), message);
        self.head()
    }

    /// A tree of HEAD to write in.
    pub(crate) fn tree(&self, holder: &str) -> Tree {
        self.pool.acquire(&Wish::new(holder).request(&self.head())).unwrap()
    }

    pub(crate) fn acquire(&self, wish: &Wish) -> Result<Tree, GitError> {
        self.pool.acquire(&wish.request(&self.head()))
    }

    /// What is in the pool's folder, by name.
    pub(crate) fn names(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.folder.join("pool")) else { return Vec::new() };
        let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<_> =
            entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// A request that owns its parts: a tree to write in, unless it says otherwise.
#[derive(Clone)]
pub(crate) struct Wish {
    pub(crate) purpose: Purpose,
    pub(crate) holder: String,
    pub(crate) sparse: Vec<String>,
    pub(crate) keep: Vec<String>,
    pub(crate) copy: Vec<String>,
    pub(crate) clean: Clean,
    pub(crate) limit: DiskLimit,
    pub(crate) private: bool,
}

impl Wish {
    pub(crate) fn new(holder: &str) -> Self {
        Self {
            purpose: Purpose::Write,
            holder: holder.to_owned(),
            sparse: Vec::new(),
            keep: Vec::new(),
            copy: Vec::new(),
            clean: Clean::Kept,
            limit: DiskLimit::NONE,
            private: false,
        }
    }

    pub(crate) fn to(self, purpose: Purpose) -> Self {
        Self { purpose, ..self }
    }

    pub(crate) fn keeping(self, patterns: &[&str]) -> Self {
        Self { keep: owned(patterns), ..self }
    }

    pub(crate) fn copying(self, patterns: &[&str]) -> Self {
        Self { copy: owned(patterns), ..self }
    }

    pub(crate) fn of_folders(self, folders: &[&str]) -> Self {
        Self { sparse: owned(folders), ..self }
    }

    pub(crate) fn within(self, bytes: u64) -> Self {
        Self { limit: DiskLimit(bytes), ..self }
    }

    pub(crate) fn request<'a>(&'a self, commit: &'a str) -> TreeRequest<'a> {
        TreeRequest {
            purpose: self.purpose,
            holder: &self.holder,
            commit,
            sparse: &self.sparse,
            keep: &self.keep,
            copy: &self.copy,
            clean: self.clean,
            limit: self.limit,
            private: self.private,
        }
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// What git sees in a tree that nobody touched: the commit, and not a change.
pub(crate) fn assert_pristine(tree: &Tree) {
    assert_eq!(git(&tree.src, &["rev-parse", "HEAD"]), tree.commit);
    assert_eq!(git(&tree.src, &["status", "--porcelain", "--ignored"]), "");
    assert_eq!(git(&tree.src, &["fsck", "--connectivity-only", "--no-dangling"]), "");
    assert_same_as_checkout(tree);
    assert_eq!(paths(&tree.tmp), [""; 0]);
    assert_eq!(paths(&tree.out), ["tasks"]);
}

/// Every byte as a fresh checkout of the same commit has it, whatever git believes of the files.
pub(crate) fn assert_same_as_checkout(tree: &Tree) {
    let fresh = tempfile::tempdir().unwrap();
    let at = |option: &str, path: &Path| format!("--{option}={}", path.display());
    let (git_dir, work_tree) =
        (at("git-dir", &tree.src.join(".git")), at("work-tree", fresh.path()));
    let index = fresh.path().join(".git-index");
    let output = Command::new("git")
        .env("GIT_INDEX_FILE", &index)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .args([&git_dir, &work_tree, "read-tree", "-m", "-u", &tree.commit])
        .current_dir(fresh.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::remove_file(index).unwrap();
    assert_eq!(content(&tree.src), content(fresh.path()));
}

/// Every file and link below a folder but the `.git` at its top, with what is in it; what is neither
/// as such.
pub(crate) fn content(top: &Path) -> BTreeMap<OsString, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(top.join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            let kind = entry.file_type().unwrap();
            if path == Path::new(".git") {
                continue;
            }
            let shown = if kind.is_dir() {
                folders.push(path.clone());
                continue;
            } else if kind.is_symlink() {
                format!("-> {}", fs::read_link(entry.path()).unwrap().display())
            } else if kind.is_file() {
                let executable = entry.metadata().unwrap().permissions().mode() & 0o100 != 0;
                let bytes = fs::read(entry.path()).unwrap();
                format!("{executable} {}", String::from_utf8_lossy(&bytes))
            } else {
                "special".to_owned()
            };
            found.insert(path.into_os_string(), shown);
        }
    }
    found
}

/// The names in a folder, sorted.
pub(crate) fn paths(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

pub(crate) fn odd_name(bytes: &[u8]) -> OsString {
    OsString::from_vec(bytes.to_owned())
}

pub(crate) fn read(folder: &Path, path: &str) -> String {
    fs::read_to_string(folder.join(path)).unwrap()
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Runs git as a user whose own configuration is the file `global`.
pub(crate) fn try_git_with(global: &Path, folder: &Path, arguments: &[&str]) -> Output {
    shared::command(folder).env("GIT_CONFIG_GLOBAL", global).args(arguments).output().unwrap()
}
