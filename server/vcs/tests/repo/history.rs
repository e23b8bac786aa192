//! The history of real repositories, made with git itself, as native actions see it.

use crate::support::{commit, git, open, small, write};
use orchestra_core::{
    ports::{Change, Commit, LogEnd, Repo},
    time::Timestamp,
};
use orchestra_vcs::repo::GitRepo;
use std::{fs, ops::ControlFlow, process::Command};

fn log(repo: &GitRepo, limit: usize) -> (Vec<Commit>, LogEnd) {
    let mut commits = Vec::new();
    let end = repo.log(limit, &mut |commit| {
        commits.push(commit);
        ControlFlow::Continue(())
    });
    (commits, end.unwrap())
}

fn subjects(repo: &GitRepo) -> Vec<String> {
    log(repo, 100).0.into_iter().map(|commit| commit.subject).collect()
}

fn change(path: &str, added: u32, removed: u32) -> Change {
    Change { path: path.to_owned(), added, removed }
}

#[test]
fn commits_come_newest_first_with_the_lines_they_changed() {
    let dir = small();
    let (commits, end) = log(&open(dir.path()), 100);
    let shown: Vec<_> =
        commits.into_iter().map(|it| (it.subject, it.author, it.at, it.changes)).collect();
    let ada = || "Ada".to_owned();
    assert_eq!(
        shown,
        [
            ("third".into(), ada(), Timestamp(300_000), vec![change("sub/b.txt", 0, 2)]),
            ("second".into(), ada(), Timestamp(200_000), vec![change("a.txt", 2, 1)]),
            (
                "first".into(),
                ada(),
                Timestamp(100_000),
                vec![change("a.txt", 3, 0), change("sub/b.txt", 2, 0)]
            ),
        ]
    );
    assert_eq!(end, LogEnd::Root);
}

#[test]
fn a_log_says_where_it_ended() {
    let dir = small();
    let repo = open(dir.path());
    assert_eq!((log(&repo, 2).0.len(), log(&repo, 2).1), (2, LogEnd::Limit));
    assert_eq!(log(&repo, 3).1, LogEnd::Root);
    let mut seen = 0;
    let end = repo.log(100, &mut |_| {
        seen += 1;
        ControlFlow::Break(())
    });
    assert_eq!((seen, end), (1, Ok(LogEnd::Stopped)));
}

#[test]
fn merges_are_left_out() {
    let dir = small();
    git(dir.path(), 400, &["checkout", "-q", "-b", "side", "HEAD~1"]);
    write(dir.path(), "c.txt", "c\n");
    commit(dir.path(), 400, "on the side");
    git(dir.path(), 500, &["checkout", "-q", "main"]);
    git(dir.path(), 500, &["merge", "-q", "--no-ff", "-m", "merge", "side"]);
    assert_eq!(subjects(&open(dir.path())), ["on the side", "third", "second", "first"]);
}

#[test]
fn a_workspace_in_a_subfolder_sees_only_its_own_files() {
    let dir = small();
    fs::create_dir_all(dir.path().join("sub")).unwrap();
    let (commits, _) = log(&open(&dir.path().join("sub")), 100);
    let changes: Vec<Vec<Change>> = commits.into_iter().map(|commit| commit.changes).collect();
    assert_eq!(changes, [vec![change("b.txt", 0, 2)], vec![], vec![change("b.txt", 2, 0)]]);
}

#[test]
fn linked_worktrees_and_bare_repositories_have_a_history() {
    let dir = small();
    let other = tempfile::tempdir().unwrap();
    let (tree, bare) = (other.path().join("tree"), other.path().join("bare.git"));
    git(dir.path(), 0, &["worktree", "add", "-q", "-b", "w", tree.to_str().unwrap(), "HEAD~1"]);
    git(dir.path(), 0, &["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    assert_eq!(subjects(&open(&tree)), ["second", "first"]);
    assert_eq!(subjects(&open(&bare)), ["third", "second", "first"]);
}

#[test]
fn no_commits_and_no_repository_are_no_errors() {
    let dir = tempfile::tempdir().unwrap();
    assert!(GitRepo::open(dir.path()).unwrap().is_none());
    git(dir.path(), 0, &["init", "-q"]);
    assert_eq!(log(&open(dir.path()), 10), (vec![], LogEnd::Root));
}

#[test]
fn the_edge_of_a_shallow_clone_is_not_taken_for_a_first_commit() {
    let dir = small();
    let other = tempfile::tempdir().unwrap();
    let clone = other.path().join("clone");
    let url = format!("file://{}", dir.path().display());
    git(other.path(), 0, &["clone", "-q", "--depth", "2", &url, clone.to_str().unwrap()]);
    let (commits, end) = log(&open(&clone), 10);
    assert_eq!(commits.len(), 1, "{commits:?}");
    assert_eq!((commits[0].subject.as_str(), end), ("third", LogEnd::Shallow));
}

#[test]
fn binary_and_large_files_are_named_but_not_counted() {
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), 0, &["init", "-q"]);
    write(dir.path(), "binary", b"a\0b\n");
    write(dir.path(), "large.txt", "line\n".repeat(300_000));
    write(dir.path(), "small.txt", "line\n");
    commit(dir.path(), 100, "all");
    let (commits, _) = log(&open(dir.path()), 10);
    assert_eq!(
        commits[0].changes,
        [change("binary", 0, 0), change("large.txt", 0, 0), change("small.txt", 1, 0)]
    );
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf8_are_shown_with_replacements() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), 0, &["init", "-q"]);
    fs::write(dir.path().join(OsStr::from_bytes(b"a\xff.txt")), "x\n").unwrap();
    commit(dir.path(), 100, "odd");
    assert_eq!(log(&open(dir.path()), 10).0[0].changes, [change("a\u{fffd}.txt", 1, 0)]);
}

