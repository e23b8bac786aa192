//! A user with a repository, an agent who changes a copy of it, and what may not change.

#[path = "../support/mod.rs"]
mod shared;

use orchestra_core::operation::{Favor, FilePlan, FileResult, FileState, Owner};
use orchestra_vcs::{
    GitError,
    apply::{self, CarryOut, PrepareRequest, Prepared, Transition},
    snapshot::{self, Buffer, Limits},
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

const REFERENCES: &str = "refs/orchestra/abcdefgh/backup/";

pub(crate) const LIMITS: Limits = Limits { file: 1_000_000, total: 10_000_000 };

/// A temporary folder with the user's repository in `user` and ours in `scratch`.
pub(crate) struct Sandbox {
    folder: PathBuf,
    _guard: Option<TempDir>,
}

/// What an agent made, and of what.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) base: String,
    pub(crate) theirs: String,
}

/// What is asked besides the work.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    pub(crate) favor: Favor,
    pub(crate) buffers: Vec<Buffer>,
    pub(crate) open: Vec<String>,
    pub(crate) root: Option<PathBuf>,
    pub(crate) no_filters: bool,
}

impl Sandbox {
    /// With no repository yet.
    pub(crate) fn empty() -> Self {
        let guard = tempfile::tempdir().unwrap();
        let sandbox = Self { folder: guard.path().canonicalize().unwrap(), _guard: Some(guard) };
        fs::create_dir(sandbox.user()).unwrap();
        fs::create_dir(sandbox.path("scratch")).unwrap();
        sandbox
    }

