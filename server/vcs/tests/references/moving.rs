//! References that are moved aside and back, and read.

use crate::support::{commit, git, write};
use orchestra_vcs::{
    GitError,
    references::{move_all, read},
};
use std::path::Path;

const RUN: &str = "refs/orchestra/abcdefgh/r1";
const ASIDE: &str = "refs/orchestra/abcdefgh/cleaned/r1-o1";

/// A repository with one commit, which two references of a run keep, and one of another run.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "-q", "-b", "main"]);
    write(folder.path(), "a.txt", "one\n");
    commit(folder.path(), "first");
    for name in [format!("{RUN}/base"), format!("{RUN}/t/r1.1-1"), format!("{RUN}0/base")] {
        git(folder.path(), &["update-ref", &name, "HEAD"]);
    }
    folder
}

fn references(folder: &Path) -> Vec<String> {
    let listed = git(folder, &["for-each-ref", "--format=%(refname)"]);
    listed.lines().map(str::to_owned).collect()
}

#[test]
fn the_references_of_a_run_are_moved_aside_and_back_and_no_other_is_touched() {
    let folder = repository();
    let before = references(folder.path());
    assert_eq!(move_all(folder.path(), RUN, ASIDE).unwrap(), 2);
    assert_eq!(
        references(folder.path()),
        [
            "refs/heads/main",
            &format!("{ASIDE}/base"),
            &format!("{ASIDE}/t/r1.1-1"),
            &format!("{RUN}0/base"),
        ]
    );
    assert_eq!(move_all(folder.path(), RUN, ASIDE).unwrap(), 0, "done again after a crash");
    assert_eq!(move_all(folder.path(), ASIDE, RUN).unwrap(), 2);
    assert_eq!(references(folder.path()), before);
    assert_eq!(git(folder.path(), &["reflog", "show", "--all"]).lines().count(), 2);
}

#[test]
fn what_is_in_the_way_stays_and_nothing_is_moved() {
    let folder = repository();
    git(folder.path(), &["update-ref", &format!("{ASIDE}/base"), "HEAD"]);
    let before = references(folder.path());
    assert!(matches!(move_all(folder.path(), RUN, ASIDE), Err(GitError::Failed { .. })));
    assert_eq!(references(folder.path()), before);
}

#[test]
fn a_reference_is_read_by_its_whole_name() {
    let folder = repository();
    let head = git(folder.path(), &["rev-parse", "HEAD"]);
    assert_eq!(read(folder.path(), &format!("{RUN}/base")).unwrap(), Some(head));
    for other in [RUN, &format!("{RUN}/t"), &format!("{RUN}/bas")] {
        assert_eq!(read(folder.path(), other).unwrap(), None, "{other}");
    }
    assert!(matches!(read(folder.path(), "refs/heads/main"), Err(GitError::Reference(_))));
}

#[test]
fn references_of_the_user_are_refused() {
    let folder = repository();
    for (from, to) in [("refs/heads", ASIDE), (RUN, "refs/heads"), ("refs/orchestra/", ASIDE)] {
        let refused = move_all(folder.path(), from, to).unwrap_err().to_string();
        assert!(refused.ends_with("is not below refs/orchestra/"), "{refused}");
    }
}
