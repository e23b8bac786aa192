//! The agent's own commits: kept when they are sound and descend from what it was given.

use crate::support::{Sandbox, Trap, commit, git, make_program, statuses, try_git, write};
use orchestra_core::change::{FileStatus, FlagKind};
use std::{
    fs,
    os::unix::fs::{MetadataExt as _, symlink},
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// `<author> <subject>` of the result's history, the newest first, without what the base has.
fn history(sandbox: &Sandbox, commit: &str) -> Vec<String> {
    let range = format!("{}..{commit}", sandbox.base);
    let lines = git(&sandbox.user(), &["log", "--format=%an: %s", &range]);
    lines.lines().map(str::to_owned).collect()
}

#[test]
fn commits_and_what_is_not_committed_are_both_in_the_result() {
    let sandbox = Sandbox::new();
    let src = sandbox.src();
    write(&src, "one", "1\n");
    commit(&src, "one");
    write(&src, "two", "2\n");
    commit(&src, "two");
    write(&src, "one", "one\n");

    let collected = sandbox.collected();

    assert_eq!(
        history(&sandbox, collected.commit.as_deref().unwrap()),
        ["coder (orchestra): r12.3: say hello", "Ada: two", "Ada: one"]
    );
    assert_eq!(collected.change.commits, 2);
    assert_eq!(
        statuses(&collected.change),
        [("one", FileStatus::Added), ("two", FileStatus::Added)]
    );
    assert_eq!(collected.change.notes, Vec::<String>::new());
}

#[test]
fn what_is_written_in_the_second_of_the_checkout_is_seen_after_a_commit_too() {
    // Git itself tells files apart by whole seconds, so this has to happen in one of them.
    let (sandbox, second) = loop {
        let mut sandbox = Sandbox::with(|user| write(user, "same-size", "two\n"));
        sandbox.keep_index();
        let src = sandbox.src();
        let second = fs::metadata(src.join("same-size")).unwrap().ctime();
        write(&src, "work", "committed\n");
        commit(&src, "work");
        // In the place of the old text, so that it is the same file.
        fs::write(src.join("same-size"), "one\n").unwrap();
        if fs::metadata(src.join("same-size")).unwrap().ctime() == second {
            break (sandbox, second);
        }
    };
    let next = UNIX_EPOCH + Duration::from_secs(u64::try_from(second).unwrap() + 1);
    while SystemTime::now() < next {
        std::thread::yield_now();
    }

    let collected = sandbox.collected();

    let commit = collected.commit.unwrap();
    assert_eq!(git(&sandbox.user(), &["show", &format!("{commit}:same-size")]), "one");
}

#[test]
fn an_agent_that_committed_all_has_a_commit_of_ours_on_top() {
    let mut sandbox = Sandbox::with(|user| write(user, ".gitignore", "dist/\n"));
    sandbox.keep_index();
    let src = sandbox.src();
    write(&src, "dist/out", "ignored, but committed all the same\n");
    git(&src, &["add", "-f", "dist/out"]);
    git(&src, &["checkout", "-q", "-b", "feature"]);
    commit(&src, "on a branch");
    git(&src, &["gc", "-q"]);
    let collected = sandbox.collected();
    assert_eq!(
        history(&sandbox, collected.commit.as_deref().unwrap()),
        ["coder (orchestra): r12.3: say hello", "Ada: on a branch"]
    );
    assert_eq!(statuses(&collected.change), [("dist/out", FileStatus::Added)]);
}

#[test]
fn another_history_counts_for_nothing_and_the_files_for_everything() {
    type Act = fn(&Path);
    let rewrite: [(&str, Act); 6] = [
        ("HEAD (branch main) does not descend", |src| {
            git(src, &["commit", "-q", "--amend", "-m", "rewritten"]);
        }),
        ("HEAD (branch other) does not descend", |src| {
            git(src, &["checkout", "-q", "--orphan", "other"]);
            commit(src, "from nothing");
        }),
        ("HEAD names no commit", |src| {
            git(src, &["symbolic-ref", "HEAD", "refs/heads/unborn"]);
        }),
        ("HEAD names no commit", |src| {
            write(src, ".git/HEAD", "ref: ../../../user/.git/HEAD\n");
        }),
        ("HEAD cannot be read", |src| {
            fs::remove_file(src.join(".git/HEAD")).unwrap();
            symlink("/dev/zero", src.join(".git/HEAD")).unwrap();
        }),
        ("left a rebase in progress", |src| {
            write(src, "work", "committed\n");
            commit(src, "work");
            write(src, ".git/rebase-merge/head-name", "refs/heads/main\n");
        }),
    ];
    for (why, act) in rewrite {
        let sandbox = Sandbox::new();
        write(&sandbox.src(), "work", "on the disk\n");
        act(&sandbox.src());
        let notes = sandbox.one_commit();
        assert!(notes.len() == 1 && notes[0].contains(why), "{why}: {notes:?}");
        assert!(sandbox.result().iter().any(|(path, _)| path == "work"), "{why}");
    }
}

#[test]
fn a_file_that_would_be_held_back_is_not_brought_along_by_a_commit() {
    let sandbox = Sandbox::new();
    let src = sandbox.src();
    write(&src, "key", "SECRET\n");
    commit(&src, "with a key");
    fs::remove_file(src.join("key")).unwrap();
    write(&src, "new", "collected\n");
    commit(&src, "without it");
    let secret = git(&src, &["rev-parse", "HEAD^:key"]);
    let notes = sandbox.one_commit();
    assert_eq!(
        notes,
        [
            "the agent's commits hold key, which looks like a secret (a word): the files that it left \
          became one commit"
        ]
    );
    assert!(!try_git(&sandbox.user(), &["cat-file", "-e", &secret]).status.success());

    let mut sandbox = Sandbox::new();
    sandbox.limits.file = 1_000;
    write(&sandbox.src(), "large", "x".repeat(2_000));
    write(&sandbox.src(), "new", "collected\n");
    commit(&sandbox.src(), "with a large file");
    let notes = sandbox.one_commit();
    assert!(notes[0].contains("hold large, which is large (2000 bytes)"), "{notes:?}");
}

#[test]
fn a_message_that_holds_a_secret_or_is_huge_is_not_brought_along_either() {
    for (message, why) in [
        ("use SECRET\n".to_owned(), "hold a message, which looks like a secret (a word)"),
        ("x".repeat(20_000), "hold a message, which is large (20"),
    ] {
        let mut sandbox = Sandbox::new();
        sandbox.limits.file = 10_000;
        write(&sandbox.src(), "new", "collected\n");
        write(&sandbox.path(""), "message", message);
        git(&sandbox.src(), &["add", "new"]);
        git(&sandbox.src(), &["commit", "-q", "-F", sandbox.path("message").to_str().unwrap()]);
        let notes = sandbox.one_commit();
        assert!(notes.len() == 1 && notes[0].contains(why), "{notes:?}");
        assert_eq!(sandbox.change().files, 1);
    }
}

#[test]
fn a_repository_that_the_agent_committed_is_left_out() {
    let sandbox = Sandbox::new();
    let src = sandbox.src();
    fs::create_dir(src.join("nested")).unwrap();
    git(&src.join("nested"), &["init", "-q"]);
    write(&src, "nested/file", "content\n");
    commit(&src.join("nested"), "first");
    write(&src, "new", "collected\n");
    commit(&src, "with a repository in it");
    let change = sandbox.change();
    assert_eq!(statuses(&change), [("new", FileStatus::Added)]);
    assert_eq!(change.notes, ["nested repository nested left out"]);
    assert!(!change.flags.iter().any(|flag| flag.kind == FlagKind::Submodule));
}

#[test]
fn commits_are_read_without_running_what_the_agent_configured() {
    let sandbox = Sandbox::new();
    let src = sandbox.src();
    write(&src, "new", "collected\n");
    commit(&src, "work");
    let trap = Trap::set(&sandbox.path(""));
    git(&src, &["config", "core.alternateRefsCommand", trap.program()]);
    git(&src, &["config", "gpg.program", trap.program()]);
    git(&src, &["config", "log.showSignature", "true"]);
    git(&src, &["config", "uploadpack.packObjectsHook", trap.program()]);
    make_program(&src.join(".git/hooks/post-index-change"), "#!/bin/sh\nexit 1\n");
    assert_eq!(sandbox.change().commits, 1);
    trap.assert_not_run();
}
