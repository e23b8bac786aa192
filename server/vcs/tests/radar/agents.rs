//! Agents that change the same files, each in its own tree.

use crate::support::{Sandbox, TEXT, write};
use orchestra_core::merge::{Conflict, ConflictKind, Foreseen, Party, Side, Span};
use std::{fs, os::unix::fs::symlink};

#[test]
fn two_that_change_the_same_line_are_foreseen_with_what_both_have() {
    let mut sandbox = Sandbox::new();
    let (one, two) = (sandbox.agent(), sandbox.agent());
    write(&one, "file", TEXT.replace('3', "three"));
    write(&two, "file", format!("0\n{}", TEXT.replace('3', "drei")));
    let look = sandbox.look();
    let attempt = |id: &str| Party::Attempt(id.parse().unwrap());
    let side = |first, text: &str| Side {
        lines: vec![Span { first, count: 1 }],
        excerpt: Some(text.to_owned()),
    };
    assert_eq!(
        look.foreseen,
        [Foreseen {
            between: [attempt("r1.1@1"), attempt("r1.2@1")],
            conflict: Conflict {
                path: "file".to_owned(),
                kind: ConflictKind::Lines,
                ours: side(3, "three\n"),
                theirs: side(4, "drei\n"),
            },
        }]
    );
}

#[test]
fn what_fits_together_is_none() {
    let mut sandbox = Sandbox::new();
    let (one, two) = (sandbox.agent(), sandbox.agent());
    // Other places of one file, other files, the same change, and the same new file.
    write(&one, "file", TEXT.replace('1', "one"));
    write(&two, "file", TEXT.replace('8', "eight"));
    write(&one, "new", "new\n");
    write(&two, "deep/new", "new\n");
    for src in [&one, &two] {
        write(src, "other", "same\n");
        write(src, "both/new", "same\n");
        fs::remove_file(src.join("deep/file")).unwrap();
    }
    assert_eq!(sandbox.foreseen(), [""; 0]);
}

#[test]
fn each_way_not_to_fit_has_its_name() {
    let mut sandbox = Sandbox::new();
    let (one, two) = (sandbox.agent(), sandbox.agent());
    write(&one, "added", "one\n");
    write(&two, "added", "two\n");
    fs::remove_file(one.join("file")).unwrap();
    write(&two, "file", TEXT.replace('8', "eight"));
    write(&one, "other", "a\0");
    write(&two, "other", "b\0");
    fs::remove_dir_all(one.join("deep")).unwrap();
    write(&one, "deep", "a file\n");
    write(&two, "deep/new", "in a folder\n");
    symlink("one", one.join("link")).unwrap();
    write(&two, "link", "no link\n");
    assert_eq!(
        sandbox.foreseen(),
        [
            "added: r1.1@1 1 and r1.2@1 1: both added it",
            "deep: r1.1@1 1 and r1.2@1: a file on one side, a folder on the other",
            "file: r1.1@1 and r1.2@1 8: one changed it, the other deleted it",
            "link: r1.1@1 and r1.2@1: the kinds of the file differ",
            "other: r1.1@1 and r1.2@1: both changed it, and it is no text",
        ]
    );
}

#[test]
fn new_folders_are_looked_into_when_both_have_them() {
    let mut sandbox = Sandbox::new();
    let (one, two) = (sandbox.agent(), sandbox.agent());
    write(&one, "new/deep/file", "one\n");
    write(&one, "new/ignored", "one\n");
    write(&one, "new/mine", "one\n");
    write(&two, "new/deep/file", "two\n");
    write(&two, "new/ignored", "two\n");
    write(&two, "new/yours", "two\n");
    // A folder here, a file there.
    write(&one, "else/file", "one\n");
    write(&two, "else", "two\n");
    // What a build leaves is nobody's work.
    write(&one, "build/out", "one\n");
    write(&two, "build/out", "two\n");
    write(&one, "ignored", "one\n");
    write(&two, "ignored", "two\n");
    assert_eq!(
        sandbox.foreseen(),
        [
            "else: r1.1@1 and r1.2@1 1: a file on one side, a folder on the other",
            "new/deep/file: r1.1@1 1 and r1.2@1 1: both added it",
        ]
    );
}

#[test]
fn of_three_every_two_are_compared() {
    let mut sandbox = Sandbox::new();
    for name in ["one", "two", "three"] {
        let src = sandbox.agent();
        write(&src, "file", TEXT.replace('3', name));
    }
    assert_eq!(
        sandbox.foreseen(),
        [
            "file: r1.1@1 3 and r1.2@1 3: both changed the same lines",
            "file: r1.1@1 3 and r1.3@1 3: both changed the same lines",
            "file: r1.2@1 3 and r1.3@1 3: both changed the same lines",
        ]
    );
}

