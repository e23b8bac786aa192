//! The journals of one user: which workspaces they belong to, and where work is unfinished.

use crate::{Reader, RunFilter, database};
use orchestra_core::ids::WorkspaceId;
use serde::Deserialize;
use std::{
    fs,
    path::{Path, PathBuf},
};

#[derive(Deserialize)]
struct Workspace {
    root: PathBuf,
}

/// The root of the workspace whose state folder is `dir`; `None` when nothing says so.
pub fn root_of(dir: &Path) -> Option<PathBuf> {
    let workspace: Workspace =
        serde_json::from_slice(&fs::read(database::marker(dir)).ok()?).ok()?;
    Some(workspace.root)
}

/// The roots of all workspaces below the user's state folder that have a run which has not ended,
/// sorted. A journal that cannot be read counts as well: whoever opens it says why.
pub fn unfinished(state: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(state) else { return Vec::new() };
    let mut roots: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| {
            entry.file_name().to_str().is_some_and(|name| name.parse::<WorkspaceId>().is_ok())
        })
        .filter(|entry| is_unfinished(&entry.path()))
        .filter_map(|entry| root_of(&entry.path()))
        .collect();
    roots.sort();
    roots
}

fn is_unfinished(dir: &Path) -> bool {
    let filter = RunFilter { open: true, limit: 1, ..RunFilter::default() };
    match Reader::open(dir) {
        Ok(reader) => reader.runs(&filter).map_or(true, |runs| !runs.is_empty()),
        Err(crate::OpenError::Missing { .. }) => false,
        Err(_) => true,
    }
}
