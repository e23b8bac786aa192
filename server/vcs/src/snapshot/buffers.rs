//! Text that is not saved yet, in place of what is on the disk.

use super::{
    Buffer, Request,
    index::Index,
    left_out, line,
    listing::{Listing, absolute},
    text,
};
use crate::{GitError, update_index::Entry};
use orchestra_core::snapshot::LeftOut;
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    fs,
    os::unix::ffi::OsStrExt as _,
    path::{Component, Path, PathBuf},
};

/// The mode of a file that git does not know yet.
const PLAIN: &str = "100644";

/// Enters the text of the buffers. Answers what is left out, which they may change: a file that was too
/// large may have shrunk in its buffer.
///
/// `total` is what new files on the disk sum up to.
pub(super) fn apply(
    request: &Request<'_>,
    index: &Index<'_>,
    listing: &Listing,
    mut kept_out: Vec<LeftOut>,
    mut total: u64,
) -> Result<Vec<LeftOut>, GitError> {
    let buffers = in_repository(request, index, listing)?;
    if buffers.is_empty() {
        return Ok(kept_out);
    }
    let modes = modes(index, &asked_for(&buffers, index.top))?;
    see_no_clash(&buffers, &modes)?;
    let unlisted: Vec<Vec<u8>> =
        buffers.keys().filter(|path| !modes.contains_key(*path)).cloned().collect();
    let ignored = index.ignored(&unlisted)?;

    let mut entries = Vec::new();
    for (path, Buffer { content, .. }) in buffers {
        let mode = modes.get(&path).map_or(PLAIN, String::as_str);
        // Saving through a link would write to where that leads, which is not in the repository.
        if !mode.starts_with("100") || ignored.contains(&path) {
            continue;
        }
        let is_new = !modes.contains_key(&path) || listing.untracked.contains(&path);
        if is_new {
            let name = text(&path);
            kept_out.retain(|left| left.path != name);
            match request.limits.room(total, content.len() as u64) {
                Ok(sum) => total = sum,
                Err(reason) => {
                    kept_out.push(left_out(&path, reason));
                    entries.push(Entry { path, object: None });
                    continue;
                }
            }
        }
        let object = Some((mode.to_owned(), write(index, &path, content)?));
        entries.push(Entry { path, object });
    }
    index.enter(entries)?;
    Ok(kept_out)
}

/// The buffers by their paths from the top, of those that are in the repository at all.
fn in_repository<'a>(
    request: &Request<'a>,
    index: &Index<'_>,
    listing: &Listing,
) -> Result<BTreeMap<Vec<u8>, &'a Buffer>, GitError> {
    let mut found = BTreeMap::new();
    for buffer in request.buffers {
        let path = &buffer.path;
        let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        if !is_inside || path.as_os_str().is_empty() {
            return Err(GitError::BufferOutside(path.clone()));
        }
        let real = resolve(&request.root.join(path));
        let Ok(below) = real.strip_prefix(index.top) else { continue };
        let is_elsewhere = below.ancestors().any(|folder| {
            let folder = folder.as_os_str().as_bytes();
            listing.nested.contains(folder) || listing.submodules.contains_key(folder)
        });
        if !is_elsewhere && below.components().all(|part| part.as_os_str() != ".git") {
            see_place(path, index.top, below)?;
            found.insert(below.as_os_str().as_bytes().to_owned(), buffer);
        }
    }
    Ok(found)
}

/// The path without symbolic links, as far as it exists.
pub(crate) fn resolve(path: &Path) -> PathBuf {
    let resolved = path.ancestors().find_map(|existing| {
        let rest = path.strip_prefix(existing).ok()?;
        Some(fs::canonicalize(existing).ok()?.join(rest))
    });
    // `join` with nothing leaves a slash at the end.
    resolved.unwrap_or_else(|| path.to_owned()).components().collect()
}

/// Refuses a buffer where the disk has a folder, or something else where its folder would be: an editor
/// could not save it.
fn see_place(buffer: &Path, top: &Path, below: &Path) -> Result<(), GitError> {
    if fs::symlink_metadata(top.join(below)).is_ok_and(|found| found.is_dir()) {
        return Err(GitError::BufferOverFolder(buffer.to_owned()));
    }
    let is_no_folder =
        |above: &&Path| fs::symlink_metadata(top.join(above)).is_ok_and(|found| !found.is_dir());
    match below.ancestors().skip(1).find(is_no_folder) {
        Some(above) => Err(below_file(buffer, above)),
        None => Ok(()),
    }
}

/// The paths of the buffers, and of their folders that are not on the disk: there the index may still
/// have a file that a sparse checkout leaves away.
fn asked_for(buffers: &BTreeMap<Vec<u8>, &Buffer>, top: &Path) -> BTreeSet<Vec<u8>> {
    let mut paths = BTreeSet::new();
    for path in buffers.keys() {
        let is_missing = |above: &&[u8]| fs::symlink_metadata(absolute(top, above)).is_err();
        paths.extend(folders_above(path).filter(is_missing).map(<[u8]>::to_owned));
        paths.insert(path.clone());
    }
    paths
}

/// The same for what the index has, and for other buffers. Entered, one would silently replace the
/// other.
fn see_no_clash(
    buffers: &BTreeMap<Vec<u8>, &Buffer>,
    modes: &BTreeMap<Vec<u8>, String>,
) -> Result<(), GitError> {
    for (path, buffer) in buffers {
        let inner = [path, b"/".as_slice()].concat();
        let known = modes.range(inner.clone()..).next().map(|(known, _)| known);
        let other = buffers.range(inner.clone()..).next().map(|(other, _)| other);
        if known.into_iter().chain(other).any(|path| path.starts_with(&inner)) {
            return Err(GitError::BufferOverFolder(buffer.path.clone()));
        }
        if let Some(above) = folders_above(path).find(|above| modes.contains_key(*above)) {
            return Err(below_file(&buffer.path, Path::new(OsStr::from_bytes(above))));
        }
    }
    Ok(())
}

fn below_file(buffer: &Path, file: &Path) -> GitError {
    GitError::BufferBelowFile { buffer: buffer.to_owned(), file: file.to_owned() }
}

/// The folders in which a path lies; the top is not among them.
fn folders_above(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    slashes.map(|(at, _)| &path[..at])
}

/// The modes of those that are in the index, and of what is below them.
fn modes(
    index: &Index<'_>,
    paths: &BTreeSet<Vec<u8>>,
) -> Result<BTreeMap<Vec<u8>, String>, GitError> {
    let mut modes = BTreeMap::new();
    let git = index.git("ls-files").env("GIT_LITERAL_PATHSPECS", "1").args(["-z", "--stage", "--"]);
    let git = git.args(paths.iter().map(|path| OsStr::from_bytes(path)));
    git.records(|record| {
        let Some(tab) = record.iter().position(|&byte| byte == b'\t') else { return };
        let mode = record.split(|&byte| byte == b' ').next().unwrap_or_default();
        modes.insert(record[tab + 1..].to_owned(), line(mode));
    })?;
    Ok(modes)
}

/// The id of the text as it would be committed.
fn write(index: &Index<'_>, path: &[u8], content: &[u8]) -> Result<String, GitError> {
    let mut option = OsString::from("--path=");
    option.push(OsStr::from_bytes(path));
    let git = index.git("hash-object").args(["-w", "--stdin"]).args([option]);
    git.input(content.to_owned()).output().map(|output| line(&output))
}
