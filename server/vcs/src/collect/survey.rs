//! A walk over the agent's folders before git sees them, for what git would wait for, never read, or
//! pass over in silence. Only folders are opened, and no link is followed.

use super::Request;
use crate::GitError;
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs::{self, DirEntry, FileType},
    io,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{FileTypeExt as _, MetadataExt as _},
    },
    path::{Path, PathBuf},
};

/// What git opens by its name, whatever it is.
const OPENED_BY_GIT: [&[u8]; 3] = [b".gitignore", b".gitattributes", b".gitmodules"];

/// What is unusual in a tree. Paths are relative to its top, sorted.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// FIFOs, sockets and devices, by what they are.
    pub(super) special: Vec<(Vec<u8>, &'static str)>,
    /// Folders other than the top with a `.git` in them.
    pub(super) nested: BTreeSet<Vec<u8>>,
    /// Folders that cannot be looked into.
    pub(super) unreadable: Vec<Vec<u8>>,
    /// Files over the limit, where git has no sizes to compare and would read them.
    pub(super) large: Vec<(Vec<u8>, u64)>,
}

pub(super) fn look(request: &Request<'_>) -> Result<Survey, GitError> {
    let limit = request.index.is_none().then_some(request.limits.file);
    let mut survey = Survey::default();
    let mut folders = vec![Vec::new()];
    while let Some(folder) = folders.pop() {
        survey.folder(request.src, folder, limit, &mut folders)?;
    }
    survey.special.sort();
    survey.unreadable.sort();
    survey.large.sort();
    Ok(survey)
}

impl Survey {
    /// Whether a path lies in a folder that cannot be looked into.
    pub(super) fn is_closed(&self, path: &[u8]) -> bool {
        let above = |folder: &Vec<u8>| path.strip_prefix(folder.as_slice());
        self.unreadable.iter().filter_map(above).any(|rest| rest.starts_with(b"/"))
    }

    fn folder(
        &mut self,
        src: &Path,
        folder: Vec<u8>,
        limit: Option<u64>,
        folders: &mut Vec<Vec<u8>>,
    ) -> Result<(), GitError> {
        let place = absolute(src, &folder);
        let entries = if is_open(&place) { fs::read_dir(&place) } else { Err(denied()) };
        let Ok(entries) = entries else {
            if folder.is_empty() {
                return Err(GitError::NoTree(src.to_owned()));
            }
            self.unreadable.push(folder);
            return Ok(());
        };
        for entry in entries {
            let entry = entry.map_err(GitError::io("failed to read", &place))?;
            let kind = entry.file_type().map_err(GitError::io("failed to read", &place))?;
            let name = entry.file_name();
            let path = join(&folder, name.as_bytes());
            if name == ".git" {
                if !folder.is_empty() {
                    self.nested.insert(folder.clone());
                    see_no_special(&entry, kind)?;
                }
            } else if kind.is_dir() {
                folders.push(path);
            } else if let Some(what) = special(kind) {
                if OPENED_BY_GIT.contains(&name.as_bytes()) {
                    return Err(GitError::Special(entry.path()));
                }
                self.special.push((path, what));
            } else if let Some(limit) = limit
                && let Ok(found) = entry.metadata()
                && found.is_file()
                && found.len() > limit
            {
                self.large.push((path, found.len()));
            }
        }
        Ok(())
    }
}

/// To know whether a folder is a repository, git reads what lies directly in its `.git`.
fn see_no_special(entry: &DirEntry, kind: FileType) -> Result<(), GitError> {
    if !kind.is_dir() {
        return Ok(());
    }
    let Ok(entries) = fs::read_dir(entry.path()) else { return Ok(()) };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| special(kind).is_some()) {
            return Err(GitError::Special(entry.path()));
        }
    }
    Ok(())
}

/// Whether its owner may look into a folder. Orchestra itself could as root, but the git that it
/// confines could not.
fn is_open(folder: &Path) -> bool {
    fs::symlink_metadata(folder).is_ok_and(|found| found.mode() & 0o500 == 0o500)
}

fn denied() -> io::Error {
    io::ErrorKind::PermissionDenied.into()
}

/// Why a file is neither regular, nor a folder, nor a link.
pub(super) fn special(kind: FileType) -> Option<&'static str> {
    if kind.is_fifo() {
        Some("fifo")
    } else if kind.is_socket() {
        Some("socket")
    } else if kind.is_block_device() || kind.is_char_device() {
        Some("device")
    } else {
        None
    }
}

pub(super) fn absolute(src: &Path, path: &[u8]) -> PathBuf {
    src.join(OsStr::from_bytes(path))
}

fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() { name.to_owned() } else { [folder, b"/", name].concat() }
}
