//! What a clone holds, and of which repositories one can be made.

use crate::support::{Sandbox, commit, git, read, try_git, write};
use orchestra_vcs::{
    GitError,
    clone::{self, Clone},
};
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

/// What git sees in a clone that nobody touched: the commit, and not a change.
fn assert_pristine(clone: &Clone) {
    assert_eq!(git(&clone.src, &["rev-parse", "HEAD"]), clone.head);
    assert_eq!(git(&clone.src, &["status", "--porcelain", "--ignored"]), "");
    assert_eq!(git(&clone.src, &["fsck", "--connectivity-only", "--no-dangling"]), "");
}

#[test]
fn a_clone_shows_the_last_commit_and_not_what_is_being_edited() {
    let sandbox = Sandbox::with_commit();
    write(&sandbox.user(), "README", "edited\n");
    write(&sandbox.user(), "new.txt", "new\n");

    let clone = sandbox.clone().unwrap();

    let slot = sandbox.slot();
    let expected = Clone {
        src: slot.join("src"),
        cwd: slot.join("src"),
        tmp: slot.join("tmp"),
        out: slot.join("out"),
        head: git(&sandbox.user(), &["rev-parse", "HEAD"]),
    };
    assert_eq!(clone, expected);
    assert_eq!(read(&clone.src, "README"), "hello\n");
    assert!(!clone.src.join("new.txt").exists());
    assert!(clone.tmp.is_dir() && clone.out.join("tasks").is_dir());
    assert_eq!(fs::metadata(&slot).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(sandbox.slots(), ["r1.1-1"]);
    assert_pristine(&clone);
}

#[test]
fn what_is_committed_in_a_clone_stays_in_it() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    let all = || (git(&user, &["for-each-ref"]), git(&user, &["status"]));
    let before = all();
    let clone = sandbox.clone().unwrap();

    write(&clone.src, "README", "by an agent\n");
    commit(&clone.src, "work");

    let made = git(&clone.src, &["rev-parse", "HEAD"]);
    assert_ne!(made, clone.head);
    assert_eq!(git(&clone.src, &["remote"]), "");
    assert_eq!(all(), before);
    assert!(!try_git(&user, &["cat-file", "-e", &made]).status.success(), "objects leaked");
    assert_eq!(read(&user, "README"), "hello\n");
}

#[test]
fn a_clone_is_on_the_users_branch_and_knows_the_others() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    git(&user, &["tag", "-m", "first release", "v1.0"]);
    git(&user, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
    git(&user, &["update-ref", "refs/orchestra/w/r1/base", "HEAD"]);
    git(&user, &["checkout", "-q", "-b", "feature/ünï"]);
    commit(&user, "second");
    write(&user, "README", "stashed\n");
    git(&user, &["stash", "-q"]);

    let clone = sandbox.clone().unwrap();

    assert_eq!(git(&clone.src, &["symbolic-ref", "HEAD"]), "refs/heads/feature/ünï");
    assert_eq!(git(&clone.src, &["describe"]), git(&user, &["describe"]));
    assert_eq!(git(&clone.src, &["rev-list", "--count", "origin/main..HEAD"]), "1");
    let refs = git(&clone.src, &["for-each-ref", "--format=%(refname)"]);
    assert_eq!(
        refs.lines().collect::<Vec<_>>(),
        ["refs/heads/feature/ünï", "refs/heads/main", "refs/remotes/origin/main", "refs/tags/v1.0"]
    );
    assert_pristine(&clone);
}

#[test]
fn a_detached_head_stays_detached() {
    let sandbox = Sandbox::with_commit();
    git(&sandbox.user(), &["checkout", "-q", "--detach"]);

    let clone = sandbox.clone().unwrap();

    assert_eq!(git(&clone.src, &["rev-parse", "--abbrev-ref", "HEAD"]), "HEAD");
    assert_pristine(&clone);
}

#[test]
fn a_workspace_below_the_top_is_the_same_folder_of_the_clone() {
    let sandbox = Sandbox::with_commit();
    let clone = clone::create(&sandbox.user().join("src"), &sandbox.slot()).unwrap();
    assert_eq!(clone.cwd, clone.src.join("src"));
    assert_eq!(read(&clone.cwd, "lib.rs"), "pub fn one() {}\n");
}

