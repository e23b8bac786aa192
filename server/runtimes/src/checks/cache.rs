//! What a command said about a tree is remembered: the same files, the same command, the same setup.

use super::Ran;
use orchestra_core::{config::VerifyConfig, evidence::CheckOutcome, time::Millis};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{
    fs::{self, DirBuilder, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// The version that this build writes and reads; other entries are none.
const VERSION: u32 = 1;

/// Of what a result is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Key<'a> {
    /// The id of the git tree that was checked out.
    pub tree: &'a str,
    /// Where in it the command ran, relative to the tree.
    pub directory: &'a str,
    pub command: &'a [String],
    /// How the slot was prepared, see [`super::setup_key`].
    pub setup: &'a str,
}

impl Key<'_> {
    fn hash(&self) -> io::Result<String> {
        let digest = Sha256::digest(serde_json::to_vec(self)?);
        Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// What is kept at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub entries: usize,
    /// Since it was written.
    pub age: Millis,
    /// Of one entry; a larger one is not kept.
    pub bytes: u64,
}

impl From<&VerifyConfig> for Bounds {
    fn from(config: &VerifyConfig) -> Self {
        Self {
            entries: usize::try_from(config.remembered).unwrap_or(usize::MAX),
            age: config.remembered_for,
            bytes: config.remembered_limit.0,
        }
    }
}

/// A folder of results that nobody but the daemon writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckCache {
    folder: PathBuf,
    bounds: Bounds,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    version: u32,
    ran: Ran,
}

impl CheckCache {
    /// In `folder`, which need not exist.
    pub fn new(folder: &Path, bounds: Bounds) -> Self {
        Self { folder: folder.to_owned(), bounds }
    }

    /// What is remembered. An entry that is too old, damaged, or of another build is none.
    pub fn get(&self, key: &Key<'_>) -> Option<Ran> {
        let path = self.path(key).ok()?;
        let metadata = fs::symlink_metadata(&path).ok()?;
        if !metadata.is_file() || metadata.len() > self.bounds.bytes || self.is_old(&metadata) {
            return None;
        }
        let mut text = Vec::new();
        File::open(&path).ok()?.take(self.bounds.bytes).read_to_end(&mut text).ok()?;
        let entry: Entry = serde_json::from_slice(&text).ok()?;
        let mut ran = (entry.version == VERSION).then_some(entry.ran)?;
        ran.run.cached = true;
        Some(ran)
    }

    /// Remembers a result that says something about the files alone: one that ended by itself. Time-outs
    /// and what is missing may be different the next time. `false`: it is not kept.
    pub fn put(&self, key: &Key<'_>, ran: &Ran) -> io::Result<bool> {
        if !matches!(ran.run.outcome, CheckOutcome::Green | CheckOutcome::Red { .. }) {
            return Ok(false);
        }
        let text = serde_json::to_vec(&Entry { version: VERSION, ran: ran.clone() })?;
        if u64::try_from(text.len()).unwrap_or(u64::MAX) > self.bounds.bytes {
            return Ok(false);
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(&text)?;
        file.persist(self.path(key)?)?;
        self.tidy()?;
        Ok(true)
    }

    fn path(&self, key: &Key<'_>) -> io::Result<PathBuf> {
        Ok(self.folder.join(format!("{}.json", key.hash()?)))
    }

    fn is_old(&self, metadata: &fs::Metadata) -> bool {
        let written = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let age = SystemTime::now().duration_since(written).unwrap_or_default();
        age > Duration::from(self.bounds.age)
    }

    /// Removes what is too old, and of the rest the oldest beyond the bound.
    fn tidy(&self) -> io::Result<()> {
        let mut kept = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            // Another thread may have removed it.
            let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
            if !metadata.is_file() {
                continue;
            }
            if self.is_old(&metadata) {
                remove(&path)?;
            } else if path.extension().is_some_and(|extension| extension == "json") {
                kept.push((metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH), path));
            }
        }
        kept.sort();
        let surplus = kept.len().saturating_sub(self.bounds.entries);
        kept.iter().take(surplus).try_for_each(|(_, path)| remove(path))
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
