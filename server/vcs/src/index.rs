//! Which paths an index of ours tracks and what it knows of their files, read after gitformat-index(5): a
//! process that lists them would cost more than all the rest of giving out a small tree.

use crate::trees::source::Format;
use rustix::fs::Stat;
use std::{fs, ops::Range, os::unix::fs::MetadataExt as _, path::Path};

/// An entry of an index, as the walk through a working tree needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A file or a link.
    File,
    /// A submodule: a folder that stays empty.
    Submodule,
}

/// What an index tracks and shows, sorted by the bytes of the paths. Entries outside of a sparse
/// checkout are not among it: nothing belongs at their paths.
#[derive(Debug, Default)]
pub(crate) struct Tracked {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// Every path is tracked once, is expected in the working tree, and is to be looked at there.
    is_plain: bool,
    /// When the index was written, in seconds and nanoseconds.
    written: (i64, i64),
}

#[derive(Debug)]
struct Entry {
    /// What is known of the file.
    at: usize,
    path: Range<usize>,
    id: Range<usize>,
    kind: Kind,
}

/// What is tracked in one folder.
#[derive(Debug, Clone)]
pub(crate) enum Child {
    /// With its number, as [`Tracked::is_untouched`] takes it.
    Entry(Kind, usize),
    /// A folder, and the entries below it.
    Folder(Range<usize>),
}

const HEADER_BYTES: usize = 12;
/// From the start of an entry to its mode, and to its object id.
const MODE_AT: usize = 24;
const ID_AT: usize = 40;
const SUBMODULE: u32 = 0o160_000;
const EXTENDED: u16 = 0x4000;
/// That git was told not to look at the file, or that the path is not merged.
const ASSUME_VALID: u16 = 0x8000;
const STAGE: u16 = 0x3000;
const SKIP_WORKTREE: u16 = 0x4000;
/// Most of the entries are in another file.
const SPLIT: &[u8] = b"link";

/// The ids of a file without content, in both object formats. An entry of size zero that has another one is
/// one whose size git did not want to be believed.
const EMPTY: [&[u8]; 2] = [
    b"\xe6\x9d\xe2\x9b\xb2\xd1\xd6\x43\x4b\x8b\x29\xae\x77\x5a\xd8\xc2\xe4\x8c\x53\x91",
    b"\x47\x3a\x0f\x4c\x3b\xe8\xa9\x36\x81\xa2\x67\xe3\xb1\xe9\xa7\xdc\xda\x11\x85\x43\x6f\xe1\x41\xf7\x74\x91\x20\xa3\x03\x72\x18\x13",
];

impl Tracked {
    /// Of the index at `file`, which git wrote for us. `None` when there is none, or none that can
    /// be read: then nothing is known about the files.
    pub(crate) fn read(file: &Path, format: Format) -> Option<Self> {
        let found = fs::metadata(file).ok()?;
        let tracked = parse(fs::read(file).ok()?, format)?;
        Some(Self { written: (found.mtime(), found.mtime_nsec()), ..tracked })
    }

    /// Whether a look at the files says what has changed: nothing is sparse, unmerged, split or to be
    /// passed over.
    pub(crate) fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Whether the file of an entry is as git left it, by all that git itself would compare: nobody can
    /// forge when its status was changed, nor its inode. `false` says only that it has to be read.
    pub(crate) fn is_untouched(&self, entry: usize, found: &Stat) -> bool {
        let Some(entry) = self.entries.get(entry) else { return false };
        // In the order of the format; git, too, keeps 32 bits of each.
        let known: [u32; 10] =
            std::array::from_fn(|field| number(&self.bytes, entry.at + field * 4).unwrap_or(0));
        let [changed, changed_nanos, modified, modified_nanos, _, inode, mode, user, group, size] =
            known;
        let low = |number: i64| number as u32;
        let is_program = found.st_mode & 0o100 != 0;
        let expected_mode = match rustix::fs::FileType::from_raw_mode(found.st_mode) {
            rustix::fs::FileType::RegularFile if is_program => 0o100_755,
            rustix::fs::FileType::RegularFile => 0o100_644,
            rustix::fs::FileType::Symlink => 0o120_000,
            _ => return false,
        };
        let is_same = mode == expected_mode
            && changed == low(found.st_ctime)
            && changed_nanos == found.st_ctime_nsec as u32
            && modified == low(found.st_mtime)
            && modified_nanos == found.st_mtime_nsec as u32
            && inode == found.st_ino as u32
            && user == found.st_uid
            && group == found.st_gid
            && size == found.st_size as u32;
        // What was written while the index was may have been written again without a trace.
        let is_older = (found.st_mtime, found.st_mtime_nsec as i64) < self.written;
        is_same && is_older && (size > 0 || EMPTY.contains(&&self.bytes[entry.id.clone()]))
    }

