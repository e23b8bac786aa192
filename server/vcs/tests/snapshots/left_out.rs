//! What a user sees and a snapshot does not hold, and that it is named.

use crate::support::{REFERENCE, Sandbox, commit, files, git, left_out, write};
use orchestra_core::snapshot::LeftOutReason::{
    DirtySubmodule, NestedRepository, OverTotal, Special, TooLarge,
};
use orchestra_vcs::snapshot::Limits;
use std::{
    fs::{self, File},
    os::unix::net::UnixListener,
    path::Path,
    process::Command,
};

fn make_fifo(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn untracked_files_beyond_the_limits_are_named_and_the_others_taken() {
    let sandbox = Sandbox::with(&[("known", "small")]);
    let user = sandbox.user();
    // What git knows is never left out.
    write(&user, "known", "longer than any new file may be");
    for (path, size) in [("a", 10), ("b", 11), ("c", 9), ("d", 2), ("e", 1)] {
        write(&user, path, "x".repeat(size));
    }
    let limits = Limits { file: 10, total: 20 };
    let snapshot = sandbox.take_at(&user, |request| request.limits = limits).unwrap();
    assert_eq!(
        snapshot.left_out,
        [left_out("b", TooLarge { bytes: 11 }), left_out("d", OverTotal { bytes: 2 })]
    );
    let shown = sandbox.shown(&snapshot);
    assert_eq!(shown.keys().map(String::as_str).collect::<Vec<_>>(), ["a", "c", "e", "known"]);
    assert_eq!(shown["known"], "longer than any new file may be");
    // After a crash it is told again.
    assert_eq!(sandbox.take().unwrap(), snapshot);
}

#[test]
fn a_huge_file_is_not_read() {
    let sandbox = Sandbox::with(&[("first", "")]);
    let user = sandbox.user();
    File::create(user.join("huge")).unwrap().set_len(10 << 40).unwrap();
    let snapshot = sandbox.take().unwrap();
    assert_eq!(snapshot.left_out, [left_out("huge", TooLarge { bytes: 10 << 40 })]);
}

#[test]
fn nested_repositories_are_named_even_without_a_commit() {
    let sandbox = Sandbox::with(&[(".gitignore", "ignored/\n")]);
    let user = sandbox.user();
    for nested in ["born", "deep/unborn", "ignored/one"] {
        git(&user, &["init", "-q", nested]);
        write(&user, format!("{nested}/file"), "");
    }
    commit(&user.join("born"), "theirs");
    write(&user, "deep/mine", "");
    let snapshot = sandbox.take().unwrap();
    assert_eq!(
        snapshot.left_out,
        [left_out("born", NestedRepository), left_out("deep/unborn", NestedRepository)]
    );
    assert_eq!(sandbox.shown(&snapshot), files(&[(".gitignore", "ignored/\n"), ("deep/mine", "")]));
}

#[test]
fn files_of_the_user_stay_his_when_a_repository_is_made_around_them() {
    let sandbox = Sandbox::with(&[("part/known", "old\n")]);
    let user = sandbox.user();
    git(&user, &["init", "-q", "part"]);
    write(&user, "part/known", "new\n");
    let snapshot = sandbox.take().unwrap();
    assert_eq!(sandbox.shown(&snapshot), files(&[("part/known", "new\n")]));
}

/// A repository with the submodules `a` to `f`.
fn with_submodules() -> Sandbox {
    let sandbox = Sandbox::with(&[("first", "")]);
    let (user, library) = (sandbox.user(), sandbox.path("library"));
    fs::create_dir(&library).unwrap();
    git(&library, &["init", "-q"]);
    write(&library, "lib", "one\n");
    commit(&library, "library");
    for name in ["a", "b", "c", "d", "e", "f"] {
        git(&user, &["submodule", "--quiet", "add", library.to_str().unwrap(), name]);
    }
    commit(&user, "with submodules");
    sandbox
}

#[test]
fn dirty_submodules_are_named_and_stay_as_they_were_committed() {
    let sandbox = with_submodules();
    let user = sandbox.user();
    let committed = git(&user, &["rev-parse", "HEAD:a"]);
    write(&user, "b/lib", "two\n");
    write(&user, "c/new", "");
    write(&user, "d/lib", "two\n");
    commit(&user.join("d"), "moved on");
    write(&user, "e/lib", "two\n");
    git(&user.join("e"), &["add", "lib"]);
    write(&user, "f/.git", "gitdir: /nowhere\n");
    let snapshot = sandbox.take().unwrap();
    let dirty = ["b", "c", "d", "e", "f"].map(|path| left_out(path, DirtySubmodule));
    assert_eq!(snapshot.left_out, dirty);
    let shown = sandbox.shown(&snapshot);
    for path in ["a", "b", "c", "d", "e", "f"] {
        assert_eq!(shown[path], format!("160000 {committed}"), "{path}");
    }
}

#[test]
fn a_submodule_that_the_user_moved_on_and_staged_is_where_it_is_staged() {
    let sandbox = with_submodules();
    let user = sandbox.user();
    write(&user, "a/lib", "two\n");
    commit(&user.join("a"), "moved on");
    git(&user, &["add", "a"]);
    fs::remove_dir_all(user.join("b")).unwrap();
    fs::remove_dir_all(user.join("c")).unwrap();
    fs::create_dir(user.join("c")).unwrap();
    fs::remove_dir_all(user.join("d")).unwrap();
    write(&user, "d", "a file now\n");
    let snapshot = sandbox.take().unwrap();
    assert_eq!(snapshot.left_out, []);
    let shown = sandbox.shown(&snapshot);
    assert_eq!(shown["a"], format!("160000 {}", git(&user.join("a"), &["rev-parse", "HEAD"])));
    assert_eq!(shown.get("b"), None);
    // Not checked out, as after a clone.
    assert_eq!(shown["c"], format!("160000 {}", git(&user, &["rev-parse", "HEAD:c"])));
    assert_eq!(shown["d"], "a file now\n");
}

#[test]
fn special_files_are_named_and_never_opened() {
    let sandbox = Sandbox::with(&[
        (".gitignore", "*.sock\nbuild/\n"),
        ("known", "a file\n"),
        ("src/lib", ""),
    ]);
    let user = sandbox.user();
    // Whoever opens one of these waits for ever.
    fs::remove_file(user.join("known")).unwrap();
    make_fifo(&user.join("known"));
    make_fifo(&user.join("src/fifo"));
    make_fifo(&user.join("alone/deep/fifo"));
    make_fifo(&user.join("alone/build/fifo"));
    make_fifo(&user.join("build/fifo"));
    let _ignored = UnixListener::bind(user.join("ignored.sock")).unwrap();
    let _named = UnixListener::bind(user.join("named")).unwrap();
    let mut expected = vec!["alone/deep/fifo", "known", "named", "src/fifo"];
    let device = user.join("zero");
    let made = Command::new("mknod").arg(&device).args(["c", "1", "5"]).output().unwrap();
    if made.status.success() {
        expected.push("zero");
    } else {
        eprintln!("no device was tried: {}", String::from_utf8_lossy(&made.stderr));
    }
    let snapshot = sandbox.take().unwrap();
    let expected: Vec<_> = expected.into_iter().map(|path| left_out(path, Special)).collect();
    assert_eq!(snapshot.left_out, expected);
    assert_eq!(
        sandbox.shown(&snapshot),
        files(&[(".gitignore", "*.sock\nbuild/\n"), ("src/lib", "")])
    );
}

#[test]
fn a_name_that_is_no_text_is_shown_with_marks_and_read_back() {
    let sandbox = Sandbox::with(&[("first", "")]);
    let user = sandbox.user();
    write(&user, crate::support::bytes(b"big\xff\nfile"), "too large");
    let limits = Limits { file: 1, total: 1 };
    let snapshot = sandbox.take_at(&user, |request| request.limits = limits).unwrap();
    assert_eq!(snapshot.left_out, [left_out("big\u{fffd}\nfile", TooLarge { bytes: 9 })]);
    assert_eq!(
        git(&user, &["log", "-1", "--format=%B", REFERENCE]),
        "Snapshot\n\nOrchestra-Left-Out: {\"path\":\"big\u{fffd}\\nfile\",\
         \"reason\":{\"type\":\"too-large\",\"bytes\":9}}"
    );
    assert_eq!(sandbox.take().unwrap(), snapshot);
}

/// Where nothing ignores it yet, since what is written first is the file that says so.
#[test]
fn a_file_of_ours_that_is_being_written_is_not_the_users() {
    for known in ["file", ".orchestra/agents/known.md"] {
        let sandbox = Sandbox::with(&[(known, "old\n")]);
        write(&sandbox.user(), ".orchestra/.orchestra-writing", "*\n");
        write(&sandbox.user(), ".orchestra/agents/.orchestra-writing", "half\n");
        write(&sandbox.user(), ".orchestra/agents/mine.md", "mine\n");
        let snapshot = sandbox.take().unwrap();
        let expected = [(".orchestra/agents/mine.md", "mine\n"), (known, "old\n")];
        assert_eq!(sandbox.shown(&snapshot), files(&expected));
        assert_eq!(snapshot.left_out, []);
    }
}
