//! What a run has made is taken apart into hunks, whatever it is.

use crate::support::{Sandbox, write};
use orchestra_core::{
    change::{FileStatus, FlagKind},
    review::{Entry, Hunk, HunkContent, Line, LineKind, Review, ReviewFile},
};
use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
};

fn line(kind: LineKind, text: &str) -> Line {
    Line { kind, text: text.to_owned(), no_newline: false }
}

fn numbered(count: u32) -> String {
    (1..=count).map(|number| format!("{number}\n")).collect()
}

/// Path, status, modes, and the kind of each hunk.
fn summary(review: &Review) -> Vec<(&str, FileStatus, [u32; 2], Vec<&'static str>)> {
    let kind = |hunk: &Hunk| match hunk.content {
        HunkContent::Text { .. } => "text",
        HunkContent::Mode { .. } => "mode",
        HunkContent::Whole { .. } => "whole",
    };
    let file = |file: &'_ ReviewFile| {
        let kinds = file.hunks.iter().map(kind).collect();
        (file.status, [file.old_mode, file.new_mode], kinds)
    };
    let files = review.files.iter();
    files
        .map(|found| {
            let (status, modes, kinds) = file(found);
            (found.path.as_str(), status, modes, kinds)
        })
        .collect()
}

#[test]
fn changes_far_from_one_another_are_hunks_with_three_lines_around_them() {
    let mut sandbox = Sandbox::with(|user| write(user, "a", numbered(30)));
    sandbox.work(|src| {
        write(src, "a", numbered(30).replace("\n5\n", "\nfive\n").replace("\n30\n", "\nlast"));
    });
    let review = sandbox.review();
    let [file] = review.files.as_slice() else { panic!("{review:?}") };
    let [first, second] = file.hunks.as_slice() else { panic!("{file:?}") };
    let context = |text| line(LineKind::Context, text);
    assert_eq!(
        first.content,
        HunkContent::Text {
            old_start: 2,
            old_lines: 7,
            new_start: 2,
            new_lines: 7,
            lines: vec![
                context("2"),
                context("3"),
                context("4"),
                line(LineKind::Removed, "5"),
                line(LineKind::Added, "five"),
                context("6"),
                context("7"),
                context("8"),
            ],
        }
    );
    assert_eq!(
        second.content,
        HunkContent::Text {
            old_start: 27,
            old_lines: 4,
            new_start: 27,
            new_lines: 4,
            lines: vec![
                context("27"),
                context("28"),
                context("29"),
                line(LineKind::Removed, "30"),
                Line { no_newline: true, ..line(LineKind::Added, "last") },
            ],
        }
    );
    assert_eq!((review.base, review.result), (sandbox.base, sandbox.works[0].0.clone()));
}

#[test]
fn every_kind_of_entry_has_its_kind_of_hunk() {
    let mut sandbox = Sandbox::with(|user| {
        for name in ["program", "program-edited", "gone", "becomes-link", "folder"] {
            write(user, name, numbered(9));
        }
        write(user, "binary", b"1\0");
        write(user, "empty-gone", "");
        write(user, "crlf", "1\r\n2\r\n");
        symlink("old", user.join("link")).unwrap();
    });
    sandbox.work(|src| {
        let executable = fs::Permissions::from_mode(0o755);
        write(src, "program-edited", "one\n");
        write(src, "new-program", "#!/bin/sh\n");
        for name in ["program", "program-edited", "new-program"] {
            fs::set_permissions(src.join(name), executable.clone()).unwrap();
        }
        for name in ["gone", "becomes-link", "folder", "link", "empty-gone"] {
            fs::remove_file(src.join(name)).unwrap();
        }
        symlink("target", src.join("becomes-link")).unwrap();
        symlink("new", src.join("link")).unwrap();
        write(src, "folder/inside", "new\n");
        write(src, "binary", b"2\0");
        write(src, "empty-new", "");
        write(src, "crlf", "1\r\ntwo\r\n");
        write(src, "build.rs", "fn main() {}\n");
    });
    let review = sandbox.review();
    use FileStatus::{Added, Deleted, ModeChanged, Modified, TypeChanged};
    let (none, file, program, link) = (0, 0o100_644, 0o100_755, 0o120_000);
    assert_eq!(
        summary(&review),
        [
            ("becomes-link", TypeChanged, [file, link], vec!["whole"]),
            ("binary", Modified, [file, file], vec!["whole"]),
            ("build.rs", Added, [none, file], vec!["text"]),
            ("crlf", Modified, [file, file], vec!["text"]),
            ("empty-gone", Deleted, [file, none], vec!["whole"]),
            ("empty-new", Added, [none, file], vec!["whole"]),
            ("folder", Deleted, [file, none], vec!["text"]),
            ("folder/inside", Added, [none, file], vec!["text"]),
            ("gone", Deleted, [file, none], vec!["text"]),
            ("link", Modified, [link, link], vec!["whole"]),
            ("new-program", Added, [none, program], vec!["text"]),
            ("program", ModeChanged, [file, program], vec!["mode"]),
            ("program-edited", Modified, [file, program], vec!["mode", "text"]),
        ]
    );
    let found = |path: &str| review.files.iter().find(|file| file.path == path).unwrap();
    assert_eq!(found("build.rs").flags, [FlagKind::PackageScript]);
    assert_eq!(found("program").flags, [FlagKind::ExecutableBit]);
    assert_eq!(found("crlf").flags, []);
    let HunkContent::Whole { old: Some(old), new: Some(new) } = &found("link").hunks[0].content
    else {
        panic!()
    };
    let entry = |target: &str, object: &Entry| Entry {
        mode: link,
        object: object.object.clone(),
        bytes: Some(3),
        link: Some(target.to_owned()),
    };
    assert_eq!((old, new), (&entry("old", old), &entry("new", new)));
    let HunkContent::Text { lines, .. } = &found("crlf").hunks[0].content else { panic!() };
    assert_eq!(lines[2], line(LineKind::Added, "two\r"));
}

