//! What is recorded, read beside the daemon or without one: the queries of the command line.

use crate::{
    database,
    error::{Fault, OpenError, StoreError},
    journal,
    journal::Numbered,
    keys::{from_column, path_of, run_id, status, task_id, view},
    problem::Problem,
    rows,
};
use orchestra_core::{
    event::EventBody,
    ids::{DecisionId, RunId, StepId, TaskId},
    plan::Plan,
    view::{DecisionView, RunStatus, RunView, TaskStatus, TaskView},
};
use rusqlite::{Connection, OptionalExtension as _, ToSql, params};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// How many runs and tasks of the workspace are in each state; states without any are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    pub runs: BTreeMap<RunStatus, u64>,
    pub tasks: BTreeMap<TaskStatus, u64>,
}

/// Which runs to list, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunFilter {
    pub status: Option<RunStatus>,
    /// Only runs that have not ended.
    pub open: bool,
    /// Only runs before this one, for the next page.
    pub before: Option<RunId>,
    pub limit: u32,
}

impl Default for RunFilter {
    fn default() -> Self {
        Self { status: None, open: false, before: None, limit: u32::MAX }
    }
}

/// Which tasks of a run to list, in the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskFilter {
    pub status: Option<TaskStatus>,
    pub offset: u32,
    pub limit: u32,
}

impl Default for TaskFilter {
    fn default() -> Self {
        Self { status: None, offset: 0, limit: u32::MAX }
    }
}

/// A connection that only reads. It takes no lock, and every answer is as of one moment.
#[derive(Debug)]
pub struct Reader {
    conn: Connection,
    file: PathBuf,
}

