//! The one thread that writes: it takes what is queued, commits it together, and then reports.

use crate::{
    batch::{Batch, Done, Fold},
    boot,
    chain::Head,
    database,
    error::{Fault, StoreError},
    journal,
    lock::Lock,
    problem::Problem,
    projection::Progress,
    rows::{self, Mark},
    store::{Frozen, Rebuilt},
};
use orchestra_core::ids::RunId;
use rusqlite::{Connection, TransactionBehavior};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender},
    },
};

/// After so many rows a group is committed, so that nobody waits for a whole queue.
const ROWS_PER_GROUP: usize = 20_000;

pub(crate) type Reply<T> = SyncSender<Result<T, StoreError>>;

/// What the writer is asked for, in order.
pub(crate) enum Command {
    Submit(Batch, Done),
    /// From the projection: what it has written. Not worth a commit of its own.
    Projected(Projected),
    Rebuild(Fold, Reply<Rebuilt>),
    MarkAll(Reply<()>),
    Recover(Reply<()>),
    /// Answered when everything before it is done.
    Flush(Reply<()>),
    Close,
}

/// What the projection has done.
#[derive(Debug, Default)]
pub(crate) struct Projected {
    pub(crate) marks: Vec<Mark>,
    /// What is in its way now, when that has changed.
    pub(crate) problem: Option<Option<Problem>>,
}

/// What goes into one transaction.
#[derive(Default)]
struct Group {
    batches: Vec<Batch>,
    done: Vec<Done>,
    projected: Vec<Projected>,
    rows: usize,
}

pub(crate) struct Writer {
    conn: Connection,
    file: PathBuf,
    progress: Arc<Progress>,
    last_seq: u64,
    /// Counts groups, to tell a mark from a later one of the same row.
    generation: i64,
    /// Set by a failure until somebody has reloaded: nothing is recorded over a gap.
    halted: bool,
    /// The last field: it is let go when the connection is closed.
    _lock: Lock,
}

impl Writer {
    pub(crate) fn new(
        conn: Connection,
        dir: &Path,
        progress: Arc<Progress>,
        lock: Lock,
    ) -> Result<Self, Fault> {
        let (last_seq, generation) = (rows::last_seq(&conn)?, rows::last_generation(&conn)? + 1);
        database::set_durable(&conn, false)?;
        boot::mark_unsynced(&conn, generation)?;
        let file = database::file(dir);
        Ok(Self { conn, file, progress, last_seq, generation, halted: false, _lock: lock })
    }

    pub(crate) fn run(mut self, queue: &Receiver<Command>) {
        let mut next = None;
        while let Some(command) = next.take().or_else(|| queue.recv().ok()) {
            match command {
                Command::Submit(..) | Command::Projected(_) => {
                    let mut group = Group::default();
                    next = group.take(command);
                    while next.is_none()
                        && group.rows < ROWS_PER_GROUP
                        && let Ok(command) = queue.try_recv()
                    {
                        next = group.take(command);
                    }
                    self.commit(group);
                }
                Command::Rebuild(fold, reply) => respond(&reply, self.rebuild(fold)),
                Command::MarkAll(reply) => respond(&reply, self.mark_all()),
                Command::Recover(reply) => respond(&reply, self.recover()),
                Command::Flush(reply) => respond(&reply, Ok(())),
                Command::Close => break,
            }
        }
    }

    fn commit(&mut self, group: Group) {
        if group.batches.is_empty() {
            // Lost marks only mean that some files are written twice, so a failure is no gap, and
            // the next commit meets the same cause.
            if let Err(error) = self.write(&group, false) {
                tracing::debug!(%error, "marks of the projection are kept");
            }
            return;
        }
        let result = if self.halted { Err(StoreError::Halted) } else { self.record(&group) };
        for done in group.done {
            done(result.clone());
        }
    }

    fn record(&mut self, group: &Group) -> Result<(), StoreError> {
        match self.write(group, true) {
            Ok(last_seq) => {
                self.last_seq = last_seq;
                if group.batches.iter().any(Batch::changes_rows) {
                    self.progress.want(group.batches.iter().any(Batch::is_looked_for));
                }
                Ok(())
            }
            Err(fault) => {
                self.halted = true;
                let error = fault.at(&self.file);
                tracing::error!(%error, hint = error.hint(), "the journal stands still");
                Err(error)
            }
        }
    }

    /// Answers the last sequence number after the group.
    fn write(&mut self, group: &Group, durable: bool) -> Result<u64, Fault> {
        database::set_durable(&self.conn, durable)?;
        self.generation += 1;
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut last_seq = self.last_seq;
        let mut heads = BTreeMap::new();
        for batch in &group.batches {
            write_batch(&transaction, batch, &mut last_seq, &mut heads, self.generation)?;
        }
        for (run, head) in &heads {
            journal::set_head(&transaction, *run, head)?;
        }
        for projected in &group.projected {
            for mark in &projected.marks {
                rows::clear(&transaction, mark)?;
            }
            if let Some(problem) = &projected.problem {
                Problem::keep(&transaction, problem.as_ref())?;
            }
        }
        if durable {
            fail::fail_point!("store::commit::before", |_| std::process::abort());
            fail::fail_point!("store::commit::enospc", |_| Err(disk_full()));
        }
        transaction.commit()?;
        if durable {
            fail::fail_point!("store::commit::after", |_| std::process::abort());
        }
        Ok(last_seq)
    }

