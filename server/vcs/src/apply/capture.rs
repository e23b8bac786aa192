//! What the user has of the files of a change, copied: what lies on the disk, and text that is not saved.

use super::{
    disk::{Disk, Seen, into},
    place::Room,
    prepare::Clients,
    record::{Content, Kind, Row},
};
use crate::{GitError, snapshot::Buffer};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    path::{Path, PathBuf},
};

/// The files as they were found, with a copy of each.
pub(super) struct Capture {
    /// Sorted; a copy is called by its number here.
    paths: Vec<Vec<u8>>,
    seen: BTreeMap<Vec<u8>, Seen>,
    copies: PathBuf,
    /// Text that is not saved, in the form of a file.
    unsaved: BTreeMap<Vec<u8>, Row>,
    texts: PathBuf,
}

impl Capture {
    pub(super) fn take(
        disk: &Disk,
        room: &Room<'_>,
        clients: &Clients<'_>,
        paths: &BTreeSet<Vec<u8>>,
    ) -> Result<Self, GitError> {
        let (copies, texts) = (room.make("copies")?, room.make("texts")?);
        let mut capture = Self {
            paths: paths.iter().cloned().collect(),
            seen: BTreeMap::new(),
            copies,
            unsaved: BTreeMap::new(),
            texts,
        };
        for (number, path) in paths.iter().enumerate() {
            let copy = capture.copies.join(number.to_string());
            let mut file = File::create(&copy).map_err(GitError::io("failed to create", &copy))?;
            let seen = disk.see(path, into(&mut file));
            let seen = seen.map_err(disk.failed("failed to read", path))?;
            if let Some(Buffer { content, .. }) = clients.unsaved.get(path) {
                let text = capture.texts.join(number.to_string());
                fs::write(&text, content).map_err(GitError::io("failed to write", &text))?;
                let (kind, permissions) = match &seen {
                    Seen::File(Row { content, permissions }) => (content.kind, *permissions),
                    _ => (Kind::Plain, None),
                };
                let row = Row { content: Content::of(kind, content), permissions };
                capture.unsaved.insert(path.clone(), row);
            }
            capture.seen.insert(path.clone(), seen);
        }
        Ok(capture)
    }

    /// What the user has of a file: his text before that on the disk.
    pub(super) fn has(&self, path: &[u8]) -> Option<&Row> {
        self.unsaved.get(path).or_else(|| self.lies(path))
    }

    /// What lies on the disk.
    pub(super) fn lies(&self, path: &[u8]) -> Option<&Row> {
        match self.seen.get(path) {
            Some(Seen::File(row)) => Some(row),
            _ => None,
        }
    }

    /// Where the copies of the files are.
    pub(super) fn copies(&self) -> &Path {
        &self.copies
    }

    pub(super) fn seen(&self, path: &[u8]) -> &Seen {
        self.seen.get(path).unwrap_or(&Seen::Nothing)
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.paths.iter()
    }

    /// A file with the bytes of what the user has.
    pub(super) fn copy(&self, path: &[u8]) -> PathBuf {
        let folder = if self.unsaved.contains_key(path) { &self.texts } else { &self.copies };
        self.copy_in(folder, path)
    }

    pub(super) fn copy_in(&self, folder: &Path, path: &[u8]) -> PathBuf {
        let number = self.paths.partition_point(|known| known.as_slice() < path);
        folder.join(number.to_string())
    }

    /// Those that are not as they were.
    pub(super) fn changed(&self, disk: &Disk) -> Result<Vec<Vec<u8>>, GitError> {
        let mut changed = Vec::new();
        for (path, seen) in &self.seen {
            let now = disk.state(path).map_err(disk.failed("failed to read", path))?;
            if now != *seen {
                changed.push(path.clone());
            }
        }
        Ok(changed)
    }
}
