//! A crash at every point of `checks.run`, which no agent's attempt passes through.

use super::crew::{LIMIT, text};
use orchestra_testkit::Sandbox;

/// The points at which only `checks.run` lets a process abort.
pub(super) const COVERED: &[&str] = &["engine::checks::kept"];

/// A daemon with the point armed dies in the middle of `checks.run`; the next one takes over.
fn crash_at(point: &str) {
    let sandbox = Sandbox::new();
    sandbox.workflow(
        "w",
        "steps:\n  - id: tests\n    action: checks.run\n    with: { commands: [['true'], ['false']] }\n",
    );
    sandbox.git_repo([("a", "b")]).trust();
    sandbox.orchestra(["daemon", "start"]).failpoints(&format!("{point}=return")).run().success();

    sandbox.orchestra(["run", "w"]).limit(LIMIT).run().success();

    let task = sandbox.show("r1/tests");
    assert_eq!(task["detail"], "2 checks: 1 green, 1 red", "after a crash at {point}");
    let attempts = task["attempts"].as_array().expect("attempts");
    assert_eq!(attempts.iter().map(|one| text(&one["id"])).collect::<Vec<_>>(), ["r1.1@1"]);
    assert!(sandbox.leases().is_empty(), "after a crash at {point}");
}

#[test]
fn what_checks_have_said_survives_a_crash_before_it_is_recorded() {
    crash_at("engine::checks::kept");
}

#[test]
fn checks_survive_a_crash_before_one_is_started() {
    crash_at("attempt::spawn::before");
}

#[test]
fn checks_survive_a_crash_after_one_has_been_started() {
    crash_at("attempt::spawn::after");
}

#[test]
fn checks_survive_a_crash_while_their_tree_is_made() {
    crash_at("trees::acquire::filled");
}

#[test]
fn checks_survive_a_crash_while_their_tree_is_given_back() {
    crash_at("trees::release::emptied");
}

#[test]
fn checks_survive_a_crash_while_their_result_is_kept() {
    crash_at("store::artifact::rename");
}
