//! Small builders, and a workspace in a temporary folder.

use orchestra_core::{
    event::{AttemptStarted, Event, EventBody},
    ids::{AttemptId, RunId, TaskId},
    outcome::{Artifact, Failure, FailureKind, Output, RunOutcome, TaskOutcome},
    plan::{Executor, Lane, Mode, Pattern, Plan, PlannedTask, Retry, Source},
    time::{Millis, Timestamp},
    view::{AttemptView, RunStatus, RunView, TaskStatus, TaskView},
};
use orchestra_store::{Batch, Numbered, Options, Store, StoreError};
use std::{
    path::{Path, PathBuf},
    sync::mpsc,
    time::Duration,
};

/// Long enough for any machine; no test waits for it to pass.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Workspace {
    folder: PathBuf,
    /// Removes it; `None` in a child, which does not own it.
    _guard: Option<tempfile::TempDir>,
}

impl Workspace {
    pub(crate) fn new() -> Self {
        let guard = tempfile::tempdir().unwrap();
        std::fs::create_dir(guard.path().join("root")).unwrap();
        Self { folder: guard.path().to_owned(), _guard: Some(guard) }
    }

    /// The workspace of another process.
    #[cfg(feature = "failpoints")]
    pub(crate) fn at(folder: PathBuf) -> Self {
        Self { folder, _guard: None }
    }

    #[cfg(feature = "failpoints")]
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.folder.join("state")
    }

    pub(crate) fn db(&self) -> PathBuf {
        self.dir().join("orchestra.db")
    }

    pub(crate) fn open(&self) -> Store {
        Store::open(&self.dir(), &self.root(), options()).unwrap()
    }

    /// A file below `.orchestra/`; `None` when there is none.
    pub(crate) fn projected(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.root().join(".orchestra").join(path)).ok()
    }

    /// The names in a folder below `.orchestra/`, sorted.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        names(&self.root().join(".orchestra").join(folder))
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// No backups, and everything is projected at once.
pub(crate) fn options() -> Options {
    Options {
        backups_kept: 0,
        projection_delay: Duration::ZERO,
        ..Options::new("test", "/run/test.sock")
    }
}

/// Submits a batch and waits for what becomes of it.
pub(crate) fn record(store: &Store, batch: Batch) -> Result<(), StoreError> {
    let (send, receive) = mpsc::channel();
    store.submit(batch, Box::new(move |result| send.send(result).unwrap()));
    receive.recv_timeout(PATIENCE).unwrap()
}

/// Waits until everything is recorded and projected, or met a problem.
pub(crate) fn settle(store: &Store) {
    store.flush(PATIENCE).unwrap();
}

pub(crate) fn run_id(number: u32) -> RunId {
    RunId::new(number).unwrap()
}

pub(crate) fn task_id(run: u32, number: u32) -> TaskId {
    TaskId::new(run_id(run), number).unwrap()
}

pub(crate) fn attempt_id(run: u32, task: u32, number: u32) -> AttemptId {
    AttemptId::new(task_id(run, task), number).unwrap()
}

pub(crate) fn event(run: u32, body: EventBody) -> Event {
    Event { run: run_id(run), at: Timestamp(1_790_000_000_000), body }
}

/// The steps `s1`, `s2`, … of which each needs the one before it.
pub(crate) fn plan(steps: u32) -> Plan {
    Plan {
        name: "audit".to_owned(),
        description: "Look at everything".to_owned(),
        source: Source::Start { agent: "cso".to_owned() },
        pattern: Pattern::Dag,
        tasks: (1..=steps).map(planned).collect(),
        agents: Default::default(),
        params: Default::default(),
        order: Default::default(),
        max_parallel: Some(2),
        timeout: None,
        approve: false,
        with_conflicts: false,
        unsaved: Vec::new(),
        tree: Default::default(),
        checks: Default::default(),
        apply: Default::default(),
    }
}

fn planned(number: u32) -> PlannedTask {
    PlannedTask {
        step: format!("s{number}").parse().unwrap(),
        needs: if number > 1 { vec![number - 2] } else { Vec::new() },
        mode: Mode::default(),
        capabilities: Vec::new(),
        executors: vec![Executor::Native {
            action: "todo.scan".to_owned(),
            inline: false,
            spawns: false,
        }],
        prompt: Some("Look | here".to_owned()),
        with: Default::default(),
        when: None,
        timeout: None,
        retry: Retry::default(),
        priority: 0,
        approve: false,
        output: None,
        verify: Vec::new(),
        accept: Vec::new(),
        allow_empty: false,
        optional: false,
    }
}

