//! The rows that are made from events: runs, tasks, answers, offsets, and the marks of what is yet to
//! be projected.

use crate::{
    error::Fault,
    keys::{from_column, path_of, to_column},
};
use orchestra_core::{
    ids::{AttemptId, RunId, TaskId},
    view::{RunView, TaskView},
};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Serialize;

/// How many answers are kept: more than any client can have unanswered.
pub(crate) const ANSWERS_KEPT: i64 = 10_000;

/// The path of a mark that means the run itself.
pub(crate) const RUN_ITSELF: &[u8] = &[];

fn json(view: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(view).map_err(|error| Fault::Refused(error.to_string()))
}

pub(crate) fn write_run(conn: &Connection, view: &RunView, seq: u64) -> Result<(), Fault> {
    conn.prepare_cached(
        "INSERT INTO run (id, status, seq, view, open, operated) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET status = excluded.status, seq = excluded.seq,
             view = excluded.view, open = excluded.open, operated = excluded.operated",
    )?
    .execute(params![
        view.id.number(),
        view.status.as_str(),
        to_column(seq),
        json(view)?,
        view.is_open(),
        view.operations.last().map(|operation| operation.started.0)
    ])?;
    if view.status.has_ended() {
        conn.prepare_cached("DELETE FROM ingest WHERE run = ?1")?.execute([view.id.number()])?;
    }
    Ok(())
}

pub(crate) fn write_task(conn: &Connection, view: &TaskView, seq: u64) -> Result<(), Fault> {
    conn.prepare_cached(
        "INSERT INTO task VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE
         SET step = excluded.step, status = excluded.status, attempts = excluded.attempts,
             seq = excluded.seq, view = excluded.view",
    )?
    .execute(params![
        view.id.run().number(),
        path_of(view.id),
        view.step.as_str(),
        view.status.as_str(),
        view.attempts.last().map_or(0, |attempt| attempt.id.number()),
        to_column(seq),
        json(view)?
    ])?;
    Ok(())
}

/// Drops the rows of a run, so that it can be written anew.
pub(crate) fn delete_run(conn: &Connection, run: RunId) -> Result<(), Fault> {
    conn.execute("DELETE FROM task WHERE run = ?1", [run.number()])?;
    conn.execute("DELETE FROM run WHERE id = ?1", [run.number()])?;
    Ok(())
}

/// The first answer to a key stays: it is the one that was sent.
pub(crate) fn write_answer(conn: &Connection, key: &str, answer: &str) -> Result<(), Fault> {
    conn.prepare_cached("INSERT INTO answer (key, answer) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute([key, answer])?;
    Ok(())
}

pub(crate) fn prune_answers(conn: &Connection) -> Result<(), Fault> {
    conn.prepare_cached("DELETE FROM answer WHERE id <= (SELECT max(id) FROM answer) - ?1")?
        .execute([ANSWERS_KEPT])?;
    Ok(())
}

/// The answers that are kept, oldest first.
pub(crate) fn answers(conn: &Connection) -> Result<Vec<(String, String)>, Fault> {
    let mut statement = conn.prepare("SELECT key, answer FROM answer ORDER BY id")?;
    let answers = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(answers.collect::<Result<_, _>>()?)
}

pub(crate) fn write_offset(
    conn: &Connection,
    attempt: AttemptId,
    offset: u64,
) -> Result<(), Fault> {
    conn.prepare_cached(
        "INSERT INTO ingest VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET offset = excluded.offset",
    )?
    .execute(params![attempt.run().number(), attempt.file_name(), to_column(offset)])?;
    Ok(())
}

pub(crate) fn offset(conn: &Connection, attempt: AttemptId) -> Result<u64, Fault> {
    let offset = conn
        .prepare_cached("SELECT offset FROM ingest WHERE run = ?1 AND attempt = ?2")?
        .query_row(params![attempt.run().number(), attempt.file_name()], |row| row.get(0))
        .optional()?;
    Ok(offset.map_or(0, from_column))
}

/// A row whose files are yet to be written, as it was when they were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) run: RunId,
    /// Empty for the run itself, else see [`path_of`].
    pub(crate) path: Vec<u8>,
    pub(crate) generation: i64,
}

pub(crate) fn mark_task(conn: &Connection, task: TaskId, generation: i64) -> Result<(), Fault> {
    mark(conn, task.run(), &path_of(task), generation)
}

pub(crate) fn mark_run(conn: &Connection, run: RunId, generation: i64) -> Result<(), Fault> {
    mark(conn, run, RUN_ITSELF, generation)
}

fn mark(conn: &Connection, run: RunId, path: &[u8], generation: i64) -> Result<(), Fault> {
    conn.prepare_cached(
        "INSERT INTO dirty VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET generation = excluded.generation",
    )?
    .execute(params![run.number(), path, generation])?;
    Ok(())
}

/// Marks every run and every task.
pub(crate) fn mark_all(conn: &Connection, generation: i64) -> rusqlite::Result<()> {
    mark_since(conn, 0, generation)
}

/// Marks every run and every task that has changed at `seq` or later.
pub(crate) fn mark_since(conn: &Connection, seq: u64, generation: i64) -> rusqlite::Result<()> {
    for rows in ["SELECT id, x'', ?1 FROM run", "SELECT run, path, ?1 FROM task"] {
        let sql = format!(
            "INSERT INTO dirty {rows} WHERE seq >= ?2
             ON CONFLICT DO UPDATE SET generation = excluded.generation"
        );
        conn.execute(&sql, params![generation, to_column(seq)])?;
    }
    Ok(())
}

/// Takes a mark away, unless its row has changed since.
pub(crate) fn clear(conn: &Connection, mark: &Mark) -> Result<(), Fault> {
    conn.prepare_cached("DELETE FROM dirty WHERE run = ?1 AND path = ?2 AND generation = ?3")?
        .execute(params![mark.run.number(), mark.path, mark.generation])?;
    Ok(())
}

pub(crate) fn last_generation(conn: &Connection) -> rusqlite::Result<i64> {
    conn.query_row("SELECT coalesce(max(generation), 0) FROM dirty", [], |row| row.get(0))
}

pub(crate) fn last_seq(conn: &Connection) -> rusqlite::Result<u64> {
    conn.query_row("SELECT coalesce(max(seq), 0) FROM event", [], |row| row.get(0).map(from_column))
}

pub(crate) fn set_meta(conn: &Connection, key: &str, value: Option<&str>) -> Result<(), Fault> {
    match value {
        Some(value) => conn.execute(
            "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value",
            [key, value],
        )?,
        None => conn.execute("DELETE FROM meta WHERE key = ?1", [key])?,
    };
    Ok(())
}

pub(crate) fn meta(conn: &Connection, key: &str) -> Result<Option<String>, Fault> {
    let value = conn
        .prepare_cached("SELECT value FROM meta WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    Ok(value)
}
