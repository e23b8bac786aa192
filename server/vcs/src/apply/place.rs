//! Where the user's repository is, and a folder of our own beside it in which nothing of his is configured.

use super::import::{Stream, quoted};
use crate::{
    GitError,
    bare::{self, Bare, line},
    git::{ANSWER_LIMIT, CHECKOUT_LIMIT, Git},
    state,
};
use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
};

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
        Ok(Self { top, objects, object_format: line(format) })
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

/// A private folder, with a repository in which git sees the user's objects and nothing of his settings,
/// attributes or drivers. Removed when dropped.
#[derive(Debug)]
pub(super) struct Room<'a> {
    place: &'a Place,
    pub(super) bare: Bare,
}

/// Where objects are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Store {
    /// In the room, with which they go.
    Own,
    /// With the user's, in one pack that outlasts a power failure.
    Users,
}

impl<'a> Room<'a> {
    pub(super) fn create(place: &'a Place, root: &Path, scratch: &Path) -> Result<Self, GitError> {
        Ok(Self { place, bare: Bare::create(root, scratch)? })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.bare.room(name)
    }

    pub(super) fn make(&self, name: &str) -> Result<PathBuf, GitError> {
        let path = self.path(name);
        bare::make(&path).map(|()| path)
    }

    /// A call of git that sees objects only.
    pub(super) fn git(&self, verb: &str) -> Git {
        self.bare.git(verb)
    }

    /// A call of git in the user's repository that also sees the objects of the room.
    pub(super) fn users_git(&self, verb: &str) -> Git {
        let objects = self.path("repository/objects");
        let quoted = OsString::from_vec(quoted(objects.as_os_str().as_bytes()));
        self.place.git(verb).env("GIT_ALTERNATE_OBJECT_DIRECTORIES", quoted)
    }

    /// Has git make the objects of a stream. Answers their ids by their marks, which count from one.
    pub(super) fn import(&self, stream: Stream, store: Store) -> Result<Vec<String>, GitError> {
        let (file, count) = stream.end()?;
        let marks = self.path("marks");
        let mut option = OsString::from("--export-marks=");
        option.push(&marks);
        let git = self
            .git("fast-import")
            // Loose objects are not written through to the disk.
            .set("fastimport.unpackLimit".into(), "1")
            .args(["--quiet", "--done", "--force"])
            .args([option])
            .input_file(file);
        match store {
            Store::Own => git.output()?,
            Store::Users => git
                .set("core.fsync".into(), "committed")
                .env("GIT_OBJECT_DIRECTORY", &self.place.objects)
                .output()?,
        };
        let listed = fs::read(&marks).map_err(GitError::io("failed to read", &marks))?;
        let mut ids = vec![String::new(); count];
        for listed in line(&listed).lines() {
            let known = listed.strip_prefix(':').and_then(|known| known.split_once(' '));
            let Some((mark, id)) = known else { continue };
            let at = mark.parse().ok().and_then(|mark: usize| mark.checked_sub(1));
            if let Some(known) = at.and_then(|at| ids.get_mut(at)) {
                id.clone_into(known);
            }
        }
        Ok(ids)
    }

    /// The trees of commits, in order.
    pub(super) fn trees(&self, commits: &[&str]) -> Result<Vec<String>, GitError> {
        let trees = commits.iter().map(|commit| format!("{commit}^{{tree}}"));
        let output = self.git("rev-parse").args(trees.collect::<Vec<_>>()).output()?;
        Ok(line(&output).lines().map(str::to_owned).collect())
    }
}
