//! What lay on the disk before, and what is to lie there afterwards, byte by byte: kept beside the contents
//! in a commit of its own, since git's own words for a file (its filters, two modes, no folders) do not bring
//! it back as it was.
//!
//! The tree of that commit: `before/…` and `after/…` with the files as they lie on the disk, `saved/…` with
//! what lay under text that was not saved, and `record`, which says of each what it is.

use super::place::Place;
use crate::{GitError, bare, collect::names};
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
};

/// The first record of every version begins so.
const VERSION: &str = "orchestra-record 1";

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Program,
    Link,
}

/// What can be compared of a file without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) kind: Kind,
    pub(super) bytes: u64,
    /// SHA-256.
    pub(super) digest: [u8; 32],
}

/// A file that is or was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) content: Content,
    /// All its bits; `None`: as a new file gets them.
    pub(super) permissions: Option<u32>,
}

/// The files that an operation touches, and the folders around them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) before: BTreeMap<Vec<u8>, Row>,
    pub(super) after: BTreeMap<Vec<u8>, Row>,
    /// Folders that were there, with their permissions.
    pub(super) stood: BTreeMap<Vec<u8>, u32>,
    /// Folders that are to be there whether or not something is in them.
    pub(super) wanted: BTreeMap<Vec<u8>, u32>,
}

impl Kind {
    /// As git writes it.
    pub(super) fn mode(self) -> &'static str {
        match self {
            Self::Plain => "100644",
            Self::Program => "100755",
            Self::Link => "120000",
        }
    }

    /// `None` for a submodule.
    pub(super) fn of_mode(mode: &str) -> Option<Self> {
        [Self::Plain, Self::Program, Self::Link].into_iter().find(|kind| kind.mode() == mode)
    }
}

impl Content {
    pub(super) fn of(kind: Kind, bytes: &[u8]) -> Self {
        Self { kind, bytes: bytes.len() as u64, digest: Sha256::digest(bytes).into() }
    }

    /// Reads to the end, and shows what was read.
    pub(super) fn read(
        kind: Kind,
        mut from: impl Read,
        mut show: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<Self> {
        let (mut digest, mut bytes) = (Sha256::new(), 0);
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => &buffer[..read],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            digest.update(read);
            bytes += read.len() as u64;
            show(read)?;
        }
        Ok(Self { kind, bytes, digest: digest.finalize().into() })
    }
}

impl Record {
    /// All paths, in the order by which files are numbered.
    pub(super) fn paths(&self) -> BTreeSet<&[u8]> {
        self.before.keys().chain(self.after.keys()).map(Vec::as_slice).collect()
    }

    /// Records that end with NUL, which no path holds.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{VERSION}\0").into_bytes();
        let mut put = |about: String, path: &[u8]| {
            bytes.extend_from_slice(about.as_bytes());
            bytes.extend_from_slice(path);
            bytes.push(0);
        };
        for (word, rows) in [("before", &self.before), ("after", &self.after)] {
            for (path, Row { content, permissions }) in rows {
                let Content { kind, bytes, digest } = content;
                let permissions = permissions.map_or("-".to_owned(), |bits| format!("{bits:o}"));
                let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                put(format!("{word} {} {permissions} {bytes} {digest} ", kind.mode()), path);
            }
        }
        for (word, folders) in [("stood", &self.stood), ("wanted", &self.wanted)] {
            for (path, permissions) in folders {
                put(format!("{word} {permissions:o} "), path);
            }
        }
        bytes
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut record = Self::default();
        let mut lines = bytes.strip_suffix(b"\0")?.split(|&byte| byte == 0);
        if lines.next()? != VERSION.as_bytes() {
            return None;
        }
        for line in lines {
            let (word, rest) = word(line)?;
            match word {
                "before" | "after" => {
                    let (path, row) = parse_row(rest)?;
                    let rows =
                        if word == "before" { &mut record.before } else { &mut record.after };
                    rows.insert(path, row);
                }
                "stood" | "wanted" => {
                    let (bits, path) = self::word(rest)?;
                    let folders =
                        if word == "stood" { &mut record.stood } else { &mut record.wanted };
                    folders.insert(path.to_owned(), u32::from_str_radix(bits, 8).ok()?);
                }
                _ => return None,
            }
        }
        Some(record)
    }
}

fn parse_row(line: &[u8]) -> Option<(Vec<u8>, Row)> {
    let (mode, line) = word(line)?;
    let (bits, line) = word(line)?;
    let (bytes, line) = word(line)?;
    let (digest, path) = word(line)?;
    let permissions = match bits {
        "-" => None,
        bits => Some(u32::from_str_radix(bits, 8).ok()?),
    };
    let mut parsed = [0; 32];
    for (at, byte) in parsed.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digest.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    let content =
        Content { kind: Kind::of_mode(mode)?, bytes: bytes.parse().ok()?, digest: parsed };
    Some((path.to_owned(), Row { content, permissions }))
}

/// The first word of a line, and what follows the space after it.
fn word(line: &[u8]) -> Option<(&str, &[u8])> {
    let space = line.iter().position(|&byte| byte == b' ')?;
    Some((str::from_utf8(&line[..space]).ok()?, &line[space + 1..]))
}

/// What an operation has kept.
#[derive(Debug)]
pub(super) struct Kept {
    /// The id of the commit.
    pub(super) commit: String,
    pub(super) record: Record,
    /// The ids of the files as they lie on the disk, by their paths.
    pub(super) before: BTreeMap<Vec<u8>, String>,
    pub(super) after: BTreeMap<Vec<u8>, String>,
}

impl Kept {
    /// What lies under the references of an operation.
    pub(super) fn read(place: &Place, references: &str) -> Result<Self, GitError> {
        let reference = format!("{references}/raw^{{commit}}");
        let commit = place.git("rev-parse").args(["--verify", "--quiet", &reference]).output()?;
        Self::of_commit(place, &bare::line(&commit))
    }

    pub(super) fn of_commit(place: &Place, commit: &str) -> Result<Self, GitError> {
        let spoiled = |detail: &str| GitError::Failed {
            what: "git cat-file".to_owned(),
            place: place.top.clone(),
            detail: format!("{commit} {detail}"),
        };
        let git = place.git("cat-file").args(["blob", &format!("{commit}:record")]);
        let record = Record::parse(&git.output()?).ok_or_else(|| spoiled("is no record"))?;
        let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
        place.git("ls-tree").args(["-r", "-z", "--full-tree", commit]).records(|entry| {
            let Some(tab) = entry.iter().position(|&byte| byte == b'\t') else { return };
            let (about, path) = (&entry[..tab], &entry[tab + 1..]);
            let id = bare::line(about.rsplit(|&byte| byte == b' ').next().unwrap_or_default());
            if let Some(path) = path.strip_prefix(b"before/") {
                before.insert(path.to_owned(), id);
            } else if let Some(path) = path.strip_prefix(b"after/") {
                after.insert(path.to_owned(), id);
            }
        })?;
        let is_whole =
            record.before.keys().eq(before.keys()) && record.after.keys().eq(after.keys());
        if !is_whole {
            return Err(spoiled("lacks files"));
        }
        Ok(Self { commit: commit.to_owned(), record, before, after })
    }
}

/// Whether a name may be written at all.
pub(super) fn is_acceptable(path: &[u8], kind: Kind) -> bool {
    let has_odd_part = path.split(|&byte| byte == b'/').any(<[u8]>::is_empty);
    !has_odd_part && names::is_acceptable(path, kind == Kind::Link)
}
