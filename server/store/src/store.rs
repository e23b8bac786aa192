//! The store: the one owner of a workspace's journal, with its writer and its projection.

use crate::{
    artifacts::Artifacts,
    backup,
    batch::{Batch, Done, Fold},
    database,
    error::{Fault, OpenError, StoreError},
    files, journal,
    journal::Numbered,
    keys::{from_column, run_id},
    lock::{Holder, Lock},
    problem::Problem,
    projection::{self, Progress},
    rows, workspaces,
    writer::{Command, Reply, Writer},
};
use orchestra_core::ids::{AttemptId, RunId};
use rusqlite::{Connection, InterruptHandle};
use std::{
    io,
    path::{Path, PathBuf},
    process,
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How a journal is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Which build opens it, named in the lock.
    pub build: String,
    /// Where its holder can be asked for things, named in the lock.
    pub socket: String,
    /// A backup is made when the journal is opened and the newest one is older than this.
    pub backup_every: Duration,
    /// How many of them are kept; with zero none are made, except before a migration.
    pub backups_kept: usize,
    /// For so long changes are gathered before they are projected together. A run that ends or waits
    /// for a person is projected at once.
    pub projection_delay: Duration,
}

impl Options {
    pub fn new(build: impl Into<String>, socket: impl Into<String>) -> Self {
        Self {
            build: build.into(),
            socket: socket.into(),
            backup_every: Duration::from_hours(24),
            backups_kept: 5,
            projection_delay: Duration::from_millis(100),
        }
    }
}

/// What is needed to go on after a start.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Loaded {
    /// One more than the highest run that was ever recorded.
    pub next_run: u32,
    /// Of the last event; zero when there is none.
    pub last_seq: u64,
    /// Every run that has not ended, with all its events, its chain checked.
    pub runs: Vec<(RunId, Vec<Numbered>)>,
    /// Runs that have not ended and cannot be read. Nothing more may be recorded in them.
    pub frozen: Vec<Frozen>,
    /// Idempotency keys with the JSON that was answered, oldest first.
    pub answers: Vec<(String, String)>,
}

/// A run whose journal is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    pub run: RunId,
    /// The event that is damaged, or the last one before what is missing; zero when no event is to
    /// blame.
    pub seq: u64,
    pub reason: String,
}

impl Frozen {
    pub(crate) fn new(run: RunId, fault: &Fault) -> Self {
        let seq = match fault {
            Fault::Broken { seq, .. } => *seq,
            _ => 0,
        };
        Self { run, seq, reason: fault.to_string() }
    }
}

/// What a rebuild has done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rebuilt {
    /// How many runs have new rows.
    pub runs: u32,
    /// Runs that cannot be read and keep the rows they had.
    pub frozen: Vec<Frozen>,
}

/// The journal of one workspace, open for writing. Dropping it records what was submitted, stops
/// its threads and lets go of the lock.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    artifacts: Artifacts,
    commands: Sender<Command>,
    progress: Arc<Progress>,
    writer: Option<JoinHandle<()>>,
    projector: Option<JoinHandle<()>>,
    backup: Option<(InterruptHandleOf, JoinHandle<()>)>,
}

/// [`InterruptHandle`] has no `Debug`.
struct InterruptHandleOf(InterruptHandle);

impl std::fmt::Debug for InterruptHandleOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InterruptHandle")
    }
}

impl Store {
    /// Opens the journal in `dir`, the state folder of the workspace at `root`; makes what is missing.
    pub fn open(dir: &Path, root: &Path, options: Options) -> Result<Self, OpenError> {
        let io = |error: io::Error| OpenError::io(dir, &error);
        files::create_folder(dir).map_err(io)?;
        let holder = Holder { pid: process::id(), socket: options.socket, build: options.build };
        let lock = Lock::take(dir, &holder)?;
        let conn = database::open_writer(dir)?;
        workspaces::keep_root(dir, root).map_err(io)?;
        let artifacts = Artifacts::of(dir);
        files::remove_leftovers(dir)
            .and_then(|()| artifacts.remove_leftovers())
            .and_then(|()| backup::remove_leftovers(dir))
            .map_err(io)?;

        let progress = Arc::new(Progress::default());
        let writer = Writer::new(conn, dir, Arc::clone(&progress), lock)
            .map_err(|fault| fault.opening(dir))?;
        let (commands, queue) = mpsc::channel();
        let writer = spawn("store-writer", move || writer.run(&queue)).map_err(io)?;
        let mut store = Self {
            dir: dir.to_owned(),
            artifacts,
            commands,
            progress,
            writer: Some(writer),
            projector: None,
            backup: None,
        };
        store.start_projector(root, options.projection_delay)?;
        let recorded = store.read(|conn| Ok(rows::last_seq(conn)?)).is_ok_and(|seq| seq > 0);
        if recorded && options.backups_kept > 0 && backup::is_due(dir, options.backup_every) {
            store.start_backup(options.backups_kept)?;
        }
        Ok(store)
    }

