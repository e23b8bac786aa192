//! Repositories that bring programs along: none of them is run by looking.

use crate::support::{Sandbox, Trap, commit, git, try_git, write};
use orchestra_vcs::state;
use std::{fs, path::Path};

/// Gives a file new times and the same size, so that git has to read it to know.
fn touch(path: &Path, content: &str) {
    fs::write(path, content).unwrap();
    fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(std::time::UNIX_EPOCH)
        .unwrap();
}

#[test]
fn filters_of_the_repository_are_not_run() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    write(&user, ".gitattributes", "README filter=trap\nsrc/* filter=pro.cess\n");
    commit(&user, "attributes");
    let trap = Trap::set(&sandbox.path(""));
    git(&user, &["config", "filter.trap.clean", trap.program()]);
    git(&user, &["config", "filter.trap.smudge", trap.program()]);
    git(&user, &["config", "filter.trap.required", "true"]);
    git(&user, &["config", "filter.pro.cess.process", trap.program()]);
    touch(&user.join("README"), "HELLO\n");
    touch(&user.join("src/lib.rs"), "pub fn two() {}\n");

    let found = state::uncommitted(&user, 9).unwrap();

    trap.assert_not_run();
    assert_eq!(found.paths, ["README", "src/lib.rs"]);
    try_git(&user, &["status", "--porcelain"]);
    trap.assert_run();
}

#[test]
fn hooks_and_watchers_of_the_repository_are_not_run() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    let trap = Trap::set(&sandbox.path(""));
    let hooks = user.join(".git/hooks");
    fs::create_dir_all(&hooks).unwrap();
    for hook in ["post-index-change", "post-checkout", "pre-commit", "reference-transaction"] {
        fs::copy(&trap.program, hooks.join(hook)).unwrap();
    }
    git(&user, &["config", "core.fsmonitor", trap.program()]);

    state::uncommitted(&user, 9).unwrap();

    trap.assert_not_run();
    write(&user, "README", "edited\n");
    git(&user, &["status", "--porcelain"]);
    trap.assert_run();
}

#[test]
fn a_nested_repository_is_not_entered() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    let trap = Trap::set(&sandbox.path(""));
    let nested = user.join("nested");
    fs::create_dir(&nested).unwrap();
    git(&nested, &["init", "-q"]);
    write(&nested, "file", "content\n");
    commit(&nested, "first");
    git(&user, &["add", "nested"]);
    commit(&user, "with a submodule that nobody declared");
    write(&nested, ".gitattributes", "* filter=trap\n");
    git(&nested, &["config", "filter.trap.clean", trap.program()]);
    git(&nested, &["config", "core.fsmonitor", trap.program()]);
    touch(&nested.join("file"), "CONTENT\n");

    let found = state::uncommitted(&user, 9).unwrap();

    trap.assert_not_run();
    assert_eq!(found.total, 0);
    git(&user, &["status", "--porcelain"]);
    trap.assert_run();
}

#[test]
fn a_work_tree_somewhere_else_is_refused() {
    let sandbox = Sandbox::with_commit();
    let elsewhere = sandbox.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    git(&sandbox.user(), &["config", "core.worktree", elsewhere.to_str().unwrap()]);
    let refused = state::uncommitted(&sandbox.user(), 9).unwrap_err();
    assert!(refused.hint().contains("core.worktree"), "{refused}: {}", refused.hint());
}
