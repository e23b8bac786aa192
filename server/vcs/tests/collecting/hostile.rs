//! Agents that leave programs behind: none of them is run by collecting, nor by the user's git after
//! it. That each trap works is seen by a git that trusts the agent's repository.

use crate::support::{Sandbox, Trap, commit, git, make_program, statuses, try_git, write};
use orchestra_core::change::FileStatus;
use orchestra_vcs::wrapper::Wrapper;
use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

/// Has git want to look into a file again.
fn touch(path: &Path, content: &str) {
    fs::write(path, content).unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
}

/// What the user does next.
fn users_status(sandbox: &Sandbox) {
    assert_eq!(git(&sandbox.user(), &["status", "--porcelain"]), "");
}

#[test]
fn settings_hooks_and_watchers_of_the_agents_repository_are_not_run() {
    let sandbox = Sandbox::new();
    let src = sandbox.src();
    let trap = Trap::set(&sandbox.path(""));
    for key in ["core.fsmonitor", "core.sshCommand", "diff.external", "core.editor", "core.pager"] {
        git(&src, &["config", key, trap.program()]);
    }
    git(&src, &["config", "core.hooksPath", sandbox.path("hooks").to_str().unwrap()]);
    for hook in ["post-index-change", "pre-commit", "post-commit", "reference-transaction"] {
        make_program(
            &sandbox.path("hooks").join(hook),
            &fs::read_to_string(&trap.program).unwrap(),
        );
        make_program(&src.join(".git/hooks").join(hook), "#!/bin/sh\nexit 1\n");
    }
    touch(&src.join("README"), "HELLO\n");

    assert_eq!(statuses(&sandbox.change()), [("README", FileStatus::Modified)]);
    users_status(&sandbox);

    trap.assert_not_run();
    try_git(&src, &["status"]);
    trap.assert_run();
}

#[test]
fn filters_and_converters_of_the_agents_repository_are_not_run() {
    let sandbox = Sandbox::new();
    let src = sandbox.src();
    let trap = Trap::set(&sandbox.path(""));
    let attributes = "* filter=trap diff=trap merge=trap\n";
    write(&src, ".gitattributes", attributes);
    write(&src, ".git/info/attributes", attributes);
    for key in
        ["filter.trap.clean", "filter.trap.smudge", "diff.trap.textconv", "diff.trap.command"]
    {
        git(&src, &["config", key, trap.program()]);
    }
    git(&src, &["config", "filter.trap.required", "true"]);
    touch(&src.join("README"), "HELLO\n");

    let change = sandbox.change();
    users_status(&sandbox);

    trap.assert_not_run();
    assert_eq!(
        statuses(&change),
        [(".gitattributes", FileStatus::Added), ("README", FileStatus::Modified)]
    );
    try_git(&src, &["status"]);
    trap.assert_run();
}

#[test]
fn filters_of_a_nested_repository_and_of_a_submodule_are_not_run() {
    let mut sandbox = Sandbox::new();
    let library = sandbox.path("library");
    fs::create_dir(&library).unwrap();
    git(&library, &["init", "-q"]);
    write(&library, "file", "content\n");
    commit(&library, "first");
    git(&sandbox.user(), &["submodule", "add", "-q", library.to_str().unwrap(), "module"]);
    commit(&sandbox.user(), "with a submodule");
    sandbox.give_tree();
    let src = sandbox.src();
    git(&src, &["submodule", "update", "-q", "--init"]);
    git(&src, &["clone", "-q", library.to_str().unwrap(), "nested"]);
    let trap = Trap::set(&sandbox.path(""));
    for name in ["nested", "module"] {
        let place = src.join(name);
        git(&place, &["config", "filter.trap.clean", trap.program()]);
        git(&place, &["config", "core.fsmonitor", trap.program()]);
        let git_dir = git(&place, &["rev-parse", "--absolute-git-dir"]);
        write(Path::new(&git_dir), "info/attributes", "* filter=trap\n");
        touch(&place.join("file"), "CONTENT\n");
    }
    write(&src, "README", "changed\n");
    trap.assert_not_run();

    let change = sandbox.change();

    trap.assert_not_run();
    assert_eq!(statuses(&change), [("README", FileStatus::Modified)]);
    assert_eq!(
        change.notes,
        ["submodule module is left as it was given", "nested repository nested left out"]
    );
    try_git(&src, &["status"]);
    trap.assert_run();
}

#[test]
fn a_work_tree_somewhere_else_is_not_collected() {
    let sandbox = Sandbox::new();
    write(&sandbox.path("elsewhere"), "secret", "of the user\n");
    let elsewhere = sandbox.path("elsewhere");
    git(&sandbox.src(), &["config", "core.worktree", elsewhere.to_str().unwrap()]);
    write(&sandbox.src(), "new", "collected\n");
    assert_eq!(statuses(&sandbox.change()), [("new", FileStatus::Added)]);
}

