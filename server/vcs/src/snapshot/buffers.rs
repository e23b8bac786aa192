//! Text that is not saved yet, in place of what is on the disk.

use super::{Buffer, Request, index::Index, left_out, line, listing::Listing, text};
use crate::{GitError, update_index::Entry};
use orchestra_core::snapshot::LeftOut;
use std::{
    collections::{BTreeMap, HashMap},
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
    let paths: Vec<Vec<u8>> = buffers.keys().cloned().collect();
    let modes = modes(index, &paths)?;
    let unlisted: Vec<Vec<u8>> =
        paths.into_iter().filter(|path| !modes.contains_key(path)).collect();
    let ignored = index.ignored(&unlisted)?;

    let mut entries = Vec::new();
    for (path, content) in buffers {
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
) -> Result<BTreeMap<Vec<u8>, &'a [u8]>, GitError> {
    let mut found = BTreeMap::new();
    for Buffer { path, content } in request.buffers {
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
            found.insert(below.as_os_str().as_bytes().to_owned(), content.as_slice());
        }
    }
    Ok(found)
}

/// The path without symbolic links, as far as it exists.
fn resolve(path: &Path) -> PathBuf {
    let resolved = path.ancestors().find_map(|existing| {
        let rest = path.strip_prefix(existing).ok()?;
        Some(fs::canonicalize(existing).ok()?.join(rest))
    });
    // `join` with nothing leaves a slash at the end.
    resolved.unwrap_or_else(|| path.to_owned()).components().collect()
}

/// The modes of those that are in the index.
fn modes(index: &Index<'_>, paths: &[Vec<u8>]) -> Result<HashMap<Vec<u8>, String>, GitError> {
    let mut modes = HashMap::new();
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
