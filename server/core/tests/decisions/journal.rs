//! Journals of older versions: what a build has written once, every later build reads.
//!
//! `fixtures/journal/v<n>.jsonl` was written when `n` was the current version and is never written
//! again; `UPDATE=1` rewrites the views beside it, when views have changed, and writes a journal that
//! is not there yet, when the version has.

mod every_event;

use orchestra_core::{
    apply::apply,
    event::{self, Event, EventBody},
    ids::RunId,
    outcome::{AttemptOutcome, RunOutcome, SkipReason, TaskOutcome},
    state::State,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, path::PathBuf};

/// A row of the journal.
#[derive(Serialize, Deserialize)]
struct Row {
    version: u32,
    run: RunId,
    at: Timestamp,
    payload: Value,
}

fn path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/journal").join(file)
}

fn is_updating() -> bool {
    std::env::var_os("UPDATE").is_some()
}

fn write_journal(version: u32) {
    let text: String = every_event::happens()
        .into_iter()
        .map(|event| {
            let payload = serde_json::from_str(&event::encode(&event.body).unwrap()).unwrap();
            let row = Row { version, run: event.run, at: event.at, payload };
            serde_json::to_string(&row).unwrap() + "\n"
        })
        .collect();
    fs::write(path(&format!("v{version}.jsonl")), text).unwrap();
}

fn read_journal(version: u32) -> Vec<Event> {
    let file = path(&format!("v{version}.jsonl"));
    if version == event::VERSION && is_updating() && !file.exists() {
        write_journal(version);
    }
    let text = fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{}: {error}; write it with UPDATE=1", file.display()));
    text.lines()
        .map(|line| {
            let row: Row = serde_json::from_str(line).unwrap();
            assert_eq!(row.version, version);
            let body = event::decode(row.version, &row.payload.to_string()).unwrap();
            Event { run: row.run, at: row.at, body }
        })
        .collect()
}

/// Everything that people see of a state.
fn views(state: &State) -> Value {
    let run = |run: &orchestra_core::state::Run| {
        let tasks = run.tasks.iter().filter_map(|task| run.task_view(task.id));
        json!({ "run": run.view(), "tasks": tasks.collect::<Vec<_>>() })
    };
    state.runs().map(run).collect()
}

#[test]
fn every_older_journal_still_gives_the_same_views() {
    for version in 1..=event::VERSION {
        let mut state = State::new(crate::support::limits(), 1);
        for event in read_journal(version) {
            apply(&mut state, &event).unwrap();
        }
        state.audit().unwrap();
        let (views, file) = (views(&state), path(&format!("v{version}.views.json")));
        if is_updating() {
            fs::write(&file, serde_json::to_string_pretty(&views).unwrap() + "\n").unwrap();
        }
        let expected: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!(views, expected, "version {version}");
    }
}

/// One name for each way in which a value can be, by a match that a new way does not get through.
macro_rules! kinds {
    ($kinds:ident, $kind:ident, $type:ty: $($pattern:pat),* $(,)?) => {
        const $kinds: &[&str] = &[$(stringify!($pattern)),*];

        fn $kind(value: &$type) -> &'static str {
            match value {
                $($pattern => stringify!($pattern),)*
            }
        }
    };
}

kinds! { EVENTS, event_kind, EventBody:
    EventBody::RunCreated { .. },
    EventBody::RunApproved,
    EventBody::TaskApproved { .. },
    EventBody::RunPaused { .. },
    EventBody::RunResumed,
    EventBody::RunStopping { .. },
    EventBody::RunEnded { .. },
    EventBody::TasksReopened { .. },
    EventBody::RunTimeoutChanged { .. },
    EventBody::SnapshotWanted,
    EventBody::SnapshotTaken { .. },
    EventBody::SnapshotFailed { .. },
    EventBody::TaskReady { .. },
    EventBody::TaskDelayed { .. },
    EventBody::TaskStopping { .. },
    EventBody::TaskTimeoutChanged { .. },
    EventBody::TaskEnded { .. },
    EventBody::AttemptStarted(_),
    EventBody::AttemptEnded { .. },
    EventBody::DecisionAsked(_),
    EventBody::DecisionAnswered { .. },
    EventBody::DecisionWithdrawn { .. },
    EventBody::DecisionDelivered { .. },
    EventBody::MemorySet(_),
    EventBody::MemoryRemoved { .. },
    EventBody::ConflictsForeseen { .. },
    EventBody::TasksAdded { .. },
    EventBody::ReviewWanted { .. },
    EventBody::ReviewOpened(_),
    EventBody::ReviewFailed { .. },
    EventBody::HunksJudged { .. },
    EventBody::OperationStarted(_),
    EventBody::OperationPrepared { .. },
    EventBody::OperationWritten { .. },
    EventBody::FilesConfirmed { .. },
    EventBody::OperationEnded { .. },
}

