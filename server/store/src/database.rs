//! Opening the database: its settings, its versions, and what a damaged one looks like.
//!
//! The file itself is never opened by other means than SQLite in a process that has a connection to
//! it: closing any descriptor of it would drop the locks that SQLite holds.

use crate::{
    backup,
    error::{Class, OpenError, classify},
};
use rusqlite::{Connection, OpenFlags};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How to get from each version to the next, forward only; the first one makes an empty database.
const MIGRATIONS: &[&str] = &[include_str!("schema/1.sql"), include_str!("schema/2.sql")];

/// How long a connection waits for a lock. Only a checkpoint or a recovery ever holds one that long.
const BUSY: Duration = Duration::from_secs(10);

const STATEMENTS: usize = 64;

/// How large the log grows before it is copied into the database: 16 MiB.
const LOG_PAGES: u32 = 4096;
const PAGE: u32 = 4096;

/// The newest schema that this build reads.
pub(crate) fn supported() -> u32 {
    version_after(MIGRATIONS)
}

fn version_after(migrations: &[&str]) -> u32 {
    u32::try_from(migrations.len()).unwrap_or(u32::MAX)
}

pub(crate) fn file(dir: &Path) -> PathBuf {
    dir.join("orchestra.db")
}

/// What every store has beside its database. Where it is and the database is not, history is lost.
pub(crate) fn marker(dir: &Path) -> PathBuf {
    dir.join("workspace.json")
}

/// Opens the database for its one writer, made and migrated as needed.
pub(crate) fn open_writer(dir: &Path) -> Result<Connection, OpenError> {
    open_with(dir, MIGRATIONS)
}

fn open_with(dir: &Path, migrations: &[&str]) -> Result<Connection, OpenError> {
    let file = file(dir);
    let empty = std::fs::metadata(&file).map_or(true, |metadata| metadata.len() == 0);
    if empty && marker(dir).exists() {
        return Err(corrupt(dir, "it is empty or gone, and there was one"));
    }
    let sqlite = |error: rusqlite::Error| open_error(dir, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(&file, flags).map_err(sqlite)?;
    configure(&conn).map_err(sqlite)?;
    // Before anything is changed, so that a newer version finds its file as it left it.
    let found = version(&conn).map_err(sqlite)?;
    let supported = version_after(migrations);
    if found > supported {
        return Err(OpenError::Newer { file, found, supported });
    }
    if found == 0 && marker(dir).exists() {
        return Err(corrupt(dir, "it holds no tables, and there were some"));
    }
    set_write_ahead(&conn).map_err(sqlite)?;
    if found > 0 && found < supported {
        backup::make(dir, &conn)?;
    }
    migrate(&mut conn, migrations, found).map_err(sqlite)?;
    Ok(conn)
}

fn migrate(conn: &mut Connection, migrations: &[&str], found: u32) -> rusqlite::Result<()> {
    for (version, migration) in (1_u32..).zip(migrations) {
        if version > found {
            let step = conn.transaction()?;
            step.execute_batch(migration)?;
            step.pragma_update(None, "user_version", version)?;
            step.commit()?;
        }
    }
    Ok(())
}

/// Opens the database to read, beside its writer or alone.
pub(crate) fn open_reader(dir: &Path) -> Result<Connection, OpenError> {
    let file = file(dir);
    if !file.exists() {
        return Err(if marker(dir).exists() {
            corrupt(dir, "it is gone, and there was one")
        } else {
            OpenError::Missing { dir: dir.to_owned() }
        });
    }
    let conn = open_read_only(&file).map_err(|error| open_error(dir, &error))?;
    let found = version(&conn).map_err(|error| open_error(dir, &error))?;
    match found.cmp(&supported()) {
        std::cmp::Ordering::Equal => Ok(conn),
        std::cmp::Ordering::Greater => {
            Err(OpenError::Newer { file, found, supported: supported() })
        }
        std::cmp::Ordering::Less if found > 0 => {
            Err(OpenError::Older { file, found, supported: supported() })
        }
        std::cmp::Ordering::Less if marker(dir).exists() => {
            Err(corrupt(dir, "it holds no tables, and there were some"))
        }
        // Its first writer is about to make the tables.
        std::cmp::Ordering::Less => Err(OpenError::Missing { dir: dir.to_owned() }),
    }
}

/// A connection that cannot write, whatever the version of the file is.
pub(crate) fn open_read_only(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(file, flags)?;
    configure(&conn)?;
    Ok(conn)
}

fn configure(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

fn set_write_ahead(conn: &Connection) -> rusqlite::Result<()> {
    conn.pragma_update(None, "journal_mode", "WAL")?;
    // Copying the log into the database costs two syncs: not after each large batch.
    conn.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    // Else the log would keep its largest size for ever.
    conn.pragma_update(None, "journal_size_limit", LOG_PAGES * PAGE)?;
    set_durable(conn, true)
}

/// Whether a commit waits until it survives a loss of power. A commit that does not wait still
/// survives a crash of the process, and becomes durable with the next one that does.
pub(crate) fn set_durable(conn: &Connection, durable: bool) -> rusqlite::Result<()> {
    conn.pragma_update(None, "synchronous", if durable { "FULL" } else { "NORMAL" })
}

/// Empties the write-ahead log, unless somebody is reading from it.
pub(crate) fn shrink_log(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(Duration::ZERO)?;
    let shrunk = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    conn.busy_timeout(BUSY)?;
    shrunk
}

pub(crate) fn version(conn: &Connection) -> rusqlite::Result<u32> {
    conn.pragma_query_value(None, "user_version", |row| row.get(0))
}

pub(crate) fn open_error(dir: &Path, error: &rusqlite::Error) -> OpenError {
    match classify(error, &file(dir)) {
        Class::Full => OpenError::Full { dir: dir.to_owned() },
        Class::Corrupt => corrupt(dir, &error.to_string()),
        Class::Other => OpenError::Io { path: file(dir), detail: error.to_string() },
    }
}

fn corrupt(dir: &Path, detail: &str) -> OpenError {
    OpenError::Corrupt {
        file: file(dir),
        detail: detail.to_owned(),
        newest_backup: backup::newest(dir),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_database_is_migrated_after_a_backup() {
        let dir = tempfile::tempdir().unwrap();
        let first = "CREATE TABLE note (text TEXT) STRICT; INSERT INTO note VALUES ('kept');";
        let second = "ALTER TABLE note ADD COLUMN by TEXT DEFAULT 'nobody';";
        drop(open_with(dir.path(), &[first]).unwrap());
        assert_eq!(backup::newest(dir.path()), None);

        let conn = open_with(dir.path(), &[first, second]).unwrap();
        let row = conn.query_row("SELECT text || ' by ' || by FROM note", [], |row| row.get(0));
        assert_eq!(row, Ok("kept by nobody".to_owned()));
        assert_eq!(version(&conn), Ok(2));
        let backup = open_read_only(&backup::newest(dir.path()).unwrap()).unwrap();
        assert_eq!(version(&backup), Ok(1));
    }

    #[test]
    fn a_migration_that_fails_leaves_the_version_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let first = "CREATE TABLE note (text TEXT) STRICT;";
        drop(open_with(dir.path(), &[first]).unwrap());
        let broken = "CREATE TABLE other (text TEXT) STRICT; SELECT nonsense;";
        assert!(open_with(dir.path(), &[first, broken]).is_err());
        let conn = open_with(dir.path(), &[first]).unwrap();
        let tables = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0));
        assert_eq!(tables, Ok(1));
    }
}
