//! Following from elsewhere: logs while they grow, and everything that happens in a workspace.

use orchestra_testkit::{Sandbox, Signal};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

#[test]
fn logs_are_followed_while_the_agent_writes_and_until_it_ends() {
    let sandbox = Sandbox::new();
    let gate = sandbox.gate("worker");
    sandbox.agent_script("worker", &format!("echo first\n{gate}\necho second"));
    sandbox.git_repo([("a", "b")]).trust();
    sandbox.orchestra(["start", "worker", "go"]).run().success();
    let arrived = gate.wait();
    let following = sandbox.orchestra(["logs", "r1.1", "--follow"]).spawn();
    following.wait_for_stdout("first", LIMIT);
    drop(arrived);
    assert_eq!(following.wait(LIMIT).success().stdout, "first\nsecond\n");
    // Of an attempt that has ended, following shows the same and ends.
    let logs = sandbox.orchestra(["logs", "r1.1", "--follow"]).run().success();
    assert_eq!(logs.stdout, "first\nsecond\n");
}

#[test]
fn whoever_watches_the_workspace_sees_runs_of_others_until_interrupted() {
    let sandbox = Sandbox::new();
    sandbox.workflow("w", "steps:\n  - { id: a, action: value.set, with: { value: 1 } }\n");
    sandbox.orchestra(["run", "w"]).run().success();
    let watching = sandbox.orchestra(["watch", "--json"]).spawn();
    watching.wait_for_stdout("\"caught-up\"", LIMIT);
    sandbox.orchestra(["run", "w"]).run().success();
    let seen = watching.wait_for_stdout("\"run-ended\"", LIMIT);
    assert!(seen.contains("\"r2\"") && !seen.contains("\"r1\""), "{seen}");
    watching.signal(Signal::INT);
    watching.wait(LIMIT).success();
}

#[test]
fn two_clients_follow_the_same_run() {
    let sandbox = Sandbox::new();
    let gate = sandbox.gate("worker");
    sandbox.agent_script("worker", &format!("{gate}"));
    sandbox.git_repo([("a", "b")]).trust();
    let first = sandbox.orchestra(["start", "worker", "go", "--follow"]).spawn();
    let arrived = gate.wait();
    let second = sandbox.orchestra(["watch", "r1"]).spawn();
    second.wait_for_stdout("r1.1 worker running", LIMIT);
    drop(arrived);
    let [first, second] = [first, second].map(|client| client.wait(LIMIT).success());
    assert_eq!(first.stdout, second.stdout);
}
