//! The journals of one user: which workspaces they belong to, and where work is unfinished.

use crate::{OpenError, Reader, RunFilter, database, files};
use orchestra_core::ids::WorkspaceId;
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    fs, io,
    path::{Path, PathBuf},
};

/// What `workspace.json` says.
#[derive(Debug, Serialize, Deserialize)]
struct Workspace<'a> {
    version: u32,
    /// JSON has no other text than UTF-8: in other names, what is not is replaced.
    root: Cow<'a, str>,
}

const VERSION: u32 = 1;

/// Says which workspace the state folder `dir` is about.
pub(crate) fn keep_root(dir: &Path, root: &Path) -> io::Result<()> {
    let workspace = Workspace { version: VERSION, root: root.to_string_lossy() };
    let text = serde_json::to_vec(&workspace)?;
    let path = database::marker(dir);
    if fs::read(&path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    files::write(&path, &text)
}

/// The root of the workspace whose state folder is `dir`; `None` when nothing says so.
pub fn root_of(dir: &Path) -> Option<PathBuf> {
    let text = fs::read(database::marker(dir)).ok()?;
    let workspace: Workspace<'_> = serde_json::from_slice(&text).ok()?;
    (workspace.version == VERSION).then(|| workspace.root.into_owned().into())
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
        Err(OpenError::Missing { .. }) => false,
        Err(_) => true,
    }
}