impl Reader {
    /// Opens the journal in `dir`, the state folder of a workspace.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        Ok(Self { conn: database::open_reader(dir)?, file: database::file(dir) })
    }

    pub fn counts(&self) -> Result<Counts, StoreError> {
        self.read(|conn| {
            let mut counts = Counts::default();
            let mut statement =
                conn.prepare_cached("SELECT kind, status, n FROM count WHERE n <> 0")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let (kind, text): (String, String) = (row.get(0)?, row.get(1)?);
                let n = from_column(row.get(2)?);
                match kind.as_str() {
                    "run" => _ = counts.runs.insert(status(&text)?, n),
                    "task" => _ = counts.tasks.insert(status(&text)?, n),
                    other => return Err(Fault::row("count", format!("`{other}` is not counted"))),
                }
            }
            Ok(counts)
        })
    }

    pub fn runs(&self, filter: &RunFilter) -> Result<Vec<RunView>, StoreError> {
        // Few runs are open: without its index, all that have ended would be looked through.
        let index = if filter.open { "INDEXED BY run_open" } else { "" };
        let mut sql = format!("SELECT id, view FROM run {index} WHERE id < ?1");
        let before = filter.before.map_or(i64::MAX, |run| run.number().into());
        let text = filter.status.map(RunStatus::as_str);
        let mut values: Vec<&dyn ToSql> = vec![&before, &filter.limit];
        if let Some(text) = &text {
            sql.push_str(" AND status = ?3");
            values.push(text);
        }
        if filter.open {
            sql.push_str(" AND open");
        }
        sql.push_str(" ORDER BY id DESC LIMIT ?2");
        self.read(|conn| {
            let mut statement = conn.prepare_cached(&sql)?;
            let mut rows = statement.query(values.as_slice())?;
            let mut runs = Vec::new();
            while let Some(row) = rows.next()? {
                runs.push(view(run_id(row.get(0)?)?, text_of(row, 1)?)?);
            }
            Ok(runs)
        })
    }

    pub fn run(&self, run: RunId) -> Result<Option<RunView>, StoreError> {
        self.read(|conn| {
            let json: Option<String> = conn
                .prepare_cached("SELECT view FROM run WHERE id = ?1")?
                .query_row([run.number()], |row| row.get(0))
                .optional()?;
            json.map(|json| view(run, &json)).transpose()
        })
    }

    /// The runs for which something was done to the user's files, the one where that was last first.
    pub fn operated(&self, limit: u32) -> Result<Vec<RunView>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT id, view FROM run WHERE operated IS NOT NULL
                 ORDER BY operated DESC, id DESC LIMIT ?1",
            )?;
            let mut rows = statement.query([limit])?;
            let mut runs = Vec::new();
            while let Some(row) = rows.next()? {
                runs.push(view(run_id(row.get(0)?)?, text_of(row, 1)?)?);
            }
            Ok(runs)
        })
    }

    /// The plan with which a run was created.
    pub fn plan(&self, run: RunId) -> Result<Option<Plan>, StoreError> {
        let first = self.events(run, 0, 1)?.into_iter().next();
        Ok(first.and_then(|(_, event)| match event.body {
            EventBody::RunCreated { plan } => Some(*plan),
            _ => None,
        }))
    }

    pub fn tasks(&self, run: RunId, filter: &TaskFilter) -> Result<Vec<TaskView>, StoreError> {
        let number = run.number();
        let text = filter.status.map(TaskStatus::as_str);
        let mut values: Vec<&dyn ToSql> = vec![&number, &filter.limit, &filter.offset];
        let mut sql = "SELECT path, view FROM task WHERE run = ?1".to_owned();
        if let Some(text) = &text {
            sql.push_str(" AND status = ?4");
            values.push(text);
        }
        sql.push_str(" ORDER BY path LIMIT ?2 OFFSET ?3");
        self.read(|conn| {
            let mut statement = conn.prepare_cached(&sql)?;
            let mut rows = statement.query(values.as_slice())?;
            let mut tasks = Vec::new();
            while let Some(row) = rows.next()? {
                let path: Vec<u8> = row.get(0)?;
                tasks.push(view(task_id(run, &path)?, text_of(row, 1)?)?);
            }
            Ok(tasks)
        })
    }

    pub fn task(&self, task: TaskId) -> Result<Option<TaskView>, StoreError> {
        self.read(|conn| {
            let json: Option<String> = conn
                .prepare_cached("SELECT view FROM task WHERE run = ?1 AND path = ?2")?
                .query_row(params![task.run().number(), path_of(task)], |row| row.get(0))
                .optional()?;
            json.map(|json| view(task, &json)).transpose()
        })
    }

    /// The task of a step; the first one, when it became several.
    pub fn task_by_step(&self, run: RunId, step: &StepId) -> Result<Option<TaskView>, StoreError> {
        self.read(|conn| {
            let json: Option<String> = conn
                .prepare_cached(
                    "SELECT view FROM task WHERE run = ?1 AND step = ?2 ORDER BY path LIMIT 1",
                )?
                .query_row(params![run.number(), step.as_str()], |row| row.get(0))
                .optional()?;
            json.map(|json| view(format!("{run}/{step}"), &json)).transpose()
        })
    }

    /// A question that was asked in a run, answered or not.
    pub fn decision(&self, id: DecisionId) -> Result<Option<DecisionView>, StoreError> {
        let of_operation = |run: RunView| {
            let asked = run.operations.into_iter().filter_map(|operation| operation.decision);
            asked.into_iter().find(|decision| decision.id == id)
        };
        if let Some(found) = self.run(id.run())?.and_then(of_operation) {
            return Ok(Some(found));
        }
        // The tasks of one run, of which one asks: not worth an index.
        let needle = format!("\"id\":\"{id}\"");
        self.read(|conn| {
            let mut statement = conn
                .prepare_cached("SELECT view FROM task WHERE run = ?1 AND instr(view, ?2) > 0")?;
            let mut rows = statement.query(params![id.run().number(), needle])?;
            while let Some(row) = rows.next()? {
                let task: TaskView = view(id, text_of(row, 0)?)?;
                let found = task.decisions.into_iter().find(|decision| decision.id == id);
                if found.is_some() {
                    return Ok(found);
                }
            }
            Ok(None)
        })
    }

    /// Up to `limit` events of a run whose number is at least `from`, oldest first, each checked
    /// against the one before it.
    pub fn events(&self, run: RunId, from: u64, limit: u32) -> Result<Vec<Numbered>, StoreError> {
        self.read(|conn| journal::read_part(conn, run, from, limit))
    }

    /// Up to `limit` events of all runs behind `seq`, oldest first. Their chains are not checked.
    pub fn events_since(&self, seq: u64, limit: u32) -> Result<Vec<Numbered>, StoreError> {
        self.read(|conn| journal::since(conn, seq, limit))
    }

    /// The number of the last event; zero when there is none.
    pub fn last_seq(&self) -> Result<u64, StoreError> {
        self.read(|conn| Ok(rows::last_seq(conn)?))
    }

    /// What was in the way of the projection when it was last tried.
    pub fn projection_problem(&self) -> Result<Option<Problem>, StoreError> {
        self.read(Problem::kept)
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, StoreError> {
        read(&self.conn).map_err(|fault| fault.at(&self.file))
    }
}

/// A column as text, without a copy.
fn text_of<'a>(row: &'a rusqlite::Row<'_>, column: usize) -> Result<&'a str, Fault> {
    row.get_ref(column)?.as_str().map_err(|error| Fault::Sqlite(error.into()))
}