kinds! { ATTEMPT_OUTCOMES, attempt_outcome, AttemptOutcome:
    AttemptOutcome::Succeeded { .. },
    AttemptOutcome::Failed { .. },
    AttemptOutcome::Cancelled { .. },
    AttemptOutcome::TimedOut { .. },
    AttemptOutcome::Lost { .. },
    AttemptOutcome::NeverStarted { .. },
}

kinds! { TASK_OUTCOMES, task_outcome, TaskOutcome:
    TaskOutcome::Succeeded { .. },
    TaskOutcome::Failed { .. },
    TaskOutcome::Cancelled { .. },
    TaskOutcome::TimedOut { .. },
    TaskOutcome::Skipped { reason: SkipReason::WhenFalse },
    TaskOutcome::Skipped { reason: SkipReason::NeedFailed { .. } },
}

kinds! { RUN_OUTCOMES, run_outcome, RunOutcome:
    RunOutcome::Succeeded,
    RunOutcome::Failed,
    RunOutcome::Cancelled,
    RunOutcome::TimedOut,
}

fn assert_all(kinds: &[&str], found: impl Iterator<Item = &'static str>) {
    let found: BTreeSet<&str> = found.collect();
    assert_eq!(found, kinds.iter().copied().collect());
}

#[test]
fn the_current_journal_has_every_kind_of_event_and_outcome() {
    let events = read_journal(event::VERSION);
    let bodies = || events.iter().map(|event| &event.body);
    assert_all(EVENTS, bodies().map(event_kind));
    assert_all(
        ATTEMPT_OUTCOMES,
        bodies().filter_map(|body| match body {
            EventBody::AttemptEnded { outcome, .. } => Some(attempt_outcome(outcome)),
            _ => None,
        }),
    );
    assert_all(
        TASK_OUTCOMES,
        bodies().filter_map(|body| match body {
            EventBody::TaskEnded { outcome, .. } => Some(task_outcome(outcome)),
            _ => None,
        }),
    );
    assert_all(
        RUN_OUTCOMES,
        bodies().filter_map(|body| match body {
            EventBody::RunEnded { outcome } => Some(run_outcome(outcome)),
            _ => None,
        }),
    );
}

#[test]
fn what_is_written_is_read_back() {
    for event in every_event::happens() {
        let text = event::encode(&event.body).unwrap();
        assert_eq!(event::decode(event::VERSION, &text).unwrap(), event.body);
        let kind: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(kind["type"], event.body.name());
    }
}

#[test]
fn rows_of_no_known_version_are_refused() {
    let newer = event::decode(event::VERSION + 1, "{}").unwrap_err().to_string();
    assert_eq!(newer, "event version 4 is newer than this build reads (3)");
    assert_eq!(event::decode(0, "{}").unwrap_err().to_string(), "event version 0 does not exist");
    let unknown = event::decode(1, r#"{"type":"run-exploded"}"#).unwrap_err().to_string();
    assert!(unknown.starts_with("not an event: unknown variant `run-exploded`"), "{unknown}");
}

/// A field that an event gains later has a default: rows without it stay readable.
#[test]
fn optional_fields_may_be_missing() {
    let plan = r#"{"type":"run-created","plan":{"name":"n",
        "source":{"type":"start","agent":"coder"},
        "tasks":[{"step":"a","executors":[{"type":"agent","name":"coder"}]}]}}"#;
    let started = r#"{"type":"attempt-started","attempt":"r1.1@1",
        "executor":{"type":"agent","name":"coder"},"why":"","timeout":1000}"#;
    let ended = r#"{"type":"attempt-ended","attempt":"r1.1@1",
        "outcome":{"type":"succeeded","output":{}}}"#;
    let mut state = State::new(crate::support::limits(), 1);
    for text in [plan, started, ended] {
        let body = event::decode(1, text).unwrap();
        let run = RunId::new(1).unwrap();
        apply(&mut state, &Event { run, at: Timestamp(0), body }).unwrap();
    }
}
