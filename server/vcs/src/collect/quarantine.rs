//! A repository of our own in a private folder, which reads the user's objects and keeps the new ones
//! until they have been looked at.

use super::{Request, origin::Origin};
use crate::{
    GitError,
    bare::{self, Signature, copy, line, make},
    git::{CHECKOUT_LIMIT, Git},
    index::Tracked,
    state::{self, Setting},
    trees::source::Format,
    update_index::{self, Entry, nul_ended},
    wrapper::Wrapper,
};
use std::{
    collections::HashSet,
    ffi::OsString,
    fs::{self, File, FileTimes, Permissions},
    os::unix::{ffi::OsStringExt as _, fs::PermissionsExt as _},
    path::{Path, PathBuf},
    time::SystemTime,
};
use tempfile::TempDir;

/// What holds here, whatever the user's own settings say.
const SETTINGS: [(&str, &str); 8] = [
    // Lines that end in two ways are no reason to lose a file.
    ("core.safecrlf", "false"),
    ("core.splitIndex", "false"),
    ("core.untrackedCache", "false"),
    ("core.ignoreStat", "false"),
    // A file outside of a sparse checkout counts when it is there all the same.
    ("core.sparseCheckout", "true"),
    // It is a cache that is believed; here ancestry is read from the commits.
    ("core.commitGraph", "false"),
    // What a crash leaves here is thrown away.
    ("core.fsync", "none"),
    ("index.skipHash", "true"),
];

/// The first git that puts all objects of one `update-index` into one pack; before, it was one for each.
const UPDATES_INTO_ONE_PACK: (u32, u32) = (2, 38);

/// Removed when dropped.
#[derive(Debug)]
pub(super) struct Quarantine<'a> {
    src: &'a Path,
    wrapper: Option<&'a Wrapper>,
    settings: Vec<(OsString, String)>,
    origin: &'a Origin,
    repository: PathBuf,
    folder: TempDir,
}