#[test]
fn a_workspace_that_is_in_no_commit_yet_is_an_empty_folder_of_the_clone() {
    let sandbox = Sandbox::with_commit();
    let fresh = sandbox.user().join("apps/fresh");
    fs::create_dir_all(&fresh).unwrap();
    let clone = clone::create(&fresh, &sandbox.slot()).unwrap();
    assert_eq!(fs::read_dir(&clone.cwd).unwrap().count(), 0);
}

#[test]
fn a_workspace_that_the_commit_has_as_a_link_is_refused() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    std::os::unix::fs::symlink("/", user.join("app")).unwrap();
    commit(&user, "a link out of the repository");
    fs::remove_file(user.join("app")).unwrap();
    fs::create_dir(user.join("app")).unwrap();

    let refused = clone::create(&user.join("app"), &sandbox.slot()).unwrap_err();

    assert!(matches!(&refused, GitError::NoFolder(folder) if folder == Path::new("app")));
    assert_eq!(sandbox.slots(), [""; 0], "nothing is left half done");
}

#[test]
fn a_linked_worktree_is_cloned_as_it_stands() {
    let sandbox = Sandbox::with_commit();
    let linked = sandbox.path("linked");
    git(&sandbox.user(), &["worktree", "add", "-q", "-b", "side", linked.to_str().unwrap()]);
    write(&linked, "side.txt", "side\n");
    commit(&linked, "on the side");

    let clone = clone::create(&linked, &sandbox.slot()).unwrap();

    assert_eq!(read(&clone.src, "side.txt"), "side\n");
    assert_eq!(git(&clone.src, &["symbolic-ref", "HEAD"]), "refs/heads/side");
    assert_pristine(&clone);
}

#[test]
fn a_shallow_repository_gives_a_shallow_clone() {
    let sandbox = Sandbox::with_commit();
    commit(&sandbox.user(), "second");
    let shallow = sandbox.path("shallow");
    let url = format!("file://{}", sandbox.user().display());
    git(&sandbox.path(""), &["clone", "-q", "--depth=1", &url, "shallow"]);

    let clone = clone::create(&shallow, &sandbox.slot()).unwrap();

    assert_eq!(git(&clone.src, &["log", "--format=%s"]), "second");
    assert_pristine(&clone);
}

#[test]
fn a_sha256_repository_gives_a_sha256_clone() {
    let sandbox = Sandbox::empty();
    git(&sandbox.user(), &["init", "-q", "--object-format=sha256"]);
    write(&sandbox.user(), "a", "a\n");
    commit(&sandbox.user(), "first");

    let clone = sandbox.clone().unwrap();

    assert_eq!(clone.head.len(), 64);
    assert_pristine(&clone);
}

#[test]
fn objects_that_the_repository_itself_borrows_are_found() {
    let sandbox = Sandbox::with_commit();
    git(&sandbox.path(""), &["clone", "-q", "--shared", "user", "borrower"]);
    git(&sandbox.path(""), &["clone", "-q", "--shared", "borrower", "second"]);
    // As somebody writes it who wants to move both folders together.
    for (borrower, lender) in [("borrower", "user"), ("second", "borrower")] {
        let alternates = format!("{borrower}/.git/objects/info/alternates");
        let relative = format!("# moved\n../../../{lender}/.git/objects\n");
        write(&sandbox.path(""), &alternates, relative);
    }

    let clone = clone::create(&sandbox.path("second"), &sandbox.slot()).unwrap();

    assert_eq!(read(&clone.src, "README"), "hello\n");
    assert_pristine(&clone);
}

#[test]
fn line_endings_and_private_ignore_rules_are_those_of_the_user() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    git(&user, &["config", "core.autocrlf", "true"]);
    git(&user, &["config", "user.name", "Grace \"Amazing\" \\ Hopper; #1"]);
    git(&user, &["config", "user.email", "grace@example.org"]);
    write(&user, ".git/info/exclude", "private/\n");

    let clone = sandbox.clone().unwrap();

    assert_eq!(read(&clone.src, "README"), "hello\r\n");
    write(&clone.src, "private/notes", "");
    assert_eq!(git(&clone.src, &["status", "--porcelain"]), "");
    let name = git(&clone.src, &["config", "user.name"]);
    assert_eq!(name, "Grace \"Amazing\" \\ Hopper; #1");
}

