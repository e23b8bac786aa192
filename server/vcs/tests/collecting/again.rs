//! Collecting the same attempt once more, as after a crash.

use crate::support::{REFERENCE, Sandbox, commit, git, make_fifo, write};
use std::fs;

#[test]
fn the_same_answer_is_given_again_without_a_look_at_the_tree() {
    let sandbox = Sandbox::new();
    let src = sandbox.src();
    write(&src, "one", "committed\n");
    commit(&src, "one");
    write(&src, ".mcp.json", "{}\n");
    write(&src, "key", "SECRET\n");
    make_fifo(&src.join("line\nbreak"));
    let first = sandbox.collected();
    assert_eq!(first.change.notes, ["fifo line\nbreak left out"]);
    assert_eq!((first.change.held.len(), first.change.flags.len()), (1, 1));

    fs::remove_dir_all(sandbox.path("slot")).unwrap();

    assert_eq!(sandbox.collected(), first);
}

#[test]
fn what_a_crash_left_between_the_pack_and_the_reference_does_no_harm() {
    let sandbox = Sandbox::new();
    write(&sandbox.src(), "new", "collected\n");
    let first = sandbox.collected();
    git(&sandbox.user(), &["update-ref", "-d", REFERENCE]);
    let second = sandbox.collected();
    assert_eq!(second.change.tree, first.change.tree);
    assert_eq!(second.change.paths, first.change.paths);
}

#[test]
fn a_reference_elsewhere_is_refused_before_anything_happens() {
    let sandbox = Sandbox::new();
    write(&sandbox.src(), "new", "collected\n");
    let error = sandbox.collect_as("refs/heads/main").unwrap_err();
    assert_eq!(error.hint(), "choose a name below refs/orchestra/");
    assert!(!sandbox.path("scratch").exists());
}
