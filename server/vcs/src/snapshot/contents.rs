//! What of a working tree goes into a snapshot, decided by looking at each path that may differ.

use super::{
    Limits, left_out,
    listing::{GITLINK, Listing, absolute},
    text,
};
use crate::{GitError, update_index::Entry};
use orchestra_core::snapshot::{LeftOut, LeftOutReason};
use std::{fs, io, path::Path};

/// What has to be done to the copy of the user's index, in this order.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Entries that do not follow from the disk.
    pub(super) resets: Vec<Entry>,
    /// Paths to be taken from the disk.
    pub(super) updates: Vec<Vec<u8>>,
    pub(super) left_out: Vec<LeftOut>,
    pub(super) conflicted: Vec<String>,
    /// The bytes of all new files that are taken.
    pub(super) total: u64,
}

/// What is at a path.
enum Found {
    Nothing,
    Folder,
    /// Or a symbolic link, which has no length worth counting.
    File {
        bytes: u64,
    },
    Special,
}

pub(super) fn choose(top: &Path, listing: &Listing, limits: Limits) -> Result<Contents, GitError> {
    let mut contents = Contents::default();
    for path in &listing.beyond_link {
        contents.remove(path);
    }
    for Entry { path, object } in &listing.unwatched {
        // The same entry, but without the mark that keeps git from looking at the file.
        contents.resets.push(Entry { path: path.clone(), object: object.clone() });
        contents.tracked(top, listing, path)?;
    }
    for path in &listing.changed {
        contents.tracked(top, listing, path)?;
    }
    for (path, ours) in &listing.unmerged {
        contents.unmerged(top, path, ours.as_ref())?;
    }
    for path in &listing.nested {
        contents.left_out.push(left_out(path, LeftOutReason::NestedRepository));
    }
    for path in &listing.untracked {
        contents.untracked(top, path, limits)?;
    }
    Ok(contents)
}

impl Contents {
    fn remove(&mut self, path: &[u8]) {
        self.resets.push(Entry { path: path.to_owned(), object: None });
    }

    fn tracked(&mut self, top: &Path, listing: &Listing, path: &[u8]) -> Result<(), GitError> {
        match look(top, path)? {
            Found::Nothing => self.remove(path),
            Found::Folder if listing.submodules.contains_key(path) => {
                if listing.changed.contains(path) {
                    self.left_out.push(left_out(path, LeftOutReason::DirtySubmodule));
                }
            }
            Found::Folder => self.remove(path),
            Found::File { .. } => self.updates.push(path.to_owned()),
            Found::Special => {
                self.remove(path);
                self.left_out.push(left_out(path, LeftOutReason::Special));
            }
        }
        Ok(())
    }

    fn unmerged(
        &mut self,
        top: &Path,
        path: &[u8],
        ours: Option<&(String, String)>,
    ) -> Result<(), GitError> {
        match look(top, path)? {
            Found::Nothing => self.remove(path),
            Found::Folder => {
                let submodule = ours.filter(|(mode, _)| mode == GITLINK).cloned();
                self.resets.push(Entry { path: path.to_owned(), object: submodule });
            }
            Found::File { .. } => self.updates.push(path.to_owned()),
            Found::Special => {
                self.remove(path);
                self.left_out.push(left_out(path, LeftOutReason::Special));
            }
        }
        self.conflicted.push(text(path));
        Ok(())
    }

    fn untracked(&mut self, top: &Path, path: &[u8], limits: Limits) -> Result<(), GitError> {
        let Found::File { bytes } = look(top, path)? else { return Ok(()) };
        match self.room(bytes, limits) {
            Ok(()) => self.updates.push(path.to_owned()),
            Err(reason) => self.left_out.push(left_out(path, reason)),
        }
        Ok(())
    }

    fn room(&mut self, bytes: u64, limits: Limits) -> Result<(), LeftOutReason> {
        self.total = limits.room(self.total, bytes)?;
        Ok(())
    }
}

impl Limits {
    /// What new files sum up to with one more, or why that one is left out.
    pub(super) fn room(self, total: u64, bytes: u64) -> Result<u64, LeftOutReason> {
        let sum = total.saturating_add(bytes);
        if bytes > self.file {
            Err(LeftOutReason::TooLarge { bytes })
        } else if sum > self.total {
            Err(LeftOutReason::OverTotal { bytes })
        } else {
            Ok(sum)
        }
    }
}

fn look(top: &Path, path: &[u8]) -> Result<Found, GitError> {
    let file = absolute(top, path);
    match fs::symlink_metadata(&file) {
        Ok(found) if found.is_dir() => Ok(Found::Folder),
        Ok(found) if found.is_file() => Ok(Found::File { bytes: found.len() }),
        Ok(found) if found.is_symlink() => Ok(Found::File { bytes: 0 }),
        Ok(_) => Ok(Found::Special),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(Found::Nothing)
        }
        Err(error) => Err(GitError::io("failed to read", file)(error)),
    }
}
