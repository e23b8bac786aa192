//! The thread that projects, pass by pass.

use super::{
    Progress, decision,
    folder::{Obstacle, Scope},
    layout::Layout,
    plan, review, status, task,
};
use crate::{
    artifacts::Artifacts,
    database,
    error::Fault,
    journal,
    keys::{from_column, run_id, task_id, view},
    problem::Problem,
    rows::Mark,
    writer::{Command, Projected},
};
use orchestra_core::{
    event::EventBody,
    ids::{RunId, TaskId},
    view::{RunView, TaskView},
};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, mpsc::Sender},
    time::{Duration, Instant},
};

/// So many rows are projected before their marks are cleared.
const MARKS_AT_ONCE: u32 = 256;

/// How often a pass begins anew because `.orchestra/` was removed under it.
const STARTS: u32 = 3;

pub(crate) struct Projector {
    conn: Connection,
    dir: PathBuf,
    root: PathBuf,
    artifacts: Artifacts,
    commands: Sender<Command>,
    progress: Arc<Progress>,
    delay: Duration,
    /// As the writer was last told.
    problem: Option<Problem>,
}

/// Why a pass ended before its end.
enum Stop {
    Obstacle(Obstacle),
    Fault(Fault),
}

impl From<Obstacle> for Stop {
    fn from(obstacle: Obstacle) -> Self {
        Self::Obstacle(obstacle)
    }
}

impl<E: Into<Fault>> From<E> for Stop {
    fn from(fault: E) -> Self {
        Self::Fault(fault.into())
    }
}

impl Projector {
    pub(crate) fn new(
        conn: Connection,
        dir: &Path,
        root: &Path,
        artifacts: Artifacts,
        commands: Sender<Command>,
        progress: Arc<Progress>,
        delay: Duration,
    ) -> Result<Self, Fault> {
        let problem = Problem::kept(&conn)?;
        let (dir, root) = (dir.to_owned(), root.to_owned());
        Ok(Self { conn, dir, root, artifacts, commands, progress, delay, problem })
    }

    pub(crate) fn run(mut self) {
        let mut delay = self.delay;
        while let Some(until) = self.progress.next(delay) {
            let begin = Instant::now();
            let problem = self.pass();
            // However large a run is: most of the time is left for other work.
            delay = self.delay.max(begin.elapsed());
            if problem != self.problem {
                if let Some(problem) = &problem {
                    tracing::warn!(%problem, hint = problem.hint, "files are not up to date");
                }
                self.problem.clone_from(&problem);
                self.send(Projected { problem: Some(problem.clone()), ..Projected::default() });
            }
            self.progress.finish(until, problem);
        }
    }

    fn send(&self, projected: Projected) {
        // A writer that is gone leaves the marks, and the next start projects again.
        let _ = self.commands.send(Command::Projected(projected));
    }

    /// Projects what is marked; answers the first thing that was in the way.
    fn pass(&self) -> Option<Problem> {
        let mut starts = 0;
        loop {
            starts += 1;
            let mut first = None;
            match self.project_all(&mut first) {
                Ok(()) => return first,
                Err(Stop::Obstacle(Obstacle { scope: Scope::Vanished, .. })) if starts < STARTS => {
                }
                Err(Stop::Obstacle(obstacle)) => return first.or(Some(obstacle.problem)),
                Err(Stop::Fault(fault)) => {
                    let error = fault.at(&database::file(&self.dir));
                    return first.or_else(|| {
                        Some(Problem {
                            what: error.to_string(),
                            place: self.dir.display().to_string(),
                            hint: error.hint(),
                        })
                    });
                }
            }
        }
    }

