//! Git's words for a text are not all that lies on the disk: line ends, encodings and filters.

use crate::support::{Sandbox, Wish, assert_applied, commit, ready, write};
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

fn bytes(sandbox: &Sandbox, path: &str) -> Vec<u8> {
    fs::read(sandbox.user().join(path)).unwrap()
}

#[test]
fn lines_that_end_as_on_windows_stay_so() {
    let sandbox = Sandbox::with(&[]);
    sandbox.git(&["config", "core.autocrlf", "true"]);
    sandbox.git(&["config", "core.safecrlf", "false"]);
    sandbox.write("a", "one\r\ntwo\r\n");
    sandbox.write("as-on-unix", "one\ntwo\n");
    commit(&sandbox.user(), "crlf");
    assert_eq!(sandbox.git(&["show", "HEAD:a"]), "one\ntwo");
    let work = sandbox.work(|agent| {
        write(agent, "a", "one\r\nTWO\r\nthree\r\n");
        write(agent, "as-on-unix", "one\r\ntwo\r\nthree\r\n");
        write(agent, "new", "n\r\n");
    });
    sandbox.there_and_back(&work, |sandbox| {
        assert_eq!(bytes(sandbox, "a"), b"one\r\nTWO\r\nthree\r\n");
        assert_eq!(bytes(sandbox, "as-on-unix"), b"one\ntwo\nthree\n");
        assert_eq!(bytes(sandbox, "new"), b"n\r\n");
    });
}

#[test]
fn line_ends_that_git_would_change_stay_as_they_lie_on_the_disk() {
    let sandbox = Sandbox::with(&[(".gitattributes", "*.txt text=auto\n")]);
    sandbox.git(&["config", "core.safecrlf", "false"]);
    sandbox.write("all.txt", "one\r\ntwo\r\n");
    sandbox.write("mixed.txt", "one\r\ntwo\nthree\r\n");
    commit(&sandbox.user(), "as git has it");
    let work = sandbox.work(|agent| {
        write(agent, "all.txt", "one\nnew\ntwo\n");
        write(agent, "mixed.txt", "one\ntwo\nTHREE\n");
    });
    sandbox.there_and_back(&work, |sandbox| {
        assert_eq!(bytes(sandbox, "all.txt"), b"one\r\nnew\r\ntwo\r\n");
        assert_eq!(bytes(sandbox, "mixed.txt"), b"one\r\ntwo\nTHREE\n");
    });
}

#[test]
fn a_file_in_another_encoding_keeps_it_with_its_mark() {
    let encoded = |text: &str, order: fn(u16) -> [u8; 2]| -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(order).collect()
    };
    for order in [u16::to_le_bytes, u16::to_be_bytes] {
        let sandbox = Sandbox::with(&[(".gitattributes", "*.txt working-tree-encoding=UTF-16\n")]);
        write(&sandbox.user(), "a.txt", encoded("one\n", order));
        commit(&sandbox.user(), "utf-16");
        let work = sandbox.work(|agent| {
            // As the file is checked out for it, in an order of its own.
            let text = fs::read(agent.join("a.txt")).unwrap();
            let two =
                encoded("two\n", if text[0] == 0xff { u16::to_le_bytes } else { u16::to_be_bytes });
            write(agent, "a.txt", [&text[..], &two[2..]].concat());
        });
        assert_eq!(sandbox.git(&["show", &format!("{}:a.txt", work.theirs)]), "one\ntwo");
        sandbox.there_and_back(&work, |sandbox| {
            assert_eq!(bytes(sandbox, "a.txt"), encoded("one\ntwo\n", order));
        });
    }
    let sandbox = Sandbox::with(&[("bom", "\u{feff}one\n")]);
    let work = sandbox.work(|agent| write(agent, "bom", "\u{feff}one\ntwo\n"));
    sandbox.there_and_back(&work, |sandbox| assert_eq!(sandbox.read("bom"), "\u{feff}one\ntwo\n"));
}

/// A filter that writes what git holds in capitals, and does not give everything back: as what lies on the
/// disk, `ONE` and `One` are the same.
fn shout(user: &Path, filters: &[(&str, &str)]) {
    write(user, ".gitattributes", "*.loud filter=shout\n");
    for (key, program) in filters {
        crate::support::git(user, &["config", &format!("filter.shout.{key}"), program]);
    }
}

const SHOUT: [(&str, &str); 2] = [("clean", "tr A-Z a-z"), ("smudge", "tr a-z A-Z")];

