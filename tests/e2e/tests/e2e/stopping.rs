//! Cancelling, pausing and time-outs, at every stage of a task.

use orchestra_testkit::{Sandbox, eventually};
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    time::{Duration, Instant},
};

const LIMIT: Duration = Duration::from_secs(30);

/// Two steps in a row of an agent that waits at a gate.
const TWO: &str = "steps:\n  - { id: one, agent: worker, prompt: go }\n  \
                   - { id: two, agent: worker, prompt: go, needs: [one] }\n";

#[test]
fn a_run_is_cancelled_with_what_runs_and_what_waits() {
    let sandbox = Sandbox::new();
    let gate = sandbox.gate("worker");
    sandbox.agent_script("worker", &format!("echo begun\n{gate}\necho finished"));
    sandbox.workflow("w", TWO);
    sandbox.git_repo([("a", "b")]).trust();
    let running = sandbox.orchestra(["run", "w"]).spawn();
    let _stays = gate.wait();
    sandbox.orchestra(["cancel", "r1"]).run().success().stdout_has("cancel r1: recorded");
    running.wait(LIMIT).code(1).stdout_has("r1 cancelled");
    assert_eq!([sandbox.status("r1/one"), sandbox.status("r1/two")], ["cancelled", "cancelled"]);
    // What it had written until then is kept.
    sandbox.orchestra(["logs", "r1/one"]).run().success().stdout_has("begun");
    sandbox
        .orchestra(["cancel", "r1"])
        .run()
        .code(1)
        .stderr_has("orchestra: failed to cancel r1: ");
}

#[test]
fn a_task_is_cancelled_alone_and_what_needs_it_is_skipped() {
    let sandbox = Sandbox::new();
    let gate = sandbox.gate("worker");
    sandbox.agent_script("worker", &format!("{gate}"));
    sandbox.agent_script("other", "echo fine");
    sandbox.workflow("w", &format!("{TWO}  - {{ id: other, agent: other, prompt: go }}\n"));
    sandbox.git_repo([("a", "b")]).trust();
    let running = sandbox.orchestra(["run", "w"]).spawn();
    let _stays = gate.wait();
    sandbox.orchestra(["cancel", "r1/one"]).run().success();
    assert_ne!(running.wait(LIMIT).exit_code(), Some(0));
    let status = |step: &str| sandbox.status(&format!("r1/{step}"));
    assert_eq!(
        [status("one"), status("two"), status("other")],
        ["cancelled", "skipped", "succeeded"]
    );
}

#[test]
fn a_waiting_task_is_cancelled_before_it_starts() {
    let sandbox = Sandbox::new();
    let gate = sandbox.gate("worker");
    sandbox.agent_script("worker", &format!("{gate}"));
    sandbox.workflow("w", TWO);
    sandbox.git_repo([("a", "b")]).trust();
    let running = sandbox.orchestra(["run", "w"]).spawn();
    let stays = gate.wait();
    sandbox.orchestra(["cancel", "r1.2"]).run().success();
    assert_eq!(sandbox.status("r1.2"), "cancelled");
    drop(stays);
    assert_ne!(running.wait(LIMIT).exit_code(), Some(0));
    assert_eq!(sandbox.status("r1.1"), "succeeded");
    assert_eq!(sandbox.show("r1.2")["attempts"].as_array().map(Vec::len), Some(0));
}

#[test]
fn an_attempt_that_is_cancelled_while_its_tree_is_prepared_never_starts_its_agent() {
    let sandbox = Sandbox::new();
    let (gate, effect) = (sandbox.gate("git"), sandbox.outside().join("effect"));
    sandbox.agent_script("worker", &format!("touch '{}'", effect.display()));
    sandbox.git_repo([("a", "b")]).trust();
    // A git that writes the clone's files only when it is let.
    let script = format!("#!/bin/sh\ncase \" $* \" in *' read-tree '*) {gate};; esac\n");
    let path = std::env::var("PATH").expect("there is a PATH");
    let folder = sandbox.root().join("bin");
    fs::create_dir(&folder).expect("create a folder");
    fs::write(folder.join("git"), format!("{script}PATH='{path}' exec git \"$@\"\n"))
        .expect("write");
    fs::set_permissions(folder.join("git"), fs::Permissions::from_mode(0o755)).expect("open it");
    let path = format!("{}:{path}", folder.display());

    let running =
        sandbox.orchestra(["start", "worker", "go", "--follow"]).env("PATH", path).spawn();
    let stays = gate.wait();
    sandbox.orchestra(["cancel", "r1"]).run().success();
    drop(stays);
    running.wait(LIMIT).code(1).stdout_has("r1 cancelled");
    assert!(!effect.exists(), "the agent was started");
    assert_eq!(sandbox.leases(), Vec::<PathBuf>::new());
}

