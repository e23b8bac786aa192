//! What is over a limit is left out, and counted.

use crate::support::{Limits, Sandbox, TEXT, write};

/// Two agents have changed so many files alike, each in its own way.
fn colliding(files: usize, limits: Limits) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.limits = limits;
    let (one, two) = (sandbox.agent(), sandbox.agent());
    for number in 0..files {
        write(&one, format!("new-{number}"), TEXT.replace('3', "three"));
        write(&two, format!("new-{number}"), TEXT.replace('3', "drei"));
    }
    sandbox
}

#[test]
fn each_look_compares_some_more_of_many_files() {
    let sandbox = colliding(5, Limits { files: 2, ..crate::support::LIMITS });
    let mut watcher = sandbox.watcher();
    let looks: Vec<(usize, usize)> = (0..4)
        .map(|_| sandbox.look_with(&mut watcher))
        .map(|look| (look.foreseen.len(), look.left_out))
        .collect();
    assert_eq!(looks, [(2, 3), (4, 1), (5, 0), (5, 0)]);
}

#[test]
fn no_look_reads_more_than_it_may() {
    let two_files = 2 * (TEXT.len() as u64 * 2 + 7);
    let sandbox = colliding(5, Limits { total: two_files, ..crate::support::LIMITS });
    let mut watcher = sandbox.watcher();
    let looks: Vec<(usize, usize)> = (0..4)
        .map(|_| sandbox.look_with(&mut watcher))
        .map(|look| (look.foreseen.len(), look.left_out))
        .collect();
    assert_eq!(looks, [(2, 3), (4, 1), (5, 0), (5, 0)]);
}

#[test]
fn a_large_file_is_counted_and_not_compared() {
    let mut sandbox = colliding(1, Limits { file: 100, ..crate::support::LIMITS });
    let three = sandbox.agent();
    write(&three, "new-0", "x".repeat(101));
    let look = sandbox.look();
    assert_eq!((look.foreseen.len(), look.left_out), (1, 2));
}

#[test]
fn of_very_many_new_files_it_is_said_that_not_all_were_seen() {
    let sandbox = colliding(20, Limits { new: 10, ..crate::support::LIMITS });
    let look = sandbox.look();
    let parties: Vec<String> = look.partly_seen.iter().map(ToString::to_string).collect();
    assert_eq!(parties, ["r1.1@1", "r1.2@1"]);
}

#[test]
fn of_a_large_new_folder_too() {
    let mut sandbox = Sandbox::new();
    sandbox.limits.new = 10;
    for _ in 0..2 {
        let src = sandbox.agent();
        for number in 0..20 {
            write(&src, format!("folder/new-{number}"), "text\n");
        }
    }
    let look = sandbox.look();
    let parties: Vec<String> = look.partly_seen.iter().map(ToString::to_string).collect();
    assert_eq!(parties, ["r1.1@1", "r1.2@1"]);
}
