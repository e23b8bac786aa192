//! Repositories and users that have git run programs: none of them runs when a tree is made, nor later
//! by git in the tree.

use crate::support::{
    Sandbox, Trap, Wish, assert_pristine, commit, git, make_program, read, try_git, try_git_with,
    write,
};
use orchestra_vcs::GitError;
use std::{env, fs, os::unix::fs::symlink, path::Path, process::Command};

#[test]
fn filters_of_the_repository_are_not_run() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    write(&user, ".gitattributes", "README filter=trap\n");
    sandbox.commit("attributes");
    let trap = Trap::set(&sandbox.path(""));
    for name in ["clean", "smudge"] {
        git(&user, &["config", &format!("filter.trap.{name}"), trap.program()]);
    }
    git(&user, &["config", "filter.trap.required", "true"]);
    let tree = sandbox.tree("r1.1-1");
    assert_eq!(read(&tree.src, "README"), "hello\n");
    // Of the same size, so that git has to read it to know.
    write(&tree.src, "README", "HELLO\n");
    git(&tree.src, &["status", "--porcelain"]);
    trap.assert_not_run();
    write(&user, "README", "HELLO\n");
    try_git(&user, &["status", "--porcelain"]);
    trap.assert_run();
}

#[test]
fn hooks_and_watchers_of_the_repository_are_not_run() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    let trap = Trap::set(&sandbox.path(""));
    write(&user, ".git/hooks/none", "");
    for hook in ["post-index-change", "post-checkout", "pre-commit", "reference-transaction"] {
        fs::copy(&trap.program, user.join(".git/hooks").join(hook)).unwrap();
    }
    git(&user, &["config", "core.fsmonitor", trap.program()]);
    let wish = Wish::new("r1.1-1").copying(&[".env"]);
    let tree = sandbox.acquire(&wish).unwrap();
    write(&tree.src, "README", "edited\n");
    commit(&tree.src, "by an agent");
    trap.assert_not_run();
    git(&user, &["status", "--porcelain"]);
    trap.assert_run();
}

#[test]
fn what_the_user_has_git_run_everywhere_does_not_run_in_a_tree() {
    let sandbox = Sandbox::with_commit();
    let trap = Trap::set(&sandbox.path(""));
    let hooks = sandbox.path("hooks");
    make_program(&hooks.join("post-commit"), &fs::read_to_string(&trap.program).unwrap());
    let settings = format!(
        "[core]\nhooksPath = {}\nfsmonitor = {1}\n[commit]\ngpgSign\n[gpg]\nprogram = {1}\n",
        hooks.display(),
        trap.program()
    );
    write(&sandbox.path(""), "gitconfig", settings);
    let commit = |folder: &Path| {
        let arguments = ["commit", "-q", "--allow-empty", "-m", "work"];
        try_git_with(&sandbox.path("gitconfig"), folder, &arguments).status.success()
    };
    assert!(commit(&sandbox.tree("r1.1-1").src));
    trap.assert_not_run();
    commit(&sandbox.user());
    trap.assert_run();
}

#[test]
fn settings_that_name_programs_or_servers_are_not_taken_over() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    let keys = [
        "alias.st",
        "core.editor",
        "core.sshCommand",
        "credential.helper",
        "diff.external",
        "filter.trap.clean",
        "lfs.url",
        "remote.origin.url",
    ];
    for key in keys {
        git(&user, &["config", key, "/bin/false"]);
    }
    git(&user, &["config", "lfs.fetchExclude", "*.psd"]);
    git(&user, &["config", "commit.gpgSign", "true"]);
    let tree = sandbox.tree("r1.1-1");
    let kept = git(&tree.src, &["config", "--local", "--list"]).to_lowercase();
    assert!(keys.iter().all(|key| !kept.contains(&key.to_lowercase())), "{kept}");
    assert!(kept.contains("commit.gpgsign=false") && kept.contains("lfs.fetchexclude=*.psd"));
}

#[test]
fn a_work_tree_somewhere_else_is_refused() {
    let sandbox = Sandbox::with_commit();
    let head = sandbox.head();
    let elsewhere = sandbox.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    git(&sandbox.user(), &["config", "core.worktree", elsewhere.to_str().unwrap()]);
    let refused = sandbox.pool.acquire(&Wish::new("r1.1-1").request(&head)).unwrap_err();
    assert!(matches!(refused, GitError::Outside { .. }), "{refused}");
    assert!(refused.hint().contains("core.worktree"), "{}", refused.hint());
}

#[test]
fn files_that_never_end_do_not_stop_a_tree() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    for file in ["exclude", "attributes"] {
        let file = user.join(".git/info").join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&file);
        symlink("/dev/zero", &file).unwrap();
    }
    symlink("/dev/zero", user.join(".worktreeinclude")).unwrap();
    let tree = sandbox.tree("r1.1-1");
    assert!(!tree.src.join(".git/info/exclude").exists());
}

/// The environment of a test cannot change while others run, so this one runs itself once more in a
/// process that has it.
#[test]
fn variables_of_a_calling_git_do_not_lead_to_another_repository() {
    const MARK: &str = "ORCHESTRA_TEST_WITH_ENVIRONMENT";
    if env::var_os(MARK).is_none() {
        let decoy = Sandbox::with_commit();
        write(&decoy.user(), "decoy", "");
        let git_dir = decoy.user().join(".git");
        let output = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "inert::variables_of_a_calling_git_do_not_lead_to_another_repository",
                "--nocapture",
            ])
            .env(MARK, "yes")
            .env("GIT_DIR", &git_dir)
            .env("GIT_WORK_TREE", decoy.user())
            .env("GIT_INDEX_FILE", git_dir.join("index"))
            .env("GIT_OBJECT_DIRECTORY", git_dir.join("objects"))
            .env("GIT_NAMESPACE", "other")
            .env("GIT_CONFIG_PARAMETERS", "'core.bare=true'")
            .env("LC_ALL", "de_DE.UTF-8")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains("1 passed"), "no such test: {text}");
        return;
    }
    let sandbox = Sandbox::with_commit();
    let tree = sandbox.tree("r1.1-1");
    let shown: Vec<_> = crate::support::content(&tree.src).into_keys().collect();
    assert_eq!(shown, ["README", "src/lib.rs"]);
    assert_eq!(git(&tree.src, &["status", "--porcelain"]), "");
    sandbox.pool.release("r1.1-1").unwrap();
    assert_eq!(git(&sandbox.tree("r1.2-1").src, &["fsck", "--connectivity-only"]), "");
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
    sandbox.commit("with a submodule that nobody declared");
    git(&nested, &["config", "core.fsmonitor", trap.program()]);

    let wish = Wish::new("r1.1-1").copying(&["/nested/file"]);
    let tree = sandbox.acquire(&wish).unwrap();

    trap.assert_not_run();
    assert_pristine(&tree);
    assert_eq!(fs::read_dir(tree.src.join("nested")).unwrap().count(), 0);
    git(&user, &["status", "--porcelain"]);
    trap.assert_run();
}