    /// With a repository that has one commit of these files.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let sandbox = Self::empty();
        git(&sandbox.user(), &["init", "-q"]);
        for (path, content) in files {
            write(&sandbox.user(), path, content);
        }
        commit(&sandbox.user(), "first");
        sandbox
    }

    /// One that another process has made.
    pub(crate) fn at(folder: PathBuf) -> Self {
        Self { folder, _guard: None }
    }

    pub(crate) fn user(&self) -> PathBuf {
        self.folder.join("user")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Puts text into a file of the user's.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        write(&self.user(), path, content);
    }

    pub(crate) fn read(&self, path: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.user().join(path)).unwrap()).into_owned()
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git(&self.user(), arguments)
    }

    /// What the user sees when a run starts.
    pub(crate) fn snapshot(&self) -> String {
        let user = self.user();
        let number = fs::read_dir(self.path("")).unwrap().count();
        let reference = format!("refs/orchestra/abcdefgh/r{number}/base");
        self.git(&["update-ref", "-d", &reference]);
        let taken = snapshot::take(&snapshot::Request {
            root: &user,
            scratch: &self.path("scratch"),
            reference: &reference,
            buffers: &[],
            with_conflicts: true,
            run_filters: true,
            limits: LIMITS,
            subject: "Snapshot",
            wrapper: None,
        });
        taken.unwrap().commit
    }

    /// What an agent makes of what the user sees, by a `change` in a folder of its own.
    pub(crate) fn work(&self, change: impl FnOnce(&Path)) -> Work {
        let base = self.snapshot();
        self.work_on(&base, change)
    }

    pub(crate) fn work_on(&self, base: &str, change: impl FnOnce(&Path)) -> Work {
        let agent = self.path("agent");
        fs::create_dir(&agent).unwrap();
        let in_agent = |arguments: &[&str]| {
            let output = command(&self.user())
                .env("GIT_DIR", self.user().join(".git"))
                .env("GIT_WORK_TREE", &agent)
                .env("GIT_INDEX_FILE", self.path("agent-index"))
                .current_dir(&agent)
                .args(["-c", "core.safecrlf=false", "-c", "core.sparseCheckout=false"])
                .args(arguments)
                .output()
                .unwrap();
            let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "git {arguments:?}: {complaint}");
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        in_agent(&["read-tree", base]);
        in_agent(&["checkout-index", "-a"]);
        change(&agent);
        in_agent(&["add", "-A", "-f", "."]);
        let tree = in_agent(&["write-tree"]);
        let theirs = in_agent(&["commit-tree", "-p", base, "-m", "work", &tree]);
        fs::remove_dir_all(agent).unwrap();
        fs::remove_file(self.path("agent-index")).unwrap();
        // As the reference of an attempt keeps it.
        self.git(&["update-ref", &format!("refs/orchestra/abcdefgh/works/{theirs}"), &theirs]);
        Work { base: base.to_owned(), theirs }
    }

    /// Prepares, and sees that nothing of the user's has changed.
    pub(crate) fn prepare(&self, number: u32, work: &Work, wish: &Wish) -> Prepared {
        self.try_prepare(number, work, wish, None).unwrap()
    }

    /// As [`Sandbox::prepare`], where git may refuse; or to take an operation back.
    pub(crate) fn try_prepare(
        &self,
        number: u32,
        work: &Work,
        wish: &Wish,
        undo: Option<&str>,
    ) -> Result<Prepared, GitError> {
        let before = all(&self.user());
        let prepared = self.call(number, work, wish, undo);
        assert_same(&before, &all(&self.user()));
        assert_eq!(names(&self.path("scratch")), [""; 0], "something is left in scratch");
        prepared
    }

    /// Only prepares.
    pub(crate) fn call(
        &self,
        number: u32,
        work: &Work,
        wish: &Wish,
        undo: Option<&str>,
    ) -> Result<Prepared, GitError> {
        let user = wish.root.clone().unwrap_or_else(|| self.user());
        apply::prepare(&PrepareRequest {
            root: &user,
            scratch: &self.path("scratch"),
            base: &work.base,
            theirs: &work.theirs,
            favor: wish.favor,
            references: &format!("{REFERENCES}o{number}"),
            buffers: &wish.buffers,
            open: &wish.open,
            undo,
            limits: LIMITS,
            subject: "apply",
            run_filters: !wish.no_filters,
        })
    }

    /// Carries out, and sees that git's own files have not changed and nothing of ours is left.
    pub(crate) fn carry_out(&self, number: u32, files: &[FilePlan]) -> Vec<FileResult> {
        let results = self.carry_out_leaving_something(number, files);
        assert!(!self.user().join(".orchestra-writing").exists());
        results
    }

    pub(crate) fn carry_out_leaving_something(
        &self,
        number: u32,
        files: &[FilePlan],
    ) -> Vec<FileResult> {
        let before = git_folder(&self.user());
        let results = self.carry_out_only(number, files);
        assert_same(&before, &git_folder(&self.user()));
        results
    }

    /// Only carries out.
    pub(crate) fn carry_out_only(&self, number: u32, files: &[FilePlan]) -> Vec<FileResult> {
        apply::carry_out(&CarryOut {
            root: &self.user(),
            references: &format!("{REFERENCES}o{number}"),
            files,
        })
        .unwrap()
    }

    /// Applies all of it, and sees that it is done.
    pub(crate) fn apply(&self, number: u32, work: &Work) -> Transition {
        let transition = ready(self.prepare(number, work, &Wish::default()));
        assert_applied(&self.carry_out(number, &transition.files));
        transition
    }

    pub(crate) fn prepare_undo(&self, number: u32, of: u32, done: &Transition) -> Prepared {
        let back = Work { base: done.after.clone(), theirs: done.before.clone() };
        let references = format!("{REFERENCES}o{of}");
        self.try_prepare(number, &back, &Wish::default(), Some(&references)).unwrap()
    }

    /// Takes it back, and sees that it is done.
    pub(crate) fn undo(&self, number: u32, of: u32, done: &Transition) -> Transition {
        let transition = ready(self.prepare_undo(number, of, done));
        assert_applied(&self.carry_out(number, &transition.files));
        transition
    }

    /// Everything in the user's folder, with what git keeps.
    pub(crate) fn all(&self) -> Files {
        all(&self.user())
    }

    /// Applies work, sees what became of it, takes it back, and sees that everything is as it was; then all of
    /// that once more.
    pub(crate) fn there_and_back(&self, work: &Work, see: impl Fn(&Self)) {
        let before = self.all();
        let applied = self.apply(1, work);
        see(self);
        let after = self.all();
        let undone = self.undo(2, 1, &applied);
        assert_same(&before, &self.all());
        let redone = self.undo(3, 2, &undone);
        assert_same(&after, &self.all());
        see(self);
        self.undo(4, 3, &redone);
        assert_same(&before, &self.all());
    }

    /// The paths of a commit, as git lists them, each with its content.
    pub(crate) fn shown(&self, commit: &str) -> BTreeMap<String, String> {
        let listed = self.git(&["ls-tree", "-r", "--name-only", commit]);
        let content = |path: &str| {
            let output = try_git(&self.user(), &["show", &format!("{commit}:{path}")]);
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        listed.lines().map(|path| (path.to_owned(), content(path))).collect()
    }
}

