//! An index of our own, which starts as a copy of the user's.

use super::{Request, line, place::Place};
use crate::{
    GitError,
    git::{CHECKOUT_LIMIT, Git},
    state,
    wrapper::Wrapper,
};
use std::{
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

    /// The id that stands for no object.
    pub(super) fn no_object(&self) -> String {
        "0".repeat(self.id_length)
    }

    /// Enters these as they are said to be, whatever the disk says.
    pub(super) fn enter(&self, entries: Vec<Entry>) -> Result<(), GitError> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut input = Vec::new();
        for Entry { path, object } in entries {
            let (mode, id) = object.unwrap_or_else(|| ("0".to_owned(), self.no_object()));
            input.extend_from_slice(format!("{mode} {id}\t").as_bytes());
            input.extend_from_slice(&path);
            input.push(0);
        }
        let git = self.git("update-index").args(["-z", "--index-info"]);
        git.input(input).output().map(drop)
    }

    /// Enters these as they lie on the disk; what is not there any more is removed.
    pub(super) fn update(&self, paths: Vec<Vec<u8>>) -> Result<(), GitError> {
        if paths.is_empty() {
            return Ok(());
        }
        let options = ["--add", "--remove", "--replace", "-z", "--stdin"];
        let mut input = paths.join(&0);
        input.push(0);
        let answer = self.git("update-index").args(options).input(input).answer()?;
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

/// One line for `update-index --index-info`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) path: Vec<u8>,
    /// Mode and id; `None` removes the path.
    pub(super) object: Option<(String, String)>,
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
