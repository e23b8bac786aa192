//! A damaged journal is noticed, named, and never silently begun anew; what is whole goes on.

use crate::support::*;
use orchestra_core::{
    event::EventBody,
    view::{RunStatus, RunView, TaskStatus, TaskView},
};
use orchestra_store::{
    Batch, Frozen, Numbered, OpenError, Options, Problem, Reader, Store, StoreError, backups,
    check, restore,
};
use rusqlite::Connection;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// Three open runs, of which the second has the event 4 with the reason `needle`.
fn three_runs(workspace: &Workspace) {
    let store = workspace.open();
    for run in 1..=3 {
        record(&store, creation(run.into(), run, 1)).unwrap();
    }
    let paused = |reason: &str| event(2, EventBody::RunPaused { reason: reason.to_owned() });
    record(&store, events(vec![(4, paused("needle")), (5, paused("later"))])).unwrap();
}

/// Flips one bit of the only place in a file that holds `needle`.
fn flip(file: &Path, needle: &str) {
    let mut bytes = fs::read(file).unwrap();
    let places: Vec<usize> = (0..bytes.len() - needle.len())
        .filter(|&at| bytes[at..].starts_with(needle.as_bytes()))
        .collect();
    assert_eq!(places.len(), 1, "{needle} must be in one place");
    bytes[places[0]] ^= 0b100;
    fs::write(file, bytes).unwrap();
}

fn places(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|problem| problem.place.as_str()).collect()
}

fn open_error(workspace: &Workspace) -> OpenError {
    Store::open(&workspace.dir(), &workspace.root(), options()).unwrap_err()
}

#[test]
fn a_flipped_bit_freezes_its_run_and_no_other() {
    let workspace = Workspace::new();
    three_runs(&workspace);
    assert_eq!(check(&workspace.dir()), []);
    flip(&workspace.db(), "needle");

    let store = workspace.open();
    let loaded = store.load().unwrap();
    assert_eq!(loaded.runs.iter().map(|(run, _)| *run).collect::<Vec<_>>(), [run_id(1), run_id(3)]);
    let reason = "its content does not match its hash".to_owned();
    assert_eq!(loaded.frozen, [Frozen { run: run_id(2), seq: 4, reason: reason.clone() }]);
    let broken = StoreError::Broken { run: run_id(2), seq: 4, reason: reason.clone() };
    assert_eq!(store.load_run(run_id(2)), Err(broken.clone()));
    let reader = Reader::open(&workspace.dir()).unwrap();
    assert_eq!(reader.events(run_id(2), 0, 10), Err(broken));
    let problems = check(&workspace.dir());
    assert_eq!(places(&problems), ["event 4 of r2"]);
    assert_eq!(problems[0].what, reason);

    record(&store, events(vec![(6, ended(1, 1))])).unwrap();
    assert_eq!(store.load_run(run_id(1)).unwrap().len(), 2);
}

#[test]
fn events_that_are_gone_from_the_middle_or_the_end_are_missed() {
    for (gone, seq, reason) in [
        ("seq = 2", 4, "it is number 2 of its run after number 0"),
        ("seq = 4", 5, "it is number 3 of its run after number 1"),
        ("seq = 5", 4, "1 of 3 events are missing after it"),
        ("run = 2", 0, "3 of 3 events are missing after it"),
    ] {
        let workspace = Workspace::new();
        three_runs(&workspace);
        let conn = Connection::open(workspace.db()).unwrap();
        conn.execute(&format!("DELETE FROM event WHERE {gone}"), []).unwrap();
        drop(conn);
        let frozen = workspace.open().load().unwrap().frozen;
        assert_eq!(frozen, [Frozen { run: run_id(2), seq, reason: reason.to_owned() }], "{gone}");
    }
}

#[test]
fn every_column_of_an_event_is_watched() {
    for change in [
        "seq = 9",
        "run = 3",
        "n = 7",
        "at = at + 1",
        "version = version - 1",
        "version = version + 1",
        "kind = 'run-resumed'",
        "task = 'r2.1'",
        "payload = '{}'",
        "payload = CAST(x'ff' AS TEXT)",
        "hash = zeroblob(32)",
        "hash = x''",
    ] {
        let workspace = Workspace::new();
        three_runs(&workspace);
        let conn = Connection::open(workspace.db()).unwrap();
        conn.execute(&format!("UPDATE event SET {change} WHERE seq = 5"), []).unwrap();
        drop(conn);
        let frozen = workspace.open().load().unwrap().frozen;
        assert!(frozen.iter().any(|frozen| frozen.run == run_id(2)), "{change}: {frozen:?}");
        assert!(!check(&workspace.dir()).is_empty(), "{change}");
    }
}