    /// Lets the journal go on after a failure, if it can.
    ///
    /// The transaction that failed may lie in the log, whole but not synced; after a loss of power
    /// it would come back. So this writes over it, which also shows that writing works again.
    fn recover(&mut self) -> Result<(), StoreError> {
        // A large transaction that failed leaves a large log, which may be what fills the disk.
        if let Err(error) = database::shrink_log(&self.conn) {
            tracing::debug!(%error, "the log of the database keeps its size");
        }
        let mut write_over = || -> Result<u64, Fault> {
            database::set_durable(&self.conn, true)?;
            let transaction =
                self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            fail::fail_point!("store::commit::enospc", |_| Err(disk_full()));
            rows::set_meta(&transaction, "recovered", Some(&self.generation.to_string()))?;
            transaction.commit()?;
            Ok(rows::last_seq(&self.conn)?)
        };
        self.last_seq = write_over().map_err(|fault| fault.at(&self.file))?;
        self.halted = false;
        Ok(())
    }

    fn mark_all(&mut self) -> Result<(), StoreError> {
        self.generation += 1;
        rows::mark_all(&self.conn, self.generation)
            .map_err(|error| Fault::from(error).at(&self.file))?;
        self.progress.want(false);
        Ok(())
    }

    /// Makes all rows again from the events. One transaction for each run: a run that cannot be
    /// read keeps the rows it has.
    fn rebuild(&mut self, mut fold: Fold) -> Result<Rebuilt, StoreError> {
        let mut rebuilt = Rebuilt::default();
        let runs = journal::runs(&self.conn).map_err(|fault| fault.at(&self.file))?;
        for run in runs {
            match self.rebuild_run(run, &mut fold) {
                Ok(()) => rebuilt.runs += 1,
                Err(fault) if fault.is_damage(&self.file) => {
                    rebuilt.frozen.push(Frozen::new(run, &fault));
                }
                Err(fault) => return Err(fault.at(&self.file)),
            }
        }
        self.recount().map_err(|fault| fault.at(&self.file))?;
        self.progress.want(false);
        Ok(rebuilt)
    }

    fn rebuild_run(&mut self, run: RunId, fold: &mut Fold) -> Result<(), Fault> {
        self.generation += 1;
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let events = journal::read_run(&transaction, run)?;
        let seq = events.last().map_or(0, |(seq, _)| *seq);
        let (view, tasks) = fold(&events).map_err(|reason| Fault::Broken { run, seq, reason })?;
        rows::delete_run(&transaction, run)?;
        rows::write_run(&transaction, &view, seq)?;
        rows::mark_run(&transaction, run, self.generation)?;
        for task in &tasks {
            rows::write_task(&transaction, task, seq)?;
            rows::mark_task(&transaction, task.id, self.generation)?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Drops the rows of runs that the journal does not know, and counts again.
    fn recount(&mut self) -> Result<(), Fault> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(
            "DELETE FROM task WHERE run NOT IN (SELECT run FROM event);
             DELETE FROM run WHERE id NOT IN (SELECT run FROM event);
             DELETE FROM count;
             INSERT INTO count SELECT 'run', status, count(*) FROM run GROUP BY status;
             INSERT INTO count SELECT 'task', status, count(*) FROM task GROUP BY status;",
        )?;
        Ok(transaction.commit()?)
    }
}

impl Group {
    /// Gives back what belongs to no group.
    fn take(&mut self, command: Command) -> Option<Command> {
        match command {
            Command::Submit(batch, done) => {
                self.rows += batch.rows();
                self.batches.push(batch);
                self.done.push(done);
            }
            Command::Projected(projected) => {
                self.rows += projected.marks.len();
                self.projected.push(projected);
            }
            other => return Some(other),
        }
        None
    }
}

fn write_batch(
    conn: &Connection,
    batch: &Batch,
    last_seq: &mut u64,
    heads: &mut BTreeMap<RunId, Head>,
    generation: i64,
) -> Result<(), Fault> {
    for (seq, event) in &batch.events {
        if *seq <= *last_seq {
            let message = format!("event {seq} of {} does not follow event {last_seq}", event.run);
            return Err(Fault::Refused(message));
        }
        let head = match heads.get(&event.run) {
            Some(head) => *head,
            None => journal::head(conn, event.run)?,
        };
        heads.insert(event.run, journal::append(conn, &head, *seq, event)?);
        *last_seq = *seq;
    }
    let mut touched: BTreeSet<RunId> = BTreeSet::new();
    for run in &batch.runs {
        rows::write_run(conn, run, *last_seq)?;
        touched.insert(run.id);
    }
    for task in &batch.tasks {
        rows::write_task(conn, task, *last_seq)?;
        rows::mark_task(conn, task.id, generation)?;
        touched.insert(task.id.run());
    }
    for run in touched {
        rows::mark_run(conn, run, generation)?;
    }
    for (key, answer) in &batch.answers {
        rows::write_answer(conn, key, answer)?;
    }
    if !batch.answers.is_empty() {
        rows::prune_answers(conn)?;
    }
    for (attempt, offset) in &batch.ingested {
        rows::write_offset(conn, *attempt, *offset)?;
    }
    Ok(())
}

fn respond<T>(reply: &Reply<T>, result: Result<T, StoreError>) {
    // Who asked may have stopped waiting.
    let _ = reply.try_send(result);
}

/// What SQLite answers when the disk is full.
#[cfg(feature = "failpoints")]
fn disk_full() -> Fault {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL), None)
        .into()
}