/// Path to what it is.
pub(crate) type Files = BTreeMap<PathBuf, String>;

pub(crate) fn ready(prepared: Prepared) -> Transition {
    match prepared {
        Prepared::Ready(transition) => transition,
        other => panic!("{other:?}"),
    }
}

/// The paths in conflict.
pub(crate) fn conflicts(prepared: Prepared) -> Vec<String> {
    match prepared {
        Prepared::Conflict(conflicts) => conflicts.into_iter().map(|it| it.path).collect(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn refusal(prepared: Prepared) -> String {
    match prepared {
        Prepared::Refused { message, .. } => message,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn assert_applied(results: &[FileResult]) {
    for FileResult { path, state } in results {
        assert_eq!(*state, FileState::Applied, "{path}");
    }
}

pub(crate) fn on_disk(paths: &[&str]) -> Vec<FilePlan> {
    let plan = |path: &&str| FilePlan { path: (*path).to_owned(), owner: Owner::Disk };
    paths.iter().map(plan).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Files by kind, mode and bytes; of git's own also when they were written. Not its objects, and not what is
/// below `refs/orchestra`.
pub(crate) fn all(user: &Path) -> Files {
    let mut found = git_folder(user);
    walk(user, false, &mut found);
    found
}

fn git_folder(user: &Path) -> Files {
    let mut found = Files::new();
    let folder = user.join(".git");
    if folder.exists() {
        walk(&folder, true, &mut found);
        let refs = git(user, &["for-each-ref"]);
        let theirs: Vec<&str> =
            refs.lines().filter(|line| !line.contains("refs/orchestra/")).collect();
        found.insert("for-each-ref".into(), theirs.join("\n"));
    }
    found
}

fn walk(folder: &Path, in_git: bool, found: &mut Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), entry.file_name());
        if name == ".git" || in_git && ["objects", "orchestra"].map(OsStr::new).contains(&&*name) {
            continue;
        }
        let metadata = fs::symlink_metadata(&path).unwrap();
        let kind = metadata.file_type();
        let content = if kind.is_dir() {
            String::new()
        } else if kind.is_symlink() {
            format!("{:?}", fs::read_link(&path).unwrap())
        } else if kind.is_file() {
            fs::read(&path).unwrap().escape_ascii().to_string()
        } else {
            "special".to_owned()
        };
        let times = match in_git && !kind.is_dir() {
            true => format!("{}.{} {}", metadata.mtime(), metadata.mtime_nsec(), metadata.ino()),
            false => String::new(),
        };
        found.insert(path.clone(), format!("{:o} {times} {content}", metadata.mode()));
        if kind.is_dir() {
            walk(&path, in_git, found);
        }
    }
}

pub(crate) fn assert_same(before: &Files, after: &Files) {
    for (path, then) in before {
        assert_eq!(after.get(path), Some(then), "{} has changed", path.display());
    }
    let new: Vec<_> = after.keys().filter(|path| !before.contains_key(*path)).collect();
    assert!(new.is_empty(), "{new:?} are new");
}

pub(crate) fn bytes(name: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(name))
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

pub(crate) fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}