#[test]
fn a_database_that_was_cut_short_is_refused_with_its_newest_backup() {
    let workspace = Workspace::new();
    three_runs(&workspace);
    let backup = backup_of(&workspace);

    let whole = fs::read(workspace.db()).unwrap();
    for keep in [0, 50, 4096, whole.len() / 2] {
        fs::write(workspace.db(), &whole[..keep]).unwrap();
        let error = open_error(&workspace);
        assert!(
            matches!(&error, OpenError::Corrupt { newest_backup: Some(path), .. } if *path == backup),
            "{keep}: {error:?}"
        );
        assert!(error.hint().contains(&backup.display().to_string()), "{}", error.hint());
        assert_eq!(check(&workspace.dir()).len(), 1, "{keep}");
    }
    fs::remove_file(workspace.db()).unwrap();
    assert!(matches!(open_error(&workspace), OpenError::Corrupt { .. }));
    assert!(!workspace.db().exists(), "a lost journal must not be begun anew");
    assert!(matches!(Reader::open(&workspace.dir()), Err(OpenError::Corrupt { .. })));

    restore(&workspace.dir(), &backup).unwrap();
    assert_eq!(workspace.open().load().unwrap().runs.len(), 3);
    assert_eq!(check(&workspace.dir()), []);
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let workspace = Workspace::new();
    fs::create_dir(workspace.dir()).unwrap();
    fs::write(workspace.db(), "not a database at all, but long enough to be one".repeat(100))
        .unwrap();
    assert!(matches!(open_error(&workspace), OpenError::Corrupt { newest_backup: None, .. }));
}

#[test]
fn a_restored_backup_keeps_what_it_replaced_and_is_refused_while_in_use() {
    let workspace = Workspace::new();
    three_runs(&workspace);
    let store = workspace.open();
    settle(&store);
    drop(store);
    let backup = backup_of(&workspace);
    let store = workspace.open();
    record(&store, creation(6, 4, 1)).unwrap();
    settle(&store);
    assert!(matches!(restore(&workspace.dir(), &backup), Err(OpenError::Locked { .. })));
    // As if the daemon had been killed: the log of the database is still there.
    let log = workspace.dir().join("orchestra.db-wal");
    let content = fs::read(&log).unwrap();
    drop(store);
    fs::write(&log, content).unwrap();
    fs::remove_dir_all(workspace.root().join(".orchestra")).unwrap();

    let replaced = restore(&workspace.dir(), &backup).unwrap();
    let store = workspace.open();
    assert_eq!(store.load().unwrap().runs.len(), 3);
    settle(&store);
    assert_eq!(workspace.names("tasks"), ["r1.1.json", "r2.1.json", "r3.1.json"]);
    drop(store);
    // What was replaced is a whole journal, and can be put back.
    restore(&workspace.dir(), &replaced).unwrap();
    assert_eq!(workspace.open().load().unwrap().runs.len(), 4);
    assert_eq!(check(&workspace.dir()), []);
}

/// A backup made now.
fn backup_of(workspace: &Workspace) -> PathBuf {
    let now = Options { backup_every: Duration::ZERO, backups_kept: 2, ..options() };
    let mut store = Store::open(&workspace.dir(), &workspace.root(), now).unwrap();
    store.wait_for_backup();
    drop(store);
    backups(&workspace.dir()).unwrap().remove(0).path
}

#[test]
fn a_damaged_backup_is_not_restored() {
    let workspace = Workspace::new();
    three_runs(&workspace);
    let bad = workspace.dir().join("bad.db");
    fs::write(&bad, &fs::read(workspace.db()).unwrap()[..12_288]).unwrap();
    assert!(matches!(restore(&workspace.dir(), &bad), Err(OpenError::Corrupt { .. })));
    assert_eq!(workspace.open().load().unwrap().runs.len(), 3);
    let left = names(&workspace.dir()).into_iter().filter(|name| name.starts_with('.')).count();
    assert_eq!(left, 0, "nothing is left behind");
}

