//! What is held back until a person allows it.

use crate::support::{REFERENCE, Sandbox, commit, git, statuses, write};
use orchestra_core::change::{FileStatus, Held, HeldReason};
use std::{fs, os::unix::ffi::OsStringExt as _};

fn held(path: &str, reason: HeldReason) -> Held {
    Held { path: path.to_owned(), reason }
}

fn secret(path: &str) -> Held {
    held(path, HeldReason::SuspectedSecret { rule: "a word".to_owned() })
}

#[test]
fn large_files_and_suspected_secrets_stay_as_they_were_given() {
    let mut sandbox = Sandbox::with(|user| {
        write(user, "config", "nothing\n");
        write(user, "data", "small\n");
    });
    sandbox.limits.file = 1_000;
    let src = sandbox.src();
    write(&src, "config", "password = SECRET\n");
    write(&src, "new-key", "SECRET\n");
    write(&src, "binary", b"SECRET\0");
    write(&src, "data", "x".repeat(1_001));
    write(&src, "new-data", "x".repeat(1_002));
    write(&src, "fine", "x".repeat(1_000));

    let change = sandbox.change();

    assert_eq!(statuses(&change), [("binary", FileStatus::Added), ("fine", FileStatus::Added)]);
    assert_eq!(
        change.held,
        [
            secret("config"),
            held("data", HeldReason::TooLarge { bytes: 1_001 }),
            held("new-data", HeldReason::TooLarge { bytes: 1_002 }),
            secret("new-key"),
        ]
    );
    let of_result = |path: &str| git(&sandbox.user(), &["show", &format!("{REFERENCE}:{path}")]);
    assert_eq!((of_result("config"), of_result("data")), ("nothing".into(), "small".into()));
}

#[test]
fn what_does_not_fit_together_is_held_back_in_the_order_of_the_paths() {
    let mut sandbox = Sandbox::new();
    sandbox.limits.total = 250;
    for name in ["a", "b", "c"] {
        write(&sandbox.src(), name, name.repeat(100));
    }
    let change = sandbox.change();
    assert_eq!(statuses(&change), [("a", FileStatus::Added), ("b", FileStatus::Added)]);
    assert_eq!(change.held, [held("c", HeldReason::OverTotal { bytes: 100 })]);
}

#[test]
fn only_what_is_held_back_is_no_commit_but_something() {
    let sandbox = Sandbox::new();
    write(&sandbox.src(), "key", "SECRET\n");
    let collected = sandbox.collected();
    assert_eq!(collected.commit, None);
    assert_eq!(collected.change.held, [secret("key")]);
    assert!(!collected.change.is_empty());
}

#[test]
fn a_secret_that_was_given_holds_nothing_back_and_a_second_one_does() {
    let sandbox = Sandbox::with(|user| {
        write(user, "old", "SECRET\n");
        write(user, "with blanks", "SECRET\n");
        write(user, "two", "SECRET\n");
        write(user, "from", "SECRET\n");
    });
    let src = sandbox.src();
    write(&src, "old", "SECRET\nmore\n");
    write(&src, "with blanks", "less\nSECRET\n");
    write(&src, "two", "SECRET\nSECRET\n");
    fs::rename(src.join("from"), src.join("to")).unwrap();
    // As if it had been there before, by a name that says what the base has under another one.
    write(&src, "x\nold", "SECRET\n");

    let change = sandbox.change();
    assert_eq!(change.held, [secret("to"), secret("two"), secret("x\nold")]);
    assert_eq!(
        statuses(&change),
        [
            ("from", FileStatus::Deleted),
            ("old", FileStatus::Modified),
            ("with blanks", FileStatus::Modified)
        ]
    );
}

#[test]
fn what_a_person_allows_comes_into_the_result_that_was_there() {
    let mut sandbox = Sandbox::new();
    sandbox.limits.file = 1_000;
    write(&sandbox.src(), "key", "SECRET\n");
    write(&sandbox.src(), "data", "x".repeat(2_000));
    write(&sandbox.src(), "new", "collected\n");
    let first = sandbox.collected();
    assert_eq!(statuses(&first.change), [("new", FileStatus::Added)]);

    sandbox.included = first.change.held;
    let second = sandbox.collected();

    assert_eq!(
        statuses(&second.change),
        [("data", FileStatus::Added), ("key", FileStatus::Added), ("new", FileStatus::Added)]
    );
    assert_eq!(second.change.held, []);
    assert_eq!(git(&sandbox.user(), &["rev-parse", REFERENCE]), second.commit.unwrap());
}

