//! Events as rows: appended by the writer, read back with their chain checked.

use crate::{
    chain::{Covered, Head},
    error::Fault,
    keys::{from_column, run_id, to_column},
};
use orchestra_core::{
    event::{self, Event},
    ids::RunId,
    time::Timestamp,
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

/// An event and its place in the order of the workspace.
pub type Numbered = (u64, Event);

const COLUMNS: &str = "seq, run, n, at, version, kind, task, payload, hash";

/// The last link of a run; the default one for a run without events.
pub(crate) fn head(conn: &Connection, run: RunId) -> Result<Head, Fault> {
    let head = conn
        .prepare_cached("SELECT n, hash FROM chain WHERE run = ?1")?
        .query_row([run.number()], |row| Ok(Head { n: row.get(0)?, hash: row.get(1)? }))
        .optional()?;
    Ok(head.unwrap_or_default())
}

pub(crate) fn set_head(conn: &Connection, run: RunId, head: &Head) -> Result<(), Fault> {
    conn.prepare_cached(
        "INSERT INTO chain VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET n = excluded.n, hash = excluded.hash",
    )?
    .execute(params![run.number(), head.n, head.hash])?;
    Ok(())
}

/// Writes one event behind `head`, and answers the new head.
pub(crate) fn append(
    conn: &Connection,
    head: &Head,
    seq: u64,
    event: &Event,
) -> Result<Head, Fault> {
    let payload = event::encode(&event.body).map_err(|error| Fault::Refused(error.to_string()))?;
    let covered = Covered {
        seq: to_column(seq),
        run: event.run.number().into(),
        at: event.at.0,
        version: event::VERSION,
        payload: payload.as_bytes(),
    };
    let next = head.next(&covered);
    conn.prepare_cached("INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?.execute(
        params![
            covered.seq,
            covered.run,
            next.n,
            covered.at,
            covered.version,
            event.body.name(),
            event.body.task().map(|task| task.to_string()),
            payload,
            next.hash
        ],
    )?;
    Ok(next)
}

/// All events of a run, the chain checked from its first link to its last.
///
/// The connection must be inside a transaction, so that events and head belong together.
pub(crate) fn read_run(conn: &Connection, run: RunId) -> Result<Vec<Numbered>, Fault> {
    let (events, end) = read(conn, run, 0, u32::MAX, Head::default())?;
    let last = events.last().map_or(0, |(seq, _)| *seq);
    let head = head(conn, run)?;
    if end.n < head.n {
        let reason = format!("{} of {} events are missing after it", head.n - end.n, head.n);
        return Err(Fault::Broken { run, seq: last, reason });
    }
    if end != head {
        let reason = "the last link of its chain does not match".to_owned();
        return Err(Fault::Broken { run, seq: last, reason });
    }
    Ok(events)
}

/// Up to `limit` events of a run from `from` on, each checked against the one before it.
pub(crate) fn read_part(
    conn: &Connection,
    run: RunId,
    from: u64,
    limit: u32,
) -> Result<Vec<Numbered>, Fault> {
    let before = conn
        .prepare_cached(
            "SELECT n, hash FROM event WHERE run = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT 1",
        )?
        .query_row(params![run.number(), to_column(from)], |row| {
            Ok(Head { n: row.get(0)?, hash: row.get(1)? })
        })
        .optional()?;
    read(conn, run, from, limit, before.unwrap_or_default()).map(|(events, _)| events)
}

fn read(
    conn: &Connection,
    run: RunId,
    from: u64,
    limit: u32,
    mut head: Head,
) -> Result<(Vec<Numbered>, Head), Fault> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM event WHERE run = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3"
    ))?;
    let mut rows = statement.query(params![run.number(), to_column(from), limit])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(0)?;
        let broken = |reason| Fault::Broken { run, seq: from_column(seq), reason };
        let (event, next) = decode(row, run, Some(&head)).map_err(broken)?;
        events.push((from_column(seq), event));
        head = next;
    }
    Ok((events, head))
}

/// Up to `limit` events of all runs behind `seq`, oldest first.
///
/// Their chains are not checked: that is done wherever one run is folded or shown.
pub(crate) fn since(conn: &Connection, seq: u64, limit: u32) -> Result<Vec<Numbered>, Fault> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2"
    ))?;
    let mut rows = statement.query(params![to_column(seq), limit])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let (seq, run) = (from_column(row.get(0)?), run_id(row.get(1)?)?);
        let (event, _) =
            decode(row, run, None).map_err(|reason| Fault::Broken { run, seq, reason })?;
        events.push((seq, event));
    }
    Ok(events)
}

/// Reads a row, checks it against the link before it if there is one to check against, and answers
/// the event with its own link.
fn decode(row: &Row<'_>, run: RunId, before: Option<&Head>) -> Result<(Event, Head), String> {
    let column = |error: rusqlite::Error| error.to_string();
    let stored = Head { n: row.get(2).map_err(column)?, hash: row.get(8).map_err(column)? };
    // As bytes: a flipped bit may leave no valid UTF-8, and the hash shall say so.
    let payload = row
        .get_ref(7)
        .map_err(column)?
        .as_bytes()
        .map_err(|error| format!("its payload is no text: {error}"))?;
    let covered = Covered {
        seq: row.get(0).map_err(column)?,
        run: row.get(1).map_err(column)?,
        at: row.get(3).map_err(column)?,
        version: row.get(4).map_err(column)?,
        payload,
    };
    if let Some(before) = before {
        if stored.n != before.n + 1 {
            return Err(format!("it is number {} of its run after number {}", stored.n, before.n));
        }
        if before.next(&covered) != stored {
            return Err("its content does not match its hash".to_owned());
        }
    }
    let text = std::str::from_utf8(payload).map_err(|error| error.to_string())?;
    let body = event::decode(covered.version, text).map_err(|error| error.to_string())?;
    let kind: String = row.get(5).map_err(column)?;
    let task: Option<String> = row.get(6).map_err(column)?;
    if kind != body.name() || task != body.task().map(|task| task.to_string()) {
        return Err("its columns `kind` and `task` do not match its content".to_owned());
    }
    Ok((Event { run, at: Timestamp(covered.at), body }, stored))
}

/// Every run that has events or a head.
pub(crate) fn runs(conn: &Connection) -> Result<Vec<RunId>, Fault> {
    let mut statement =
        conn.prepare("SELECT run FROM chain UNION SELECT run FROM event ORDER BY run")?;
    let numbers: Result<Vec<i64>, _> = statement.query_map([], |row| row.get(0))?.collect();
    numbers?.into_iter().map(run_id).collect()
}
