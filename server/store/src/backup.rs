//! Backups of the database: made before a migration and from time to time, put back on request.

use crate::{
    database,
    error::{Class, OpenError, classify},
    files,
    lock::{Holder, Lock},
    rows,
};
use orchestra_core::time::Timestamp;
use rusqlite::Connection;
use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// One backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    pub path: PathBuf,
    pub made: SystemTime,
    pub bytes: u64,
}

const EXTENSION: &str = "db";
/// Begins the name of a database that a backup took the place of; never pruned.
const REPLACED: &str = "replaced-";

fn folder(dir: &Path) -> PathBuf {
    dir.join("backups")
}

/// The backups of the journal in `dir`, newest first.
pub fn backups(dir: &Path) -> io::Result<Vec<Backup>> {
    let mut backups = Vec::new();
    for path in files::entries(&folder(dir))? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let kept = path.extension().is_some_and(|extension| extension == EXTENSION);
        if kept && !name.starts_with(REPLACED) && !name.starts_with('.') {
            let metadata = fs::metadata(&path)?;
            let made = metadata.modified()?;
            backups.push(Backup { bytes: metadata.len(), made, path });
        }
    }
    // Their names begin with the time, so the order of the names is that of their making.
    backups.reverse();
    Ok(backups)
}

pub(crate) fn newest(dir: &Path) -> Option<PathBuf> {
    backups(dir).ok()?.into_iter().next().map(|backup| backup.path)
}

/// The next step when the database is damaged.
pub(crate) fn how_to_restore(newest: &Path) -> String {
    let path = newest.display();
    format!("`orchestra doctor --restore {path}` puts back the newest backup")
}

/// Whether the newest backup is older than `every`, or there is none.
pub(crate) fn is_due(dir: &Path, every: Duration) -> bool {
    let newest = backups(dir).ok().and_then(|backups| backups.into_iter().next());
    // A backup from the future means that the clock was set back; then one too many is harmless.
    newest.is_none_or(|backup| backup.made.elapsed().map_or(true, |age| age >= every))
}

/// Copies the database, as one moment of it, into a file that survives a loss of power.
pub(crate) fn make(dir: &Path, conn: &Connection) -> Result<PathBuf, OpenError> {
    let sqlite = |error: rusqlite::Error| database::open_error(dir, &error);
    let schema = database::version(conn).map_err(sqlite)?;
    let path = unused_name(dir, "", &format!("-schema{schema}"));
    let io = |error: io::Error| OpenError::io(&path, &error);
    files::create_folder(&folder(dir)).map_err(io)?;
    let temporary = files::temporary_beside(&path);
    let made = copy_into(conn, &temporary)
        .and_then(|()| File::open(&temporary).and_then(|file| file.sync_all()).map_err(io))
        .and_then(|()| files::publish(&temporary, &path).map_err(io));
    if made.is_err() {
        // The first error is the one that matters.
        let _ = fs::remove_file(&temporary);
    }
    made.map(|()| path)
}

/// Removes the oldest backups until `keep` are left.
pub(crate) fn prune(dir: &Path, keep: usize) -> io::Result<()> {
    backups(dir)?.into_iter().skip(keep).try_for_each(|backup| fs::remove_file(backup.path))
}

pub(crate) fn remove_leftovers(dir: &Path) -> io::Result<()> {
    files::remove_leftovers(&folder(dir))
}

/// `<prefix><time><suffix>.db` in the folder of backups; the time moves on to a free second.
fn unused_name(dir: &Path, prefix: &str, suffix: &str) -> PathBuf {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut seconds = i64::try_from(now).unwrap_or(0);
    loop {
        let time = Timestamp(seconds * 1_000).to_string().replace(':', "-");
        let path = folder(dir).join(format!("{prefix}{time}{suffix}.{EXTENSION}"));
        if !path.exists() {
            return path;
        }
        seconds += 1;
    }
}

/// Puts a backup in the place of the database, which is kept beside the backups; answers where.
///
/// Fails with [`OpenError::Locked`] while a daemon has the journal open. Every file below
/// `.orchestra/` is written anew at the next start.
pub fn restore(dir: &Path, backup: &Path) -> Result<PathBuf, OpenError> {
    let holder = Holder {
        pid: process::id(),
        socket: String::new(),
        build: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let _lock = Lock::take(dir, &holder)?;
    let io = |path: &Path| {
        let path = path.to_owned();
        move |error: io::Error| OpenError::io(&path, &error)
    };
    let file = database::file(dir);
    let temporary = files::temporary_beside(&file);
    let prepared = prepare(backup, &temporary).and_then(|()| {
        let synced = File::open(&temporary).and_then(|file| file.sync_all());
        synced.map_err(io(&temporary))
    });
    prepared.inspect_err(|_| {
        // The first error is the one that matters.
        let _ = fs::remove_file(&temporary);
    })?;

    let replaced = unused_name(dir, REPLACED, "");
    files::create_folder(&folder(dir)).map_err(io(&replaced))?;
    // The database goes before its log: a database without its log would silently be an older
    // one, a log without its database is nothing, and a database beside a foreign log is damaged.
    for suffix in ["", "-wal", "-shm"] {
        let (from, to) = (with_suffix(&file, suffix), with_suffix(&replaced, suffix));
        match fs::rename(&from, &to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(&from)(error)),
            _ => {}
        }
    }
    files::publish(&temporary, &file).map_err(io(&file))?;
    Ok(replaced)
}

/// Copies a backup that is sound and not too new, with all its rows marked to be projected.
fn prepare(backup: &Path, copy: &Path) -> Result<(), OpenError> {
    let damaged = |detail: String| OpenError::Corrupt {
        file: backup.to_owned(),
        detail,
        newest_backup: None,
    };
    let sqlite = |error: rusqlite::Error| damaged(error.to_string());
    let source = database::open_read_only(backup).map_err(sqlite)?;
    let check: String =
        source.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(sqlite)?;
    if check != "ok" {
        return Err(damaged(check));
    }
    let found = database::version(&source).map_err(sqlite)?;
    let supported = database::supported();
    if found == 0 {
        return Err(damaged("it is not a backup of a journal".to_owned()));
    }
    if found > supported {
        return Err(OpenError::Newer { file: backup.to_owned(), found, supported });
    }
    copy_into(&source, copy)?;
    let copied = Connection::open(copy).map_err(sqlite)?;
    rows::mark_all(&copied, 0).map_err(sqlite)
}

/// Writes one moment of a database, its log included, into a new file.
fn copy_into(conn: &Connection, path: &Path) -> Result<(), OpenError> {
    let text =
        path.to_str().ok_or_else(|| OpenError::io(path, &io::ErrorKind::InvalidFilename.into()))?;
    conn.execute("VACUUM INTO ?1", [text]).map_err(|error| match classify(&error, path) {
        Class::Full => OpenError::io(path, &io::ErrorKind::StorageFull.into()),
        Class::Corrupt | Class::Other => {
            OpenError::Io { path: path.to_owned(), detail: error.to_string() }
        }
    })?;
    Ok(())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
