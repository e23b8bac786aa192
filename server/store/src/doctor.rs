//! What is wrong with a journal: everything is looked at, nothing is changed.

use crate::{
    artifacts::Artifacts,
    backup, database,
    error::{Fault, OpenError},
    journal,
    keys::view,
    problem::Problem,
};
use orchestra_core::{ids::RunId, view::TaskView};
use rusqlite::Connection;
use std::{collections::BTreeSet, path::Path};

/// How many findings of SQLite's own check are shown; one damaged page can cause thousands.
const FINDINGS: u32 = 20;

/// Looks through the whole journal in `dir`: pages, chains, rows, counts and artifacts. Takes as long
/// as the journal is large. A daemon may go on working meanwhile.
pub fn check(dir: &Path) -> Vec<Problem> {
    let conn = match database::open_reader(dir) {
        Ok(conn) => conn,
        Err(OpenError::Missing { .. }) => return Vec::new(),
        Err(error) => {
            let place = database::file(dir).display().to_string();
            return vec![Problem { what: error.to_string(), place, hint: error.hint() }];
        }
    };
    let mut doctor = Doctor { dir, problems: Vec::new() };
    let result = doctor.look(&conn);
    if let Err(fault) = result {
        doctor.fault(fault);
    }
    doctor.problems
}

struct Doctor<'a> {
    dir: &'a Path,
    problems: Vec<Problem>,
}

impl Doctor<'_> {
    fn look(&mut self, conn: &Connection) -> Result<(), Fault> {
        // One moment, so that a daemon at work does not look like damage.
        let moment = conn.unchecked_transaction()?;
        self.pages(&moment)?;
        for run in journal::runs(&moment)? {
            match journal::read_run(&moment, run) {
                Ok(_) => {}
                Err(fault) => self.fault(fault),
            }
        }
        self.rows(&moment)?;
        self.artifacts(&moment)?;
        if let Some(problem) = Problem::kept(&moment)? {
            self.problems.push(problem);
        }
        Ok(())
    }

    fn pages(&mut self, conn: &Connection) -> Result<(), Fault> {
        let mut statement = conn.prepare(&format!("PRAGMA integrity_check({FINDINGS})"))?;
        let findings: Vec<String> =
            statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        for finding in findings.into_iter().filter(|finding| finding != "ok") {
            let place = database::file(self.dir).display().to_string();
            let hint = self.restore();
            self.add(finding, place, hint);
        }
        Ok(())
    }

    fn rows(&mut self, conn: &Connection) -> Result<(), Fault> {
        let rebuild = "`orchestra rebuild` makes the rows again from the journal";
        let wrong = [
            ("has events and no row", "SELECT run FROM chain EXCEPT SELECT id FROM run"),
            ("has a row and no events", "SELECT id FROM run EXCEPT SELECT run FROM event"),
            ("has tasks and no row", "SELECT run FROM task EXCEPT SELECT id FROM run"),
        ];
        for (what, sql) in wrong {
            let mut statement = conn.prepare(sql)?;
            let runs: Vec<i64> =
                statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            for run in runs {
                self.add(what.to_owned(), format!("r{run}"), rebuild.to_owned());
            }
        }
        for table in ["run", "task"] {
            let mut statement = conn.prepare(&format!(
                "SELECT coalesce(counted.status, real.status), coalesce(n, 0), coalesce(rows, 0)
                 FROM (SELECT status, n FROM count WHERE kind = '{table}') AS counted
                 FULL JOIN (SELECT status, count(*) AS rows FROM {table} GROUP BY status) AS real
                 ON counted.status = real.status
                 WHERE coalesce(n, 0) <> coalesce(rows, 0)"
            ))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let (status, counted, real): (String, i64, i64) =
                    (row.get(0)?, row.get(1)?, row.get(2)?);
                let what = format!("{counted} are counted as {status}, and there are {real}");
                self.add(what, format!("count of {table}s"), rebuild.to_owned());
            }
        }
        Ok(())
    }

    fn artifacts(&mut self, conn: &Connection) -> Result<(), Fault> {
        let artifacts = Artifacts::of(self.dir);
        let mut seen = BTreeSet::new();
        let mut statement = conn.prepare("SELECT run, view FROM task ORDER BY run, path")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let run: u32 = row.get(0)?;
            let json = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
            let task: TaskView = match view(format!("a task of r{run}"), json) {
                Ok(task) => task,
                Err(fault) => {
                    self.fault(fault);
                    continue;
                }
            };
            for artifact in task.output.iter().flat_map(|output| &output.artifacts) {
                if seen.insert(artifact.sha256.clone())
                    && let Err(error) = artifacts.read(&artifact.sha256)
                {
                    let what = format!("`{}` of {} is lost: {error}", artifact.path, task.id);
                    let hint = format!("`orchestra retry {}` makes it again", task.id);
                    let place = self.dir.join("artifacts").join(&artifact.sha256);
                    self.add(what, place.display().to_string(), hint);
                }
            }
        }
        Ok(())
    }

    fn fault(&mut self, fault: Fault) {
        match fault {
            Fault::Broken { run, seq, reason } => self.broken(run, seq, reason),
            other => {
                let error = other.at(&database::file(self.dir));
                let place = database::file(self.dir).display().to_string();
                self.add(error.to_string(), place, error.hint());
            }
        }
    }

    fn broken(&mut self, run: RunId, seq: u64, reason: String) {
        let hint = self.restore();
        self.add(reason, format!("event {seq} of {run}"), hint);
    }

    fn restore(&self) -> String {
        match backup::newest(self.dir) {
            Some(path) => backup::how_to_restore(&path),
            None => "there is no backup; the other runs are not affected".to_owned(),
        }
    }

    fn add(&mut self, what: String, place: String, hint: String) {
        self.problems.push(Problem { what, place, hint });
    }
}
