//! The kinds of repositories in which people work.

use crate::support::{REFERENCE, Sandbox, commit, files, git, shown, try_git, write};
use orchestra_vcs::{GitError, snapshot};
use std::fs;

#[test]
fn without_a_commit_the_snapshot_is_the_first() {
    let sandbox = Sandbox::unborn();
    let user = sandbox.user();
    write(&user, "staged", "one\n");
    git(&user, &["add", "staged"]);
    write(&user, "new", "two\n");
    let snapshot = sandbox.take().unwrap();
    assert_eq!(sandbox.shown(&snapshot), files(&[("new", "two\n"), ("staged", "one\n")]));
    assert_eq!(snapshot.head, None);
    assert_eq!(git(&user, &["rev-list", "--count", REFERENCE]), "1");
    assert!(!try_git(&user, &["rev-parse", "--verify", "-q", "HEAD"]).status.success());
    assert_eq!(sandbox.take().unwrap(), snapshot);
}

#[test]
fn an_empty_repository_has_an_empty_snapshot() {
    let sandbox = Sandbox::unborn();
    let snapshot = sandbox.take().unwrap();
    assert_eq!(sandbox.shown(&snapshot), files(&[]));
}

#[test]
fn a_detached_head_stays_detached() {
    let sandbox = Sandbox::with(&[("file", "old\n")]);
    let user = sandbox.user();
    git(&user, &["checkout", "-q", "--detach"]);
    write(&user, "file", "new\n");
    let snapshot = sandbox.take().unwrap();
    assert_eq!(sandbox.shown(&snapshot), files(&[("file", "new\n")]));
}

#[test]
fn a_commit_that_is_missing_is_not_taken_for_none() {
    let sandbox = Sandbox::with(&[("file", "old\n")]);
    let user = sandbox.user();
    let id = git(&user, &["rev-parse", "HEAD"]);
    fs::remove_file(user.join(".git/objects").join(&id[..2]).join(&id[2..])).unwrap();
    let scratch = sandbox.scratch();
    let error = snapshot::take(&crate::support::request(&user, &scratch)).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("`git cat-file` failed for {}: commit {id} of HEAD is missing", user.display())
    );
}

#[test]
fn no_repository_and_one_without_a_working_tree_are_refused() {
    let sandbox = Sandbox::empty();
    let (user, scratch) = (sandbox.user(), sandbox.scratch());
    let request = crate::support::request(&user, &scratch);
    let error = snapshot::take(&request).unwrap_err();
    assert!(matches!(error, GitError::NoRepository(_)), "{error}");
    git(&user, &["init", "-q", "--bare"]);
    let error = snapshot::take(&request).unwrap_err();
    assert!(matches!(error, GitError::NoWorkTree(_)), "{error}");
}

#[test]
fn a_working_tree_that_is_elsewhere_is_refused() {
    let sandbox = Sandbox::with(&[("file", "old\n")]);
    let user = sandbox.user();
    git(&user, &["config", "core.worktree", sandbox.scratch().to_str().unwrap()]);
    let error = sandbox.take().unwrap_err();
    assert!(matches!(error, GitError::Outside { .. }), "{error}");
}

#[test]
fn a_linked_worktree_has_its_own_files_and_head_in_it() {
    let sandbox = Sandbox::with(&[("file", "old\n")]);
    let (user, linked) = (sandbox.user(), sandbox.path("linked"));
    git(&user, &["worktree", "add", "-q", "-b", "other", linked.to_str().unwrap()]);
    write(&linked, "file", "linked\n");
    commit(&linked, "other");
    write(&linked, "new", "");
    write(&user, "file", "not this\n");
    let snapshot = sandbox.take_at(&linked, |_| {}).unwrap();
    assert_eq!(sandbox.shown(&snapshot), files(&[("file", "linked\n"), ("new", "")]));
    assert_eq!(snapshot.head, Some(git(&linked, &["rev-parse", "HEAD"])));
    assert_eq!(git(&linked, &["status", "--porcelain"]), "?? new");
}