    /// Its path.
    pub(crate) fn path(&self, entry: usize) -> &[u8] {
        self.entries.get(entry).map_or(&[], |entry| &self.bytes[entry.path.clone()])
    }

    /// Whether something is tracked below this folder.
    pub(crate) fn holds_below(&self, folder: &[u8]) -> bool {
        let inner = [folder, b"/"].concat();
        let at = self.entries.partition_point(|entry| self.bytes[entry.path.clone()] < inner[..]);
        self.entries.get(at).is_some_and(|entry| self.bytes[entry.path.clone()].starts_with(&inner))
    }

    /// The paths of submodules.
    pub(crate) fn submodules(&self) -> impl Iterator<Item = &[u8]> {
        let submodules = self.entries.iter().filter(|entry| entry.kind == Kind::Submodule);
        submodules.map(|entry| &self.bytes[entry.path.clone()])
    }

    /// All entries.
    pub(crate) fn all(&self) -> Range<usize> {
        0..self.entries.len()
    }

    /// Whether something is tracked at this path.
    pub(crate) fn holds(&self, path: &[u8]) -> bool {
        let at = self.entries.partition_point(|entry| &self.bytes[entry.path.clone()] < path);
        self.entries.get(at).is_some_and(|entry| &self.bytes[entry.path.clone()] == path)
    }

    /// The mode and the id of what is tracked at this path, as git writes them.
    pub(crate) fn object(&self, path: &[u8]) -> Option<(u32, String)> {
        let at = self.entries.partition_point(|entry| &self.bytes[entry.path.clone()] < path);
        let entry = self.entries.get(at).filter(|entry| &self.bytes[entry.path.clone()] == path)?;
        let id = self.bytes[entry.id.clone()].iter().map(|byte| format!("{byte:02x}")).collect();
        Some((number(&self.bytes, entry.at + MODE_AT)?, id))
    }

    /// What is tracked directly in the folder whose entries are `range`. Their paths begin with
    /// `skip` bytes that name the folder, the last slash included.
    pub(crate) fn children(
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
                return Some((path, Child::Entry(entry.kind, at - 1)));
            };
            let inner = &path[..=slash];
            let same = |entry: &Entry| self.bytes[entry.path.clone()][skip..].starts_with(inner);
            let start = at;
            at += self.entries[at..range.end].partition_point(same);
            Some((&path[..slash], Child::Folder(start..at)))
        })
    }

    /// The `.gitattributes` files and their content: what they say decides about other files.
    pub(crate) fn attributes(&self) -> Vec<(&[u8], &[u8])> {
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
    let mut is_plain = true;
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
        let (at, mode) = (start, number(&bytes, start + MODE_AT)?);
        is_plain &= flags & (ASSUME_VALID | STAGE) == 0 && extended == 0;
        // Filled up with at least one NUL to a multiple of eight bytes.
        start += (path.end - start) / 8 * 8 + 8;
        if extended & SKIP_WORKTREE == 0 {
            let kind = if mode == SUBMODULE { Kind::Submodule } else { Kind::File };
            entries.push(Entry { at, path, id, kind });
        }
    }
    // The extensions, each with its length, up to the hash of the whole.
    while start + 8 + id_bytes <= bytes.len() {
        is_plain &= bytes.get(start..start + 4)? != SPLIT;
        start =
            start.checked_add(8)?.checked_add(usize::try_from(number(&bytes, start + 4)?).ok()?)?;
    }
    let tracked = Tracked { bytes, entries, is_plain, written: (0, 0) };
    let path = |entry: &Entry| &tracked.bytes[entry.path.clone()];
    tracked.entries.is_sorted_by(|one, next| path(one) < path(next)).then_some(tracked)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}