#[test]
fn a_sparse_checkout_stays_sparse() {
    let sandbox = Sandbox::with_commit();
    write(&sandbox.user(), "huge/data", "data\n");
    commit(&sandbox.user(), "much");
    git(&sandbox.user(), &["sparse-checkout", "set", "--cone", "src"]);

    let clone = sandbox.clone().unwrap();

    assert!(clone.src.join("src/lib.rs").exists());
    assert!(!clone.src.join("huge").exists());
    assert_pristine(&clone);
}

#[test]
fn modes_links_and_odd_names_arrive() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    write(&user, "run.sh", "#!/bin/sh\n");
    fs::set_permissions(user.join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink("README", user.join("link")).unwrap();
    write(&user, "line\nbreak \"and\" täb\t", "odd\n");
    commit(&user, "odd");

    let clone = sandbox.clone().unwrap();

    assert_eq!(fs::metadata(clone.src.join("run.sh")).unwrap().permissions().mode() & 0o100, 0o100);
    assert_eq!(fs::read_link(clone.src.join("link")).unwrap(), Path::new("README"));
    assert_eq!(read(&clone.src, "line\nbreak \"and\" täb\t"), "odd\n");
    assert_pristine(&clone);
}

#[test]
fn a_slot_that_exists_is_never_written_into() {
    let sandbox = Sandbox::with_commit();
    write(&sandbox.slot(), "work", "of somebody\n");
    let refused = sandbox.clone().unwrap_err();
    assert!(matches!(&refused, GitError::SlotTaken(slot) if *slot == sandbox.slot()), "{refused}");
    assert_eq!(read(&sandbox.slot(), "work"), "of somebody\n");
    assert_eq!(sandbox.slots(), ["r1.1-1"]);
}

#[test]
fn what_a_crash_left_half_done_does_not_stop_the_next_try() {
    let sandbox = Sandbox::with_commit();
    write(&sandbox.path("trees/r1.1-1.partial"), "src/half", "");
    let clone = sandbox.clone().unwrap();
    assert!(!clone.src.join("half").exists());
    assert_eq!(sandbox.slots(), ["r1.1-1"]);
}

#[test]
fn without_a_commit_there_is_nothing_to_clone() {
    let sandbox = Sandbox::empty();
    git(&sandbox.user(), &["init", "-q"]);
    let refused = sandbox.clone().unwrap_err();
    assert!(matches!(refused, GitError::NoCommit(_)), "{refused}");
    assert!(refused.hint().contains("git commit"));
    assert_eq!(sandbox.slots(), [""; 0]);
}

#[test]
fn without_a_repository_there_is_nothing_to_clone() {
    let sandbox = Sandbox::empty();
    let refused = sandbox.clone().unwrap_err();
    assert!(matches!(&refused, GitError::NoRepository(root) if *root == sandbox.user()));
    assert!(refused.hint().contains("git init"));
}

#[test]
fn a_bare_repository_is_named_as_such() {
    let sandbox = Sandbox::empty();
    git(&sandbox.user(), &["init", "-q", "--bare"]);
    let refused = sandbox.clone().unwrap_err();
    assert!(matches!(refused, GitError::NoWorkTree(_)), "{refused}");
}

#[test]
fn a_repository_that_lost_objects_is_refused_and_leaves_nothing() {
    let sandbox = Sandbox::with_commit();
    let objects = sandbox.user().join(".git/objects");
    let blob = git(&sandbox.user(), &["rev-parse", "HEAD:README"]);
    fs::remove_file(objects.join(&blob[..2]).join(&blob[2..])).unwrap();
    let refused = sandbox.clone().unwrap_err();
    assert!(refused.to_string().contains("git read-tree"), "{refused}");
    assert_eq!(sandbox.slots(), [""; 0]);

    let commit = git(&sandbox.user(), &["rev-parse", "HEAD"]);
    fs::remove_file(objects.join(&commit[..2]).join(&commit[2..])).unwrap();
    let refused = sandbox.clone().unwrap_err();
    assert!(refused.to_string().contains(&format!("commit {commit} is missing")), "{refused}");
    assert!(refused.hint().contains("git fsck"));
}
