//! FIFOs, sockets and devices in a working tree. Git passes them over in silence, so they are looked for
//! here, by what folders say of their entries: none of them is opened.

use super::{index::Index, left_out, listing::Listing, listing::absolute};
use crate::GitError;
use orchestra_core::snapshot::{LeftOut, LeftOutReason};
use std::{
    fs,
    os::unix::{ffi::OsStrExt as _, fs::FileTypeExt as _},
    path::Path,
};

/// The special files that nobody ignores.
///
/// Folders in which git knows something are looked into, and others only when they are not ignored:
/// those of a build may be huge.
pub(super) fn find(index: &Index<'_>, listing: &Listing) -> Result<Vec<LeftOut>, GitError> {
    let mut special = match &listing.special {
        Some(special) => special.clone(),
        None => look_for_them(index, listing)?,
    };
    let ignored = index.ignored(&special)?;
    special.retain(|path| !ignored.contains(path));
    Ok(special.iter().map(|path| left_out(path, LeftOutReason::Special)).collect())
}

fn look_for_them(index: &Index<'_>, listing: &Listing) -> Result<Vec<Vec<u8>>, GitError> {
    let mut special = Vec::new();
    let mut unknown = Vec::new();
    for folder in listing.folders.real() {
        look(index.top, folder, listing, &mut special, &mut unknown);
    }
    // Ignored or not is one question for all of a depth, because a folder that is not ignored may
    // hold others that are.
    while !unknown.is_empty() {
        let ignored = index.ignored(&unknown)?;
        let mut deeper = Vec::new();
        for folder in unknown.iter().filter(|folder| !ignored.contains(*folder)) {
            look(index.top, folder, listing, &mut special, &mut deeper);
        }
        unknown = deeper;
    }
    Ok(special)
}

/// Sorts what is in a folder. One that cannot be read shows nothing to the user either.
fn look(
    top: &Path,
    folder: &[u8],
    listing: &Listing,
    special: &mut Vec<Vec<u8>>,
    unknown: &mut Vec<Vec<u8>>,
) {
    let Ok(entries) = fs::read_dir(absolute(top, folder)) else { return };
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        let is_special =
            kind.is_fifo() || kind.is_socket() || kind.is_block_device() || kind.is_char_device();
        if !is_special && !kind.is_dir() || entry.file_name() == ".git" {
            continue;
        }
        let name = entry.file_name();
        let path = if folder.is_empty() {
            name.as_bytes().to_owned()
        } else {
            [folder, b"/", name.as_bytes()].concat()
        };
        if is_special {
            special.push(path);
        } else if !listing.folders.is_real(&path)
            && !listing.nested.contains(&path)
            && !listing.submodules.contains_key(&path)
        {
            unknown.push(path);
        }
    }
}
