//! The settings in a user's folder that an agent shares for its login: copied before the agent runs, and put
//! back after it when it has changed them. They run programs in every later session of that tool, also in those
//! that nothing confines.

use crate::attempt::{AttemptDir, SettingsChange};
use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// Beyond these it is data, not settings.
const LARGEST: u64 = 1 << 20;
const DEEPEST: usize = 3;

/// By their beginnings and ends. Logins have other names, since they change with each use.
const NAMES: [&str; 5] = ["config", "settings", "mcp", ".mcp", "hooks"];
const EXTENSIONS: [&str; 11] =
    ["toml", "yaml", "yml", "md", "js", "cjs", "mjs", "ts", "py", "sh", "rb"];

/// What the settings were.
#[derive(Debug)]
pub(super) struct Settings {
    folders: Vec<PathBuf>,
    before: BTreeMap<PathBuf, Vec<u8>>,
}

impl Settings {
    pub(super) fn read(folders: &[PathBuf]) -> Self {
        Self { folders: folders.to_vec(), before: all(folders) }
    }

    /// Puts back what is different now. The agent's version is kept in the attempt's folder: it may be the
    /// user's own, who has edited it meanwhile.
    pub(super) fn put_back(self, attempt: &AttemptDir) -> Vec<SettingsChange> {
        let mut now = all(&self.folders);
        let mut changes = Vec::new();
        for (path, text) in self.before {
            let found = now.remove(&path);
            if found.as_ref() != Some(&text) {
                changes.push(restore(attempt, path, found.as_deref(), Some(&text), changes.len()));
            }
        }
        for (path, found) in now {
            changes.push(restore(attempt, path, Some(&found), None, changes.len()));
        }
        changes
    }
}

fn restore(
    attempt: &AttemptDir,
    path: PathBuf,
    found: Option<&[u8]>,
    text: Option<&[u8]>,
    number: usize,
) -> SettingsChange {
    let mut kept = None;
    let mut restore = || -> io::Result<()> {
        if let Some(found) = found {
            let folder = attempt.settings_path();
            fs::create_dir_all(&folder)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let copy = folder.join(format!("{number}-{name}"));
            fs::write(&copy, found)?;
            kept = Some(copy);
        }
        // Not through what now has the name, which may lead elsewhere.
        match path.symlink_metadata() {
            Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(&path)?,
            Ok(_) => fs::remove_file(&path)?,
            Err(_) => {}
        }
        let Some(text) = text else { return Ok(()) };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, text)
    };
    let problem = restore().err().map(|error| error.to_string());
    SettingsChange { path, kept, problem }
}

fn all(folders: &[PathBuf]) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for folder in folders {
        collect(folder, DEEPEST, &mut found);
    }
    found
}

/// What cannot be read is no setting that the agent could read, either.
fn collect(folder: &Path, depth: usize, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        let path = entry.path();
        if metadata.is_dir() && depth > 1 {
            collect(&path, depth - 1, found);
        } else if metadata.is_file()
            && metadata.len() <= LARGEST
            && is_setting(&path, metadata.mode())
            && let Ok(text) = fs::read(&path)
        {
            found.insert(path, text);
        }
    }
}

fn is_setting(path: &Path, mode: u32) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    NAMES.iter().any(|beginning| name.starts_with(beginning))
        || EXTENSIONS.contains(&&*extension)
        || mode & 0o111 != 0
}
