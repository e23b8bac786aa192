//! Workspaces in the middle of something.

use crate::support::{Sandbox, commit, files, git, try_git, write};
use orchestra_vcs::GitError;
use std::fs;

/// A merge that stopped at `both` and at `gone`, which is changed here and deleted there.
fn in_a_merge() -> Sandbox {
    let sandbox = Sandbox::with(&[("both", "base\n"), ("gone", "base\n"), ("kept", "")]);
    let user = sandbox.user();
    git(&user, &["checkout", "-q", "-b", "other"]);
    write(&user, "both", "theirs\n");
    fs::remove_file(user.join("gone")).unwrap();
    write(&user, "theirs", "");
    commit(&user, "theirs");
    git(&user, &["checkout", "-q", "main"]);
    write(&user, "both", "ours\n");
    write(&user, "gone", "ours\n");
    commit(&user, "ours");
    assert!(!try_git(&user, &["merge", "-q", "other"]).status.success());
    sandbox
}

#[test]
fn unmerged_files_are_refused_by_name() {
    let sandbox = in_a_merge();
    let error = sandbox.take().unwrap_err();
    assert_eq!(error.to_string(), "2 files are unmerged in the git repository: both, gone");
    assert_eq!(
        error.hint(),
        "resolve the conflicts and `git add` the files, or start with `--with-conflicts` to have \
         them as they lie there"
    );
    assert_eq!(git(&sandbox.user(), &["for-each-ref", "refs/orchestra"]), "");
}

#[test]
fn unmerged_files_are_kept_as_they_lie_there_when_asked() {
    let sandbox = in_a_merge();
    write(&sandbox.user(), "new", "");
    let user = sandbox.user();
    let snapshot = sandbox.take_at(&user, |request| request.with_conflicts = true).unwrap();
    assert_eq!(snapshot.conflicted, ["both", "gone"]);
    assert_eq!(
        sandbox.shown(&snapshot),
        files(&[
            ("both", "<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> other\n"),
            ("gone", "ours\n"),
            ("kept", ""),
            ("new", ""),
            ("theirs", ""),
        ])
    );
    // After a crash it is told again.
    let again = sandbox.take_at(&user, |request| request.with_conflicts = true).unwrap();
    assert_eq!(again, snapshot);
}

#[test]
fn an_unmerged_file_that_the_user_has_deleted_is_not_there() {
    let sandbox = in_a_merge();
    let user = sandbox.user();
    fs::remove_file(user.join("gone")).unwrap();
    fs::remove_file(user.join("both")).unwrap();
    write(&user, "both/inside", "");
    let snapshot = sandbox.take_at(&user, |request| request.with_conflicts = true).unwrap();
    assert_eq!(
        sandbox.shown(&snapshot),
        files(&[("both/inside", ""), ("kept", ""), ("theirs", "")])
    );
}

#[test]
fn many_unmerged_files_are_counted_and_the_first_are_named() {
    let error = GitError::Unmerged((1..=12).map(|number| format!("f{number:02}")).collect());
    assert_eq!(
        error.to_string(),
        "12 files are unmerged in the git repository: \
         f01, f02, f03, f04, f05, f06, f07, f08, f09, f10, …"
    );
    let error = GitError::Unmerged(vec!["f".to_owned()]);
    assert_eq!(error.to_string(), "one file is unmerged in the git repository: f");
}

#[test]
fn a_rebase_and_a_cherry_pick_that_stopped_stay_where_they_are() {
    for verb in ["rebase", "cherry-pick"] {
        let sandbox = in_a_merge();
        let user = sandbox.user();
        git(&user, &["merge", "--abort"]);
        assert!(!try_git(&user, &[verb, "other"]).status.success());
        write(&user, "both", "resolved\n");
        git(&user, &["add", "both"]);
        git(&user, &["rm", "-q", "--cached", "--ignore-unmatch", "gone"]);
        write(&user, "kept", verb);
        let snapshot = sandbox.take().unwrap();
        let shown = sandbox.shown(&snapshot);
        assert_eq!((shown["both"].as_str(), shown["kept"].as_str()), ("resolved\n", verb));
        assert_eq!(snapshot.head, Some(git(&user, &["rev-parse", "HEAD"])));
    }
}