#[test]
fn a_submodule_may_be_the_workspace() {
    let sandbox = Sandbox::with(&[("first", "")]);
    let (user, library) = (sandbox.user(), sandbox.path("library"));
    fs::create_dir(&library).unwrap();
    git(&library, &["init", "-q"]);
    write(&library, "lib", "old\n");
    commit(&library, "library");
    git(&user, &["submodule", "--quiet", "add", library.to_str().unwrap(), "part"]);
    commit(&user, "with a submodule");
    let part = user.join("part");
    write(&part, "lib", "new\n");
    let snapshot = sandbox.take_at(&part, |_| {}).unwrap();
    assert_eq!(shown(&part, &snapshot.commit), files(&[("lib", "new\n")]));
    assert_eq!(git(&user, &["for-each-ref", "refs/orchestra"]), "");
}

#[test]
fn other_formats_of_objects_and_references_work() {
    for options in [["--object-format=sha256"], ["--ref-format=reftable"]] {
        let sandbox = Sandbox::empty();
        let user = sandbox.user();
        let made = try_git(&user, &[&["init", "-q"][..], &options].concat());
        if !made.status.success() {
            eprintln!("this git knows no {options:?}");
            continue;
        }
        write(&user, "file", "old\n");
        commit(&user, "first");
        write(&user, "file", "new\n");
        write(&user, "gone", "");
        git(&user, &["add", "gone"]);
        fs::remove_file(user.join("gone")).unwrap();
        let snapshot = sandbox.take().unwrap();
        assert_eq!(sandbox.shown(&snapshot), files(&[("file", "new\n")]), "{options:?}");
        assert_eq!(git(&user, &["rev-parse", REFERENCE]), snapshot.commit, "{options:?}");
        assert_eq!(sandbox.take().unwrap(), snapshot, "{options:?}");
    }
}

#[test]
fn a_split_index_of_another_object_format_is_joined() {
    let sandbox = Sandbox::empty();
    let user = sandbox.user();
    git(&user, &["init", "-q", "--object-format=sha256"]);
    write(&user, "file", "old\n");
    commit(&user, "first");
    git(&user, &["update-index", "--split-index"]);
    write(&user, "file", "new\n");
    let snapshot = sandbox.take().unwrap();
    assert_eq!(sandbox.shown(&snapshot), files(&[("file", "new\n")]));
}

/// A clone that has the content of `part` alone.
fn partial_clone() -> Option<Sandbox> {
    let sandbox = Sandbox::with(&[("part/file", "old\n"), ("rest/file", "far away\n")]);
    let (user, origin) = (sandbox.user(), sandbox.path("origin"));
    fs::rename(&user, &origin).unwrap();
    git(&origin, &["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", origin.display());
    let folder = sandbox.path("");
    let options = ["clone", "-q", "--filter=blob:none", "--sparse", &url, "user"];
    let made = try_git(&folder, &options);
    if !made.status.success() {
        eprintln!("no partial clone: {}", String::from_utf8_lossy(&made.stderr));
        return None;
    }
    git(&user, &["sparse-checkout", "set", "part"]);
    // Whoever fetches now fails.
    fs::remove_dir_all(&origin).unwrap();
    Some(sandbox)
}

#[test]
fn a_partial_clone_fetches_nothing() {
    let Some(sandbox) = partial_clone() else { return };
    let user = sandbox.user();
    write(&user, "part/file", "new\n");
    write(&user, "part/new", "new\n");
    let snapshot = sandbox.take().unwrap();
    let listed = git(&user, &["ls-tree", "-r", "--name-only", &snapshot.commit]);
    assert_eq!(listed, "part/file\npart/new\nrest/file");
    assert_eq!(
        git(&user, &["rev-parse", &format!("{}:rest", snapshot.commit)]),
        git(&user, &["rev-parse", "HEAD:rest"])
    );
}

#[test]
fn a_shallow_clone_is_no_hindrance() {
    let sandbox = Sandbox::with(&[("file", "older\n")]);
    let (user, origin) = (sandbox.user(), sandbox.path("origin"));
    write(&user, "file", "old\n");
    commit(&user, "second");
    fs::rename(&user, &origin).unwrap();
    let url = format!("file://{}", origin.display());
    git(&sandbox.path(""), &["clone", "-q", "--depth=1", &url, "user"]);
    write(&user, "file", "new\n");
    let snapshot = sandbox.take().unwrap();
    assert_eq!(sandbox.shown(&snapshot), files(&[("file", "new\n")]));
    assert_eq!(git(&user, &["fsck", "--no-dangling"]), "");
}
