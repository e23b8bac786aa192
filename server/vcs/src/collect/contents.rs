//! What of the agent's files goes into the commit, decided by looking at each path that may differ,
//! before any of them is read.

use super::{
    Request,
    held::Allowed,
    listing::{Listing, Seen},
    names,
};
use crate::{
    GitError,
    survey::{Survey, absolute, special},
    update_index::Entry,
};
use orchestra_core::change::{Held, HeldReason};
use rustix::fs::{FileType, RawMode};
use std::{collections::BTreeMap, fs, io, os::unix::fs::MetadataExt as _, path::Path};

const UNREADABLE: &str = "cannot be read: it is left as it was given";

/// What has to be done to the index, in this order.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Entries that do not follow from the disk.
    pub(super) resets: Vec<Entry>,
    /// Paths to be taken from the disk.
    pub(super) updates: Vec<Vec<u8>>,
    pub(super) held: Vec<Held>,
    pub(super) notes: Vec<String>,
    /// The bytes of all files that are taken without a person's word.
    total: u64,
}

/// What is at a path.
enum Found {
    Nothing,
    Folder,
    Special,
    Link,
    File { bytes: u64, is_readable: bool },
}

pub(super) fn choose(
    request: &Request<'_>,
    survey: &Survey,
    listing: &Listing,
) -> Result<Contents, GitError> {
    let mut contents = Contents::default();
    let changed = listing.changed.iter().map(|(path, seen)| (path, Some(*seen)));
    let untracked = listing.untracked.iter().map(|path| (path, None));
    let all: BTreeMap<&Vec<u8>, Option<Seen>> = untracked.chain(changed).collect();
    let allowed = Allowed::among(request, all.keys().map(|path| path.as_slice()));
    for (path, seen) in all {
        if seen == Some(Seen::BeyondLink) {
            contents.remove(path);
            continue;
        }
        let found = look(request.src, path)?;
        match found {
            // What only git cannot see lies in a folder that is closed to it.
            Found::File { .. } | Found::Link | Found::Special if seen == Some(Seen::Nothing) => {
                if !survey.is_closed(path) {
                    contents.note(path, UNREADABLE);
                }
            }
            Found::Nothing | Found::Special | Found::Folder if seen.is_none() => {}
            Found::Folder if listing.submodules.contains(path) => {}
            Found::Nothing | Found::Special | Found::Folder => contents.remove(path),
            Found::Link | Found::File { .. }
                if !names::is_acceptable(path, matches!(found, Found::Link)) =>
            {
                contents.note(path, "left out: git does not take files of that name");
            }
            Found::File { is_readable: false, .. } => {
                contents.note(path, UNREADABLE);
            }
            Found::Link => contents.updates.push(path.clone()),
            Found::File { bytes, .. } => contents.file(request, &allowed, path, bytes),
        }
    }
    Ok(contents)
}

impl Contents {
    fn remove(&mut self, path: &[u8]) {
        self.resets.push(Entry { path: path.to_owned(), object: None });
    }

    fn note(&mut self, path: &[u8], what: &str) {
        self.notes.push(format!("{} {what}", String::from_utf8_lossy(path)));
    }

    fn file(&mut self, request: &Request<'_>, allowed: &Allowed<'_>, path: &[u8], bytes: u64) {
        let shown = String::from_utf8_lossy(path);
        let sum = self.total.saturating_add(bytes);
        let reason = if bytes > request.limits.file {
            HeldReason::TooLarge { bytes }
        } else if sum > request.limits.total {
            HeldReason::OverTotal { bytes }
        } else {
            self.total = sum;
            self.updates.push(path.to_owned());
            return;
        };
        // Nothing that was taken without it gives way to what a person allows.
        if allowed.is_large(&shown) {
            self.updates.push(path.to_owned());
        } else {
            self.held.push(Held { path: shown.into_owned(), reason });
        }
    }
}

fn look(src: &Path, path: &[u8]) -> Result<Found, GitError> {
    let file = absolute(src, path);
    let found = match fs::symlink_metadata(&file) {
        Ok(found) => found,
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            return Ok(Found::Nothing);
        }
        // It is there, in a folder that is closed.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Ok(Found::File { bytes: 0, is_readable: false });
        }
        Err(error) => return Err(GitError::io("failed to read", file)(error)),
    };
    Ok(if found.is_dir() {
        Found::Folder
    } else if found.is_symlink() {
        Found::Link
    } else if special(FileType::from_raw_mode(found.mode() as RawMode)).is_some() {
        Found::Special
    } else {
        // By the mode and not by trying: the git that is confined has not all the rights of root.
        Found::File { bytes: found.len(), is_readable: found.mode() & 0o400 != 0 }
    })
}
