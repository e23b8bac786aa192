//! Files of the user's own that no commit has: which come into a tree, and which never do.

use crate::support::{Sandbox, Wish, content, git, odd_name, read, set_mode, write};
use orchestra_vcs::{GitError, trees::Pool};
use std::{ffi::OsString, fs, os::unix::fs::symlink, process::Command};

/// What a tree has besides its commit, with what is in it.
fn copied(sandbox: &Sandbox, patterns: &[&str]) -> Vec<(OsString, String)> {
    let tree = sandbox.acquire(&Wish::new("r1.1-1").copying(patterns)).unwrap();
    let tracked = git(&tree.src, &["ls-files"]);
    let mut content = content(&tree.src);
    content.retain(|path, _| !tracked.lines().any(|tracked| tracked == path));
    sandbox.pool.release("r1.1-1").unwrap();
    content.into_iter().collect()
}

fn names(found: &[(OsString, String)]) -> Vec<&str> {
    found.iter().map(|(path, _)| path.to_str().unwrap()).collect()
}

fn with_ignored(rules: &str, files: &[&str]) -> Sandbox {
    let sandbox = Sandbox::with_commit();
    write(&sandbox.user(), ".gitignore", rules);
    sandbox.commit("rules");
    for file in files {
        write(&sandbox.user(), file, format!("{file}\n"));
    }
    sandbox
}

#[test]
fn ignored_files_are_copied_by_pattern_wherever_they_are() {
    let sandbox = with_ignored(
        ".env*\nlocal/\nnode_modules/\n",
        &[".env", ".env.test", "src/.env", "new/.env", "local/a/b", "node_modules/x/.env"],
    );
    set_mode(&sandbox.user().join(".env"), 0o640);
    let found = copied(&sandbox, &[".env", "!/new/.env", "local/"]);
    assert_eq!(names(&found), [".env", "local/a/b", "src/.env"]);
    assert_eq!(found[0].1, "false .env\n");
    let found = copied(&sandbox, &["/node_modules/x/.env"]);
    assert_eq!(names(&found), ["node_modules/x/.env"]);
    assert_eq!(copied(&sandbox, &[]), []);
}

#[test]
fn a_worktreeinclude_file_counts_as_well_even_a_new_one() {
    let sandbox = with_ignored("*.key\n.env\n", &["a.key", ".env", "src/b.key"]);
    write(&sandbox.user(), ".worktreeinclude", "# keys\n/*.key\nREADME\n.gitignore\n");
    write(&sandbox.user(), "README", "edited\n");
    let found = copied(&sandbox, &[".env"]);
    assert_eq!(names(&found), [".env", "a.key"], "README and .gitignore are tracked");
    let tree = sandbox.tree("r1.2-1");
    assert_eq!(read(&tree.src, "README"), "hello\n");
}

#[test]
fn a_workspace_below_the_top_copies_nothing_from_beside_it() {
    let sandbox = with_ignored(".env\n", &[".env", "src/.env", "src/deep/.env"]);
    write(&sandbox.user(), ".worktreeinclude", "/src/deep/.env\n/.env\n");
    let pool = Pool::open(sandbox.path("pool"), sandbox.user().join("src"));
    let wish = Wish::new("r1.1-1").copying(&["/.env"]);
    let tree = pool.acquire(&wish.request(&sandbox.head())).unwrap();
    assert_eq!(read(&tree.cwd, ".env"), "src/.env\n");
    assert_eq!(read(&tree.cwd, "deep/.env"), "src/deep/.env\n");
    assert!(!tree.src.join(".env").exists());
}

#[test]
fn nothing_comes_from_outside_of_the_workspace() {
    let sandbox = with_ignored("*.secret\n", &["own.secret"]);
    let user = sandbox.user();
    write(&sandbox.path(""), "outside", "not yours\n");
    symlink(sandbox.path("outside"), user.join("absolute.secret")).unwrap();
    symlink("../outside", user.join("relative.secret")).unwrap();
    symlink(".git/config", user.join("config.secret")).unwrap();
    symlink("missing", user.join("dangling.secret")).unwrap();
    symlink("own.secret", user.join("inside.secret")).unwrap();
    symlink(sandbox.path(""), user.join("folder.secret")).unwrap();
    assert!(Command::new("mkfifo").arg(user.join("fifo.secret")).status().unwrap().success());

    let patterns =
        ["*.secret", "../outside", "/../outside", "folder.secret/outside", "/etc/passwd"];
    let found = copied(&sandbox, &patterns);

    let expected = [("inside.secret", "false own.secret\n"), ("own.secret", "false own.secret\n")];
    assert_eq!(found, expected.map(|(path, shown)| (path.into(), shown.to_owned())));
}

#[test]
fn nothing_is_written_through_links_of_the_commit() {
    let sandbox = with_ignored("config/\n.env\n", &[]);
    let user = sandbox.user();
    let outside = sandbox.path("outside");
    fs::create_dir(&outside).unwrap();
    symlink(&outside, user.join("link")).unwrap();
    git(&user, &["add", "-f", "link"]);
    git(&user, &["commit", "-qm", "a link"]);
    fs::remove_file(user.join("link")).unwrap();
    write(&user, "link/.env", "secret\n");

    assert_eq!(copied(&sandbox, &[".env"]), []);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}

#[test]
fn the_users_file_replaces_the_one_of_the_last_use() {
    let sandbox = with_ignored(".env\n", &[".env"]);
    let wish = |holder: &str| Wish::new(holder).copying(&[".env"]).keeping(&[".env"]);
    let tree = sandbox.acquire(&wish("r1.1-1")).unwrap();
    write(&tree.src, ".env", "by an agent\n");
    sandbox.pool.release("r1.1-1").unwrap();
    assert_eq!(read(&sandbox.acquire(&wish("r1.2-1")).unwrap().src, ".env"), ".env\n");
    assert_eq!(read(&sandbox.user(), ".env"), ".env\n");
}

#[test]
fn odd_names_are_copied_byte_by_byte() {
    let sandbox = with_ignored("*.local\n", &[]);
    let name = odd_name(b"l\xffne\nbreak.local");
    write(&sandbox.user(), &name, "odd\n");
    let found = copied(&sandbox, &["*.local"]);
    assert_eq!(found, [(name, "false odd\n".to_owned())]);
}

#[test]
fn a_pattern_that_means_nothing_is_named() {
    let sandbox = Sandbox::with_commit();
    for wish in [Wish::new("r1.1-1").copying(&["a{b"]), Wish::new("r1.1-1").keeping(&["a{b"])] {
        let refused = sandbox.acquire(&wish).unwrap_err();
        assert!(
            matches!(&refused, GitError::Pattern { pattern, .. } if pattern == "a{b"),
            "{refused}"
        );
    }
    assert_eq!(sandbox.names(), [""; 0]);
}