#[test]
fn a_paused_run_starts_nothing_new_and_goes_on_when_resumed() {
    let sandbox = Sandbox::new();
    let gate = sandbox.gate("worker");
    sandbox.agent_script("worker", &format!("{gate}"));
    sandbox.workflow("w", TWO);
    sandbox.git_repo([("a", "b")]).trust();
    let running = sandbox.orchestra(["run", "w"]).spawn();
    let stays = gate.wait();
    sandbox.orchestra(["pause", "r1"]).run().success();
    assert_eq!(sandbox.status("r1"), "paused");
    drop(stays);
    sandbox.wait_for_status("r1/one", "succeeded");
    assert_eq!(sandbox.status("r1/two"), "ready");
    assert_eq!(sandbox.show("r1/two")["attempts"].as_array().map(Vec::len), Some(0));
    // Asked for twice, it is paused all the same.
    sandbox.orchestra(["pause", "r1"]).run().success();
    sandbox.orchestra(["resume", "r1"]).run().success();
    gate.open();
    running.wait(LIMIT).success().stdout_has("r1 paused: paused by a person");
    sandbox.orchestra(["resume", "r1"]).run().code(1).stderr_has("failed to resume r1");
}

#[test]
fn an_agent_that_takes_too_long_times_out() {
    let sandbox = Sandbox::new();
    let gate = sandbox.gate("worker");
    sandbox.agent_script_with("worker", "timeout: 200ms", &format!("{gate}"));
    sandbox.git_repo([("a", "b")]).trust();
    let outcome = sandbox.orchestra(["start", "worker", "go", "--follow"]).run().code(1);
    outcome.stdout_has("r1.1 worker: timed out after 200ms");
    assert_eq!(sandbox.status("r1.1"), "timed-out");
    assert!(sandbox.workspace().join(".orchestra/tasks/r1.1.timeout").is_file());
}

#[test]
fn a_run_has_a_time_out_of_its_own() {
    let sandbox = Sandbox::new();
    let gate = sandbox.gate("worker");
    sandbox.agent_script("worker", &format!("{gate}"));
    sandbox.workflow("w", &format!("timeout: 300ms\n{TWO}"));
    sandbox.git_repo([("a", "b")]).trust();
    sandbox.orchestra(["run", "w"]).run().code(1).stdout_has("r1 timed-out");
    assert_eq!(sandbox.status("r1"), "timed-out");
    assert_eq!(sandbox.status("r1/one"), "timed-out");
}

#[test]
fn a_time_out_can_be_changed_while_the_agent_runs() {
    let sandbox = Sandbox::new();
    let gate = sandbox.gate("worker");
    sandbox.agent_script_with("worker", "timeout: 1h", &format!("{gate}"));
    sandbox.workflow("w", TWO);
    sandbox.git_repo([("a", "b")]).trust();
    let running = sandbox.orchestra(["run", "w"]).spawn();
    let _stays = gate.wait();
    // Shorter: it ends although an hour was given.
    let outcome = sandbox.orchestra(["timeout", "r1/one", "100ms"]).run().success();
    outcome.stdout_has("r1/one: recorded");
    running.wait(LIMIT).code(1).stdout_has("timed out after 100ms");
    assert_eq!(sandbox.status("r1/one"), "timed-out");
}

#[test]
fn a_time_out_can_be_lengthened_while_the_agent_runs() {
    let sandbox = Sandbox::new();
    let gate = sandbox.gate("worker");
    sandbox.agent_script_with("worker", "timeout: 3s", &format!("{gate}"));
    sandbox.git_repo([("a", "b")]).trust();
    let running = sandbox.orchestra(["start", "worker", "go", "--follow"]).spawn();
    let stays = gate.wait();
    let begun = Instant::now();
    sandbox.orchestra(["timeout", "r1", "1h"]).run().success();
    sandbox.orchestra(["timeout", "r1.1", "1h"]).run().success();
    eventually("the old time-out has passed", LIMIT, || {
        (begun.elapsed() > Duration::from_millis(3_200)).then_some(())
    });
    assert_eq!(sandbox.status("r1.1"), "running");
    drop(stays);
    running.wait(LIMIT).success();
}
