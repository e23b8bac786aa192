//! What is noted is read again, whoever else notes something meanwhile.

use crate::shared::{command, commit, git, write};
use orchestra_vcs::{
    GitError,
    provenance::{note, read_note},
};
use std::{
    path::{Path, PathBuf},
    thread,
};
use tempfile::TempDir;

const NOTES: &str = "refs/orchestra/abcdefgh/notes";

/// A repository with so many commits, which it answers, the oldest first.
fn repository(format: &str, commits: usize) -> (TempDir, PathBuf, Vec<String>) {
    let guard = tempfile::tempdir().unwrap();
    let user = guard.path().canonicalize().unwrap();
    git(&user, &["init", "-q", &format!("--object-format={format}")]);
    let ids = (0..commits).map(|number| {
        write(&user, "file", number.to_string());
        commit(&user, "more");
        git(&user, &["rev-parse", "HEAD"])
    });
    let ids = ids.collect();
    (guard, user, ids)
}

fn read(user: &Path, commit: &str) -> Option<String> {
    read_note(user, NOTES, commit).unwrap()
}

/// How many changes the notes have seen.
fn changes(user: &Path) -> String {
    git(user, &["rev-list", "--count", NOTES])
}

#[test]
fn a_note_is_read_back_and_can_be_written_anew() {
    for format in ["sha1", "sha256"] {
        let (_guard, user, commits) = repository(format, 2);
        assert_eq!(read(&user, &commits[0]), None);
        note(&user, NOTES, &commits[0], "{\"a\": \"ä\\n\"}\n\n").unwrap();
        assert_eq!(read(&user, &commits[0]).as_deref(), Some("{\"a\": \"ä\\n\"}\n\n"));
        assert_eq!(read(&user, &commits[1]), None);
        note(&user, NOTES, &commits[1], "").unwrap();
        note(&user, NOTES, &commits[0], "other").unwrap();
        assert_eq!(read(&user, &commits[0]).as_deref(), Some("other"));
        assert_eq!(read(&user, &commits[1]).as_deref(), Some(""));
    }
}

#[test]
fn the_same_note_again_changes_nothing() {
    let (_guard, user, commits) = repository("sha1", 1);
    note(&user, NOTES, &commits[0], "text").unwrap();
    let tip = git(&user, &["rev-parse", NOTES]);
    note(&user, NOTES, &commits[0], "text").unwrap();
    assert_eq!(git(&user, &["rev-parse", NOTES]), tip);
}

#[test]
fn git_itself_shows_the_notes() {
    let (_guard, user, commits) = repository("sha1", 1);
    note(&user, NOTES, &commits[0], "text").unwrap();
    let mut shown = command(&user);
    shown.env("GIT_NOTES_REF", NOTES).args(["log", "-1", "--format=%N"]);
    let shown = String::from_utf8(shown.output().unwrap().stdout).unwrap();
    assert_eq!(shown.trim_end(), "text");
}

#[test]
fn of_many_writers_at_once_none_loses_its_note() {
    let (_guard, user, commits) = repository("sha1", 8);
    thread::scope(|scope| {
        for commit in &commits {
            scope.spawn(|| note(&user, NOTES, commit, commit).unwrap());
        }
    });
    for commit in &commits {
        assert_eq!(read(&user, commit).as_ref(), Some(commit));
    }
    assert_eq!(changes(&user), "8");
}

#[test]
fn nothing_else_of_the_users_changes() {
    let (_guard, user, commits) = repository("sha1", 1);
    git(&user, &["config", "core.logAllRefUpdates", "always"]);
    git(&user, &["config", "commit.gpgSign", "true"]);
    git(&user, &["config", "gpg.program", "/bin/false"]);
    let state = || {
        let refs = git(&user, &["for-each-ref", "--format=%(refname) %(objectname)", "refs/heads"]);
        (refs, git(&user, &["reflog"]), git(&user, &["status", "--porcelain"]))
    };
    let before = state();
    note(&user, NOTES, &commits[0], "text").unwrap();
    assert_eq!(state(), before);
    assert!(!user.join(".git/logs").join(NOTES).exists());
}

#[test]
fn what_is_no_commit_or_no_reference_of_ours_is_refused() {
    let (_guard, user, commits) = repository("sha1", 1);
    for reference in ["refs/notes/commits", "refs/heads/main", "orchestra", ""] {
        let error = note(&user, reference, &commits[0], "text").unwrap_err();
        assert!(matches!(error, GitError::Reference(_)), "{error}");
    }
    for commit in ["HEAD", "", "--help", &commits[0][..39], &commits[0].to_uppercase()] {
        for error in [
            note(&user, NOTES, commit, "text").unwrap_err(),
            read_note(&user, NOTES, commit).unwrap_err(),
        ] {
            assert!(matches!(error, GitError::NotAnId(_)), "{error}");
        }
    }
    let tree = git(&user, &["rev-parse", "HEAD^{tree}"]);
    for missing in ["0123456789".repeat(4), tree] {
        let error = note(&user, NOTES, &missing, "text").unwrap_err();
        assert!(matches!(error, GitError::NoSuchCommit { .. }), "{error}");
        assert!(error.to_string().contains(&missing));
    }
    assert_eq!(git(&user, &["for-each-ref", "refs/orchestra"]), "");
}

#[test]
fn a_reference_that_cannot_be_written_is_an_error_and_no_endless_try() {
    let (_guard, user, commits) = repository("sha1", 1);
    git(&user, &["update-ref", "refs/orchestra/abcdefgh", &commits[0]]);
    let error = note(&user, NOTES, &commits[0], "text").unwrap_err();
    assert!(error.to_string().contains("'refs/orchestra/abcdefgh' exists"), "{error}");
}
