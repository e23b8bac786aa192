//! What a loss of power takes from the projection: its files are not synced one by one, so those of
//! the last boot are written again.

use crate::{error::Fault, rows};
use rusqlite::Connection;
use std::fs;

const KEY: &str = "boot";

/// Marks what was projected since the boot before this one, if there was one in between.
pub(crate) fn mark_unsynced(conn: &Connection, generation: i64) -> Result<(), Fault> {
    // Where the system does not tell boots apart, `orchestra rebuild` has to do.
    match fs::read_to_string("/proc/sys/kernel/random/boot_id") {
        Ok(boot) => mark_since_boot(conn, boot.trim(), generation),
        Err(_) => Ok(()),
    }
}

fn mark_since_boot(conn: &Connection, boot: &str, generation: i64) -> Result<(), Fault> {
    let kept = rows::meta(conn, KEY)?;
    let (last_boot, first_seq) =
        kept.as_deref().and_then(|kept| kept.split_once(' ')).unwrap_or_default();
    if last_boot == boot {
        return Ok(());
    }
    if let Ok(seq) = first_seq.parse() {
        rows::mark_since(conn, seq, generation)?;
    }
    let next = rows::last_seq(conn)? + 1;
    rows::set_meta(conn, KEY, Some(&format!("{boot} {next}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_in_the_last_boot_is_marked() {
        let dir = tempfile::tempdir().unwrap();
        let conn = crate::database::open_writer(dir.path()).unwrap();
        let add = |run: u32, seq: u32| {
            let sql = "INSERT INTO event VALUES (?2, ?1, 1, 0, 1, '', NULL, '', x'')";
            conn.execute(sql, [run, seq]).unwrap();
            conn.execute("INSERT INTO run VALUES (?1, 'running', ?2, '{}', 1, NULL)", [run, seq])
                .unwrap();
        };
        let marked = || -> Vec<u32> {
            let mut statement = conn.prepare("SELECT run FROM dirty ORDER BY run").unwrap();
            let runs = statement.query_map([], |row| row.get(0)).unwrap();
            runs.map(Result::unwrap).collect()
        };
        mark_since_boot(&conn, "first", 1).unwrap();
        add(1, 1);
        mark_since_boot(&conn, "first", 2).unwrap();
        assert_eq!(marked(), [0; 0], "the same boot");
        mark_since_boot(&conn, "second", 3).unwrap();
        assert_eq!(marked(), [1]);
        conn.execute("DELETE FROM dirty", []).unwrap();
        add(2, 2);
        mark_since_boot(&conn, "third", 4).unwrap();
        assert_eq!(marked(), [2]);
    }
}