impl<'a> Quarantine<'a> {
    pub(super) fn create(request: &Request<'a>, origin: &'a Origin) -> Result<Self, GitError> {
        make(request.scratch)?;
        let folder = tempfile::Builder::new()
            .prefix("collect-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(request.scratch)
            .map_err(GitError::io("failed to create a folder in", request.scratch))?;
        let users = origin.settings.iter().map(|setting| {
            let value = String::from_utf8_lossy(&setting.value).into_owned();
            (OsString::from_vec(setting.key.clone()), value)
        });
        let ours = SETTINGS.map(|(key, value)| (key.into(), value.to_owned()));
        let quarantine = Self {
            src: request.src,
            wrapper: request.wrapper,
            // Ours come last, so they count.
            settings: users.chain(ours).collect(),
            origin,
            repository: folder.path().join("repository"),
            folder,
        };
        quarantine.skeleton(&quarantine.repository, &[&origin.objects])?;
        let info = quarantine.repository.join("info");
        make(&info)?;
        copy(&origin.exclude, &info.join("exclude"))?;
        copy(&origin.attributes, &info.join("attributes"))?;
        Ok(quarantine)
    }

    /// A repository that holds nothing but reads these folders of objects.
    pub(super) fn skeleton(&self, repository: &Path, objects: &[&Path]) -> Result<(), GitError> {
        bare::skeleton(repository, objects, &self.origin.object_format, &self.origin.shallow)
    }

    /// A private folder beside the repository.
    pub(super) fn room(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn users_objects(&self) -> &Path {
        &self.origin.objects
    }

    /// A call of git that sees only objects, references and the index.
    pub(super) fn git(&self, verb: &str) -> Git {
        self.git_in(&self.repository, verb)
    }

    /// The same in another repository of ours.
    pub(super) fn git_in(&self, repository: &Path, verb: &str) -> Git {
        // The folder is where git looks for attributes: there are none of the agent's.
        self.prepared(Git::new(repository, verb, CHECKOUT_LIMIT).in_repository(repository))
    }

    /// A call of git that sees the agent's files.
    pub(super) fn git_on_files(&self, verb: &str) -> Git {
        let git = Git::new(self.src, verb, CHECKOUT_LIMIT).in_repository(&self.repository);
        self.prepared(git.env("GIT_WORK_TREE", self.src))
    }

    fn prepared(&self, git: Git) -> Git {
        let mut git = git
            .with_own_settings_only()
            .with_index(&self.room("index"))
            .env("GIT_NO_REPLACE_OBJECTS", "1");
        for (key, value) in &self.settings {
            git = git.set(key.clone(), value);
        }
        match self.wrapper {
            Some(wrapper) => git.through(wrapper),
            None => git,
        }
    }

    pub(super) fn fill_index(&self, request: &Request<'_>) -> Result<(), GitError> {
        match request.index {
            Some(kept) => copy_index(kept, &self.room("index")),
            None => self.git("read-tree").args([request.base]).output().map(drop),
        }
    }

    /// Puts the files of a commit into the index, where those that it has in the same way keep what it knows
    /// of them.
    ///
    /// The index stays as old as it was. This git does not see the files; to those that come later, a new index
    /// would say that whatever was written in the second of the checkout is as it was then.
    pub(super) fn move_index(&self, commit: &str) -> Result<(), GitError> {
        let index = self.room("index");
        let written = written(&index)?;
        self.git("read-tree").args(["-m", "-i", commit]).output()?;
        set_written(&index, written)
    }

    /// The index of the tree as it was given, where a look at the files says how they differ from it. On
    /// file systems that know a file by several spellings, only git can tell.
    pub(super) fn comparable_index(&self, request: &Request<'_>) -> Option<Tracked> {
        let is_on = |setting: &Setting| {
            let key = setting.key.as_slice();
            matches!(key, b"core.ignorecase" | b"core.precomposeunicode")
                && setting.value != b"false"
        };
        if self.origin.settings.iter().any(is_on) {
            return None;
        }
        let format = match self.origin.object_format.as_str() {
            "sha256" => Format::Sha256,
            _ => Format::Sha1,
        };
        Tracked::read(request.index?, format).filter(Tracked::is_plain)
    }

    /// Enters these as they are said to be, whatever the disk says.
    pub(super) fn enter(&self, entries: Vec<Entry>) -> Result<(), GitError> {
        let length = if self.origin.object_format == "sha256" { 64 } else { 40 };
        let git = self.git_on_files("update-index").args(["--replace"]);
        update_index::enter(git, length, entries)
    }

    /// Enters these as they lie on the disk.
    pub(super) fn update(&self, paths: &[Vec<u8>]) -> Result<(), GitError> {
        let mut git = self.git_on_files("update-index").args(["--add", "--replace"]);
        if state::require_version()? >= UPDATES_INTO_ONE_PACK {
            // What is larger goes into a pack. A file for each object takes most of the time, here and
            // when they are packed afterwards.
            git = git.set("core.bigFileThreshold".into(), "1");
        }
        feed(git, paths)
    }

    /// Has git take these for unchanged without a look at them.
    pub(super) fn assume_unchanged(&self, paths: &[Vec<u8>]) -> Result<(), GitError> {
        feed(self.git_on_files("update-index").args(["--assume-unchanged"]), paths)
    }

    /// Which of these new paths are ignored.
    pub(super) fn ignored(&self, paths: &[Vec<u8>]) -> Result<HashSet<Vec<u8>>, GitError> {
        update_index::ignored(self.git_on_files("check-ignore"), self.src, paths)
    }

    pub(super) fn write_tree(&self) -> Result<String, GitError> {
        // Whether all its objects are there is seen when they are imported.
        self.git("write-tree").args(["--missing-ok"]).output().map(|output| line(&output))
    }

    /// The tree that the agent was given.
    pub(super) fn base_tree(&self) -> &str {
        &self.origin.base_tree
    }

    /// How many commits lead from one to the other.
    pub(super) fn commits_since(&self, base: &str, commit: &str) -> Result<u32, GitError> {
        let git = self.git("rev-list").args(["--count", commit, &format!("^{base}")]);
        Ok(line(&git.output()?).parse().unwrap_or(u32::MAX))
    }

    pub(super) fn tree_of(&self, commit: &str) -> Result<String, GitError> {
        let git = self.git("rev-parse").args(["--verify", &format!("{commit}^{{tree}}")]);
        git.output().map(|output| line(&output))
    }

    pub(super) fn commit(
        &self,
        agent: &str,
        tree: &str,
        parent: &str,
        message: String,
    ) -> Result<String, GitError> {
        let git = Signature::of_agent(agent).sign(self.git("commit-tree")).args([
            "--no-gpg-sign",
            "-F",
            "-",
            "-p",
            parent,
            tree,
        ]);
        git.input(message.into_bytes()).output().map(|output| line(&output))
    }
}

fn feed(update_index: Git, paths: &[Vec<u8>]) -> Result<(), GitError> {
    if paths.is_empty() {
        return Ok(());
    }
    update_index.args(["-z", "--stdin"]).input(nul_ended(paths)).output().map(drop)
}

/// The copy says when the original was written: git takes a file for unchanged only when it is older
/// than the index.
fn copy_index(from: &Path, to: &Path) -> Result<(), GitError> {
    let written = written(from)?;
    fs::copy(from, to).map_err(GitError::io("failed to copy", from))?;
    set_written(to, written)
}

fn written(index: &Path) -> Result<SystemTime, GitError> {
    let found = fs::metadata(index).and_then(|found| found.modified());
    found.map_err(GitError::io("failed to read", index))
}

fn set_written(index: &Path, written: SystemTime) -> Result<(), GitError> {
    let file = File::options().write(true).open(index);
    let set = file.and_then(|file| file.set_times(FileTimes::new().set_modified(written)));
    set.map_err(GitError::io("failed to write", index))
}
