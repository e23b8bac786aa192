//! What an agent or a user has written never runs in a merge, nor changes what comes out of it.

use crate::support::{Sandbox, Trap, command, expected, git, write};
use orchestra_core::merge::ConflictKind;
use orchestra_vcs::merge::Merged;
use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt as _, path::Path};

/// Files that conflict, with attributes that would have them merged in some other way.
fn conflicting(attributes: &str) -> Sandbox {
    let mut sandbox = Sandbox::with(|user| {
        write(user, ".gitattributes", attributes);
        write(user, "file", "1\n2\n3\n");
    });
    sandbox.work(|src| write(src, "file", "1\na\n3\n"));
    sandbox.work(|src| write(src, "file", "1\nb\n3\n"));
    sandbox
}

fn configure(user: &Path, trap: &Trap) {
    for (key, value) in [
        ("merge.evil.driver", trap.program()),
        ("merge.default", "evil"),
        ("filter.evil.clean", trap.program()),
        ("filter.evil.smudge", trap.program()),
        ("diff.evil.command", trap.program()),
        ("diff.evil.textconv", trap.program()),
        ("diff.external", trap.program()),
        ("gpg.program", trap.program()),
        ("commit.gpgSign", "true"),
        ("merge.renormalize", "true"),
        ("merge.renames", "false"),
        ("merge.conflictStyle", "diff3"),
        ("core.fsmonitor", trap.program()),
        ("core.alternateRefsCommand", trap.program()),
    ] {
        git(user, &["config", key, value]);
    }
}

#[test]
fn a_driver_that_the_content_asks_for_and_the_user_configured_does_not_run() {
    let sandbox = conflicting("* merge=evil diff=evil filter=evil\n");
    let trap = Trap::set(sandbox.outside());
    configure(&sandbox.user(), &trap);
    // The user's own git would run it.
    let works: Vec<&str> = sandbox.works.iter().map(|(commit, _)| commit.as_str()).collect();
    let merged = command(&sandbox.user()).args(["merge-tree", "--write-tree"]).args(works).output();
    assert!(merged.is_ok());
    trap.assert_run();

    let Merged::Conflicts(conflicted) = sandbox.try_merge().unwrap() else { panic!() };

    trap.assert_not_run();
    let files = sandbox.files(&conflicted.with_markers);
    let text = "100644 1\n<<<<<<< r12.1\na\n=======\nb\n>>>>>>> r12.2\n3\n";
    assert_eq!(files[1], ("file".to_owned(), text.to_owned()));
}

#[test]
fn a_review_runs_nothing_either_and_nobody_is_hidden_from_blame() {
    let base: String = (1..=40).map(|number| format!("{number}\n")).collect();
    let mut sandbox = Sandbox::with(|user| {
        write(user, ".gitattributes", "* diff=evil filter=evil\n");
        write(user, "file", &base);
    });
    sandbox.work(|src| write(src, "file", base.replace("\n10\n", "\nten\n")));
    let hidden = sandbox.work(|src| write(src, "file", base.replace("\n30\n", "\nthirty\n")));
    let result = sandbox.whole().commit.unwrap();
    let user = sandbox.user();
    let trap = Trap::set(sandbox.outside());
    write(&sandbox.path(""), "ignored-revisions", format!("{hidden}\n"));
    let ignored = sandbox.path("ignored-revisions");
    git(&user, &["config", "blame.ignoreRevsFile", ignored.to_str().unwrap()]);
    configure(&user, &trap);
    // The user's own git would run it.
    let blamed = command(&user).args(["blame", &result, "--", "file"]).output().unwrap();
    assert!(blamed.status.success());
    trap.assert_run();

    let review = sandbox.compare(&sandbox.base, &result);

    let works: Vec<_> = review.hunks().map(|(_, hunk)| hunk.works.as_slice()).collect();
    assert_eq!(works, [[0], [1]]);
    let first = review.files[0].hunks[0].id;
    let selected = sandbox.select(&review, [first]).unwrap();
    trap.assert_not_run();
    let text = format!("100644 {}", base.replace("\n10\n", "\nten\n"));
    assert_eq!(sandbox.files(&selected.commit)[1].1, text);
}

#[test]
fn conflicts_in_files_that_git_itself_reads_are_told_like_others() {
    let mut sandbox = Sandbox::with(|user| write(user, "a", "a\n"));
    for side in ["ours", "theirs"] {
        sandbox.work(|src| {
            write(src, ".gitattributes", format!("* {side}\n"));
            write(src, ".gitmodules", format!("[submodule \"{side}\"]\n\tpath = {side}\n"));
        });
    }
    let paths: Vec<String> = sandbox.kinds().into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, [".gitattributes", ".gitmodules"]);
}

