//! Taking back what has changed since, and what was done only in part.

use crate::support::{Sandbox, Wish, conflicts, on_disk, ready, set_mode, write};
use orchestra_core::operation::{FileResult, FileState};
use orchestra_vcs::apply::Prepared;
use std::fs;

const TEXT: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n";

#[test]
fn edits_elsewhere_stay_when_a_change_is_taken_back() {
    let sandbox = Sandbox::with(&[("a", TEXT), ("b", "b\n")]);
    let work = sandbox.work(|agent| {
        write(agent, "a", TEXT.replace("one", "ONE"));
        write(agent, "b", "changed\n");
        write(agent, "c", "new\n");
    });
    let done = sandbox.apply(1, &work);
    sandbox.write("a", TEXT.replace("one", "ONE").replace("seven", "SEVEN"));
    let undone = sandbox.undo(2, 1, &done);
    assert_eq!(sandbox.read("a"), TEXT.replace("seven", "SEVEN"));
    assert_eq!(sandbox.read("b"), "b\n");
    assert!(!sandbox.user().join("c").exists());
    assert_eq!(sandbox.shown(&undone.after)["a"], TEXT.replace("seven", "SEVEN"));

    sandbox.undo(3, 2, &undone);
    assert_eq!(sandbox.read("a"), TEXT.replace("one", "ONE").replace("seven", "SEVEN"));
    assert_eq!(sandbox.read("c"), "new\n");
}

#[test]
fn edits_of_the_same_lines_are_a_conflict_and_nothing_is_written() {
    let sandbox = Sandbox::with(&[("a", TEXT), ("b", "b\n")]);
    let work = sandbox.work(|agent| {
        write(agent, "a", TEXT.replace("one", "ONE"));
        write(agent, "b", "changed\n");
    });
    let done = sandbox.apply(1, &work);
    sandbox.write("a", TEXT.replace("one", "ONE AND MORE"));
    assert_eq!(conflicts(sandbox.prepare_undo(2, 1, &done)), ["a"]);
}

#[test]
fn a_new_file_that_the_user_went_on_with_is_not_deleted() {
    let sandbox = Sandbox::with(&[("a", "a\n")]);
    let work = sandbox.work(|agent| write(agent, "new", TEXT));
    let done = sandbox.apply(1, &work);
    sandbox.write("new", TEXT.replace("one", "mine"));
    assert_eq!(conflicts(sandbox.prepare_undo(2, 1, &done)), ["new"]);
}

#[test]
fn a_file_that_the_user_renamed_since_is_taken_back_under_its_new_name() {
    let sandbox = Sandbox::with(&[("a", TEXT)]);
    let work = sandbox.work(|agent| write(agent, "a", TEXT.replace("one", "ONE")));
    let done = sandbox.apply(1, &work);
    fs::rename(sandbox.user().join("a"), sandbox.user().join("renamed")).unwrap();
    let after = sandbox.all();
    let undone = sandbox.undo(2, 1, &done);
    assert_eq!(sandbox.read("renamed"), TEXT);
    sandbox.undo(3, 2, &undone);
    crate::support::assert_same(&after, &sandbox.all());
}

#[test]
fn commits_since_do_not_matter() {
    let sandbox = Sandbox::with(&[("a", TEXT), ("b", "b\n")]);
    let work = sandbox.work(|agent| write(agent, "a", TEXT.replace("one", "ONE")));
    let done = sandbox.apply(1, &work);
    sandbox.write("b", "changed\n");
    crate::support::commit(&sandbox.user(), "all of it");
    sandbox.git(&["switch", "-q", "-c", "other"]);
    sandbox.undo(2, 1, &done);
    assert_eq!(sandbox.git(&["diff", "--name-only"]), "a");
    assert_eq!((sandbox.read("a"), sandbox.read("b")), (TEXT.to_owned(), "changed\n".to_owned()));
}

#[test]
fn permissions_that_the_user_changed_since_stay() {
    let sandbox = Sandbox::with(&[("a", "a\n"), ("b", "b\n")]);
    set_mode(&sandbox.user().join("b"), 0o640);
    let work = sandbox.work(|agent| {
        write(agent, "a", "new\n");
        fs::remove_file(agent.join("b")).unwrap();
    });
    let done = sandbox.apply(1, &work);
    set_mode(&sandbox.user().join("a"), 0o600);
    sandbox.undo(2, 1, &done);
    let mode = |path: &str| crate::support::mode(&sandbox.user().join(path));
    assert_eq!((mode("a"), mode("b")), (0o600, 0o640));
}

#[test]
fn what_was_done_in_part_is_taken_back_in_part() {
    let sandbox = Sandbox::with(&[("a", "a\n"), ("b", "b\n"), ("c", "c\n")]);
    let work = sandbox.work(|agent| {
        write(agent, "a", "new\n");
        write(agent, "b", "new\n");
        write(agent, "c", "new\n");
    });
    let before = sandbox.all();
    let done = ready(sandbox.prepare(1, &work, &Wish::default()));
    let results = sandbox.carry_out(1, &on_disk(&["b"]));
    assert_eq!(results, [FileResult { path: "b".to_owned(), state: FileState::Applied }]);
    let undone = sandbox.undo(2, 1, &done);
    assert_eq!(undone.files, on_disk(&["b"]));
    crate::support::assert_same(&before, &sandbox.all());
    assert_eq!(sandbox.prepare_undo(3, 1, &done), Prepared::Nothing);
}

#[test]
fn files_that_change_after_the_preparation_are_left_alone() {
    let sandbox =
        Sandbox::with(&[("changed", "1\n"), ("gone", "1\n"), ("deleted", "1\n"), ("same", "1\n")]);
    let work = sandbox.work(|agent| {
        for path in ["changed", "gone", "same", "new"] {
            write(agent, path, "agent\n");
        }
        fs::remove_file(agent.join("deleted")).unwrap();
        write(agent, "folder/x", "agent\n");
    });
    let done = ready(sandbox.prepare(1, &work, &Wish::default()));
    sandbox.write("changed", "mine\n");
    sandbox.write("deleted", "mine\n");
    sandbox.write("new", "mine\n");
    sandbox.write("folder", "mine, no folder\n");
    fs::remove_file(sandbox.user().join("gone")).unwrap();
    let results = sandbox.carry_out(1, &done.files);
    let state = |path: &str| {
        results.iter().find(|result| result.path == path).map(|result| result.state.clone())
    };
    for path in ["changed", "deleted", "gone", "new"] {
        assert_eq!(state(path), Some(FileState::ChangedMeanwhile), "{path}");
    }
    assert!(matches!(
        state("folder/x"),
        Some(FileState::Failed { .. } | FileState::ChangedMeanwhile)
    ));
    assert_eq!(state("same"), Some(FileState::Applied));
    for path in ["changed", "deleted", "new"] {
        assert_eq!(sandbox.read(path), "mine\n", "{path}");
    }
    assert_eq!(sandbox.read("folder"), "mine, no folder\n");
    assert!(!sandbox.user().join("gone").exists());
}
