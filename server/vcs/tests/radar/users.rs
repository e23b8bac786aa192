//! A user who goes on while an agent works.

use crate::support::{Sandbox, TEXT, Trap, git, write};
use std::fs;

const LINES: &str = "file: r1.1@1 3 and you 3: both changed the same lines";

/// An agent has changed a line.
fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::new();
    let src = sandbox.agent();
    write(&src, "file", TEXT.replace('3', "agent's"));
    sandbox
}

#[test]
fn it_does_not_matter_how_far_the_user_is_with_his_change() {
    let sandbox = sandbox();
    assert_eq!(sandbox.foreseen(), [""; 0]);
    write(&sandbox.user(), "file", TEXT.replace('3', "mine"));
    assert_eq!(sandbox.foreseen(), [LINES]);
    sandbox.git(&["add", "file"]);
    assert_eq!(sandbox.foreseen(), [LINES]);
    sandbox.git(&["commit", "-q", "-m", "mine"]);
    assert_eq!(sandbox.foreseen(), [LINES]);
    sandbox.git(&["rm", "-q", "--cached", "file"]);
    assert_eq!(sandbox.foreseen(), [LINES]);
    sandbox.git(&["reset", "-q", "--hard"]);
    write(&sandbox.user(), "file", TEXT);
    assert_eq!(sandbox.foreseen(), [""; 0]);
}

#[test]
fn a_branch_that_is_switched_to_counts_as_the_users_change() {
    let sandbox = sandbox();
    sandbox.git(&["checkout", "-q", "-b", "feature"]);
    write(&sandbox.user(), "file", TEXT.replace('3', "mine"));
    sandbox.git(&["commit", "-q", "-am", "mine"]);
    assert_eq!(sandbox.foreseen(), [LINES]);
    sandbox.git(&["checkout", "-q", "main"]);
    assert_eq!(sandbox.foreseen(), [""; 0]);
    sandbox.git(&["checkout", "-q", "feature"]);
    sandbox.git(&["rm", "-q", "file"]);
    assert_eq!(
        sandbox.foreseen(),
        ["file: r1.1@1 3 and you: one changed it, the other deleted it"]
    );
}

#[test]
fn what_was_not_committed_when_the_run_began_is_no_change() {
    let mut sandbox = Sandbox::new();
    let changed = TEXT.replace('3', "mine");
    write(&sandbox.user(), "file", &changed);
    write(&sandbox.user(), "new", "new\n");
    // As a snapshot takes it.
    sandbox.git(&["add", "-A"]);
    let tree = sandbox.git(&["write-tree"]);
    sandbox.git(&["reset", "-q"]);
    let head = sandbox.snapshot.clone();
    sandbox.snapshot = sandbox.git(&["commit-tree", "-p", &head, "-m", "snapshot", &tree]);
    let src = sandbox.agent();
    write(&src, "file", TEXT.replace('3', "agent's"));
    write(&src, "new", "agent's\n");
    assert_eq!(sandbox.foreseen(), [""; 0]);
    sandbox.git(&["add", "-A"]);
    sandbox.git(&["commit", "-q", "-m", "mine"]);
    assert_eq!(sandbox.foreseen(), [""; 0]);
    write(&sandbox.user(), "new", "newer\n");
    assert_eq!(sandbox.foreseen(), ["new: r1.1@1 1 and you 1: both changed the same lines"]);
}

#[test]
fn carriage_returns_of_a_checkout_are_no_change() {
    let mut sandbox = Sandbox::with(&[], |user| {
        git(user, &["config", "core.autocrlf", "true"]);
        write(user, "file", TEXT.replace('\n', "\r\n"));
    });
    let src = sandbox.agent();
    assert_eq!(fs::read_to_string(src.join("file")).unwrap(), TEXT.replace('\n', "\r\n"));
    write(&src, "file", TEXT.replace('3', "agent's").replace('\n', "\r\n"));
    let user = sandbox.user();
    write(&user, "file", TEXT.replace('\n', "\r\n"));
    assert_eq!(sandbox.foreseen(), [""; 0]);
    write(&user, "file", TEXT.replace('8', "mine").replace('\n', "\r\n"));
    assert_eq!(sandbox.foreseen(), [""; 0]);
    write(&user, "file", TEXT.replace('3', "mine").replace('\n', "\r\n"));
    assert_eq!(sandbox.foreseen(), [LINES]);
}

