//! Where the repository is, and which files the last commit does not show.

use crate::support::{Sandbox, commit, git, write};
use orchestra_vcs::{
    GitError,
    state::{self, Uncommitted},
};
use std::fs;

fn uncommitted(paths: &[&str], total: usize) -> Uncommitted {
    Uncommitted { paths: paths.iter().map(|path| (*path).to_owned()).collect(), total }
}

#[test]
fn a_clean_repository_has_nothing_uncommitted() {
    let sandbox = Sandbox::with_commit();
    assert_eq!(state::uncommitted(&sandbox.user(), 5).unwrap(), uncommitted(&[], 0));
}

#[test]
fn every_way_to_differ_from_the_commit_is_found_once() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    for name in ["deleted", "edited", "mode", "removed", "renamed", "staged", "staged and edited"] {
        write(&user, name, format!("{name}\n"));
    }
    write(&user, ".gitignore", "*.log\n");
    commit(&user, "files");
    write(&user, "edited", "EDITED\n");
    write(&user, "staged", "STAGED\n");
    write(&user, "staged and edited", "once\n");
    write(&user, "added", "");
    git(&user, &["add", "staged", "staged and edited", "added"]);
    write(&user, "staged and edited", "twice\n");
    git(&user, &["rm", "-q", "removed"]);
    git(&user, &["mv", "renamed", "to"]);
    git(&user, &["update-index", "--chmod=+x", "mode"]);
    fs::remove_file(user.join("deleted")).unwrap();
    write(&user, "build.log", "ignored\n");
    write(&user, "new/a \"b\" ü\n", "");
    write(&user, "intended", "");
    git(&user, &["add", "-N", "intended"]);

    let found = state::uncommitted(&user, 100).unwrap();

    let names = [
        "added",
        "deleted",
        "edited",
        "intended",
        "mode",
        "removed",
        "renamed",
        "staged",
        "staged and edited",
        "to",
        "new/a \"b\" ü\n",
    ];
    assert_eq!(found, uncommitted(&names, names.len()));
}

#[test]
fn a_file_of_ours_that_is_being_written_is_nobodys_work() {
    let sandbox = Sandbox::with_commit();
    write(&sandbox.user(), ".orchestra/.orchestra-writing", "*\n");
    assert_eq!(state::uncommitted(&sandbox.user(), 10).unwrap(), uncommitted(&[], 0));
}

#[test]
fn only_so_many_are_named_but_all_are_counted() {
    let sandbox = Sandbox::with_commit();
    for number in 0..2_000 {
        write(&sandbox.user(), format!("build/{number:04}"), "");
    }
    write(&sandbox.user(), "README", "edited\n");
    let found = state::uncommitted(&sandbox.user(), 3).unwrap();
    assert_eq!(found, uncommitted(&["README", "build/0000", "build/0001"], 2_001));
    assert_eq!(state::uncommitted(&sandbox.user(), 0).unwrap(), uncommitted(&[], 2_001));
}

#[test]
fn names_are_as_seen_from_the_workspace() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    for path in ["README", "src/lib.rs", "src/deep/new", "srcs/new"] {
        write(&user, path, "edited\n");
    }
    let found = state::uncommitted(&user.join("src"), 9).unwrap();
    assert_eq!(found, uncommitted(&["../README", "lib.rs", "deep/new", "../srcs/new"], 4));
}

#[test]
fn before_the_first_commit_every_file_is_uncommitted() {
    let sandbox = Sandbox::empty();
    git(&sandbox.user(), &["init", "-q"]);
    write(&sandbox.user(), "staged", "");
    git(&sandbox.user(), &["add", "staged"]);
    write(&sandbox.user(), "new", "");
    let found = state::uncommitted(&sandbox.user(), 9).unwrap();
    assert_eq!(found, uncommitted(&["staged", "new"], 2));
}

#[test]
fn a_conflict_is_one_file_and_a_nested_repository_one_folder() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    git(&user, &["checkout", "-q", "-b", "other"]);
    write(&user, "README", "theirs\n");
    commit(&user, "theirs");
    git(&user, &["checkout", "-q", "main"]);
    write(&user, "README", "ours\n");
    commit(&user, "ours");
    let merge = crate::support::try_git(&user, &["merge", "other"]);
    assert_eq!(merge.status.code(), Some(1), "the merge must stop at a conflict");
    fs::create_dir(user.join("nested")).unwrap();
    git(&user.join("nested"), &["init", "-q"]);
    write(&user, "nested/file", "");

    let found = state::uncommitted(&user, 9).unwrap();

    assert_eq!(found, uncommitted(&["README", "nested/"], 2));
}

#[test]
fn looking_changes_nothing() {
    let sandbox = Sandbox::with_commit();
    let index = sandbox.user().join(".git/index");
    let before = fs::read(&index).unwrap();
    // The same content under a new time: `git status` would write the index anew.
    write(&sandbox.user(), "README", "hello\n");
    fs::File::options()
        .write(true)
        .open(sandbox.user().join("README"))
        .unwrap()
        .set_modified(std::time::UNIX_EPOCH)
        .unwrap();
    assert_eq!(state::uncommitted(&sandbox.user(), 9).unwrap(), uncommitted(&[], 0));
    assert_eq!(fs::read(&index).unwrap(), before);
}

#[test]
fn the_top_is_found_from_below_and_from_a_linked_worktree() {
    let sandbox = Sandbox::with_commit();
    let linked = sandbox.path("linked");
    git(&sandbox.user(), &["worktree", "add", "-q", linked.to_str().unwrap()]);
    assert_eq!(state::toplevel(&sandbox.user().join("src")).unwrap(), Some(sandbox.user()));
    assert_eq!(state::toplevel(&linked).unwrap(), Some(linked));
}

#[test]
fn a_folder_without_a_repository_is_told_from_one_that_cannot_be_used() {
    let sandbox = Sandbox::empty();
    assert_eq!(state::toplevel(&sandbox.user()).unwrap(), None);
    let refused = state::uncommitted(&sandbox.user(), 9).unwrap_err();
    assert!(matches!(refused, GitError::NoRepository(_)), "{refused}");

    let refused = state::toplevel(&sandbox.path("missing")).unwrap_err();
    assert!(refused.to_string().contains("missing"), "{refused}");

    git(&sandbox.user(), &["init", "-q", "--bare"]);
    let refused = state::toplevel(&sandbox.user()).unwrap_err();
    assert!(matches!(refused, GitError::NoWorkTree(_)), "{refused}");
}

#[test]
fn remotes_that_mirror_are_named() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    assert_eq!(state::has_mirror_remote(&user).unwrap(), [""; 0]);
    for (name, value) in [("a.b", "yes"), ("off", "false"), ("Two", "1"), ("back", "true")] {
        git(&user, &["config", &format!("remote.{name}.mirror"), value]);
    }
    git(&user, &["config", "--add", "remote.back.mirror", "false"]);
    assert_eq!(state::has_mirror_remote(&user).unwrap(), ["Two", "a.b"]);
}

#[test]
fn a_folder_without_a_repository_has_no_remotes() {
    let sandbox = Sandbox::empty();
    assert_eq!(state::has_mirror_remote(&sandbox.user()).unwrap(), [""; 0]);
}

#[test]
fn git_says_its_version() {
    let version = state::version().unwrap();
    assert!(
        format!("git version {version}\n").starts_with(&git(&std::env::temp_dir(), &["version"]))
    );
}