    fn start_projector(&mut self, root: &Path, delay: Duration) -> Result<(), OpenError> {
        let projector = projection::Projector::new(
            database::open_reader(&self.dir)?,
            &self.dir,
            root,
            self.artifacts.clone(),
            self.commands.clone(),
            Arc::clone(&self.progress),
            delay,
        )
        .map_err(|fault| fault.opening(&self.dir))?;
        let projector = spawn("store-projection", move || projector.run())
            .map_err(|error| OpenError::io(&self.dir, &error))?;
        self.projector = Some(projector);
        Ok(())
    }

    fn start_backup(&mut self, keep: usize) -> Result<(), OpenError> {
        let conn = database::open_reader(&self.dir)?;
        let interrupt = InterruptHandleOf(conn.get_interrupt_handle());
        let dir = self.dir.clone();
        let backup = spawn("store-backup", move || match backup::make(&dir, &conn) {
            Ok(path) => {
                tracing::info!(path = %path.display(), "backup made");
                if let Err(error) = backup::prune(&dir, keep) {
                    tracing::warn!(%error, dir = %dir.display(), "old backups are kept");
                }
            }
            // The next start tries again.
            Err(error) => tracing::warn!(%error, hint = error.hint(), "no backup made"),
        })
        .map_err(|error| OpenError::io(&self.dir, &error))?;
        self.backup = Some((interrupt, backup));
        Ok(())
    }

    /// Reads what is needed to go on, from a connection of its own. Takes as long as the open runs
    /// are large.
    pub fn load(&self) -> Result<Loaded, StoreError> {
        self.read(|conn| {
            let file = database::file(&self.dir);
            let mut loaded = Loaded {
                next_run: last_run(conn)?.saturating_add(1),
                last_seq: rows::last_seq(conn)?,
                answers: rows::answers(conn)?,
                ..Loaded::default()
            };
            for run in open_runs(conn)? {
                match journal::read_run(conn, run) {
                    Ok(events) => loaded.runs.push((run, events)),
                    Err(fault) if fault.is_damage(&file) => {
                        loaded.frozen.push(Frozen::new(run, &fault));
                    }
                    Err(fault) => return Err(fault),
                }
            }
            Ok(loaded)
        })
    }

    /// All events of a run, its chain checked; none when there is no such run.
    pub fn load_run(&self, run: RunId) -> Result<Vec<Numbered>, StoreError> {
        self.read(|conn| journal::read_run(conn, run))
    }

    /// Up to which byte the `events.jsonl` of an attempt has been taken in. Forgotten when its run
    /// ends.
    pub fn ingested(&self, attempt: AttemptId) -> Result<u64, StoreError> {
        self.read(|conn| rows::offset(conn, attempt))
    }

    /// What is in the way of the projection, as of its last pass.
    pub fn projection_problem(&self) -> Option<Problem> {
        self.progress.problem()
    }

    pub fn artifacts(&self) -> Artifacts {
        self.artifacts.clone()
    }

    /// Queues a batch and returns at once. Batches are recorded in the order of their submission,
    /// and `done` is called in that order too, after the commit.
    ///
    /// When a commit fails, every batch in it and every later one fails, until [`Store::recover`]:
    /// nothing is recorded over a gap.
    pub fn submit(&self, batch: Batch, done: Done) {
        if let Err(mpsc::SendError(Command::Submit(_, done))) =
            self.commands.send(Command::Submit(batch, done))
        {
            done(Err(StoreError::Closed));
        }
    }