#[test]
fn in_the_middle_of_a_merge_and_with_other_indices_git_says_what_has_changed() {
    type Prepare = fn(&Sandbox);
    let prepare: [(&str, Prepare); 5] = [
        ("not merged", |sandbox| {
            sandbox.git(&["checkout", "-q", "-b", "feature"]);
            write(&sandbox.user(), "other", "feature\n");
            sandbox.git(&["commit", "-q", "-am", "feature"]);
            sandbox.git(&["checkout", "-q", "main"]);
            write(&sandbox.user(), "other", "main\n");
            sandbox.git(&["commit", "-q", "-am", "main"]);
            let merge = crate::support::command(&sandbox.user())
                .args(["merge", "-q", "feature"])
                .output()
                .unwrap();
            assert!(!merge.status.success());
        }),
        ("split", |sandbox| {
            sandbox.git(&["update-index", "--split-index"]);
        }),
        ("version 4", |sandbox| {
            sandbox.git(&["update-index", "--index-version=4"]);
        }),
        ("sparse", |sandbox| {
            sandbox.git(&["sparse-checkout", "set", "--no-cone", "/*", "!/deep/"]);
        }),
        ("assumed unchanged", |sandbox| {
            sandbox.git(&["update-index", "--assume-unchanged", "other"]);
        }),
    ];
    for (name, prepare) in prepare {
        let mut sandbox = sandbox();
        let src = sandbox.agent();
        write(&src, "added", "agent's\n");
        prepare(&sandbox);
        write(&sandbox.user(), "file", TEXT.replace('3', "mine"));
        write(&sandbox.user(), "added", "mine\n");
        assert_eq!(
            sandbox.foreseen(),
            [
                "added: r1.2@1 1 and you 1: both added it",
                "file: r1.1@1 3 and you 3: both changed the same lines"
            ],
            "{name}"
        );
    }
}

#[test]
fn nothing_that_the_user_has_configured_runs_and_nothing_changes() {
    let sandbox = sandbox();
    let trap = Trap::set(&sandbox.path(""));
    for key in ["filter.evil.clean", "core.fsmonitor", "diff.evil.textconv"] {
        sandbox.git(&["config", key, trap.program()]);
    }
    write(&sandbox.user(), ".gitattributes", "* filter=evil diff=evil\n");
    for split in ["--no-split-index", "--split-index"] {
        sandbox.git(&["-c", "core.fsmonitor=false", "update-index", split]);
        write(&sandbox.user(), "file", TEXT.replace('3', "mine"));
        let index = fs::read(sandbox.user().join(".git/index")).unwrap();
        trap.assert_not_run();
        assert_eq!(sandbox.foreseen(), [LINES], "{split}");
        trap.assert_not_run();
        assert_eq!(fs::read(sandbox.user().join(".git/index")).unwrap(), index);
    }
    sandbox.git(&["add", "file"]);
    trap.assert_run();
}

#[test]
fn a_submodule_is_not_looked_into() {
    let mut sandbox = Sandbox::new();
    let inner = sandbox.path("inner");
    fs::create_dir(&inner).unwrap();
    git(&inner, &["init", "-q"]);
    write(&inner, "file", "inner\n");
    crate::support::commit(&inner, "inner");
    sandbox.git(&["submodule", "add", "-q", inner.to_str().unwrap(), "sub"]);
    sandbox.git(&["commit", "-q", "-m", "with a submodule"]);
    sandbox.snapshot = sandbox.git(&["rev-parse", "HEAD"]);
    let src = sandbox.agent();
    write(&src, "file", TEXT.replace('3', "agent's"));
    write(&src, "sub/file", "agent's\n");
    write(&sandbox.user(), "sub/file", "mine\n");
    write(&sandbox.user(), "file", TEXT.replace('3', "mine"));
    assert_eq!(sandbox.foreseen(), [LINES]);
}
