//! A user's repository, an agent's tree that was made of it, and a trap for what must not be run.

#[path = "../support/mod.rs"]
mod shared;
#[path = "../support/trap.rs"]
mod trap;

use orchestra_core::change::{Change, FileStatus, FlagKind, Held};
use orchestra_vcs::{
    GitError,
    collect::{self, Author, Collected, Limits, Request},
    wrapper::Wrapper,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

pub(crate) use shared::{commit, git, try_git, write};
pub(crate) use trap::{Trap, make_program};

pub(crate) const REFERENCE: &str = "refs/orchestra/abcdefgh/r12/t/r12.3-2";

/// A temporary folder with the user's repository in `user` and the agent's tree in `slot/src`.
pub(crate) struct Sandbox {
    folder: PathBuf,
    pub(crate) base: String,
    pub(crate) limits: Limits,
    pub(crate) included: Vec<Held>,
    pub(crate) index: Option<PathBuf>,
    pub(crate) wrapper: Option<Wrapper>,
    _guard: TempDir,
}

impl Sandbox {
    /// The user has committed two files.
    pub(crate) fn new() -> Self {
        Self::with(|user| {
            write(user, "README", "hello\n");
            write(user, "src/lib.rs", "pub fn one() {}\n");
        })
    }

    /// The user has committed what `fill` writes.
    pub(crate) fn with(fill: impl FnOnce(&Path)) -> Self {
        Self::with_format("sha1", fill)
    }

    pub(crate) fn with_format(format: &str, fill: impl FnOnce(&Path)) -> Self {
        let guard = tempfile::tempdir().unwrap();
        let folder = guard.path().canonicalize().unwrap();
        let user = folder.join("user");
        fs::create_dir_all(&user).unwrap();
        git(&user, &["init", "-q", &format!("--object-format={format}")]);
        fill(&user);
        commit(&user, "first");
        let mut sandbox = Self {
            folder,
            base: git(&user, &["rev-parse", "HEAD"]),
            limits: Limits { file: 1_000_000, total: 10_000_000, count: 1_000, scan: 100_000 },
            included: Vec::new(),
            index: None,
            wrapper: None,
            _guard: guard,
        };
        sandbox.give_tree();
        sandbox
    }

    /// Gives the agent a new tree of the user's last commit.
    pub(crate) fn give_tree(&mut self) {
        self.give_tree_like(|_| ());
    }

    /// The same, with more of the user's repository in the agent's.
    pub(crate) fn give_tree_like(&mut self, prepare: impl FnOnce(&Path)) {
        let src = self.src();
        let _ = fs::remove_dir_all(&src);
        fs::create_dir_all(&src).unwrap();
        self.base = git(&self.user(), &["rev-parse", "HEAD"]);
        let format = git(&self.user(), &["rev-parse", "--show-object-format"]);
        git(&src, &["init", "-q", &format!("--object-format={format}")]);
        let objects = ["rev-parse", "--path-format=absolute", "--git-path", "objects"];
        let objects = git(&self.user(), &objects);
        write(&src, ".git/objects/info/alternates", format!("{objects}\n"));
        prepare(&src);
        git(&src, &["reset", "-q", "--hard", &self.base]);
    }

    /// The same, of one folder only.
    pub(crate) fn give_sparse_tree(&mut self, folder: &str) {
        self.give_tree_like(|src| {
            git(src, &["sparse-checkout", "set", "--cone", folder]);
        });
    }

    /// Keeps the index of the tree as it is now, out of the agent's reach.
    pub(crate) fn keep_index(&mut self) {
        git(&self.src(), &["update-index", "--refresh"]);
        let kept = self.path("kept-index");
        fs::copy(self.src().join(".git/index"), &kept).unwrap();
        self.index = Some(kept);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn user(&self) -> PathBuf {
        self.path("user")
    }

    pub(crate) fn src(&self) -> PathBuf {
        self.path("slot/src")
    }

    pub(crate) fn collect(&self) -> Result<Collected, GitError> {
        self.collect_as(REFERENCE)
    }

    /// Text that holds the word `SECRET` is suspected.
    pub(crate) fn collect_as(&self, reference: &str) -> Result<Collected, GitError> {
        collect::collect(&Request {
            root: &self.user(),
            src: &self.src(),
            base: &self.base,
            index: self.index.as_deref(),
            scratch: &self.path("scratch"),
            reference,
            author: Author {
                agent: "coder",
                run: "r12",
                task: "r12.3",
                attempt: "r12.3-2",
                model: Some("simulated"),
            },
            subject: "r12.3: say hello",
            limits: self.limits,
            included: &self.included,
            suspects: &|_, content, before| {
                let count = |text: &[u8]| text.windows(6).filter(|text| text == b"SECRET").count();
                (count(content) > count(before)).then(|| "a word".to_owned())
            },
            wrapper: self.wrapper.as_ref(),
        })
    }

    /// Collects, and sees that nothing is left in the private folder and the user's repository is sound.
    pub(crate) fn collected(&self) -> Collected {
        let collected = self.collect().unwrap();
        assert_eq!(fs::read_dir(self.path("scratch")).unwrap().count(), 0);
        let problems = try_git(&self.user(), &["fsck", "--strict", "--no-dangling"]);
        assert_eq!(String::from_utf8_lossy(&problems.stderr), "");
        assert!(problems.status.success());
        assert_eq!(collected.commit, collected.change.commit);
        collected
    }

    pub(crate) fn change(&self) -> Change {
        self.collected().change
    }

    /// The files of the result by path, as `<mode> <content>`.
    pub(crate) fn result(&self) -> Vec<(String, String)> {
        files_of(&self.user(), REFERENCE)
    }

    /// The notes that say how a tree was understood, which is expected to have become one commit.
    pub(crate) fn one_commit(&self) -> Vec<String> {
        let collected = self.collected();
        assert_eq!(collected.change.commits, 0);
        let parent = format!("{}^", collected.commit.unwrap());
        assert_eq!(git(&self.user(), &["rev-parse", &parent]), self.base);
        collected.change.notes
    }
}

/// The files of a commit by path, as `<mode> <content>`.
pub(crate) fn files_of(repository: &Path, commit: &str) -> Vec<(String, String)> {
    let list = try_git(repository, &["ls-tree", "-r", "-z", commit]).stdout;
    let records = list.split(|&byte| byte == 0).filter(|record| !record.is_empty());
    let file = |record: &[u8]| {
        let text = String::from_utf8_lossy(record).into_owned();
        let (head, path) = text.split_once('\t').unwrap();
        let parts: Vec<&str> = head.split(' ').collect();
        let content = match parts[1] {
            "blob" => try_git(repository, &["cat-file", "blob", parts[2]]).stdout,
            _ => parts[2].as_bytes().to_owned(),
        };
        (path.to_owned(), format!("{} {}", parts[0], String::from_utf8_lossy(&content)))
    };
    records.map(file).collect()
}

/// The changed files with what happened to each.
pub(crate) fn statuses(change: &Change) -> Vec<(&str, FileStatus)> {
    change.paths.iter().map(|file| (file.path.as_str(), file.status)).collect()
}

pub(crate) fn flags(change: &Change) -> Vec<(&str, FlagKind)> {
    change.flags.iter().map(|flag| (flag.path.as_str(), flag.kind)).collect()
}

pub(crate) fn make_fifo(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}