#[test]
fn attributes_that_would_hide_a_conflict_do_not_count_wherever_they_are() {
    let sandbox = conflicting("* merge=union\n");
    assert_eq!(sandbox.kinds(), [("file".to_owned(), ConflictKind::Lines)]);
    let sandbox = conflicting("* -merge\n");
    write(&sandbox.user(), ".git/info/attributes", "* merge=union\n");
    assert_eq!(sandbox.kinds(), [("file".to_owned(), ConflictKind::Lines)]);
    let sandbox = conflicting("* conflict-marker-size=20\n");
    let attributes = sandbox.path("attributes");
    fs::write(&attributes, "* merge=union\n").unwrap();
    git(&sandbox.user(), &["config", "core.attributesFile", attributes.to_str().unwrap()]);
    assert_eq!(sandbox.kinds(), [("file".to_owned(), ConflictKind::Lines)]);
}

#[test]
fn line_ends_that_the_content_asks_for_are_nobodys_change() {
    let mut sandbox = Sandbox::with(|user| {
        write(user, "file", "1\r\n2\r\n3\r\n4\r\n5\r\n");
    });
    git(&sandbox.user(), &["config", "merge.renormalize", "true"]);
    sandbox.work(|src| write(src, ".gitattributes", "* text=auto eol=lf -text\n"));
    sandbox.work(|src| write(src, "file", "one\r\n2\r\n3\r\n4\r\n5\r\n"));
    assert_eq!(sandbox.merged_files()[1].1, "100644 one\r\n2\r\n3\r\n4\r\n5\r\n");
}

#[test]
fn odd_names_and_contents_are_merged_and_told_like_others() {
    let names: [&[u8]; 6] = [b"\xff", b"line\nbreak", b"-q", b":(glob)*", b"a\tb", b"\"quoted\""];
    let mut sandbox = Sandbox::with(|user| {
        for name in names {
            write(user, OsStr::from_bytes(name), "1\n");
        }
    });
    for side in ["ours\n", "theirs\n"] {
        sandbox.work(|src| {
            for name in names {
                write(src, OsStr::from_bytes(name), [side.as_bytes(), b"\xff\n"].concat());
            }
        });
    }
    let conflicts = sandbox.conflicts();
    let paths: Vec<&str> = conflicts.iter().map(|conflict| conflict.path.as_str()).collect();
    assert_eq!(paths, ["\"quoted\"", "-q", ":(glob)*", "a\tb", "line\nbreak", "\u{fffd}"]);
    let excerpts = conflicts.iter().map(|conflict| conflict.ours.excerpt.as_deref());
    // The last line is the same on both sides.
    assert!(excerpts.clone().all(|excerpt| excerpt == Some("ours\n")), "{conflicts:?}");
}

#[test]
fn markers_in_a_text_are_text() {
    let base = "<<<<<<< r12.1\n1\n=======\n2\n>>>>>>> r12.2\n";
    let mut sandbox = Sandbox::with(|user| {
        write(user, "file", base);
        write(user, "other", "1\n");
    });
    sandbox.work(|src| write(src, "file", base.replace('1', "one")));
    sandbox.work(|src| write(src, "other", "2\n"));
    let text = format!("100644 {}", base.replace('1', "one"));
    assert_eq!(sandbox.merged_files(), expected([("file", &text), ("other", "100644 2\n")]));
}

#[test]
fn a_name_of_a_work_is_no_option_and_no_other_commit() {
    let mut sandbox = Sandbox::of_file("1\n", "a\n", "b\n");
    for name in ["--allow-unrelated-histories", "HEAD", "refs/heads/main", "a b\nc"] {
        sandbox.works[1].1 = name.to_owned();
        let conflicted = sandbox.conflicted();
        assert_eq!(conflicted.between[1], name);
        let theirs = &sandbox.works[1].0;
        let text = format!("100644 <<<<<<< r12.1\na\n=======\nb\n>>>>>>> {theirs}\n");
        assert_eq!(sandbox.files(&conflicted.with_markers), expected([("file", &text)]));
        let message = git(&sandbox.user(), &["log", "-1", "--format=%B", &conflicted.with_markers]);
        assert_eq!(
            message.lines().last().unwrap(),
            format!("Orchestra-Merge: {}", name.replace('\n', " "))
        );
    }
}
