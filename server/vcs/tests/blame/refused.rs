//! What has no authors, and how that is told.

use crate::support::{LIMITS, Sandbox, write};
use orchestra_vcs::{
    GitError,
    blame::{Limits, Request, blame},
};
use std::{fs, os::unix::fs::symlink, time::Duration};

#[test]
fn what_is_no_text_of_gits_is_refused_with_what_it_is() {
    let sandbox = Sandbox::new("one\n");
    let user = sandbox.user();
    write(&user, "untracked", "text\n");
    write(&user, "binary", "a\0b");
    write(&user, "large", "x".repeat(1_000_001));
    write(&user, "deleted", "text\n");
    write(&user, "folder/file", "text\n");
    symlink("file", user.join("link")).unwrap();
    symlink("/etc", user.join("out")).unwrap();
    sandbox.git(&["add", "binary", "large", "link", "deleted", "folder"]);
    sandbox.git(&["commit", "-q", "-m", "more"]);
    fs::remove_file(user.join("deleted")).unwrap();
    for (path, message, hint) in [
        ("untracked", "git does not know untracked", "add it to git"),
        ("binary", "binary is no text", "only lines of text"),
        ("large", "large has 1000001 bytes, more than 1000000", "raise the limit"),
        ("deleted", "there is no regular file deleted", "from the top of the repository"),
        ("missing", "there is no regular file missing", "from the top of the repository"),
        ("folder", "there is no regular file folder", "from the top of the repository"),
        ("link", "there is no regular file link", "from the top of the repository"),
        ("out/passwd", "there is no regular file out/passwd", "from the top of the repository"),
        ("../user/file", "there is no regular file ../user/file", "from the top"),
        ("/etc/passwd", "there is no regular file /etc/passwd", "from the top"),
        ("", "there is no regular file ", "from the top"),
        ("--help", "there is no regular file --help", "from the top"),
        ("a\nb", "has a line break in its path", "rename"),
    ] {
        let error = sandbox.blame_of(path, None, LIMITS).unwrap_err();
        assert!(error.to_string().contains(message), "{path}: {error}");
        assert!(error.hint().contains(hint), "{path}: {}", error.hint());
    }
}

#[test]
fn unsaved_text_is_refused_for_the_same_reasons() {
    let sandbox = Sandbox::new("one\n");
    let ask = |path, text: &[u8]| sandbox.blame_of(path, Some(text), LIMITS).unwrap_err();
    assert!(matches!(ask("missing", b"text"), GitError::NotTracked(_)));
    assert!(matches!(ask("../user/file", b"text"), GitError::NoFile(_)));
    assert!(matches!(ask("/etc/passwd", b"text"), GitError::NoFile(_)));
    assert!(matches!(ask("file", b"a\0b"), GitError::NotText(_)));
    assert!(matches!(ask("file", &[b'x'; 1_000_001]), GitError::FileTooLarge { .. }));
}

#[test]
fn a_file_with_an_odd_name_is_no_option_and_no_pattern() {
    let mut sandbox = Sandbox::new("one\n");
    for name in ["--help", "*", ":(top)x", "-L1,2"] {
        write(&sandbox.user(), name, "text\n");
    }
    sandbox.commit("odd");
    for name in ["--help", "*", ":(top)x", "-L1,2"] {
        sandbox.applied("coder", |tree| write(tree, name, "text\nA\n"));
        assert_eq!(sandbox.authors_of(name), ["(odd): text", "coder: A"], "{name}");
    }
}

#[test]
fn a_repository_without_commits_and_no_repository_are_told_apart() {
    let sandbox = Sandbox::empty();
    sandbox.write("one\n");
    let error = sandbox.blame_of("file", None, LIMITS).unwrap_err();
    assert!(matches!(error, GitError::NoCommit(_)), "{error}");
    let root = &sandbox.path("");
    let request = Request { root, path: "file", content: None, applies: &[], limits: LIMITS };
    assert!(matches!(blame(&request).unwrap_err(), GitError::NoRepository(_)));
}

#[test]
fn an_apply_that_is_no_id_is_refused() {
    let mut sandbox = Sandbox::new("one\n");
    sandbox.agent_writes("coder", "one\nA\n");
    for after in ["--all", "HEAD", ""] {
        sandbox.applies[0].after = after.to_owned();
        let error = sandbox.blame_of("file", None, LIMITS).unwrap_err();
        assert!(matches!(error, GitError::NotAnId(_)), "{error}");
    }
}

#[test]
fn git_that_takes_too_long_is_ended() {
    let sandbox = Sandbox::new("one\n");
    let limits = Limits { time: Duration::ZERO, ..LIMITS };
    let error = sandbox.blame_of("file", None, limits).unwrap_err();
    assert!(matches!(error, GitError::TimedOut { .. }), "{error}");
}