    /// Lets the journal go on after a failure, once everything that was queued before has failed
    /// too. Fails when not even a small change can be written; the next batch may still be too large
    /// for the disk, and fails then as the first one did. Waits for the disk.
    pub fn recover(&self) -> Result<(), StoreError> {
        self.ask(Command::Recover)
    }

    /// Waits until everything submitted before is recorded and projected, as far as the workspace
    /// lets it; see [`Store::projection_problem`].
    pub fn flush(&self, timeout: Duration) -> Result<(), StoreError> {
        let begin = Instant::now();
        let left = || timeout.saturating_sub(begin.elapsed());
        let wait = || {
            let (reply, answer) = mpsc::sync_channel(1);
            self.commands.send(Command::Flush(reply)).map_err(|_| StoreError::Closed)?;
            answer.recv_timeout(left()).map_err(|error| match error {
                RecvTimeoutError::Timeout => StoreError::TimedOut(timeout),
                RecvTimeoutError::Disconnected => StoreError::Closed,
            })?
        };
        wait()?;
        if !self.progress.wait_until_idle(left()) {
            return Err(StoreError::TimedOut(timeout));
        }
        // The marks that the projection has sent are cleared by the writer.
        wait()
    }

    /// Flushes, stops the threads and lets go of the lock, so that another process can take over.
    /// The journal is closed even when this fails; what was not projected then is projected by the
    /// next one who opens it.
    pub fn close(self, timeout: Duration) -> Result<(), StoreError> {
        self.flush(timeout)
    }

    /// Has every file below `.orchestra/` that belongs to the projection written again.
    pub fn rebuild_projection(&self) -> Result<(), StoreError> {
        self.ask(Command::MarkAll)
    }

    /// Makes every row again from the events, and with them the projection. Nothing else is
    /// recorded meanwhile.
    pub fn rebuild_rows(&self, fold: Fold) -> Result<Rebuilt, StoreError> {
        self.ask(|reply| Command::Rebuild(fold, reply))
    }

    /// Waits until the backup that this opening has started, if any, is made.
    pub fn wait_for_backup(&mut self) {
        join(self.backup.take().map(|(_, backup)| backup));
    }

    fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, StoreError> {
        let (reply, answer) = mpsc::sync_channel(1);
        self.commands.send(command(reply)).map_err(|_| StoreError::Closed)?;
        answer.recv().map_err(|_| StoreError::Closed)?
    }

    /// Reads from one moment of the database.
    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, StoreError> {
        let file = database::file(&self.dir);
        let at = |error: rusqlite::Error| Fault::from(error).at(&file);
        let conn = database::open_read_only(&file).map_err(at)?;
        let moment = conn.unchecked_transaction().map_err(at)?;
        read(&moment).map_err(|fault| fault.at(&file))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Some((interrupt, _)) = &self.backup {
            interrupt.0.interrupt();
        }
        self.progress.stop();
        // The writer goes last: it takes the projection's last marks, and SQLite tidies up when
        // the last connection that may write is the last of all.
        self.wait_for_backup();
        join(self.projector.take());
        // A writer that is gone has nothing left to close.
        let _ = self.commands.send(Command::Close);
        join(self.writer.take());
    }
}

/// Waits for a thread, unless it is this one: the last owner of a store may be a callback.
fn join(handle: Option<JoinHandle<()>>) {
    if let Some(handle) = handle
        && handle.thread().id() != thread::current().id()
        && handle.join().is_err()
    {
        tracing::error!("a thread of the journal has panicked");
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(run)
}

fn last_run(conn: &Connection) -> Result<u32, Fault> {
    let last: i64 = conn.query_row(
        "SELECT max(coalesce((SELECT max(run) FROM chain), 0),
                    coalesce((SELECT max(id) FROM run), 0))",
        [],
        |row| row.get(0),
    )?;
    Ok(u32::try_from(from_column(last)).unwrap_or(u32::MAX))
}

fn open_runs(conn: &Connection) -> Result<Vec<RunId>, Fault> {
    let mut statement = conn.prepare("SELECT id FROM run WHERE open ORDER BY id")?;
    let numbers: Result<Vec<i64>, _> = statement.query_map([], |row| row.get(0))?.collect();
    numbers?.into_iter().map(run_id).collect()
}