#[test]
fn a_repository_that_is_a_file_or_a_link_is_not_entered() {
    let ways: [fn(&Sandbox); 3] = [
        |sandbox| {
            let evil = sandbox.path("evil");
            fs::rename(sandbox.src().join(".git"), &evil).unwrap();
            write(&sandbox.src(), ".git", format!("gitdir: {}\n", evil.display()));
        },
        |sandbox| {
            fs::remove_dir_all(sandbox.src().join(".git")).unwrap();
            let users = sandbox.user().join(".git");
            write(&sandbox.src(), ".git", format!("gitdir: {}\n", users.display()));
        },
        |sandbox| {
            fs::remove_dir_all(sandbox.src().join(".git")).unwrap();
            symlink(sandbox.user().join(".git"), sandbox.src().join(".git")).unwrap();
        },
    ];
    for change_repository in ways {
        let sandbox = Sandbox::new();
        write(&sandbox.src(), "new", "collected\n");
        change_repository(&sandbox);
        assert_eq!(
            sandbox.one_commit(),
            ["the agent's repository is gone: the files that it left became one commit"]
        );
        users_status(&sandbox);
    }
}

#[test]
fn the_agents_index_is_not_believed() {
    let sandbox = Sandbox::new();
    let src = sandbox.src();
    // An index that says that nothing is there, one that is damaged, and one with names that lead out.
    git(&src, &["rm", "-rq", "--cached", "."]);
    write(&src, "new", "collected\n");
    assert_eq!(statuses(&sandbox.change()), [("new", FileStatus::Added)]);

    let sandbox = Sandbox::new();
    write(&sandbox.src(), ".git/index", "DIRC damaged");
    write(&sandbox.src(), "new", "collected\n");
    assert_eq!(statuses(&sandbox.change()), [("new", FileStatus::Added)]);

    let sandbox = Sandbox::new();
    let src = sandbox.src();
    let blob = git(&src, &["hash-object", "-w", "README"]);
    git(&src, &["update-index", "--add", "--cacheinfo", &format!("100644,{blob},xx/yy")]);
    let index = fs::read(src.join(".git/index")).unwrap();
    let at = index.windows(5).position(|window| window == b"xx/yy").unwrap();
    let crafted = [&index[..at], b"../yy", &index[at + 5..]].concat();
    fs::write(src.join(".git/index"), crafted).unwrap();
    assert_eq!(sandbox.change().files, 0);
}

#[test]
fn everything_that_reads_what_the_agent_wrote_goes_through_the_wrapper() {
    let mut sandbox = Sandbox::new();
    write(&sandbox.src(), "committed", "by the agent\n");
    commit(&sandbox.src(), "work");
    write(&sandbox.src(), "new", "not yet\n");
    let (log, program) = (sandbox.path("log"), sandbox.path("wrapper.sh"));
    let script = format!("#!/bin/sh\nshift\necho \"$4\" >>'{}'\nexec \"$@\"\n", log.display());
    make_program(&program, &script);
    let wrapper = Wrapper { program, arguments: vec!["--".into()], argument_zero: None };
    sandbox.wrapper = Some(wrapper);

    assert_eq!(sandbox.change().files, 2);

    let calls = fs::read_to_string(log).unwrap();
    for verb in [
        "read-tree",
        "ls-files",
        "update-index",
        "write-tree",
        "diff-tree",
        "cat-file",
        "commit-tree",
        "merge-base",
        "rev-list",
        "pack-objects",
        "index-pack",
    ] {
        assert!(calls.lines().any(|call| call == verb), "{verb} is not in {calls}");
    }
    // The user's own git receives the pack and moves the reference: it is not confined.
    assert!(!calls.contains("update-ref"), "{calls}");
}

#[test]
fn what_git_writes_into_the_users_repository_runs_no_hook_of_his() {
    let sandbox = Sandbox::new();
    let trap = Trap::set(&sandbox.path(""));
    let script = fs::read_to_string(&trap.program).unwrap();
    for hook in ["reference-transaction", "post-update", "pre-receive", "update"] {
        make_program(&sandbox.user().join(".git/hooks").join(hook), &script);
    }
    git(&sandbox.user(), &["config", "core.logAllRefUpdates", "always"]);
    write(&sandbox.src(), "new", "collected\n");

    sandbox.change();

    trap.assert_not_run();
    assert!(!sandbox.user().join(".git/logs/refs/orchestra").exists());
    git(&sandbox.user(), &["update-ref", "refs/x/y", "HEAD"]);
    trap.assert_run();
}

#[test]
fn the_private_folder_is_closed_to_others() {
    let mut sandbox = Sandbox::new();
    let (log, program) = (sandbox.path("log"), sandbox.path("wrapper.sh"));
    let script =
        format!("#!/bin/sh\nstat -c %a \"$GIT_DIR/..\" >>'{}'\nexec \"$@\"\n", log.display());
    make_program(&program, &script);
    sandbox.wrapper = Some(Wrapper { program, arguments: Vec::new(), argument_zero: None });
    sandbox.collected();
    let mode = fs::metadata(sandbox.path("scratch")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700);
    assert!(fs::read_to_string(log).unwrap().lines().all(|mode| mode == "700"));
}
