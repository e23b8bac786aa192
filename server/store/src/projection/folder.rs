//! Folders that the projection writes into: no symbolic link is followed on the way, and every file
//! appears whole or not at all.

mod unix;

use crate::problem::Problem;
use std::{io, path::Path};

pub(super) use unix::Folder;

/// What is in the way of writing a file.
#[derive(Debug)]
pub(super) struct Obstacle {
    pub(super) problem: Problem,
    pub(super) scope: Scope,
}

/// What cannot be written for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// This file; others may fare better.
    File,
    /// Nothing at all: there is no need to try every file.
    All,
    /// The folder has gone while it was in use: opening it again makes it again.
    Vanished,
}

impl Obstacle {
    pub(super) fn new(path: &Path, error: &io::Error) -> Self {
        let (scope, hint) = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                (Scope::All, "free some space; it is tried again at the next change")
            }
            io::ErrorKind::ReadOnlyFilesystem => (
                Scope::All,
                "the run goes on and is recorded; make the workspace writable to see it there",
            ),
            io::ErrorKind::NotFound => {
                (Scope::Vanished, "`orchestra rebuild` writes all files again")
            }
            _ => (
                Scope::File,
                "remove or rename what is there; it is tried again at the next change",
            ),
        };
        Self { problem: problem(path, error.to_string(), hint), scope }
    }

    /// An artifact that is gone or that names no file: the task's other files are not affected.
    pub(super) fn artifact(path: &Path, error: &io::Error) -> Self {
        let hint = "`orchestra doctor` lists the artifacts that are lost";
        Self { problem: problem(path, error.to_string(), hint), scope: Scope::File }
    }

    /// A folder that cannot be used keeps all its files from being written.
    fn folder(path: &Path, what: String) -> Self {
        let hint =
            "the run goes on and is recorded; put a plain folder there, or remove what is there";
        Self { problem: problem(path, what, hint), scope: Scope::All }
    }
}

fn problem(path: &Path, what: String, hint: &str) -> Problem {
    Problem { what, place: path.display().to_string(), hint: hint.to_owned() }
}