#[test]
fn what_a_person_allows_takes_the_place_of_nothing_that_was_taken() {
    let mut sandbox = Sandbox::new();
    (sandbox.limits.file, sandbox.limits.total) = (100, 150);
    write(&sandbox.src(), "big", "x".repeat(1_000));
    write(&sandbox.src(), "fine", "x".repeat(100));
    write(&sandbox.src(), "rest", "x".repeat(90));
    write(&sandbox.src(), "z", "x".repeat(50));
    let change = sandbox.change();
    assert_eq!(statuses(&change), [("fine", FileStatus::Added), ("z", FileStatus::Added)]);

    sandbox.included = vec![held("big", HeldReason::TooLarge { bytes: 1_000 })];
    let change = sandbox.change();

    let added = ["big", "fine", "z"].map(|path| (path, FileStatus::Added));
    assert_eq!(statuses(&change), added);
    assert_eq!(change.held, [held("rest", HeldReason::OverTotal { bytes: 90 })]);
}

#[test]
fn what_is_allowed_to_be_large_is_searched_and_what_may_be_a_secret_is_measured() {
    let mut sandbox = Sandbox::new();
    sandbox.limits.file = 1_000;
    let text = format!("{}SECRET\n", "x\n".repeat(1_000));
    write(&sandbox.src(), "large", &text);
    write(&sandbox.src(), "new", "collected\n");
    let bytes = text.len() as u64;
    let too_large = held("large", HeldReason::TooLarge { bytes });
    assert_eq!(sandbox.change().held, std::slice::from_ref(&too_large));

    sandbox.included = vec![too_large.clone()];
    let change = sandbox.change();
    assert_eq!(statuses(&change), [("new", FileStatus::Added)]);
    assert_eq!(change.held, [secret("large")]);

    sandbox.included = vec![secret("large")];
    assert_eq!(sandbox.change().held, std::slice::from_ref(&too_large));

    sandbox.included = vec![too_large, secret("large")];
    let change = sandbox.change();
    let added = ["large", "new"].map(|path| (path, FileStatus::Added));
    assert_eq!((statuses(&change), change.held.len()), (added.to_vec(), 0));
}

#[test]
fn a_name_that_stands_for_two_files_allows_neither() {
    let mut sandbox = Sandbox::new();
    sandbox.limits.file = 100;
    let name = |last: u8| std::ffi::OsString::from_vec(vec![b'x', last]);
    write(&sandbox.src(), name(0xff), "x".repeat(1_000));
    write(&sandbox.src(), name(0xfe), "SECRET\n");
    write(&sandbox.src(), "new", "collected\n");
    let too_large = held("x\u{fffd}", HeldReason::TooLarge { bytes: 1_000 });
    let both = [too_large.clone(), secret("x\u{fffd}")];
    let sorted = |mut held: Vec<Held>| {
        held.sort_by_key(|held| held.reason.to_string());
        held
    };
    assert_eq!(sorted(sandbox.change().held), both);

    sandbox.included = vec![too_large.clone()];
    let change = sandbox.change();
    assert_eq!(statuses(&change), [("new", FileStatus::Added)]);
    assert_eq!(sorted(change.held), both);

    fs::remove_file(sandbox.src().join(name(0xfe))).unwrap();
    git(&sandbox.user(), &["update-ref", "-d", REFERENCE]);
    let change = sandbox.change();
    assert_eq!((change.files, change.held), (2, Vec::new()));
}

#[test]
fn what_a_person_allows_is_what_lies_in_the_tree_and_not_what_commits_had_there() {
    let mut sandbox = Sandbox::new();
    let src = sandbox.src();
    write(&src, "key", "SECRET\n");
    // Lists of objects show no more of its name than the first line.
    write(&src, "key\nline", "another SECRET\n");
    commit(&src, "keys");
    assert_eq!(sandbox.change().held, [secret("key"), secret("key\nline")]);

    sandbox.included = vec![secret("key")];
    let change = sandbox.change();
    assert_eq!(statuses(&change), [("key", FileStatus::Added)]);
    assert_eq!((change.held, change.commits), (vec![secret("key\nline")], 0));
}

#[test]
fn a_huge_file_is_not_read() {
    let bytes = 10 * 1024 * 1024 * 1024;
    for with_index in [false, true] {
        let mut sandbox = Sandbox::new();
        if with_index {
            sandbox.keep_index();
        }
        for name in ["huge", "README"] {
            let file = fs::File::create(sandbox.src().join(name)).unwrap();
            file.set_len(bytes).unwrap();
        }
        write(&sandbox.src(), "new", "collected\n");
        let change = sandbox.change();
        assert_eq!(statuses(&change), [("new", FileStatus::Added)]);
        let too_large = |path| held(path, HeldReason::TooLarge { bytes });
        assert_eq!(change.held, [too_large("README"), too_large("huge")]);
    }
}

#[test]
fn a_large_file_that_was_given_is_no_change() {
    let mut sandbox = Sandbox::with(|user| write(user, "asset", "x".repeat(5_000)));
    sandbox.limits.file = 1_000;
    write(&sandbox.src(), "new", "collected\n");
    let change = sandbox.change();
    assert_eq!(statuses(&change), [("new", FileStatus::Added)]);
    assert_eq!(change.held, []);
}