#[test]
fn what_is_large_or_beyond_the_room_is_reviewed_as_a_whole() {
    let mut sandbox = Sandbox::with(|user| write(user, "a", "1\n"));
    sandbox.work(|src| {
        for name in ["a", "b", "c", "d"] {
            write(src, name, "0123456789\n");
        }
        write(src, "large", "x".repeat(101));
    });
    sandbox.review_limits.file = 100;
    sandbox.review_limits.total = 24;
    let review = sandbox.review();
    let kinds: Vec<_> =
        summary(&review).into_iter().map(|(path, _, _, kinds)| (path, kinds[0])).collect();
    let expected =
        [("a", "text"), ("b", "text"), ("c", "whole"), ("d", "whole"), ("large", "whole")];
    assert_eq!(kinds, expected);
}

#[test]
fn a_submodule_is_reviewed_by_its_commits() {
    let sandbox = Sandbox::with(|user| write(user, "a", "a\n"));
    let user = sandbox.user();
    let commit = "1".repeat(40);
    let tree = format!("160000 commit {commit}\tsub\n");
    write(&sandbox.path(""), "tree", tree);
    let shell = |script: &str| {
        let mut command = std::process::Command::new("sh");
        let output = command.current_dir(&user).args(["-c", script]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let tree = shell("git mktree --missing <../tree");
    let result =
        crate::support::git(&user, &["commit-tree", "-m", "x", "-p", &sandbox.base, &tree]);
    let review = sandbox.compare(&sandbox.base, &result);
    let content = &review.files[1].hunks[0].content;
    let new = Entry { mode: 0o160_000, object: commit, bytes: None, link: None };
    assert_eq!(*content, HunkContent::Whole { old: None, new: Some(new) });
    assert_eq!(review.files[1].flags, [FlagKind::Submodule]);
}

#[test]
fn a_hunk_keeps_its_id_when_lines_elsewhere_come_and_go() {
    let mut sandbox = Sandbox::with(|user| write(user, "a", numbered(30)));
    sandbox.work(|src| write(src, "a", numbered(30).replace("\n20\n", "\ntwenty\n")));
    let one = sandbox.review();
    let mut again = Sandbox::with(|user| write(user, "a", numbered(30)));
    again.work(|src| {
        write(src, "a", format!("new\n{}", numbered(30).replace("\n20\n", "\ntwenty\n")));
    });
    let other = again.review();
    assert_eq!(other.files[0].hunks.len(), 2);
    assert_eq!(one.files[0].hunks[0].id, other.files[0].hunks[1].id);

    // In another file, and another line, it is another one.
    let mut other = Sandbox::with(|user| write(user, "b", numbered(30)));
    other.work(|src| write(src, "b", numbered(30).replace("\n20\n", "\ntwenty\n")));
    assert_ne!(one.files[0].hunks[0].id, other.review().files[0].hunks[0].id);
}

#[test]
fn hunks_that_change_the_same_are_told_apart_by_their_order() {
    let base = format!("x\n{0}x\n{0}x\n", numbered(9));
    let mut sandbox = Sandbox::with(|user| write(user, "a", &base));
    sandbox.work(|src| write(src, "a", base.replace('x', "y")));
    let review = sandbox.review();
    let mut ids: Vec<_> = review.hunks().map(|(_, hunk)| hunk.id).collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(sandbox.review(), review);
    ids.dedup();
    assert_eq!(ids.len(), 3);
}
