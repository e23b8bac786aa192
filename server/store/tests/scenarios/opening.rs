//! Who may open a journal, and what is said about one that cannot be opened.

use crate::support::*;
use orchestra_core::{
    ids::WorkspaceId,
    view::{RunStatus, TaskStatus},
};
use orchestra_store::{Holder, OpenError, Reader, Store, root_of, unfinished};
use std::fs;

#[test]
fn a_second_store_is_told_who_holds_the_journal() {
    let workspace = Workspace::new();
    let store = workspace.open();
    let holder = Holder {
        pid: std::process::id(),
        socket: "/run/test.sock".to_owned(),
        build: "test".to_owned(),
    };
    assert_eq!(Holder::of(&workspace.dir()), Some(holder.clone()));
    let error = Store::open(&workspace.dir(), &workspace.root(), options()).unwrap_err();
    assert_eq!(error, OpenError::Locked { dir: workspace.dir(), holder: Some(holder.clone()) });
    assert!(error.to_string().contains(&format!("process {}", holder.pid)), "{error}");

    store.close(PATIENCE).unwrap();
    assert_eq!(Holder::of(&workspace.dir()), None);
    workspace.open();
}

#[test]
fn the_folder_is_private_and_names_its_workspace() {
    use std::os::unix::fs::PermissionsExt as _;
    let workspace = Workspace::new();
    drop(workspace.open());
    let mode = fs::metadata(workspace.dir()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let text = fs::read_to_string(workspace.dir().join("workspace.json")).unwrap();
    let root = workspace.root();
    assert_eq!(text, format!("{{\"version\":1,\"root\":\"{}\"}}", root.display()));
    assert_eq!(names(&root), [""; 0], "opening a folder writes nothing into it");
}

#[test]
fn a_newer_database_is_refused_and_left_as_it_is() {
    let workspace = Workspace::new();
    drop(workspace.open());
    let conn = rusqlite::Connection::open(workspace.db()).unwrap();
    conn.pragma_update(None, "user_version", 99).unwrap();
    drop(conn);
    let before = fs::read(workspace.db()).unwrap();

    let newer = OpenError::Newer { file: workspace.db(), found: 99, supported: 2 };
    let error = Store::open(&workspace.dir(), &workspace.root(), options()).unwrap_err();
    assert_eq!(error, newer);
    assert_eq!(Reader::open(&workspace.dir()).unwrap_err(), newer);
    assert!(error.hint().contains("upgrade orchestra"), "{}", error.hint());
    assert_eq!(fs::read(workspace.db()).unwrap(), before);
}

#[test]
fn nothing_recorded_yet_is_not_damage() {
    let workspace = Workspace::new();
    let missing = OpenError::Missing { dir: workspace.dir() };
    assert_eq!(Reader::open(&workspace.dir()).unwrap_err(), missing);
    assert_eq!(orchestra_store::check(&workspace.dir()), []);
}

#[test]
fn workspaces_with_unfinished_work_are_found() {
    let state = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for (name, status) in [("ended", RunStatus::Succeeded), ("open", RunStatus::Paused)] {
        let root = state.path().join(name);
        fs::create_dir(&root).unwrap();
        let dir = state.path().join(WorkspaceId::of_root(&root).as_str());
        let store = Store::open(&dir, &root, options()).unwrap();
        let mut batch = creation(1, 1, 1);
        batch.runs = vec![run_view(1, status)];
        record(&store, batch).unwrap();
        assert_eq!(root_of(&dir), Some(root.clone()));
        if name == "open" {
            expected.push(root);
        }
    }
    fs::create_dir(state.path().join("not-a-workspace")).unwrap();
    assert_eq!(unfinished(state.path()), expected);
    assert_eq!(root_of(state.path()), None);
}

#[test]
fn a_store_can_be_used_from_many_threads() {
    let workspace = Workspace::new();
    let store = workspace.open();
    let done = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..=4)
            .map(|number| {
                let store = &store;
                scope.spawn(move || {
                    let artifact = store.artifacts().put(b"the same", "report.md").unwrap();
                    let done = task_view(1, number, TaskStatus::Succeeded);
                    record(store, rows(vec![], vec![with_artifact(done, artifact)]))
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(done, vec![Ok(()); 4]);
    let counts = Reader::open(&workspace.dir()).unwrap().counts().unwrap();
    assert_eq!(counts.tasks.get(&TaskStatus::Succeeded), Some(&4));
}
