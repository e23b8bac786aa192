//! Which paths a tree's index tracks, read after gitformat-index(5): a process that lists them would
//! cost more than all the rest of giving out a small tree.

use super::source::Format;
use std::{ops::Range, path::Path};

/// An entry of an index, as the walk through a working tree needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file or a link.
    File,
    /// A submodule: a folder that stays empty.
    Submodule,
}

/// What an index tracks and shows, sorted by the bytes of the paths. Entries outside of a sparse
/// checkout are not among it: nothing belongs at their paths.
#[derive(Debug, Default)]
pub(super) struct Tracked {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    path: Range<usize>,
    id: Range<usize>,
    kind: Kind,
}

/// What is tracked in one folder.
pub(super) enum Child {
    Entry(Kind),
    /// A folder, and the entries below it.
    Folder(Range<usize>),
}

const HEADER_BYTES: usize = 12;
/// From the start of an entry to its mode, and to its object id.
const MODE_AT: usize = 24;
const ID_AT: usize = 40;
const SUBMODULE: u32 = 0o160_000;
const EXTENDED: u16 = 0x4000;
const SKIP_WORKTREE: u16 = 0x4000;

impl Tracked {
    /// Of the index at `file`, which git wrote for us. `None` when there is none, or none that can
    /// be read: then nothing is known about the files.
    pub(super) fn read(file: &Path, format: Format) -> Option<Self> {
        parse(std::fs::read(file).ok()?, format)
    }

    /// All entries.
    pub(super) fn all(&self) -> Range<usize> {
        0..self.entries.len()
    }

    /// Whether something is tracked at this path.
    pub(super) fn holds(&self, path: &[u8]) -> bool {
        let at = self.entries.partition_point(|entry| &self.bytes[entry.path.clone()] < path);
        self.entries.get(at).is_some_and(|entry| &self.bytes[entry.path.clone()] == path)
    }

    /// What is tracked directly in the folder whose entries are `range`. Their paths begin with
    /// `skip` bytes that name the folder, the last slash included.
    pub(super) fn children(
        &self,
        range: Range<usize>,
        skip: usize,
    ) -> impl Iterator<Item = (&[u8], Child)> {
        let mut at = range.start;
        std::iter::from_fn(move || {
            let entry = self.entries[..range.end].get(at)?;
            let path = &self.bytes[entry.path.clone()][skip..];
            let Some(slash) = path.iter().position(|&byte| byte == b'/') else {
                at += 1;
                return Some((path, Child::Entry(entry.kind)));
            };
            let inner = &path[..=slash];
            let same = |entry: &Entry| self.bytes[entry.path.clone()][skip..].starts_with(inner);
            let start = at;
            at += self.entries[at..range.end].partition_point(same);
            Some((&path[..slash], Child::Folder(start..at)))
        })
    }

    /// The `.gitattributes` files and their content: what they say decides about other files.
    pub(super) fn attributes(&self) -> Vec<(&[u8], &[u8])> {
        let all = self
            .entries
            .iter()
            .map(|entry| (&self.bytes[entry.path.clone()], &self.bytes[entry.id.clone()]));
        all.filter(|(path, _)| path.rsplit(|&byte| byte == b'/').next() == Some(b".gitattributes"))
            .collect()
    }
}

fn parse(bytes: Vec<u8>, format: Format) -> Option<Tracked> {
    let id_bytes = match format {
        Format::Sha1 => 20,
        Format::Sha256 => 32,
    };
    // Version 4 compresses paths; our settings do not ask for it.
    let known = bytes.starts_with(b"DIRC") && matches!(number(&bytes, 4)?, 2 | 3);
    if !known {
        return None;
    }
    let count = usize::try_from(number(&bytes, 8)?).ok()?;
    let mut entries = Vec::with_capacity(count.min(bytes.len() / ID_AT));
    let mut start = HEADER_BYTES;
    for _ in 0..count {
        let id = start + ID_AT..start + ID_AT + id_bytes;
        let flags = short(&bytes, id.end)?;
        let (extended, path_at) = match flags & EXTENDED {
            0 => (0, id.end + 2),
            _ => (short(&bytes, id.end + 2)?, id.end + 4),
        };
        let length = bytes.get(path_at..)?.iter().position(|&byte| byte == 0)?;
        let path = path_at..path_at + length;
        let mode = number(&bytes, start + MODE_AT)?;
        // Filled up with at least one NUL to a multiple of eight bytes.
        start += (path.end - start) / 8 * 8 + 8;
        if extended & SKIP_WORKTREE == 0 {
            let kind = if mode == SUBMODULE { Kind::Submodule } else { Kind::File };
            entries.push(Entry { path, id, kind });
        }
    }
    let tracked = Tracked { bytes, entries };
    let path = |entry: &Entry| &tracked.bytes[entry.path.clone()];
    tracked.entries.is_sorted_by(|one, next| path(one) < path(next)).then_some(tracked)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}
