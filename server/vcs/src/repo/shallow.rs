//! The edge of a shallow clone: commits whose parents were never fetched.

use git2::{Oid, Repository};
use orchestra_core::ports::RepoError;
use std::{collections::HashSet, fs, io, path::Path};

/// The commits at the edge; none when the history is whole.
pub(super) fn edge(repository: &Repository) -> Result<HashSet<Oid>, RepoError> {
    if !repository.is_shallow() {
        return Ok(HashSet::new());
    }
    // libgit2 keeps the list to itself.
    let ids = read(&repository.commondir().join("shallow"))?;
    Ok(ids.iter().filter_map(|id| Oid::from_str(id).ok()).collect())
}

/// The file's format is fixed by git: one id a line. Without the file the history is whole.
pub(super) fn read(path: &Path) -> Result<HashSet<String>, RepoError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().map(|line| line.trim().to_owned()).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(HashSet::new()),
        Err(error) => Err(RepoError(format!("failed to read {}: {error}", path.display()))),
    }
}
