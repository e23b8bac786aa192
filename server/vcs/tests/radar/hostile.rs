//! Trees that change while they are looked at, and hold what must not be opened.

use crate::support::{Sandbox, TEXT, shown, write};
use orchestra_core::merge::Party;
use orchestra_vcs::{
    GitError,
    radar::{Place, Side, Watcher},
};
use rustix::fs::{CWD, Mode, mkfifoat};
use std::{
    fs,
    os::unix::fs::symlink,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

#[test]
fn what_vanishes_and_comes_back_during_looks_stops_none_of_them() {
    let mut sandbox = Sandbox::new();
    let (one, two) = (sandbox.agent(), sandbox.agent());
    write(&one, "file", TEXT.replace('3', "three"));
    write(&two, "file", TEXT.replace('3', "drei"));
    let is_over = AtomicBool::new(false);
    let rounds = thread::scope(|scope| {
        let restless = scope.spawn(|| {
            let mut rounds = 0;
            while !is_over.load(Ordering::Relaxed) {
                for src in [&one, &two] {
                    write(src, "new/deep/file", format!("{rounds}\n"));
                    write(src, "deep/file", format!("{rounds} {}\n", src.display()));
                    fs::remove_dir_all(src.join("deep")).unwrap();
                    fs::remove_dir_all(src.join("new")).unwrap();
                    symlink("/etc", src.join("deep")).unwrap();
                    fs::remove_file(src.join("deep")).unwrap();
                }
                rounds += 1;
            }
            rounds
        });
        let mut watcher = sandbox.watcher();
        let lines = "file: r1.1@1 3 and r1.2@1 3: both changed the same lines".to_owned();
        let mut looks = 0;
        // Until what changes has changed often enough.
        while looks < 50 {
            let look = sandbox.look_with(&mut watcher);
            if look.partly_seen.is_empty() {
                assert!(shown(&look).contains(&lines), "{look:?}");
                looks += 1;
            }
        }
        is_over.store(true, Ordering::Relaxed);
        restless.join().unwrap()
    });
    assert!(rounds > 0);
}

#[test]
fn a_tree_that_is_gone_is_named_and_the_others_are_compared() {
    let mut sandbox = Sandbox::new();
    let (one, two) = (sandbox.agent(), sandbox.agent());
    write(&one, "file", TEXT.replace('3', "three"));
    write(&sandbox.user(), "file", TEXT.replace('3', "mine"));
    fs::remove_dir_all(&two).unwrap();
    let look = sandbox.look();
    assert_eq!(shown(&look), ["file: r1.1@1 3 and you 3: both changed the same lines"]);
    assert_eq!(look.partly_seen, [Party::Attempt("r1.2@1".parse().unwrap())]);
    // A link in its place is no tree.
    symlink(sandbox.user(), &two).unwrap();
    assert_eq!(sandbox.look(), look);
}

#[test]
fn what_would_block_or_lead_elsewhere_is_not_opened() {
    let mut sandbox = Sandbox::new();
    write(&sandbox.path("outside"), "file", "secret\n");
    let (one, two) = (sandbox.agent(), sandbox.agent());
    for (src, text) in [(&one, "one\n"), (&two, "two\n")] {
        fs::remove_file(src.join("file")).unwrap();
        fs::remove_dir_all(src.join("deep")).unwrap();
        symlink(sandbox.path("outside"), src.join("deep")).unwrap();
        write(src, "other", text);
    }
    mkfifoat(CWD, one.join("file"), Mode::RWXU).unwrap();
    write(&two, "file", "two\n");
    // What is behind the link is nobody's file: both have taken the folder away, in the same way.
    let look = sandbox.look();
    assert_eq!(shown(&look), ["other: r1.1@1 1 and r1.2@1 1: both changed the same lines"]);
    assert_eq!(look.left_out, 1);
}

#[test]
fn a_repository_in_a_new_folder_is_passed_over() {
    let mut sandbox = Sandbox::new();
    for text in ["one\n", "two\n"] {
        let src = sandbox.agent();
        write(&src, "nested/file", text);
        write(&src, "nested/.git/HEAD", "ref: refs/heads/main\n");
        write(&src, "outer/nested/file", text);
        write(&src, "outer/nested/.git", "gitdir: /nowhere\n");
        write(&src, "outer/file", text);
    }
    assert_eq!(sandbox.foreseen(), ["outer/file: r1.1@1 1 and r1.2@1 1: both added it"]);
}

#[test]
fn names_with_any_bytes_are_compared() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
    let mut sandbox = Sandbox::new();
    let names: [&[u8]; 4] = [b"new\nline", b":(glob)*", b"\xff", b"--help"];
    for text in ["one\n", "two\n"] {
        let src = sandbox.agent();
        for name in names {
            write(&src, OsStr::from_bytes(name), text);
        }
    }
    let foreseen = sandbox.foreseen();
    let starts: Vec<&str> = foreseen.iter().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(starts, ["--help", ":(glob)*", "new\nline", "\u{fffd}"]);
}

#[test]
fn sides_without_a_common_base_are_not_compared() {
    let mut sandbox = Sandbox::new();
    let src = sandbox.agent();
    write(&src, "file", TEXT.replace('3', "three"));
    write(&sandbox.user(), "file", TEXT.replace('3', "mine"));
    sandbox.git(&["commit", "-q", "-am", "mine"]);
    sandbox.snapshot = sandbox.git(&["rev-parse", "HEAD"]);
    assert_eq!(sandbox.foreseen(), [""; 0]);
}

#[test]
fn a_base_that_is_lost_is_an_error_that_names_it() {
    let sandbox = Sandbox::new();
    let mut watcher = sandbox.watcher();
    let lost = "0123456789".repeat(4);
    let index = sandbox.user().join(".git/index");
    let src = &sandbox.user();
    let bases = [lost.as_str()];
    let tree = Side {
        party: Party::Attempt("r1.1@1".parse().unwrap()),
        place: Place::Tree { src, index: &index },
        bases: &bases,
    };
    let user = Side { party: Party::User, place: Place::User, bases: &bases };
    let error = watcher.look(&[tree, user]).unwrap_err();
    assert!(error.to_string().contains(&lost), "{error}");
}

#[test]
fn a_folder_that_is_in_no_repository_is_told_as_such() {
    let guard = tempfile::tempdir().unwrap();
    let error = Watcher::open(guard.path(), crate::support::LIMITS).unwrap_err();
    assert!(matches!(error, GitError::NoRepository(_)), "{error}");
}
