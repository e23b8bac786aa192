//! A user with a repository, what may not change in it, and what a snapshot holds.

#[path = "../support/mod.rs"]
mod shared;

use orchestra_core::snapshot::{LeftOut, LeftOutReason, Snapshot};
use orchestra_vcs::{
    GitError,
    snapshot::{self, Buffer, Limits, Request},
};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{MetadataExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
};
use tempfile::TempDir;

pub(crate) use shared::{command, commit, git, try_git, write};

/// Where the snapshots of these tests are kept.
pub(crate) const REFERENCE: &str = "refs/orchestra/abcdefgh/r1/base";

/// A temporary folder with the user's repository in `user` and ours in `scratch`.
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
        fs::create_dir(folder.join("scratch")).unwrap();
        Self { folder, _guard: guard }
    }

    /// With a repository that has no commit yet.
    pub(crate) fn unborn() -> Self {
        let sandbox = Self::empty();
        git(&sandbox.user(), &["init", "-q"]);
        sandbox
    }

    /// With a repository that has one commit of these files.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let sandbox = Self::unborn();
        for (path, content) in files {
            write(&sandbox.user(), path, content);
        }
        commit(&sandbox.user(), "first");
        sandbox
    }

    pub(crate) fn user(&self) -> PathBuf {
        self.folder.join("user")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn scratch(&self) -> PathBuf {
        self.folder.join("scratch")
    }

    /// Takes a snapshot of the user's repository.
    pub(crate) fn take(&self) -> Result<Snapshot, GitError> {
        self.take_at(&self.user(), |_| {})
    }

    pub(crate) fn take_with_buffers(&self, buffers: &[(&str, &str)]) -> Result<Snapshot, GitError> {
        let buffer = |&(path, content): &(&str, &str)| Buffer {
            path: path.into(),
            content: content.as_bytes().to_owned(),
        };
        let buffers: Vec<Buffer> = buffers.iter().map(buffer).collect();
        let user = self.user();
        let mut request = self.request(&user);
        request.buffers = &buffers;
        self.take_this(&request)
    }

    /// Takes one of the workspace at `root`, with what `change` makes of the request.
    pub(crate) fn take_at(
        &self,
        root: &Path,
        change: impl FnOnce(&mut Request<'_>),
    ) -> Result<Snapshot, GitError> {
        let scratch = self.scratch();
        let mut request = request(root, &scratch);
        change(&mut request);
        self.take_this(&request)
    }

    /// Takes one, and sees that everything of the user's is as it was and that nothing of ours is left.
    pub(crate) fn take_this(&self, request: &Request<'_>) -> Result<Snapshot, GitError> {
        let before = fingerprint(&self.user());
        let result = snapshot::take(request);
        assert_same(&before, &fingerprint(&self.user()));
        assert_eq!(
            fs::read_dir(self.scratch()).unwrap().count(),
            0,
            "something is left in scratch"
        );
        result
    }

    /// The paths and the content of everything in a snapshot, as git shows them.
    pub(crate) fn shown(&self, snapshot: &Snapshot) -> BTreeMap<String, String> {
        shown(&self.user(), &snapshot.commit)
    }
}

/// What most scenarios ask for.
pub(crate) fn request<'a>(root: &'a Path, scratch: &'a Path) -> Request<'a> {
    Request {
        root,
        scratch,
        reference: REFERENCE,
        buffers: &[],
        with_conflicts: false,
        run_filters: true,
        limits: Limits { file: 10_000_000, total: 500_000_000 },
        subject: "Snapshot",
        wrapper: None,
    }
}

impl Sandbox {
    /// For those who change several things of it.
    pub(crate) fn request<'a>(&'a self, root: &'a Path) -> Request<'a> {
        // Leaked so that callers need no second name for it; a few bytes in a test.
        let scratch: &'static Path = Box::leak(self.scratch().into_boxed_path());
        request(root, scratch)
    }
}

/// Path to content, with the kind before it unless it is a plain file.
pub(crate) fn shown(repository: &Path, commit: &str) -> BTreeMap<String, String> {
    let listed = try_git(repository, &["ls-tree", "-r", "-z", commit]).stdout;
    let records = listed.split(|&byte| byte == 0).filter(|record| !record.is_empty());
    let entry = |record: &[u8]| {
        let text = String::from_utf8_lossy(record).into_owned();
        let (header, path) = text.split_once('\t').unwrap();
        let parts: Vec<&str> = header.split(' ').collect();
        let content = || {
            let output = try_git(repository, &["cat-file", "blob", parts[2]]);
            assert!(output.status.success(), "the content of {path} is missing");
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        let content = match parts[0] {
            "100644" => content(),
            "100755" => format!("x {}", content()),
            "120000" => format!("-> {}", content()),
            mode => format!("{mode} {}", parts[2]),
        };
        (path.to_owned(), content)
    };
    records.map(entry).collect()
}

/// As [`shown`] answers.
pub(crate) fn files(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files.iter().map(|(path, content)| ((*path).to_owned(), (*content).to_owned())).collect()
}

pub(crate) fn left_out(path: &str, reason: LeftOutReason) -> LeftOut {
    LeftOut { path: path.to_owned(), reason }
}

/// Everything in and of a folder that is not to change: bytes, kinds, rights and times. Not objects,
/// not references of ours (with reftable not its files, but what they say), not the times of folders in
/// which those lie.
pub(crate) fn fingerprint(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    walk(folder, false, &mut found);
    if folder.join(".git").exists() {
        let refs = git(folder, &["for-each-ref"]);
        let theirs: Vec<&str> =
            refs.lines().filter(|line| !line.contains("refs/orchestra/")).collect();
        found.insert("for-each-ref".into(), theirs.join("\n"));
        // Fails where there is nothing.
        for command in [["reflog", "--all"], ["stash", "list"], ["symbolic-ref", "HEAD"]] {
            let output = try_git(folder, &command);
            found.insert(command.join(" ").into(), String::from_utf8(output.stdout).unwrap());
        }
    }
    found
}

fn walk(folder: &Path, in_git: bool, found: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), entry.file_name());
        let in_git = in_git || name == ".git";
        if in_git && ["objects", "orchestra", "reftable"].map(OsStr::new).contains(&name.as_ref()) {
            continue;
        }
        let metadata = fs::symlink_metadata(&path).unwrap();
        let kind = metadata.file_type();
        let content = if kind.is_dir() {
            String::new()
        } else if kind.is_symlink() {
            format!("{:?}", fs::read_link(&path).unwrap())
        } else if !kind.is_file() || metadata.len() > 1_000_000 {
            metadata.len().to_string()
        } else {
            fs::read(&path).unwrap().escape_ascii().to_string()
        };
        let times = format!("{}.{}", metadata.mtime(), metadata.mtime_nsec());
        let times = if in_git && kind.is_dir() { String::new() } else { times };
        let mode = metadata.mode();
        found.insert(path.clone(), format!("{mode:o} {} {times} {content}", metadata.ino()));
        if kind.is_dir() {
            walk(&path, in_git, found);
        }
    }
}

pub(crate) fn assert_same(before: &BTreeMap<PathBuf, String>, after: &BTreeMap<PathBuf, String>) {
    for (path, then) in before {
        assert_eq!(after.get(path), Some(then), "{} has changed", path.display());
    }
    let new: Vec<_> = after.keys().filter(|path| !before.contains_key(*path)).collect();
    assert!(new.is_empty(), "{new:?} are new");
}

pub(crate) fn bytes(name: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(name))
}

pub(crate) fn make_executable(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