#[test]
fn who_goes_on_from_the_work_of_another_is_compared_with_what_both_had() {
    let mut sandbox = Sandbox::new();
    let first = sandbox.agent();
    write(&first, "file", TEXT.replace('3', "three"));
    write(&first, "new/file", "new\n");
    let work = sandbox.collected(&first);
    let snapshot = sandbox.snapshot.clone();
    let (two, three, other) = (
        sandbox.agent_of(&[&work, &snapshot]),
        sandbox.agent_of(&[&work, &snapshot]),
        sandbox.agent(),
    );
    // They have not changed it again.
    assert_eq!(sandbox.foreseen(), [""; 0]);
    // One who does not have that work collides with all who have it.
    write(&other, "file", TEXT.replace('3', "drei"));
    write(&other, "new/file", "neu\n");
    // Of those who have it, only what they have changed since counts.
    write(&two, "other", TEXT.replace('5', "five"));
    write(&three, "other", TEXT.replace('5', "fünf"));
    let expected = [
        "file: r1.1@1 3 and r1.4@1 3: both changed the same lines",
        "file: r1.2@1 3 and r1.4@1 3: both changed the same lines",
        "file: r1.3@1 3 and r1.4@1 3: both changed the same lines",
        "new/file: r1.1@1 1 and r1.4@1 1: both added it",
        "new/file: r1.2@1 1 and r1.4@1 1: both added it",
        "new/file: r1.3@1 1 and r1.4@1 1: both added it",
        "other: r1.2@1 5 and r1.3@1 5: both changed the same lines",
    ];
    assert_eq!(sandbox.foreseen(), expected);
    // One of them takes it back.
    write(&three, "file", TEXT);
    let foreseen = sandbox.foreseen();
    assert!(!foreseen.contains(&expected[2].to_owned()), "{foreseen:?}");
}

#[test]
fn what_a_sparse_tree_does_not_show_was_not_deleted() {
    let mut sandbox = Sandbox::with(&[], |user| {
        write(user, "deep/file", TEXT);
        write(user, "far/file", TEXT);
    });
    let snapshot = sandbox.snapshot.clone();
    let sparse = sandbox.agent_in(&[&snapshot], &["deep".to_owned()]);
    let whole = sandbox.agent();
    assert!(!sparse.join("far").exists());
    write(&whole, "far/file", "changed\n");
    write(&whole, "deep/file", TEXT.replace('3', "three"));
    write(&sparse, "deep/file", TEXT.replace('3', "drei"));
    assert_eq!(
        sandbox.foreseen(),
        ["deep/file: r1.1@1 3 and r1.2@1 3: both changed the same lines"]
    );
    // It makes the file that it was not shown.
    write(&sparse, "far/file", "mine\n");
    assert_eq!(
        sandbox.foreseen(),
        [
            "deep/file: r1.1@1 3 and r1.2@1 3: both changed the same lines",
            "far/file: r1.1@1 1 and r1.2@1 1: both changed the same lines",
        ]
    );
}

#[test]
fn what_a_sparse_tree_was_given_and_does_not_show_counts() {
    let mut sandbox = Sandbox::with(&[], |user| {
        write(user, "deep/file", TEXT);
        write(user, "far/file", TEXT);
    });
    let first = sandbox.agent();
    write(&first, "far/file", TEXT.replace('3', "three"));
    let work = sandbox.collected(&first);
    let snapshot = sandbox.snapshot.clone();
    let sparse = sandbox.agent_in(&[&work, &snapshot], &["deep".to_owned()]);
    assert!(!sparse.join("far").exists());
    let other = sandbox.agent();
    write(&other, "far/file", TEXT.replace('3', "drei"));
    assert_eq!(
        sandbox.foreseen(),
        [
            "far/file: r1.1@1 3 and r1.3@1 3: both changed the same lines",
            "far/file: r1.2@1 3 and r1.3@1 3: both changed the same lines",
        ]
    );
}

#[test]
fn objects_of_the_other_format_do_as_well() {
    let mut sandbox = Sandbox::with(&["--object-format=sha256"], |user| write(user, "file", TEXT));
    let (one, two) = (sandbox.agent(), sandbox.agent());
    write(&one, "file", TEXT.replace('3', "three"));
    write(&two, "file", TEXT.replace('3', "drei"));
    assert_eq!(sandbox.foreseen(), ["file: r1.1@1 3 and r1.2@1 3: both changed the same lines"]);
}