#[test]
fn backups_are_made_when_they_are_due_and_old_ones_are_pruned() {
    let workspace = Workspace::new();
    three_runs(&workspace);
    let every = |backup_every| Options { backup_every, backups_kept: 2, ..options() };
    for expected in [1, 2, 2, 2] {
        let mut store =
            Store::open(&workspace.dir(), &workspace.root(), every(Duration::ZERO)).unwrap();
        store.wait_for_backup();
        drop(store);
        assert_eq!(backups(&workspace.dir()).unwrap().len(), expected);
    }
    let before = backups(&workspace.dir()).unwrap();
    let mut store =
        Store::open(&workspace.dir(), &workspace.root(), every(Duration::from_hours(1))).unwrap();
    store.wait_for_backup();
    assert_eq!(backups(&workspace.dir()).unwrap(), before, "the newest is young enough");
}

#[test]
fn rows_that_do_not_match_are_found_and_made_again_from_the_events() {
    let workspace = Workspace::new();
    three_runs(&workspace);
    let conn = Connection::open(workspace.db()).unwrap();
    conn.execute_batch(
        "UPDATE count SET n = 7 WHERE kind = 'task';
         DELETE FROM run WHERE id = 1;
         UPDATE task SET view = '{' WHERE run = 3;
         INSERT INTO run SELECT 9, status, seq, view, open, operated FROM run WHERE id = 2;",
    )
    .unwrap();
    drop(conn);
    let found = check(&workspace.dir());
    let places = places(&found);
    for place in ["r1", "r9", "count of tasks"] {
        assert!(places.contains(&place), "{place} in {found:#?}");
    }
    assert!(found.iter().any(|problem| problem.what.contains("a task of r3")), "{found:#?}");

    let store = workspace.open();
    let rebuilt = store.rebuild_rows(Box::new(|events| Ok(fold(events)))).unwrap();
    assert_eq!((rebuilt.runs, rebuilt.frozen), (3, Vec::new()));
    settle(&store);
    assert_eq!(check(&workspace.dir()), []);
    let reader = Reader::open(&workspace.dir()).unwrap();
    assert_eq!(reader.task(task_id(3, 1)).unwrap(), Some(task_view(3, 1, TaskStatus::Ready)));
    assert_eq!(reader.run(run_id(9)).unwrap(), None);
    assert_eq!(workspace.names("tasks"), ["r1.1.json", "r2.1.json", "r3.1.json"]);
}

/// Stands for the domain's fold: every test run has one ready task.
fn fold(events: &[Numbered]) -> (RunView, Vec<TaskView>) {
    let run = events[0].1.run.number();
    (run_view(run, RunStatus::Running), vec![task_view(run, 1, TaskStatus::Ready)])
}

#[test]
fn a_rebuild_leaves_a_damaged_run_as_it_is() {
    let workspace = Workspace::new();
    three_runs(&workspace);
    flip(&workspace.db(), "needle");
    let store = workspace.open();
    let rebuilt = store.rebuild_rows(Box::new(|events| Ok(fold(events)))).unwrap();
    assert_eq!(rebuilt.runs, 2);
    assert_eq!(rebuilt.frozen.iter().map(|frozen| frozen.seq).collect::<Vec<_>>(), [4]);
    let reader = Reader::open(&workspace.dir()).unwrap();
    assert_eq!(reader.run(run_id(2)).unwrap(), Some(run_view(2, RunStatus::Running)));
}

#[test]
fn a_lost_artifact_is_found() {
    let workspace = Workspace::new();
    let store = workspace.open();
    record(&store, creation(1, 1, 1)).unwrap();
    let artifact = store.artifacts().put(b"report", "documentation/report.md").unwrap();
    let done = with_artifact(task_view(1, 1, TaskStatus::Succeeded), artifact.clone());
    record(&store, Batch { tasks: vec![done], ..Batch::default() }).unwrap();
    settle(&store);
    assert_eq!(check(&workspace.dir()), []);
    let file = workspace.dir().join("artifacts").join(&artifact.sha256);
    fs::remove_file(&file).unwrap();
    let problems = check(&workspace.dir());
    assert_eq!(places(&problems), [file.to_str().unwrap()]);
    assert_eq!(problems[0].hint, "`orchestra retry r1.1` makes it again");
}