pub(crate) fn created(run: u32, steps: u32) -> Event {
    event(run, EventBody::RunCreated { plan: Box::new(plan(steps)) })
}

pub(crate) fn started(run: u32, task: u32, attempt: u32) -> Event {
    let started = AttemptStarted {
        attempt: attempt_id(run, task, attempt),
        executor: Executor::Native { action: "todo.scan".to_owned(), inline: false, spawns: false },
        why: "it covers the task".to_owned(),
        prompt: Some("Look | here".to_owned()),
        with: Default::default(),
        timeout: Millis::minutes(1),
        base: None,
    };
    event(run, EventBody::AttemptStarted(Box::new(started)))
}

pub(crate) fn ended(run: u32, task: u32) -> Event {
    let outcome = TaskOutcome::Succeeded { output: Output::default() };
    event(run, EventBody::TaskEnded { task: task_id(run, task), outcome: Box::new(outcome) })
}

pub(crate) fn run_ended(run: u32) -> Event {
    event(run, EventBody::RunEnded { outcome: RunOutcome::Succeeded })
}

pub(crate) fn run_view(run: u32, status: RunStatus) -> RunView {
    RunView {
        id: run_id(run),
        name: "audit".to_owned(),
        description: "Look at everything".to_owned(),
        source: Source::Start { agent: "cso".to_owned() },
        status,
        detail: String::new(),
        created: Timestamp(1_790_000_000_000),
        ended: status.has_ended().then_some(Timestamp(1_790_000_001_000)),
        snapshot: None,
        decisions: vec![],
        foreseen: vec![],
        review: None,
        operations: vec![],
        busy: false,
        tasks: 1,
        tasks_ended: 0,
        tasks_failed: 0,
    }
}

pub(crate) fn task_view(run: u32, number: u32, status: TaskStatus) -> TaskView {
    TaskView {
        id: task_id(run, number),
        step: format!("s{number}").parse().unwrap(),
        status,
        detail: String::new(),
        needs: if number > 1 { vec![task_id(run, number - 1)] } else { Vec::new() },
        output: None,
        failure: None,
        attempts: Vec::new(),
        decisions: Vec::new(),
    }
}

/// The same task after its `number`-th attempt.
pub(crate) fn with_attempt(mut task: TaskView, number: u32) -> TaskView {
    task.attempts = (1..=number)
        .map(|number| AttemptView {
            id: AttemptId::new(task.id, number).unwrap(),
            executor: "todo.scan".to_owned(),
            lane: Lane::Native,
            why: "it covers the task".to_owned(),
            timeout: Millis::minutes(1),
            started: Timestamp(1_790_000_000_000),
            ended: Some(Timestamp(1_790_000_000_500)),
            outcome: "succeeded".to_owned(),
        })
        .collect();
    task
}

pub(crate) fn with_artifact(mut task: TaskView, artifact: Artifact) -> TaskView {
    task.output = Some(Output { artifacts: vec![artifact], ..Output::default() });
    task
}

pub(crate) fn failed(mut task: TaskView, message: &str) -> TaskView {
    task.status = TaskStatus::Failed;
    task.detail = message.to_owned();
    task.failure =
        Some(Failure { kind: FailureKind::Exit, message: message.to_owned(), hint: None });
    task
}

/// A run of `steps` tasks that are ready, created at `seq`.
pub(crate) fn creation(seq: u64, run: u32, steps: u32) -> Batch {
    Batch {
        events: vec![(seq, created(run, steps))],
        runs: vec![run_view(run, RunStatus::Running)],
        tasks: (1..=steps).map(|number| task_view(run, number, TaskStatus::Ready)).collect(),
        ..Batch::default()
    }
}

pub(crate) fn events(events: Vec<Numbered>) -> Batch {
    Batch { events, ..Batch::default() }
}

pub(crate) fn rows(runs: Vec<RunView>, tasks: Vec<TaskView>) -> Batch {
    Batch { runs, tasks, ..Batch::default() }
}

/// Does the work of `test` in a process of its own, which is that test again: failpoints belong to a
/// whole process.
#[cfg(feature = "failpoints")]
pub(crate) fn in_a_process_of_its_own(test: &str, work: fn()) {
    const CHILD: &str = "ORCHESTRA_TEST_CHILD";
    if std::env::var_os(CHILD).is_some() {
        return work();
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{output:#?}");
}
