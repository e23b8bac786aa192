//! What the pool writes down beside its slots: who holds one, and what is in it.

use super::{Purpose, slots::unique};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    ffi::OsString,
    fs, io,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
};

/// The version of both formats. A record of another version is as good as none.
const VERSION: u32 = 1;

/// Who holds a slot. Written before the slot is touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lease {
    pub(super) version: u32,
    pub(super) holder: String,
    pub(super) purpose: Purpose,
    /// The commit that it was promised.
    pub(super) commit: String,
    /// Others may hold the slot, too.
    pub(super) shared: bool,
    /// What it was given, once that is whole.
    pub(super) given: Option<Given>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Given {
    /// The workspace's folder in the tree, in bytes: a path may be anything.
    prefix: Vec<u8>,
    pub(super) prepared: Option<String>,
}

impl Given {
    pub(super) fn new(prefix: &Path, prepared: Option<String>) -> Self {
        Self { prefix: prefix.as_os_str().as_bytes().to_owned(), prepared }
    }

    pub(super) fn prefix(&self) -> PathBuf {
        OsString::from_vec(self.prefix.clone()).into()
    }
}

impl Lease {
    pub(super) fn new(holder: &str, purpose: Purpose, commit: &str, shared: bool) -> Self {
        let (holder, commit) = (holder.to_owned(), commit.to_owned());
        Self { version: VERSION, holder, purpose, commit, shared, given: None }
    }
}

/// What is in a slot. A slot without this is nobody's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Contents {
    pub(super) version: u32,
    /// The commit that its files show; none while they are being changed.
    pub(super) commit: Option<String>,
    /// The configuration and the attributes with which they were checked out.
    pub(super) look: String,
    /// Which folders were asked for, and which files of the user's own.
    pub(super) sparse: Vec<String>,
    pub(super) copy: Vec<String>,
    /// Files of the user's own that are in it, relative to the top.
    pub(super) copied: Vec<String>,
    pub(super) prepared: Option<Prepared>,
    /// The blocks that it takes, in bytes, when it was looked at last.
    pub(super) bytes: u64,
    /// When it was released last, in milliseconds since 1970.
    pub(super) released_ms: u64,
}

/// That a slot was made ready for builds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Prepared {
    pub(super) key: String,
    /// What was not tracked then: where any of it went, the slot is not ready any more.
    pub(super) made: Vec<String>,
}

impl Contents {
    pub(super) fn new() -> Self {
        Self {
            version: VERSION,
            commit: None,
            look: String::new(),
            sparse: Vec::new(),
            copy: Vec::new(),
            copied: Vec::new(),
            prepared: None,
            bytes: 0,
            released_ms: 0,
        }
    }
}

/// Reads a record. `None` when there is none, or none that this build can read.
pub(super) fn read<R: DeserializeOwned + Versioned>(file: &Path) -> io::Result<Option<R>> {
    match fs::read(file) {
        Ok(text) => {
            let record: Option<R> = serde_json::from_slice(&text).ok();
            Ok(record.filter(|record| record.version() == VERSION))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a record whole or not at all.
pub(super) fn write(file: &Path, record: &impl Serialize) -> io::Result<()> {
    let temporary = unique(file);
    fs::write(&temporary, serde_json::to_vec(record)?)?;
    fs::rename(&temporary, file)
}

/// As [`write`], of a file that must not exist yet.
pub(super) fn write_new(file: &Path, record: &impl Serialize) -> io::Result<()> {
    let temporary = unique(file);
    fs::write(&temporary, serde_json::to_vec(record)?)?;
    let linked = fs::hard_link(&temporary, file);
    fs::remove_file(&temporary)?;
    linked
}

/// A record that says which format it has.
pub(super) trait Versioned {
    fn version(&self) -> u32;
}

impl Versioned for Lease {
    fn version(&self) -> u32 {
        self.version
    }
}

impl Versioned for Contents {
    fn version(&self) -> u32 {
        self.version
    }
}
