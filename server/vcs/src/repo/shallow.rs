//! The edge of a shallow clone: commits whose parents were never fetched.

use git2::{Oid, Repository};
use orchestra_core::ports::RepoError;
use std::{collections::HashSet, fs, io};

/// The commits at the edge; none when the history is whole.
pub(super) fn edge(repository: &Repository) -> Result<HashSet<Oid>, RepoError> {
    if !repository.is_shallow() {
        return Ok(HashSet::new());
    }
    // libgit2 keeps the list to itself; the file's format is fixed by git: one id a line.
    let path = repository.commondir().join("shallow");
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text.lines().filter_map(|line| Oid::from_str(line.trim()).ok()).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(HashSet::new()),
        Err(error) => Err(RepoError(format!("failed to read {}: {error}", path.display()))),
    }
}
