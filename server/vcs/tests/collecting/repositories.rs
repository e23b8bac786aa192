//! The user's repository in all its forms.

use crate::support::{REFERENCE, Sandbox, commit, git, statuses, try_git, write};
use orchestra_core::change::FileStatus;
use std::fs;

#[test]
fn a_repository_that_names_objects_by_sha256_receives_results() {
    let sandbox = Sandbox::with_format("sha256", |user| write(user, "README", "hello\n"));
    write(&sandbox.src(), "one", "1\n");
    commit(&sandbox.src(), "one");
    fs::remove_file(sandbox.src().join("README")).unwrap();
    let change = sandbox.change();
    assert_eq!(statuses(&change), [("README", FileStatus::Deleted), ("one", FileStatus::Added)]);
    assert_eq!((change.commits, change.base.len()), (1, 64));
}

#[test]
fn a_linked_worktree_shares_the_result_with_its_repository() {
    let mut sandbox = Sandbox::new();
    git(&sandbox.user(), &["worktree", "add", "-q", "../linked"]);
    fs::rename(sandbox.user(), sandbox.path("main")).unwrap();
    git(&sandbox.path("main"), &["worktree", "repair"]);
    fs::rename(sandbox.path("linked"), sandbox.user()).unwrap();
    git(&sandbox.path("main"), &["worktree", "repair", sandbox.user().to_str().unwrap()]);
    sandbox.give_tree();
    write(&sandbox.src(), "new", "collected\n");
    assert_eq!(statuses(&sandbox.change()), [("new", FileStatus::Added)]);
    git(&sandbox.path("main"), &["rev-parse", "--verify", REFERENCE]);
}

#[test]
fn a_shallow_repository_receives_the_agents_commits() {
    let mut sandbox = Sandbox::new();
    commit(&sandbox.user(), "second");
    let url = format!("file://{}", sandbox.user().display());
    git(&sandbox.path(""), &["clone", "-q", "--depth=1", &url, "shallow"]);
    fs::rename(sandbox.user(), sandbox.path("origin")).unwrap();
    fs::rename(sandbox.path("shallow"), sandbox.user()).unwrap();
    let shallow = sandbox.user().join(".git/shallow");
    sandbox.give_tree_like(|src| {
        fs::copy(shallow, src.join(".git/shallow")).unwrap();
    });
    write(&sandbox.src(), "new", "collected\n");
    commit(&sandbox.src(), "work");
    assert_eq!(sandbox.change().commits, 1);
}

#[test]
fn a_partial_clone_receives_results_although_objects_are_missing() {
    let mut sandbox = Sandbox::with(|user| {
        write(user, "in/file", "content\n");
        write(user, "out/file", "other content\n");
    });
    git(&sandbox.user(), &["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", sandbox.user().display());
    let clone = ["clone", "-q", "--filter=blob:none", "--sparse", &url, "partial"];
    git(&sandbox.path(""), &clone);
    git(&sandbox.path("partial"), &["sparse-checkout", "set", "in"]);
    fs::rename(sandbox.user(), sandbox.path("origin")).unwrap();
    fs::rename(sandbox.path("partial"), sandbox.user()).unwrap();
    // The remote is gone, too: nothing can be fetched.
    let missing = git(&sandbox.user(), &["rev-parse", "HEAD:out/file"]);
    assert!(!try_git(&sandbox.user(), &["cat-file", "-e", &missing]).status.success());
    sandbox.give_sparse_tree("in");
    sandbox.keep_index();
    write(&sandbox.src(), "in/new", "collected\n");
    // Beside what is missing.
    write(&sandbox.src(), "out/new", "collected\n");

    let change = sandbox.collect().unwrap().change;

    assert_eq!(statuses(&change), [("in/new", FileStatus::Added), ("out/new", FileStatus::Added)]);
}

#[test]
fn the_agent_may_make_a_repository_where_the_user_has_files() {
    let sandbox = Sandbox::new();
    let folder = sandbox.src().join("src");
    git(&folder, &["init", "-q"]);
    write(&sandbox.src(), "src/lib.rs", "pub fn two() {}\n");
    write(&sandbox.src(), "src/new.rs", "pub fn three() {}\n");
    let change = sandbox.change();
    assert_eq!(
        statuses(&change),
        [("src/lib.rs", FileStatus::Modified), ("src/new.rs", FileStatus::Added)]
    );
    assert_eq!(change.notes, ["of the repository made in src, only the files are taken"]);
}

#[test]
fn nested_repositories_are_left_out_whatever_state_they_are_in() {
    let sandbox = Sandbox::new();
    let src = sandbox.src();
    for name in ["unborn", "whole", "damaged"] {
        fs::create_dir_all(src.join(name)).unwrap();
        git(&src.join(name), &["init", "-q"]);
        write(&src, format!("{name}/file"), "content\n");
    }
    commit(&src.join("whole"), "first");
    fs::remove_file(src.join("damaged/.git/HEAD")).unwrap();
    write(&src, "new", "collected\n");
    let change = sandbox.change();
    assert_eq!(statuses(&change), [("new", FileStatus::Added)]);
    assert_eq!(
        change.notes,
        ["damaged", "unborn", "whole"].map(|name| format!("nested repository {name} left out"))
    );
}
