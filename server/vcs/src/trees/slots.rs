//! The names of a pool's slots and of the files beside them.

use super::Purpose;
use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// One slot of a pool: a folder that its holder may fill, and the pool's own files beside it, where
/// no holder writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    pool: PathBuf,
    pub(super) name: String,
}

impl Slot {
    pub(super) fn new(pool: &Path, name: impl Into<String>) -> Self {
        Self { pool: pool.to_owned(), name: name.into() }
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.pool.join(&self.name)
    }

    pub(super) fn src(&self) -> PathBuf {
        self.folder().join("src")
    }

    /// Where a holder has its `tmp` and `out`: a holder of its own slot in it, one of several in a
    /// folder of its own.
    pub(super) fn room(&self, holder: &str, shared: bool) -> PathBuf {
        if shared { self.folder().join("holders").join(holder) } else { self.folder() }
    }

    pub(super) fn contents(&self) -> PathBuf {
        self.beside("contents")
    }

    /// The index that git wrote at the last checkout, with the times of the files.
    pub(super) fn index(&self) -> PathBuf {
        self.beside("index")
    }

    pub(super) fn lease(&self, holder: &str, shared: bool) -> PathBuf {
        if shared { self.beside(&format!("lease.{holder}")) } else { self.beside("lease") }
    }

    /// A name for what is to be deleted; used once.
    pub(super) fn doomed(&self) -> PathBuf {
        unique(&self.beside("removed"))
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        self.pool.join(format!("{}.{suffix}", self.name))
    }
}

/// What a name in a pool's folder means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Name {
    Slot(String),
    Lease {
        slot: String,
    },
    /// The pool's own, of a slot.
    Own {
        slot: String,
    },
    /// Half written, or half removed.
    Leftover,
    Unknown,
}

impl Name {
    pub(super) fn of(name: &str) -> Self {
        let (slot, suffix) = match name.split_once('.') {
            Some((slot, suffix)) => (slot, Some(suffix)),
            None => (name, None),
        };
        let known = slot.strip_prefix(Purpose::PREFIXES).is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        let slot = slot.to_owned();
        match suffix {
            _ if !known => Self::Unknown,
            None => Self::Slot(slot),
            Some(suffix) if suffix.ends_with(UNIQUE) => Self::Leftover,
            Some("contents" | "index") => Self::Own { slot },
            Some(suffix) if suffix == "lease" || suffix.starts_with("lease.") => {
                Self::Lease { slot }
            }
            Some(_) => Self::Unknown,
        }
    }
}

/// Ends the names that are used once; no holder's name does.
const UNIQUE: &str = "~";

/// A name beside `path` that nobody used before, nor a process before this one.
pub(super) fn unique(path: &Path) -> PathBuf {
    // In a container, every daemon may have the same process id.
    static STARTED: LazyLock<u128> = LazyLock::new(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos())
    });
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut name = OsString::from(path);
    name.push(format!(".{:x}-{:x}-{number}{UNIQUE}", *STARTED, process::id()));
    name.into()
}

/// Whether it may be part of a file's name.
pub(super) fn is_name(holder: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (1..=128).contains(&holder.len()) && !holder.starts_with('.') && holder.bytes().all(plain)
}

/// The names in a pool's folder, sorted; none when there is no folder yet.
pub(super) fn names(pool: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(pool) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut names = Vec::new();
    for entry in entries {
        // What is not text is not ours.
        names.extend(entry?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_what_it_is() {
        let slot = || "w12".to_owned();
        assert_eq!(Name::of("w12"), Name::Slot(slot()));
        assert_eq!(Name::of("w12.lease"), Name::Lease { slot: slot() });
        assert_eq!(Name::of("w12.lease.r1.2-1.verify"), Name::Lease { slot: slot() });
        assert_eq!(Name::of("w12.index"), Name::Own { slot: slot() });
        assert_eq!(Name::of("w12.index.77-1~"), Name::Leftover);
        for unknown in ["w", "x1", "r1.2-1", "w1a", "w1.lock", "README", "w-1", ".w1"] {
            assert_eq!(Name::of(unknown), Name::Unknown, "{unknown}");
        }
    }

    #[test]
    fn what_leads_elsewhere_is_no_holder() {
        assert!(is_name("r12.3-2.verify"));
        for name in ["", ".", "..", "a/b", "a b", "a~", "a\n"] {
            assert!(!is_name(name), "{name:?}");
        }
    }
}
