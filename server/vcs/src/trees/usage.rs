//! How much of a disk a folder takes.

use crate::folder::Folder;
use rustix::fs::Stat;
use std::{collections::HashSet, hash::Hash, io, path::Path};

/// The size of the blocks in which systems count, whatever those of the file system are.
const BLOCK_BYTES: u64 = 512;

/// Nobody builds folders deeper than this but to hide something.
const DEEPEST: u32 = 200;

/// The blocks of all that is in the folder at `path`, in bytes. A file of several names counts once.
pub(super) fn blocks(path: &Path) -> io::Result<u64> {
    let inode = |stat: &Stat| (stat.st_dev, stat.st_ino);
    blocks_in(&Folder::open_to_change(path)?, 0, &mut HashSet::new(), inode)
}

/// The type of an inode differs between systems.
fn blocks_in<I: Eq + Hash>(
    folder: &Folder,
    depth: u32,
    seen: &mut HashSet<I>,
    inode: impl Fn(&Stat) -> I + Copy,
) -> io::Result<u64> {
    if depth > DEEPEST {
        return Err(io::Error::other("folders are nested too deep"));
    }
    let mut bytes = 0_u64;
    for entry in folder.entries()? {
        let entry = entry?;
        let stat = folder.stat(&entry.name)?;
        if entry.is_folder() || stat.st_nlink < 2 || seen.insert(inode(&stat)) {
            let blocks = u64::try_from(stat.st_blocks).unwrap_or(0);
            bytes = bytes.saturating_add(blocks.saturating_mul(BLOCK_BYTES));
        }
        if entry.is_folder() {
            let child = folder.child_to_change(&entry.name)?;
            bytes = bytes.saturating_add(blocks_in(&child, depth + 1, seen, inode)?);
        }
    }
    Ok(bytes)
}
