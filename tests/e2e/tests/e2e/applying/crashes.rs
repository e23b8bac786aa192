//! A daemon that dies at any step of a review, an apply, an undo or a clean-up.

use super::{BOTH_ENDS, LIMIT, as_it_is, has_written, lines, writer};
use orchestra_testkit::{Sandbox, eventually};

/// Points that a review passes.
pub(crate) const REVIEWING: &[&str] = &["engine::review::before", "engine::review::after"];

/// Points that an apply and an undo pass.
pub(crate) const OPERATING: &[&str] = &[
    "engine::operation::before",
    "engine::operation::prepared",
    "engine::operation::write",
    "engine::operation::written",
];

/// Points that a clean-up passes.
pub(crate) const CLEANING: &[&str] = &["engine::operation::references_moved"];

/// Has the next daemon die at `point`.
fn dies_at(sandbox: &Sandbox, point: &str) {
    sandbox.orchestra(["daemon", "stop"]).run().success();
    let start = sandbox.orchestra(["daemon", "start"]);
    start.failpoints(&format!("{point}=1*return")).run().success();
}

/// Waits until the `n`-th operation has ended.
fn wait_for_operation(sandbox: &Sandbox, n: usize) {
    eventually("the operation has ended", LIMIT, || {
        sandbox.orchestra(["daemon", "start"]).run();
        let operation = sandbox.show("r1")["run"]["operations"][n - 1].clone();
        (operation["end"]["type"] == "applied").then_some(())
    });
}

#[test]
fn a_review_is_made_whatever_dies_meanwhile() {
    for point in REVIEWING {
        let sandbox = writer(BOTH_ENDS);
        dies_at(&sandbox, point);
        sandbox.orchestra(["start", "writer", "go"]).run().success();
        eventually("the run has ended", LIMIT, || {
            sandbox.orchestra(["daemon", "start"]).run();
            (sandbox.status("r1") == "succeeded").then_some(())
        });
        assert_eq!(sandbox.show("r1")["run"]["review"]["status"], "open", "{point}");
        sandbox.orchestra(["apply", "r1"]).limit(LIMIT).run().success();
        assert_eq!(sandbox.read("new.txt"), "new\n");
    }
}

#[test]
fn an_apply_and_its_undo_go_on_where_a_daemon_died() {
    let sandbox = has_written(BOTH_ENDS);
    let before = as_it_is(&sandbox);
    let mut n = 0;
    for point in OPERATING {
        dies_at(&sandbox, point);
        sandbox.orchestra(["apply", "r1"]).limit(LIMIT).run();
        n += 1;
        wait_for_operation(&sandbox, n);
        assert_eq!(sandbox.read("new.txt"), "new\n", "{point}");
        assert!(sandbox.read("a.txt").starts_with("first\n"), "{point}");
        dies_at(&sandbox, point);
        sandbox.orchestra(["undo"]).limit(LIMIT).run();
        n += 1;
        wait_for_operation(&sandbox, n);
        assert_eq!(sandbox.read("a.txt"), lines(), "{point}");
        assert_eq!(as_it_is(&sandbox), before);
    }
}

#[test]
fn a_clean_up_is_whole_whatever_dies_meanwhile() {
    let sandbox = has_written(BOTH_ENDS);
    sandbox.orchestra(["discard", "r1"]).run().success();
    for point in CLEANING {
        dies_at(&sandbox, point);
        sandbox.orchestra(["clean", "r1"]).limit(LIMIT).run();
        wait_for_operation(&sandbox, 2);
        let names = sandbox.git(["for-each-ref", "--format=%(refname)", "refs/orchestra"]);
        let is_of_run = |name: &&str| name.contains("/r1/") && !name.contains("/cleaned/");
        assert_eq!(names.lines().filter(is_of_run).count(), 0, "{names}");
        assert!(names.contains("/cleaned/r1/"), "{names}");
    }
}
