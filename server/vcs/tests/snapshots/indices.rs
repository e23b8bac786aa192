//! The forms in which git keeps its index.

use crate::support::{Sandbox, commit, files, git, make_executable, write};
use std::fs;

fn with_folders() -> Sandbox {
    Sandbox::with(&[("a/one", "old\n"), ("a/two", "old\n"), ("b/one", "old\n"), ("top", "old\n")])
}

fn expected() -> Vec<(&'static str, &'static str)> {
    vec![
        ("a/new", "new\n"),
        ("a/one", "new\n"),
        ("a/staged", "new\n"),
        ("b/one", "old\n"),
        ("top", "old\n"),
    ]
}

/// Makes the working tree what [`expected`] says.
fn change(sandbox: &Sandbox) {
    let user = sandbox.user();
    write(&user, "a/staged", "new\n");
    git(&user, &["add", "a/staged"]);
    write(&user, "a/one", "new\n");
    write(&user, "a/new", "new\n");
    fs::remove_file(user.join("a/two")).unwrap();
}

#[test]
fn a_split_index_is_read_and_its_shared_part_not_touched() {
    let sandbox = with_folders();
    let user = sandbox.user();
    git(&user, &["config", "core.splitIndex", "true"]);
    git(&user, &["update-index", "--split-index"]);
    change(&sandbox);
    let shared = fs::read_dir(user.join(".git")).unwrap().filter(|entry| {
        entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("sharedindex.")
    });
    assert_eq!(shared.count(), 1, "the index is not split");
    let snapshot = sandbox.take().unwrap();
    assert_eq!(sandbox.shown(&snapshot), files(&expected()));
}

#[test]
fn index_version_4_is_read() {
    let sandbox = with_folders();
    git(&sandbox.user(), &["update-index", "--index-version", "4"]);
    change(&sandbox);
    let snapshot = sandbox.take().unwrap();
    assert_eq!(sandbox.shown(&snapshot), files(&expected()));
}

#[test]
fn an_untracked_cache_is_not_believed() {
    let sandbox = with_folders();
    let user = sandbox.user();
    git(&user, &["update-index", "--force-untracked-cache"]);
    git(&user, &["config", "core.untrackedCache", "true"]);
    git(&user, &["status"]);
    change(&sandbox);
    let snapshot = sandbox.take().unwrap();
    assert_eq!(sandbox.shown(&snapshot), files(&expected()));
}

/// The monitor, were it asked, would say that nothing has changed.
#[test]
fn a_file_system_monitor_is_neither_run_nor_believed() {
    let sandbox = with_folders();
    let user = sandbox.user();
    let monitor = sandbox.path("monitor");
    fs::write(&monitor, "#!/bin/sh\necho run >>\"$0.trace\"\nprintf 'token\\0'\n").unwrap();
    make_executable(&monitor);
    git(&user, &["config", "core.fsmonitor", monitor.to_str().unwrap()]);
    git(&user, &["update-index", "--fsmonitor"]);
    let command = &mut crate::support::command(&user);
    assert!(
        command.env("GIT_OPTIONAL_LOCKS", "1").arg("status").output().unwrap().status.success()
    );
    let trace = sandbox.path("monitor.trace");
    assert!(trace.exists(), "the monitor is not in use");
    write(&user, "a/one", "new\n");
    // The test's own questions about references ask no monitor.
    fs::remove_file(&trace).unwrap();
    let snapshot = sandbox.take().unwrap();
    assert!(!trace.exists(), "the monitor was run");
    assert_eq!(sandbox.shown(&snapshot)["a/one"], "new\n");
}

#[test]
fn what_a_sparse_checkout_hides_stays_as_it_was_committed() {
    for sparse_index in ["--no-sparse-index", "--sparse-index"] {
        let sandbox = with_folders();
        let user = sandbox.user();
        git(&user, &["sparse-checkout", "set", "--cone", sparse_index, "a"]);
        assert!(!user.join("b").exists());
        change(&sandbox);
        let snapshot = sandbox.take().unwrap();
        assert_eq!(sandbox.shown(&snapshot), files(&expected()), "{sparse_index}");
        // A file outside of the cone that is there all the same is seen.
        git(&user, &["update-ref", "-d", crate::support::REFERENCE]);
        write(&user, "b/one", "new\n");
        let snapshot = sandbox.take().unwrap();
        assert_eq!(sandbox.shown(&snapshot)["b/one"], "new\n", "{sparse_index}");
    }
}

#[test]
fn files_that_git_ignores_for_their_times_are_looked_at() {
    let sandbox = with_folders();
    let user = sandbox.user();
    git(&user, &["config", "core.ignoreStat", "true"]);
    git(&user, &["read-tree", "HEAD"]);
    git(&user, &["add", "."]);
    change(&sandbox);
    let snapshot = sandbox.take().unwrap();
    assert_eq!(sandbox.shown(&snapshot), files(&expected()));
}

#[test]
fn a_missing_index_means_that_nothing_is_known() {
    let sandbox = with_folders();
    let user = sandbox.user();
    change(&sandbox);
    fs::remove_file(user.join(".git/index")).unwrap();
    let snapshot = sandbox.take().unwrap();
    assert_eq!(sandbox.shown(&snapshot), files(&expected()));
    assert!(!user.join(".git/index").exists());
}

#[test]
fn a_damaged_index_is_refused_with_gits_words() {
    let sandbox = with_folders();
    let user = sandbox.user();
    write(&user, ".git/index", "nonsense that is long enough to be read as a header");
    let before = fs::read(user.join(".git/index")).unwrap();
    let scratch = sandbox.scratch();
    let request = crate::support::request(&user, &scratch);
    let error = orchestra_vcs::snapshot::take(&request).unwrap_err().to_string();
    assert!(error.starts_with("`git ls-files` failed for "), "{error}");
    assert!(error.contains("bad signature"), "{error}");
    assert_eq!(fs::read(user.join(".git/index")).unwrap(), before);
    commit_nothing(&sandbox);
}

fn commit_nothing(sandbox: &Sandbox) {
    let user = sandbox.user();
    fs::remove_file(user.join(".git/index")).unwrap();
    commit(&user, "whole again");
    assert_eq!(git(&user, &["for-each-ref", "refs/orchestra"]), "");
}