/// A repository may name programs in many places; none of them may run because its history is read.
#[cfg(unix)]
#[test]
fn nothing_that_the_repository_configures_is_run() {
    let dir = small();
    let mark = dir.path().join("was-run");
    let program = format!("sh -c 'touch {}; cat'", mark.display());
    for key in [
        "core.fsmonitor",
        "core.pager",
        "diff.external",
        "diff.evil.command",
        "diff.evil.textconv",
        "filter.evil.clean",
        "filter.evil.smudge",
        "log.showSignature",
        "gpg.program",
    ] {
        git(dir.path(), 0, &["config", key, &program]);
    }
    fs::write(dir.path().join(".git/info/attributes"), "* diff=evil filter=evil\n").unwrap();
    // Were it opened, this test would never end.
    let made = Command::new("mkfifo").arg(dir.path().join(".gitattributes")).status().unwrap();
    assert!(made.success());
    assert_eq!(subjects(&open(dir.path())), ["third", "second", "first"]);
    assert!(!mark.exists());
}

#[test]
fn a_broken_repository_is_an_error_that_names_the_commit() {
    let dir = small();
    let repo = open(dir.path());
    let (commits, _) = log(&repo, 1);
    let id = &commits[0].id;
    let object = dir.path().join(".git/objects").join(&id[..2]).join(&id[2..]);
    fs::remove_file(object).unwrap();
    let error = open(dir.path()).log(10, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(error.0.contains("HEAD"), "{error}");
}

/// What libgit2 tells of a repository, git tells in the same words.
#[test]
fn a_repository_that_libgit2_refuses_is_read_with_git_itself() {
    let dir = small();
    write(dir.path(), "binary", b"a\0b\n");
    write(dir.path(), "tab\tname.txt", "x\n");
    commit(dir.path(), 400, "odd \u{e4}");
    git(dir.path(), 500, &["checkout", "-q", "-b", "side", "HEAD~1"]);
    commit(dir.path(), 500, "empty");
    git(dir.path(), 600, &["merge", "-q", "--no-ff", "-m", "merge", "main"]);
    let other = tempfile::tempdir().unwrap();
    let clone = other.path().join("clone");
    let url = format!("file://{}", dir.path().display());
    git(other.path(), 0, &["clone", "-q", "--depth", "3", &url, clone.to_str().unwrap()]);
    for root in [dir.path(), &clone, &dir.path().join("sub")] {
        fs::create_dir_all(root).unwrap();
        let by_library = [2, 3, 100].map(|limit| log(&open(root), limit));
        git(root, 0, &["config", "remote.origin.promisor", "true"]);
        let by_command = [2, 3, 100].map(|limit| log(&open(root), limit));
        assert_eq!(by_command, by_library, "{}", root.display());
        git(root, 0, &["config", "--unset", "remote.origin.promisor"]);
    }
    let unborn = tempfile::tempdir().unwrap();
    git(unborn.path(), 0, &["init", "-q"]);
    git(unborn.path(), 0, &["config", "remote.origin.promisor", "true"]);
    assert_eq!(log(&open(unborn.path()), 10), (vec![], LogEnd::Root));
}

#[test]
fn a_repository_with_reftable_has_a_history() {
    let dir = tempfile::tempdir().unwrap();
    let made = Command::new("git")
        .args(["init", "-q", "--ref-format=reftable"])
        .arg(dir.path())
        .output()
        .unwrap();
    if !made.status.success() {
        eprintln!("this git knows no reftable; nothing to look at");
        return;
    }
    write(dir.path(), "a.txt", "a\n");
    commit(dir.path(), 100, "first");
    let (commits, end) = log(&open(dir.path()), 10);
    assert_eq!((commits[0].changes.clone(), end), (vec![change("a.txt", 1, 0)], LogEnd::Root));
}

#[test]
fn a_partial_clone_has_a_history_without_counts() {
    let dir = small();
    git(dir.path(), 0, &["config", "uploadpack.allowFilter", "true"]);
    let other = tempfile::tempdir().unwrap();
    let clone = other.path().join("clone");
    let url = format!("file://{}", dir.path().display());
    git(other.path(), 0, &["clone", "-q", "--filter=blob:none", &url, clone.to_str().unwrap()]);
    let (commits, end) = log(&open(&clone), 10);
    let changes: Vec<Vec<Change>> = commits.into_iter().map(|commit| commit.changes).collect();
    assert_eq!(
        changes,
        [
            vec![change("sub/b.txt", 0, 0)],
            vec![change("a.txt", 0, 0)],
            vec![change("a.txt", 0, 0), change("sub/b.txt", 0, 0)]
        ]
    );
    assert_eq!(end, LogEnd::Root);
}
