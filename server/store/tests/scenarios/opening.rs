//! Who may open a journal, and what is said about one that cannot be opened.

use crate::support::*;
use orchestra_store::{Holder, OpenError, Reader, Store};
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

    let newer = OpenError::Newer { file: workspace.db(), found: 99, supported: 1 };
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
