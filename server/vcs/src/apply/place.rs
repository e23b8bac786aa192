//! Where the user's repository is, and a folder of our own beside it in which nothing of his is configured.

use super::import::Stream;
use crate::{
    GitError,
    git::{ANSWER_LIMIT, CHECKOUT_LIMIT, Git},
    state,
};
use std::{
    ffi::OsStr,
    fs::{self, DirBuilder, Permissions},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{DirBuilderExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// A repository as an operation finds it.
#[derive(Debug)]
pub(super) struct Place {
    /// The top of the working tree.
    pub(super) top: PathBuf,
    objects: PathBuf,
    /// `sha1` or `sha256`.
    object_format: String,
}

impl Place {
    pub(super) fn find(root: &Path) -> Result<Self, GitError> {
        if root.as_os_str().as_bytes().contains(&b'\n') {
            return Err(GitError::LineBreak(root.to_owned()));
        }
        state::require_version()?;
        let output = Git::new(root, "rev-parse", ANSWER_LIMIT)
            .args(["--path-format=absolute", "--show-toplevel", "--git-path", "objects"])
            .args(["--show-object-format=storage"])
            .output()?;
        let lines: Vec<&[u8]> = output.split(|&byte| byte == b'\n').collect();
        let [top, objects, format, b""] = lines[..] else {
            return Err(GitError::Failed {
                what: "git rev-parse".to_owned(),
                place: root.to_owned(),
                detail: format!("it answered {} lines", lines.len()),
            });
        };
        let path = |line: &[u8]| PathBuf::from(OsStr::from_bytes(line));
        let (top, objects) = (path(top), path(objects));
        if !root.starts_with(&top) {
            return Err(GitError::Outside { root: root.to_owned(), top });
        }
        Ok(Self { top, objects, object_format: text(format) })
    }

    /// A call of git in the user's repository that reads objects or writes references.
    pub(super) fn git(&self, verb: &str) -> Git {
        // A user may have asked for a log of every reference, or for other objects in place of these.
        let git = Git::new(&self.top, verb, CHECKOUT_LIMIT).env("GIT_NO_REPLACE_OBJECTS", "1");
        git.set("core.logAllRefUpdates".into(), "false")
    }

    /// How many hex digits an object's id has.
    pub(super) fn id_length(&self) -> usize {
        if self.object_format == "sha256" { 64 } else { 40 }
    }
}

/// A private folder, with a repository in which git sees the user's objects and none of his settings,
/// attributes or drivers. Removed when dropped.
#[derive(Debug)]
pub(super) struct Room<'a> {
    place: &'a Place,
    folder: TempDir,
}

impl<'a> Room<'a> {
    pub(super) fn create(place: &'a Place, scratch: &Path) -> Result<Self, GitError> {
        let folder = tempfile::Builder::new()
            .prefix("apply-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(scratch)
            .map_err(GitError::io("failed to create a folder in", scratch))?;
        let room = Self { place, folder };
        room.make("repository/refs")?;
        let config = format!(
            "[core]\nrepositoryFormatVersion = 1\n[extensions]\nobjectFormat = {}\n",
            place.object_format
        );
        room.write("repository/config", config.as_bytes())?;
        room.write("repository/HEAD", b"ref: refs/heads/none\n")?;
        Ok(room)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn make(&self, name: &str) -> Result<PathBuf, GitError> {
        let path = self.path(name);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(GitError::io("failed to create", &path))?;
        Ok(path)
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), GitError> {
        let path = self.path(name);
        fs::write(&path, content).map_err(GitError::io("failed to write", path))
    }

    /// A call of git that sees objects only. What it writes, the user's repository has.
    pub(super) fn git(&self, verb: &str) -> Git {
        let repository = self.path("repository");
        Git::new(&repository, verb, CHECKOUT_LIMIT)
            .with_own_settings_only()
            .in_repository(&repository)
            .env("GIT_OBJECT_DIRECTORY", &self.place.objects)
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
    }

    /// Has git make the objects of a stream, in one pack that outlasts a power failure. Answers their ids
    /// by their marks, which count from one.
    pub(super) fn import(&self, stream: Stream) -> Result<Vec<String>, GitError> {
        let (file, count) = stream.end()?;
        let marks = self.path("marks");
        let mut option = std::ffi::OsString::from("--export-marks=");
        option.push(&marks);
        self.git("fast-import")
            // Loose objects are not written through to the disk.
            .set("fastimport.unpackLimit".into(), "1")
            .args(["--quiet", "--done", "--force"])
            .args([option])
            .input_file(file)
            .output()?;
        let listed = fs::read(&marks).map_err(GitError::io("failed to read", &marks))?;
        let mut ids = vec![String::new(); count];
        for line in text(&listed).lines() {
            let known = line.strip_prefix(':').and_then(|line| line.split_once(' '));
            let Some((mark, id)) = known else { continue };
            let at = mark.parse().ok().and_then(|mark: usize| mark.checked_sub(1));
            if let Some(known) = at.and_then(|at| ids.get_mut(at)) {
                id.clone_into(known);
            }
        }
        Ok(ids)
    }
}

/// Without the line end.
pub(super) fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).trim_end().to_owned()
}
