//! An index of our own, which starts as a copy of the user's.

use super::{Request, line, place::Place};
use crate::{
    GitError,
    git::{CHECKOUT_LIMIT, Git},
    index::Tracked,
    state,
    trees::source::Format,
    update_index::{self, Entry, nul_ended},
    wrapper::Wrapper,
};
use std::{
    collections::HashSet,
    ffi::{OsStr, OsString},
    fs::{self, DirBuilder, File, FileTimes, Permissions},
    io,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{DirBuilderExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
    time::SystemTime,
};
use tempfile::TempDir;

/// What an index would say or do that only its owner wants.
const SETTINGS: [(&str, &str); 5] = [
    // Everything in one file: the shared part would be written into the user's repository.
    ("core.splitIndex", "false"),
    ("core.untrackedCache", "false"),
    // Every file that we enter would be marked as one not to look at.
    ("core.ignoreStat", "false"),
    // Lines that end in two ways are a reason for the user not to commit, but they are what he sees.
    ("core.safecrlf", "false"),
    // Nobody but us reads it, and not for long.
    ("index.skipHash", "true"),
];

/// A copy of the user's index, and how git is called with it.
#[derive(Debug)]
pub(super) struct Index<'a> {
    pub(super) top: &'a Path,
    file: PathBuf,
    /// The length of an object's id in hex digits.
    id_length: usize,
    emptied_filters: Vec<(OsString, &'static str)>,
    wrapper: Option<&'a Wrapper>,
    _folder: TempDir,
}

impl<'a> Index<'a> {
    pub(super) fn copy(request: &Request<'a>, place: &'a Place) -> Result<Self, GitError> {
        let scratch = request.scratch;
        let folder = tempfile::Builder::new()
            .prefix("snapshot-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(scratch)
            .map_err(GitError::io("failed to create a folder in", scratch))?;
        let file = folder.path().join("index");
        let written = copy_file(&place.index, &file)?;
        if let Some(written) = written {
            join(place, folder.path(), &file, written)?;
        }
        let emptied_filters =
            if request.run_filters { Vec::new() } else { state::without_filters(&place.top)? };
        Ok(Self {
            top: &place.top,
            file,
            id_length: if place.object_format == "sha256" { 64 } else { 40 },
            emptied_filters,
            wrapper: request.wrapper,
            _folder: folder,
        })
    }

    /// A call of git in the top folder that uses this index.
    pub(super) fn git(&self, verb: &str) -> Git {
        let mut git = self.git_elsewhere(self.top, verb).with_index(&self.file);
        for (key, value) in SETTINGS {
            git = git.set(key.into(), value);
        }
        for (key, value) in &self.emptied_filters {
            git = git.set(key.clone(), value);
        }
        git
    }

    /// A call of git in another repository, with that one's own index.
    pub(super) fn git_elsewhere(&self, folder: &Path, verb: &str) -> Git {
        let git = Git::new(folder, verb, CHECKOUT_LIMIT);
        match self.wrapper {
            Some(wrapper) => git.through(wrapper),
            None => git,
        }
    }

    /// Enters these as they are said to be, whatever the disk says.
    pub(super) fn enter(&self, entries: Vec<Entry>) -> Result<(), GitError> {
        update_index::enter(self.git("update-index"), self.id_length, entries)
    }

    /// Which of these paths are ignored. None of them is in the index.
    pub(super) fn ignored(&self, paths: &[Vec<u8>]) -> Result<HashSet<Vec<u8>>, GitError> {
        update_index::ignored(self.git("check-ignore"), self.top, paths)
    }

    /// What it tracks, where a look at the files says how they differ. On macOS, where a file has several
    /// spellings, only git can tell.
    pub(super) fn comparable(&self) -> Option<Tracked> {
        let format = if self.id_length == 64 { Format::Sha256 } else { Format::Sha1 };
        let tracked =
            Tracked::read(&self.file, format).filter(|_| cfg!(not(target_os = "macos")))?;
        (tracked.is_plain() && tracked.submodules().next().is_none()).then_some(tracked)
    }

    /// Enters these as they lie on the disk; what is not there any more is removed.
    pub(super) fn update(&self, paths: Vec<Vec<u8>>) -> Result<(), GitError> {
        if paths.is_empty() {
            return Ok(());
        }
        let options = ["--add", "--remove", "--replace", "-z", "--stdin"];
        let git = self.git("update-index").args(options).input(nul_ended(&paths));
        let answer = git.answer()?;
        if !answer.status.success() {
            return Err(answer.refusal("git update-index".to_owned(), self.top.to_owned()));
        }
        // Not an error for this command, but a file would be missing without a word.
        match answer.remark("Ignoring path ") {
            Some(path) => Err(GitError::ReservedName(path.to_owned())),
            None => Ok(()),
        }
    }

    pub(super) fn write_tree(&self) -> Result<String, GitError> {
        self.git("write-tree").output().map(|output| line(&output))
    }
}

/// Answers when the original was written, which the copy says too: git takes a file for unchanged only
/// when it is older than the index. `None` when there is no such file.
fn copy_file(from: &Path, to: &Path) -> Result<Option<SystemTime>, GitError> {
    let mut original = match File::open(from) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(GitError::io("failed to read", from)(error)),
    };
    let metadata = original.metadata().map_err(GitError::io("failed to read", from))?;
    let written = metadata.modified().map_err(GitError::io("failed to read", from))?;
    let mut copy = File::create_new(to).map_err(GitError::io("failed to create", to))?;
    io::copy(&mut original, &mut copy).map_err(GitError::io("failed to write", to))?;
    date(&copy, to, written)?;
    Ok(Some(written))
}

fn date(file: &File, path: &Path, written: SystemTime) -> Result<(), GitError> {
    let times = FileTimes::new().set_modified(written);
    file.set_times(times).map_err(GitError::io("failed to set the time of", path))
}

/// Makes one file of a split index.
///
/// Whoever reads a split index touches the shared part, which lies in the folder of the repository; so
/// this happens with a copy of that part, in a repository of our own that has nothing else.
fn join(place: &Place, folder: &Path, index: &Path, written: SystemTime) -> Result<(), GitError> {
    let Some(git_dir) = place.index.parent() else { return Ok(()) };
    let shared = shared_parts(git_dir)?;
    if shared.is_empty() {
        return Ok(());
    }
    let repository = folder.join("joined");
    for name in ["objects", "refs"] {
        let path = repository.join(name);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .map_err(GitError::io("failed to create", &path))?;
    }
    let config = format!(
        "[core]\nrepositoryFormatVersion = 1\n[extensions]\nobjectFormat = {}\n",
        place.object_format
    );
    for (name, content) in [("HEAD", "ref: refs/heads/none\n"), ("config", config.as_str())] {
        let path = repository.join(name);
        fs::write(&path, content).map_err(GitError::io("failed to write", &path))?;
    }
    for name in shared {
        copy_file(&git_dir.join(&name), &repository.join(&name))?;
    }
    Git::new(&repository, "update-index", CHECKOUT_LIMIT)
        .with_own_settings_only()
        .in_repository(&repository)
        .env("GIT_WORK_TREE", &repository)
        .with_index(index)
        .args(["--no-split-index"])
        .output()?;
    let file = File::options().write(true).open(index);
    date(&file.map_err(GitError::io("failed to open", index))?, index, written)
}

fn shared_parts(git_dir: &Path) -> Result<Vec<OsString>, GitError> {
    let failed = || GitError::io("failed to read", git_dir);
    let mut found = Vec::new();
    for entry in fs::read_dir(git_dir).map_err(failed())? {
        let name = entry.map_err(failed())?.file_name();
        if OsStr::as_bytes(&name).starts_with(b"sharedindex.") {
            found.push(name);
        }
    }
    Ok(found)
}
