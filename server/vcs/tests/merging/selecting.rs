//! The base with the hunks that a person accepts.

use crate::support::{SELECTED, Sandbox, expected, git, write};
use orchestra_core::ids::HunkId;
use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
};

fn numbered(count: u32) -> String {
    (1..=count).map(|number| format!("{number}\n")).collect()
}

#[test]
fn all_hunks_are_the_result_itself_and_none_are_the_base() {
    let mut sandbox = Sandbox::with(|user| write(user, "a", "a\n"));
    let result = sandbox.work(|src| write(src, "a", "b\n"));
    let review = sandbox.review();
    let ids = || review.hunks().map(|(_, hunk)| hunk.id);
    let all = sandbox.select(&review, ids()).unwrap();
    assert_eq!(all.commit, result);
    assert_eq!(sandbox.reference(SELECTED), result);

    let none = sandbox.select(&review, []).unwrap();

    assert_eq!(sandbox.reference(&format!("{}^{{tree}}", sandbox.base)), none.tree);
    assert_eq!(sandbox.reference(SELECTED), none.commit);
    assert_eq!(
        git(&sandbox.user(), &["log", "-1", "--format=%P%n%an%n%B", &none.commit]),
        format!("{} {result}\nOrchestra\nr12: accepted", sandbox.base)
    );
    assert_eq!(sandbox.select(&review, []).unwrap(), none);
}

#[test]
fn every_hunk_comes_by_itself() {
    let mut sandbox = Sandbox::with(|user| {
        write(user, "a", numbered(30));
        write(user, "gone", "gone\n");
        write(user, "kind", "kind\n");
        write(user, "binary", b"1\0");
    });
    let text = numbered(30).replace("\n5\n", "\nfive\n").replace("\n15\n", "\n");
    let text = text.replace("\n30\n", "\nlast");
    sandbox.work(|src| {
        write(src, "a", &text);
        fs::set_permissions(src.join("a"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::remove_file(src.join("gone")).unwrap();
        fs::remove_file(src.join("kind")).unwrap();
        symlink("a", src.join("kind")).unwrap();
        write(src, "binary", b"2\0");
        write(src, "new/file", "new\n");
    });
    let review = sandbox.review();
    let base = sandbox.files(&sandbox.base);
    let with = |changed: &[(&str, &str)]| {
        let mut files: Vec<(String, String)> = base.clone();
        for (path, content) in changed {
            files.retain(|(known, _)| known != path);
            files.push(((*path).to_owned(), (*content).to_owned()));
        }
        files.retain(|(_, content)| content != "nothing");
        files.sort();
        files
    };
    let old = format!("100644 {}", numbered(30));
    let expected = [
        with(&[("a", &old.replace("100644", "100755"))]),
        with(&[("a", &old.replace("\n5\n", "\nfive\n"))]),
        with(&[("a", &old.replace("\n15\n", "\n"))]),
        with(&[("a", &old.replace("\n30\n", "\nlast"))]),
        with(&[("binary", "100644 2\0")]),
        with(&[("gone", "nothing")]),
        with(&[("kind", "120000 a")]),
        with(&[("new/file", "100644 new\n")]),
    ];
    let found: Vec<_> = review
        .hunks()
        .map(|(_, hunk)| sandbox.files(&sandbox.select(&review, [hunk.id]).unwrap().commit))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_hunk_that_is_not_there_is_named() {
    let mut sandbox = Sandbox::with(|user| write(user, "a", "a\n"));
    sandbox.work(|src| write(src, "a", "b\n"));
    let review = sandbox.review();
    let error = sandbox.select(&review, [HunkId::of_hash([0, 0, 0, 0, 1])]).unwrap_err();
    assert_eq!(error.to_string(), "the review has no hunk 0000000001");
    assert_eq!(error.hint(), "look at the review again: its run has gone on since");
}

#[test]
fn a_folder_comes_with_the_file_that_it_takes_the_place_of_and_the_other_way_round() {
    let mut sandbox = Sandbox::with(|user| {
        write(user, "file", "1\n");
        write(user, "folder/deep/a", "a\n");
        write(user, "folder-b", "b\n");
    });
    sandbox.work(|src| {
        fs::remove_file(src.join("file")).unwrap();
        fs::remove_dir_all(src.join("folder")).unwrap();
        write(src, "file/inside", "2\n");
        write(src, "folder", "3\n");
    });
    let review = sandbox.review();
    let id = |path: &str| {
        let file = review.files.iter().find(|file| file.path == path).unwrap();
        file.hunks[0].id
    };
    let error = sandbox.select(&review, [id("file/inside")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "file/inside cannot be accepted without file: one is a folder where the other is a file"
    );
    let error = sandbox.select(&review, [id("folder")]).unwrap_err();
    assert!(error.to_string().contains("folder cannot be accepted without folder/deep/a"));
    let one = sandbox.select(&review, [id("file/inside"), id("file")]).unwrap();
    assert_eq!(
        sandbox.files(&one.commit),
        expected([
            ("file/inside", "100644 2\n"),
            ("folder-b", "100644 b\n"),
            ("folder/deep/a", "100644 a\n"),
        ])
    );
    let other = sandbox.select(&review, [id("folder"), id("folder/deep/a")]).unwrap();
    assert_eq!(
        sandbox.files(&other.commit),
        expected([("file", "100644 1\n"), ("folder", "100644 3\n"), ("folder-b", "100644 b\n")])
    );
}
