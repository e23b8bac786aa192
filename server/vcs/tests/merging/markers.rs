//! What somebody who was to put a merge right has left of its markers.

use crate::support::{Sandbox, commit, git, write};
use orchestra_vcs::merge::{Leftover, markers_left};
use std::{fs, path::Path};

/// What is left in the work of somebody who starts from the conflict and does this.
fn left(sandbox: &mut Sandbox, act: impl FnOnce(&Path)) -> Option<Leftover> {
    let with_markers = sandbox.conflicted().with_markers;
    let src = sandbox.path("resolving");
    let user = sandbox.user();
    git(&user, &["worktree", "add", "-q", "--detach", src.to_str().unwrap(), &with_markers]);
    act(&src);
    commit(&src, "resolved");
    let resolved = git(&src, &["rev-parse", "HEAD"]);
    let scratch = sandbox.path("scratch");
    markers_left(&user, &scratch, &with_markers, &resolved, 1_000).unwrap()
}

fn at(path: &str, line: u32) -> Option<Leftover> {
    Some(Leftover { path: path.to_owned(), line })
}

fn conflict() -> Sandbox {
    Sandbox::of_file("1\nbase\n3\n", "1\nours\n3\n", "1\ntheirs\n3\n")
}

#[test]
fn one_who_has_made_one_text_of_it_has_left_none() {
    assert_eq!(left(&mut conflict(), |src| write(src, "file", "1\nboth\n3\n")), None);
    assert_eq!(left(&mut conflict(), |src| fs::remove_file(src.join("file")).unwrap()), None);
}

#[test]
fn every_kind_of_marker_is_found_with_its_line() {
    assert_eq!(left(&mut conflict(), |_| {}), at("file", 2));
    let without = |what: &'static [&'static str]| {
        move |src: &Path| {
            let text = fs::read_to_string(src.join("file")).unwrap();
            let lines = text.lines().filter(|line| !what.iter().any(|what| line.starts_with(what)));
            write(src, "file", lines.map(|line| format!("{line}\n")).collect::<String>());
        }
    };
    assert_eq!(left(&mut conflict(), without(&["<<<"])), at("file", 3));
    assert_eq!(left(&mut conflict(), without(&["<<<", "==="])), at("file", 4));
    assert_eq!(left(&mut conflict(), without(&["<<<", "===", ">>>"])), None);
}

#[test]
fn a_marker_that_was_moved_to_another_file_is_found_there() {
    let moved = |src: &Path| {
        let text = fs::read_to_string(src.join("file")).unwrap();
        write(src, "a", &text);
        write(src, "file", "1\n");
    };
    assert_eq!(left(&mut conflict(), moved), at("a", 2));
}

#[test]
fn what_looks_like_a_marker_and_was_in_a_work_is_none() {
    let manual = |line: &str| format!("Title\n=======\n\n<<<<<<< HEAD\n{line}\n>>>>>>> topic\n");
    let mut sandbox = Sandbox::of_file(&manual("base"), &manual("ours"), &manual("theirs"));
    let resolve = |src: &Path| write(src, "file", manual("both"));
    assert_eq!(left(&mut sandbox, resolve), None);
    // Underlined by whoever resolves it, in a file that had no conflict.
    let resolve = |src: &Path| {
        write(src, "file", "1\nboth\n3\n");
        write(src, "title", "Title\n=======\n");
    };
    assert_eq!(left(&mut conflict(), resolve), None);
}

#[test]
fn line_ends_and_large_files_are_no_obstacle() {
    let mut sandbox =
        Sandbox::of_file("1\r\nbase\r\n3\r\n", "1\r\nours\r\n3\r\n", "1\r\ntheirs\r\n3\r\n");
    assert_eq!(left(&mut sandbox, |_| {}), at("file", 2));
    let large = |src: &Path| {
        write(src, "file", "1\nboth\n3\n");
        write(src, "large", format!("<<<<<<< r12.1\n{}", "x".repeat(2_000)));
    };
    assert_eq!(left(&mut conflict(), large), None, "what is too large is not looked at");
}
