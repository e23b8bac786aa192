//! A daemon that dies while works come together: each answer counts, and the merge is the same.

use super::crew::LIMIT;
use orchestra_testkit::{Sandbox, eventually};
use serde_json::{Value, json};

/// The points at which a process aborts only where works are merged.
pub(super) const COVERED: &[&str] = &[
    "bare::keep::imported",
    "engine::merge::answered",
    "engine::merge::asking",
    "engine::merge::kept",
    "engine::merge::merged",
    "engine::merge::resolved",
    "merge::merged",
];

/// Two writers of one line, and a check of the whole.
fn rivals(keys: &str, point: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.agent_script_with("a", "writes: true", "echo a > colour.txt; echo a > a.txt");
    sandbox.agent_script_with("b", "writes: true", "echo b > colour.txt; echo b > b.txt");
    sandbox.agent_script_with("mender", "writes: true", "echo both > colour.txt");
    sandbox.workflow(
        "w",
        &format!(
            "{keys}verify: [[test, -s, colour.txt]]\nsteps:\n  - {{ id: a, agent: a, prompt: a }}\n  \
             - {{ id: b, agent: b, prompt: b }}\n"
        ),
    );
    sandbox.git_repo([("colour.txt", "none\n")]).trust();
    let failpoints = format!("{point}=return");
    sandbox.orchestra(["daemon", "start"]).failpoints(&failpoints).run().success();
    sandbox
}

fn wait_until_the_daemon_is_gone(sandbox: &Sandbox, point: &str) {
    eventually(&format!("the daemon crashes at {point}"), LIMIT, || {
        let processes = sandbox.processes();
        let daemon = processes.iter().find(|one| one.command_line.contains("daemon __serve"));
        daemon.is_none().then_some(())
    });
}

fn asked(sandbox: &Sandbox) -> Value {
    eventually("a question is open", LIMIT, || {
        let listed = sandbox.orchestra(["decide", "--json"]).run().success().json();
        listed["decisions"].as_array().and_then(|open| open.first().cloned())
    })
}

/// What the merge has made, and how often it was tried and asked about.
fn result(sandbox: &Sandbox, attempt: &str) -> (String, usize, usize) {
    sandbox.wait_for_status("r1", "succeeded");
    let task = sandbox.show("r1/merge");
    let all = sandbox.git(["for-each-ref", "--format=%(refname)", "refs/orchestra"]);
    let kept = all.lines().find(|line| line.ends_with(attempt)).expect("the merge has its name");
    assert_eq!(task["output"]["change"]["commit"], sandbox.git(["rev-parse", kept]).trim());
    assert_eq!(task["output"]["evidence"]["verdict"], json!({ "type": "passed" }));
    assert!(sandbox.leases().is_empty());
    let count = |what: &str| task[what].as_array().map_or(0, Vec::len);
    let files = ["colour.txt", "a.txt", "b.txt"].map(|file| {
        let content = sandbox.git(["show", &format!("{kept}:{file}")]);
        content.trim().to_owned()
    });
    (files.join(" "), count("attempts"), count("decisions"))
}

/// The daemon crashes somewhere between the question and the end of the merge.
fn crash_at(point: &str) {
    let sandbox = rivals("", point);
    sandbox.orchestra(["run", "w", "--detach"]).run().success();
    let comes_before = ["bare::keep::imported", "engine::merge::asking"];
    if comes_before.contains(&point) {
        wait_until_the_daemon_is_gone(&sandbox, point);
        sandbox.orchestra(["daemon", "start"]).run().success();
    }
    assert_eq!(asked(&sandbox)["id"], "r1/d1");
    sandbox.orchestra(["decide", "r1/d1", "r1.2"]).run().success();
    if !comes_before.contains(&point) {
        wait_until_the_daemon_is_gone(&sandbox, point);
        sandbox.orchestra(["daemon", "start"]).run().success();
    }
    assert_eq!(result(&sandbox, "t/r1.3-1"), ("b a b".to_owned(), 1, 1), "after {point}");
}

#[test]
fn a_merge_survives_a_crash_while_a_conflict_is_kept() {
    crash_at("bare::keep::imported");
}

#[test]
fn a_merge_survives_a_crash_before_its_question_is_asked() {
    crash_at("engine::merge::asking");
}

#[test]
fn a_merge_survives_a_crash_after_its_question_is_answered() {
    crash_at("engine::merge::answered");
}

#[test]
fn a_merge_survives_a_crash_before_it_has_its_name() {
    crash_at("merge::merged");
}

#[test]
fn a_merge_survives_a_crash_before_it_is_checked() {
    crash_at("engine::merge::merged");
}

#[test]
fn a_merge_survives_a_crash_before_its_end_is_recorded() {
    crash_at("engine::merge::kept");
}

#[test]
fn what_an_agent_has_put_right_survives_a_crash_before_it_is_checked() {
    let point = "engine::merge::resolved";
    let sandbox = rivals("resolve: mender\n", point);
    sandbox.orchestra(["run", "w", "--detach"]).run().success();
    wait_until_the_daemon_is_gone(&sandbox, point);
    sandbox.orchestra(["daemon", "start"]).run().success();
    assert_eq!(result(&sandbox, "t/r1.3-2"), ("both a b".to_owned(), 2, 0));
}

#[test]
fn a_question_about_a_merge_outlives_the_daemon_that_asked_it() {
    let sandbox = rivals("", "none");
    sandbox.orchestra(["run", "w", "--detach"]).run().success();
    asked(&sandbox);
    sandbox.kill_daemon();
    sandbox.orchestra(["decide", "r1/d1", "r1.1"]).run().success();
    assert_eq!(result(&sandbox, "t/r1.3-1"), ("a a b".to_owned(), 1, 1));
}
