//! What is in a working tree: what differs from the index, what git was told not to look at, and what it does
//! not know. By a look at the files where that says enough, else by what git says.

use super::{
    folders::{Folders, Kind},
    index::Index,
};
use crate::{
    GitError,
    git::at_once,
    survey::{self, Compared, Survey, Walk},
    update_index::Entry,
};
use orchestra_core::folders::BEING_WRITTEN;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

/// The mode of a submodule's entry.
pub(super) const GITLINK: &str = "160000";

/// Paths are relative to the top, with no slash at the end.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Known and different, or gone.
    pub(super) changed: BTreeSet<Vec<u8>>,
    /// Known and there, but git was told to take the files for unchanged; their entries.
    pub(super) unwatched: Vec<Entry>,
    /// Known, but what is at their paths on the disk lies beyond a symbolic link.
    pub(super) beyond_link: BTreeSet<Vec<u8>>,
    /// With mode and id of our version, where we have one.
    pub(super) unmerged: BTreeMap<Vec<u8>, Option<(String, String)>>,
    /// Path to the id of the commit.
    pub(super) submodules: BTreeMap<Vec<u8>, String>,
    /// New and not ignored.
    pub(super) untracked: Vec<Vec<u8>>,
    /// Repositories that are no submodules.
    pub(super) nested: BTreeSet<Vec<u8>>,
    /// In which all of these lie, and all unchanged files too.
    pub(super) folders: Folders,
    /// FIFOs, sockets and devices, ignored ones too; none where they were not looked for.
    pub(super) special: Option<Vec<Vec<u8>>>,
}

pub(super) fn read(index: &Index<'_>) -> Result<Listing, GitError> {
    let (others, tracked) = at_once(|| others(index), || tracked(index));
    let (mut listing, others) = (tracked?, others?);
    for path in others {
        listing.folders.around(index.top, &path);
        // A nested repository ends in a slash.
        match path.strip_suffix(b"/") {
            Some(repository) => {
                listing.nested.insert(repository.to_owned());
            }
            None => listing.untracked.push(path),
        }
    }
    Ok(listing)
}

fn tracked(index: &Index<'_>) -> Result<Listing, GitError> {
    let mut listing = Listing::default();
    // All entries, then those that are modified or deleted once more; a small letter at those that are
    // assumed to be unchanged.
    let options = ["-z", "-v", "--stage", "--modified", "--deleted"];
    index.git("ls-files").args(options).records(|record| {
        if let Some(line) = Line::parse(record) {
            listing.add(index.top, &line);
        }
    })?;
    Ok(listing)
}

/// `<tag> <mode> <id> <stage>\t<path>`
struct Line<'a> {
    tag: u8,
    mode: &'a str,
    id: &'a str,
    stage: &'a str,
    path: &'a [u8],
}

impl<'a> Line<'a> {
    fn parse(record: &'a [u8]) -> Option<Self> {
        let tab = record.iter().position(|&byte| byte == b'\t')?;
        let mut parts = str::from_utf8(&record[..tab]).ok()?.split(' ');
        let (tag, mode, id, stage) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        Some(Self { tag: *tag.as_bytes().first()?, mode, id, stage, path: &record[tab + 1..] })
    }
}

impl Listing {
    fn add(&mut self, top: &Path, line: &Line<'_>) {
        let &Line { tag, mode, id, stage, path } = line;
        let object = || (mode.to_owned(), id.to_owned());
        match tag.to_ascii_uppercase() {
            b'M' => {
                let ours = self.unmerged.entry(path.to_owned()).or_default();
                if stage == "2" {
                    *ours = Some(object());
                }
            }
            b'C' | b'R' => {
                if !self.unmerged.contains_key(path) && !self.beyond_link.contains(path) {
                    self.changed.insert(path.to_owned());
                }
            }
            cached => {
                if mode == GITLINK {
                    self.submodules.insert(path.to_owned(), id.to_owned());
                }
                let around = self.folders.around(top, path);
                if around == Kind::Linked {
                    self.beyond_link.insert(path.to_owned());
                } else if (cached == b'S' || tag.is_ascii_lowercase())
                    && around == Kind::Real
                    && fs::symlink_metadata(absolute(top, path)).is_ok()
                {
                    self.unwatched.push(Entry { path: path.to_owned(), object: Some(object()) });
                }
            }
        }
    }
}

fn others(index: &Index<'_>) -> Result<Vec<Vec<u8>>, GitError> {
    let mut others = Vec::new();
    let options = ["-z", "--others", "--exclude-standard", "--exclude", BEING_WRITTEN];
    index.git("ls-files").args(options).records(|path| others.push(path.to_owned()))?;
    Ok(others)
}

/// How many new files are remembered before git is asked for them.
const ROOM: usize = 10_000;

/// How many files are read anew before git is asked which of them differ: it reads them just once.
const READ_ANEW: usize = 1_000;

/// What a look at the files says. Files that only may differ count as changed: entered anew, they are what
/// they were. `None` where git has to say it.
pub(super) fn guess(index: &Index<'_>) -> Result<Option<Listing>, GitError> {
    let Some(tracked) = index.comparable() else { return Ok(None) };
    let walk = Walk {
        src: index.top,
        index: Some(&tracked),
        room: ROOM,
        into_unknown: false,
        large: None,
    };
    // What stands in the way of the walk, git may know how to pass by.
    let Ok(Survey { special, nested, compared: Some(compared), .. }) = survey::look(&walk) else {
        return Ok(None);
    };
    // Which of these are repositories, git knows.
    if !nested.is_empty() || compared.touched.len() > READ_ANEW {
        return Ok(None);
    }
    let Some(untracked) = compared.new_files(|paths| ignored(index, paths))? else {
        return Ok(None);
    };
    let Compared { touched, missing, beyond_link, .. } = compared;
    Ok(Some(Listing {
        changed: touched.into_iter().chain(missing).collect(),
        beyond_link: beyond_link.into_iter().collect(),
        untracked,
        special: Some(special.into_iter().map(|(path, _)| path).collect()),
        ..Listing::default()
    }))
}

/// Which of these paths are ignored, as [`others`] has it.
fn ignored(index: &Index<'_>, paths: &[Vec<u8>]) -> Result<HashSet<Vec<u8>>, GitError> {
    let mut ignored = index.ignored(paths)?;
    let is_being_written = |path: &&Vec<u8>| {
        path.rsplit(|&byte| byte == b'/').next() == Some(BEING_WRITTEN.as_bytes())
    };
    ignored.extend(paths.iter().filter(is_being_written).cloned());
    Ok(ignored)
}

pub(super) fn absolute(top: &Path, path: &[u8]) -> PathBuf {
    top.join(OsStr::from_bytes(path))
}
