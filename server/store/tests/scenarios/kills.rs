//! A process that dies in the middle: afterwards a batch is there whole or not at all, and the files
//! become those of the rows.

use crate::support::*;
use orchestra_core::view::{RunStatus, TaskStatus};
use orchestra_store::{Batch, Reader, TaskFilter, check};
use std::{
    env, fs,
    os::unix::process::ExitStatusExt as _,
    path::PathBuf,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

const FOLDER: &str = "ORCHESTRA_TEST_FOLDER";
const POINT: &str = "ORCHESTRA_TEST_POINT";
const SIGABRT: i32 = 6;
/// The test that is the child instead, when [`POINT`] is set.
const DIES: &str = "kills::before_a_commit_nothing_of_the_batch_is_recorded";

/// Runs [`child`] until it dies at `point`, when it is there for the `nth` time.
fn die_at(workspace: &Workspace, point: &str, nth: u32) {
    let action = match nth {
        1 => "return".to_owned(),
        nth => format!("{}*off->return", nth - 1),
    };
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", DIES, "--nocapture"])
        .env(FOLDER, workspace.folder())
        .env(POINT, format!("{point}={action}"))
        .output()
        .unwrap();
    assert_eq!(output.status.signal(), Some(SIGABRT), "{point} {nth}: {output:#?}");
}

/// Ten batches; each ends one task of ten, with an output, in two events.
fn child() {
    let point = env::var(POINT).unwrap();
    let (name, action) = point.split_once('=').unwrap();
    let workspace = Workspace::at(PathBuf::from(env::var_os(FOLDER).unwrap()));
    let store = workspace.open();
    if store.load().unwrap().last_seq == 0 {
        record(&store, creation(1, 1, 10)).unwrap();
        settle(&store);
    }
    fail::cfg(name, action).unwrap();
    for number in 1..=10 {
        let content = format!("report {number}");
        let artifact = store.artifacts().put(content.as_bytes(), &format!("{number}.md")).unwrap();
        let done = with_artifact(task_view(1, number, TaskStatus::Succeeded), artifact);
        let seq = u64::from(number) * 2;
        let batch = Batch {
            events: vec![(seq, started(1, number, 1)), (seq + 1, ended(1, number))],
            tasks: vec![with_attempt(done, 1)],
            runs: vec![run_view(1, RunStatus::Running)],
            ..Batch::default()
        };
        record(&store, batch).unwrap();
    }
    settle(&store);
}

/// What must hold however a process died.
fn check_whole(workspace: &Workspace, batches: u64) {
    let store = workspace.open();
    let loaded = store.load().unwrap();
    assert_eq!(loaded.last_seq, 1 + 2 * batches);
    assert_eq!(loaded.runs[0].1.len() as u64, 1 + 2 * batches);
    settle(&store);
    assert_eq!(store.projection_problem(), None);
    let reader = Reader::open(&workspace.dir()).unwrap();
    let tasks = reader.tasks(run_id(1), &TaskFilter::default()).unwrap();
    let mut expected = Vec::new();
    for task in &tasks {
        let name = format!("{}.json", task.id);
        let json = workspace.projected(&format!("tasks/{name}")).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["status"], task.status.as_str(), "{name} is stale");
        expected.push(name);
        expected.extend(task.status.sentinel().map(|ending| format!("{}.{ending}", task.id)));
    }
    expected.sort();
    assert_eq!(workspace.names("tasks"), expected);
    assert_eq!(workspace.names("workspace").len() as u64, batches);
    assert_eq!(workspace.names("plans"), ["r1.md", "r1.status.md"]);
    for folder in [workspace.dir(), workspace.dir().join("artifacts")] {
        assert!(names(&folder).iter().all(|name| !name.starts_with('.')), "{folder:?}");
    }
    drop(store);
    assert_eq!(check(&workspace.dir()), []);
}

#[test]
fn before_a_commit_nothing_of_the_batch_is_recorded() {
    if env::var_os(POINT).is_some() {
        return child();
    }
    for nth in [1, 5] {
        let workspace = Workspace::new();
        die_at(&workspace, "store::commit::before", nth);
        check_whole(&workspace, u64::from(nth) - 1);
    }
}

#[test]
fn after_a_commit_all_of_the_batch_is_recorded() {
    for nth in [1, 5] {
        let workspace = Workspace::new();
        die_at(&workspace, "store::commit::after", nth);
        check_whole(&workspace, u64::from(nth));
    }
}

#[test]
fn an_artifact_that_was_not_kept_was_not_recorded() {
    let workspace = Workspace::new();
    die_at(&workspace, "store::artifact::rename", 4);
    check_whole(&workspace, 3);
}

#[test]
fn files_become_those_of_the_rows_wherever_the_projection_died() {
    for point in ["store::projection::before", "store::projection::written"] {
        for nth in [1, 2, 6] {
            let workspace = Workspace::new();
            die_at(&workspace, point, nth);
            let recorded = workspace.open().load().unwrap().last_seq;
            check_whole(&workspace, (recorded - 1) / 2);
        }
    }
}

#[test]
fn a_backup_that_was_cut_off_is_cleared_away() {
    let workspace = Workspace::new();
    die_at(&workspace, "store::commit::after", 1);
    let backups = workspace.dir().join("backups");
    fs::create_dir_all(&backups).unwrap();
    fs::write(backups.join(".writing-1-0"), "half").unwrap();
    drop(workspace.open());
    assert_eq!(names(&backups), [""; 0]);
    check_whole(&workspace, 1);
}

#[test]
fn a_change_while_its_file_is_written_is_projected_too() {
    in_a_process_of_its_own(
        "kills::a_change_while_its_file_is_written_is_projected_too",
        with_a_change_in_the_middle,
    );
}

fn with_a_change_in_the_middle() {
    let workspace = Workspace::new();
    let store = Arc::new(workspace.open());
    record(&store, creation(1, 1, 1)).unwrap();
    settle(&store);
    let later = Arc::clone(&store);
    at_the_second("store::projection::written", move || {
        record(&later, rows(vec![], vec![task_view(1, 1, TaskStatus::Succeeded)])).unwrap();
    });
    record(&store, rows(vec![], vec![task_view(1, 1, TaskStatus::Running)])).unwrap();
    settle(&store);
    settle(&store);
    assert_eq!(workspace.names("tasks"), ["r1.1.done", "r1.1.json"]);
    fail::remove("store::projection::written");
}

#[test]
fn a_folder_that_is_removed_while_files_are_written_is_made_again() {
    in_a_process_of_its_own(
        "kills::a_folder_that_is_removed_while_files_are_written_is_made_again",
        with_a_removal_in_the_middle,
    );
}

fn with_a_removal_in_the_middle() {
    let workspace = Workspace::new();
    let store = workspace.open();
    let folder = workspace.root().join(".orchestra");
    at_the_second("store::projection::before", move || fs::remove_dir_all(&folder).unwrap());
    record(&store, creation(1, 1, 2)).unwrap();
    settle(&store);
    assert_eq!(store.projection_problem(), None);
    assert_eq!(workspace.names("tasks"), ["r1.1.json", "r1.2.json"]);
}

/// The run is projected first, and then the task: something happens at the task.
fn at_the_second(point: &str, happens: impl Fn() + Send + Sync + 'static) {
    let times = AtomicU32::new(0);
    let callback = move || {
        if times.fetch_add(1, Ordering::SeqCst) == 1 {
            happens();
        }
    };
    fail::cfg_callback(point, callback).unwrap();
}
