//! Patterns of paths, written as in a `.gitignore`.

use crate::GitError;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::path::Path;

/// Patterns, the last that matches counts.
#[derive(Debug)]
pub(super) struct Patterns(Gitignore);

impl Patterns {
    pub(super) fn new<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self, GitError> {
        let mut builder = GitignoreBuilder::new("");
        for line in lines {
            builder.add_line(None, line).map_err(|error| wrong(line, &error))?;
        }
        builder.build().map(Self).map_err(|error| wrong("", &error))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the path itself is meant; that a folder above it is, does not count.
    pub(super) fn matches(&self, path: &Path, is_folder: bool) -> bool {
        self.0.matched(path, is_folder).is_ignore()
    }

    /// Whether the path itself or any folder above it is meant.
    pub(super) fn covers(&self, path: &Path, is_folder: bool) -> bool {
        self.0.matched_path_or_any_parents(path, is_folder).is_ignore()
    }
}

fn wrong(pattern: &str, error: &ignore::Error) -> GitError {
    GitError::Pattern { pattern: pattern.to_owned(), detail: error.to_string() }
}
