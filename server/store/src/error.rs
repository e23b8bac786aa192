//! Why the journal could not be opened, read or written, and what a person can do about it.

use crate::{backup, database, files, lock::Holder};
use orchestra_core::ids::RunId;
use rusqlite::ErrorCode;
use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// Why a journal could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Nothing was ever recorded there. Only readers see this; a store creates what is missing.
    #[error("nothing is recorded in {}", dir.display())]
    Missing { dir: PathBuf },
    #[error("{} is in use by {}", dir.display(), describe(holder.as_ref()))]
    Locked { dir: PathBuf, holder: Option<Holder> },
    #[error(
        "{} was written by a newer version (schema {found}), this build reads up to {supported}",
        file.display()
    )]
    Newer { file: PathBuf, found: u32, supported: u32 },
    /// Only readers see this; a store migrates.
    #[error(
        "{} was written by an older version (schema {found}), this build reads {supported}",
        file.display()
    )]
    Older { file: PathBuf, found: u32, supported: u32 },
    #[error("{} is damaged: {detail}", file.display())]
    Corrupt { file: PathBuf, detail: String, newest_backup: Option<PathBuf> },
    #[error("no space left on {}", dir.display())]
    Full { dir: PathBuf },
    #[error("{}: {detail}", path.display())]
    Io { path: PathBuf, detail: String },
}

fn describe(holder: Option<&Holder>) -> String {
    holder.map_or_else(|| "another process".to_owned(), ToString::to_string)
}

impl OpenError {
    /// The next step.
    pub fn hint(&self) -> String {
        match self {
            Self::Missing { .. } => "start a run first".to_owned(),
            Self::Locked { holder: Some(holder), .. } => {
                format!("ask the daemon at {}, or end process {}", holder.socket, holder.pid)
            }
            Self::Locked { holder: None, .. } => {
                "find it with `orchestra daemon status`".to_owned()
            }
            Self::Newer { .. } => {
                "upgrade orchestra, or restore a backup that the older version made".to_owned()
            }
            Self::Older { .. } => {
                "start the daemon once with this version; it migrates after a backup".to_owned()
            }
            Self::Corrupt { newest_backup: Some(backup), .. } => backup::how_to_restore(backup),
            Self::Corrupt { newest_backup: None, file, .. } => format!(
                "there is no backup; see `orchestra doctor`, or move {} away to begin anew",
                file.parent().unwrap_or(file).display()
            ),
            Self::Full { .. } => "free some space and try again".to_owned(),
            Self::Io { .. } => "check that the folder exists and is yours to write".to_owned(),
        }
    }

    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::Full { dir: path.to_owned() }
            }
            _ => Self::Io { path: path.to_owned(), detail: error.to_string() },
        }
    }
}

/// Why the journal did not record or did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("not recorded: no space left on {}", dir.display())]
    Full { dir: PathBuf },
    /// An earlier batch failed, and nothing may be recorded over the gap.
    #[error("not recorded: a change before it could not be recorded")]
    Halted,
    #[error("not recorded: the journal is closed")]
    Closed,
    #[error("{}: {detail}", file.display())]
    Sqlite { file: PathBuf, detail: String },
    #[error("{} is damaged: {detail}", file.display())]
    Corrupt { file: PathBuf, detail: String },
    /// The chain of a run's events is broken, or an event cannot be read.
    #[error("the journal of {run} is damaged at event {seq}: {reason}")]
    Broken { run: RunId, seq: u64, reason: String },
    /// A row made from events cannot be read.
    #[error("the row of {row} cannot be read: {detail}")]
    Row { row: String, detail: String },
    /// What was handed over cannot be written as JSON, or does not follow on what is recorded.
    #[error("not recorded: {detail}")]
    Refused { detail: String },
    #[error("the journal did not come to rest within {0:?}")]
    TimedOut(Duration),
}

impl StoreError {
    /// The next step.
    pub fn hint(&self) -> String {
        match self {
            Self::Full { .. } => "free some space, then `orchestra resume` the run",
            Self::Halted => "the first failure names the cause; try again when it is gone",
            Self::Closed => "the daemon is going down; try again",
            Self::Sqlite { .. } => "see `orchestra doctor`",
            Self::Corrupt { .. } | Self::Broken { .. } => {
                "see `orchestra doctor`, which offers the newest backup"
            }
            Self::Row { .. } => "`orchestra rebuild` makes it again from the journal",
            Self::Refused { .. } => "this is a defect; please report it",
            Self::TimedOut(_) => "the disk is slow, or the workspace cannot be written",
        }
        .to_owned()
    }
}

/// What goes wrong inside this crate, before it is known where.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("{0}")]
    Refused(String),
    #[error("{reason}")]
    Broken { run: RunId, seq: u64, reason: String },
    #[error("{detail}")]
    Row { row: String, detail: String },
}

impl Fault {
    pub(crate) fn row(row: impl ToString, detail: impl ToString) -> Self {
        Self::Row { row: row.to_string(), detail: detail.to_string() }
    }

    pub(crate) fn at(self, file: &Path) -> StoreError {
        match self {
            Self::Sqlite(error) => match classify(&error, file) {
                Class::Full => StoreError::Full { dir: folder(file) },
                Class::Corrupt => {
                    StoreError::Corrupt { file: file.to_owned(), detail: error.to_string() }
                }
                Class::Other => {
                    StoreError::Sqlite { file: file.to_owned(), detail: error.to_string() }
                }
            },
            Self::Refused(detail) => StoreError::Refused { detail },
            Self::Broken { run, seq, reason } => StoreError::Broken { run, seq, reason },
            Self::Row { row, detail } => StoreError::Row { row, detail },
        }
    }

    /// When it happens while a journal is being opened.
    pub(crate) fn opening(self, dir: &Path) -> OpenError {
        match self {
            Self::Sqlite(error) => database::open_error(dir, &error),
            other => OpenError::Io { path: database::file(dir), detail: other.to_string() },
        }
    }

    /// Whether it lies in the bytes that were read, and not in the disk or the caller.
    pub(crate) fn is_damage(&self, file: &Path) -> bool {
        match self {
            Self::Broken { .. } | Self::Row { .. } => true,
            Self::Sqlite(error) => classify(error, file) == Class::Corrupt,
            Self::Refused(_) => false,
        }
    }
}

/// The classes of SQLite's errors that need different words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Full,
    Corrupt,
    Other,
}

pub(crate) fn classify(error: &rusqlite::Error, file: &Path) -> Class {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Class::Full,
        // SQLite says "full" only for some of its writes; for the others the disk is asked.
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) if is_full(file) => Class::Full,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Class::Corrupt,
        _ => Class::Other,
    }
}

fn is_full(file: &Path) -> bool {
    /// One growth step of SQLite's shared memory file, with room to spare.
    const NEEDED: u64 = 64 * 1024;
    files::free_space(&folder(file)).is_ok_and(|free| free < NEEDED)
}

fn folder(file: &Path) -> PathBuf {
    file.parent().unwrap_or(file).to_owned()
}