#[test]
fn filters_run_as_for_a_checkout_and_what_they_lose_comes_back_all_the_same() {
    let sandbox = Sandbox::with(&[]);
    shout(&sandbox.user(), &SHOUT);
    sandbox.write("a.loud", "One\nTwo\n");
    commit(&sandbox.user(), "loud");
    let work = {
        let base = sandbox.snapshot();
        shout(&sandbox.user(), &[("clean", "cat"), ("smudge", "cat")]);
        let work = sandbox.work_on(&base, |agent| write(agent, "a.loud", "one\ntwo\nthree\n"));
        shout(&sandbox.user(), &SHOUT);
        work
    };
    sandbox
        .there_and_back(&work, |sandbox| assert_eq!(sandbox.read("a.loud"), "ONE\nTWO\nTHREE\n"));

    // Changed since: merged as it lies on the disk.
    let done = sandbox.apply(11, &work);
    sandbox.write("a.loud", "ZERO\nONE\nTWO\nTHREE\n");
    let prepared = sandbox.prepare_undo(12, 11, &done);
    assert_eq!(crate::support::conflicts(prepared), ["a.loud"]);
}

#[test]
fn who_may_not_run_filters_gets_what_git_holds() {
    let sandbox = Sandbox::with(&[]);
    let trap = "echo ran >>\"$TMPDIR/trace\"; cat";
    shout(&sandbox.user(), &[("clean", "cat"), ("smudge", "cat")]);
    sandbox.write("a.loud", "one\n");
    commit(&sandbox.user(), "loud");
    let work = sandbox.work(|agent| {
        write(agent, "a.loud", "two\n");
        write(agent, "b.loud", "new\n");
    });
    let trace = sandbox.path("trace");
    let trap = trap.replace("$TMPDIR/trace", trace.to_str().unwrap());
    shout(&sandbox.user(), &[("clean", &trap), ("smudge", &trap), ("required", "true")]);
    let wish = Wish { no_filters: true, ..Wish::default() };
    let transition = ready(sandbox.prepare(1, &work, &wish));
    assert_applied(&sandbox.carry_out(1, &transition.files));
    assert_eq!((sandbox.read("a.loud"), sandbox.read("b.loud")), ("two\n".into(), "new\n".into()));
    assert!(!trace.exists());
    ready(sandbox.prepare(
        2,
        &sandbox.work_on(&transition.after, |agent| write(agent, "a.loud", "3\n")),
        &Wish::default(),
    ));
    assert!(trace.exists(), "a trap that never snaps");
}

#[test]
fn a_filter_that_fails_is_named_and_nothing_is_written() {
    let sandbox = Sandbox::with(&[]);
    shout(&sandbox.user(), &SHOUT);
    sandbox.write("a.loud", "ONE\n");
    commit(&sandbox.user(), "loud");
    let work = sandbox.work(|agent| write(agent, "a.loud", "two\n"));
    shout(&sandbox.user(), &[("smudge", "false"), ("required", "true")]);
    let error = sandbox.try_prepare(1, &work, &Wish::default(), None).unwrap_err();
    assert!(error.to_string().contains("a.loud: smudge filter shout failed"), "{error}");
}

#[test]
fn drivers_and_hooks_of_the_user_do_not_run() {
    let sandbox = Sandbox::with(&[("a", "1\n2\n3\n4\n5\n"), (".gitattributes", "a merge=evil\n")]);
    let user = sandbox.user();
    let trace = sandbox.path("trace");
    let trap = format!("echo ran >>'{}'", trace.display());
    sandbox.git(&["config", "merge.evil.driver", &format!("{trap}; exit 0")]);
    for hook in
        ["post-checkout", "reference-transaction", "post-merge", "pre-commit", "post-index-change"]
    {
        let path = user.join(".git/hooks").join(hook);
        write(&user, &path, format!("#!/bin/sh\n{trap}\n"));
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let _ = fs::remove_file(&trace);
    let work = sandbox.work(|agent| write(agent, "a", "one\n2\n3\n4\n5\n"));
    let _ = fs::remove_file(&trace);
    sandbox.write("a", "1\n2\n3\n4\nfive\n");
    let before = sandbox.all();
    let transition = ready(sandbox.prepare(1, &work, &Wish::default()));
    assert_applied(&sandbox.carry_out(1, &transition.files));
    assert_eq!(sandbox.read("a"), "one\n2\n3\n4\nfive\n");
    sandbox.undo(2, 1, &transition);
    crate::support::assert_same(&before, &sandbox.all());
    assert!(!trace.exists(), "{}", fs::read_to_string(&trace).unwrap());
}