    fn project_all(&self, first: &mut Option<Problem>) -> Result<(), Stop> {
        // Nothing is made in a workspace about which nothing is recorded.
        let any: bool =
            self.conn.query_row("SELECT EXISTS (SELECT 1 FROM dirty)", [], |row| row.get(0))?;
        if !any {
            return Ok(());
        }
        let layout = Layout::open(&self.root)?;
        // Runs first: their plans are there before their tasks are.
        for runs in [true, false] {
            let mut last: Option<Mark> = None;
            loop {
                let marks = self.marks(runs, last.as_ref())?;
                let Some(mark) = marks.last() else { break };
                last = Some(mark.clone());
                let begin = Instant::now();
                self.project(&layout, marks, first)?;
                // Thousands of files at once would slow down the commits on the same disk.
                self.progress.rest(begin.elapsed());
                if self.progress.is_stopped() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Projects some marked rows and has the marks of those cleared that it could write.
    fn project(
        &self,
        layout: &Layout,
        marks: Vec<Mark>,
        first: &mut Option<Problem>,
    ) -> Result<(), Stop> {
        let mut projected = Projected::default();
        let mut stop = Ok(());
        for mark in marks {
            if self.progress.is_stopped() {
                break;
            }
            match self.project_one(layout, &mark) {
                Ok(()) => projected.marks.push(mark),
                Err(Stop::Obstacle(Obstacle { problem, scope: Scope::File })) => {
                    first.get_or_insert(problem);
                }
                Err(Stop::Fault(fault)) if fault.is_damage(&database::file(&self.dir)) => {
                    let error = fault.at(&database::file(&self.dir));
                    first.get_or_insert(Problem {
                        what: error.to_string(),
                        place: mark.run.to_string(),
                        hint: error.hint(),
                    });
                }
                Err(other) => {
                    stop = Err(other);
                    break;
                }
            }
        }
        if !projected.marks.is_empty() {
            self.send(projected);
        }
        stop
    }

    fn project_one(&self, layout: &Layout, mark: &Mark) -> Result<(), Stop> {
        fail::fail_point!("store::projection::before", |_| std::process::abort());
        if mark.path.is_empty() {
            self.project_run(layout, mark.run)?;
        } else {
            let id = task_id(mark.run, &mark.path)?;
            // A row that was rebuilt away has no files to write.
            if let Some((seq, view)) = self.task(id, &mark.path)? {
                task::write(layout, &self.dir, &self.artifacts, seq, &view)?;
            }
        }
        fail::fail_point!("store::projection::written", |_| std::process::abort());
        Ok(())
    }

    fn project_run(&self, layout: &Layout, run: RunId) -> Result<(), Stop> {
        // Both the row and its tasks as they are at one moment.
        let moment = self.conn.unchecked_transaction()?;
        let Some((seq, view)) = self.run_view(run)? else { return Ok(()) };
        let tasks = self.tasks(run)?;
        let plans = layout.plans()?;
        let file = format!("{run}.md");
        if !plans.contains(&file)? {
            let events = journal::read_part(&moment, run, 0, 1)?;
            if let Some(EventBody::RunCreated { plan }) = events.first().map(|(_, e)| &e.body) {
                plans.create(&file, plan::text(run, view.created, plan).as_bytes())?;
            }
        }
        drop(moment);
        for decision in view.operations.iter().filter_map(|operation| operation.decision.as_ref()) {
            decision::write(layout, decision)?;
        }
        let text = status::text(seq, &view, &tasks);
        plans.replace(&format!("{run}.status.md"), text.as_bytes())?;
        Ok(review::write(layout, &self.artifacts, seq, &view)?)
    }

    fn marks(&self, runs: bool, last: Option<&Mark>) -> Result<Vec<Mark>, Fault> {
        let (run, path) = last.map_or((0, [].as_slice()), |mark| (mark.run.number(), &mark.path));
        let mut statement = self.conn.prepare_cached(
            "SELECT run, path, generation FROM dirty
             WHERE (run, path) > (?1, ?2) AND (length(path) = 0) = ?3 ORDER BY run, path LIMIT ?4",
        )?;
        let mut rows = statement.query(params![run, path, runs, MARKS_AT_ONCE])?;
        let mut marks = Vec::new();
        while let Some(row) = rows.next()? {
            let run = run_id(row.get(0)?)?;
            marks.push(Mark { run, path: row.get(1)?, generation: row.get(2)? });
        }
        Ok(marks)
    }

    fn run_view(&self, run: RunId) -> Result<Option<(u64, RunView)>, Fault> {
        let row: Option<(i64, String)> = self
            .conn
            .prepare_cached("SELECT seq, view FROM run WHERE id = ?1")?
            .query_row([run.number()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        row.map(|(seq, json)| Ok((from_column(seq), view(run, &json)?))).transpose()
    }

    fn tasks(&self, run: RunId) -> Result<Vec<TaskView>, Fault> {
        let mut statement =
            self.conn.prepare_cached("SELECT path, view FROM task WHERE run = ?1 ORDER BY path")?;
        let mut rows = statement.query([run.number()])?;
        let mut tasks = Vec::new();
        while let Some(row) = rows.next()? {
            let id = task_id(run, row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?)?;
            tasks.push(view(id, row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?);
        }
        Ok(tasks)
    }

    fn task(&self, id: TaskId, path: &[u8]) -> Result<Option<(u64, TaskView)>, Fault> {
        let row: Option<(i64, String)> = self
            .conn
            .prepare_cached("SELECT seq, view FROM task WHERE run = ?1 AND path = ?2")?
            .query_row(params![id.run().number(), path], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        row.map(|(seq, json)| Ok((from_column(seq), view(id, &json)?))).transpose()
    }
}
