//! Agents that work together: two at the same time, and a third that needs both.

use orchestra_testkit::Sandbox;
use serde_json::Value;

const WORKFLOW: &str = "steps:
  - { id: left, agent: left, prompt: go left }
  - { id: right, agent: right, prompt: go right }
  - id: both
    agent: both
    needs: [left, right]
    prompt: \"left said {{ steps.left.summary }}, right said {{ steps.right.summary }}\"
";

/// When an attempt of the task started or ended, in milliseconds.
fn moment(events: &[Value], kind: &str, attempt: &str) -> i64 {
    let event = events.iter().find(|event| {
        event["body"]["type"] == kind && event["body"]["attempt"].as_str() == Some(attempt)
    });
    event.and_then(|event| event["at"].as_i64()).unwrap_or_else(|| panic!("no {kind} of {attempt}"))
}

#[test]
fn two_agents_overlap_in_time_and_a_third_gets_what_both_made() {
    // Each waits for the other: one after the other, neither could ever end.
    let sandbox = Sandbox::new();
    let pipe = |name: &str| {
        let path = sandbox.outside().join(name);
        sandbox.command("mkfifo").arg(&path).run().success();
        path.display().to_string()
    };
    let (to_left, to_right) = (pipe("to-left"), pipe("to-right"));
    sandbox.agent_script(
        "left",
        &format!("echo ping > '{to_right}'; read -r heard < '{to_left}'; echo \"I heard $heard\""),
    );
    sandbox.agent_script(
        "right",
        &format!("read -r heard < '{to_right}'; echo pong > '{to_left}'; echo \"I heard $heard\""),
    );
    sandbox.agent_script("both", "grep '^left said' \"$1\"");
    sandbox.workflow("trio", WORKFLOW);
    sandbox.git_repo([("readme.txt", "hello\n")]).trust();

    sandbox.orchestra(["run", "trio"]).run().success().stdout_has("3 of 3 tasks ended, 0 failed");

    let events = sandbox.events("r1");
    let started = |attempt| moment(&events, "attempt-started", attempt);
    let ended = |attempt| moment(&events, "attempt-ended", attempt);
    assert!(started("r1.1@1") < ended("r1.2@1"), "they did not overlap");
    assert!(started("r1.2@1") < ended("r1.1@1"), "they did not overlap");
    assert!(started("r1.3@1") >= ended("r1.1@1").max(ended("r1.2@1")), "it did not wait for both");
    assert_eq!(
        sandbox.show("r1/both")["output"]["summary"],
        "left said I heard pong, right said I heard ping"
    );
    for task in ["r1.1", "r1.2", "r1.3"] {
        assert!(sandbox.workspace().join(format!(".orchestra/tasks/{task}.done")).is_file());
    }
}

#[test]
fn what_one_agent_fails_at_is_not_waited_for_and_the_others_keep_their_work() {
    let sandbox = Sandbox::with_agents([
        ("left", "echo fine".to_owned()),
        ("right", "echo cannot >&2; exit 1".to_owned()),
        ("both", "echo never".to_owned()),
    ]);
    sandbox.workflow("trio", WORKFLOW);
    sandbox.orchestra(["run", "trio"]).run().code(1).stdout_has("exited with code 1");
    let status = |step: &str| sandbox.status(&format!("r1/{step}"));
    assert_eq!(
        [status("left"), status("right"), status("both")],
        ["succeeded", "failed", "skipped"]
    );
    assert!(sandbox.show("r1/both")["detail"].as_str().is_some_and(|why| why.contains("right")));
    assert_eq!(sandbox.show("r1/both")["attempts"].as_array().map(Vec::len), Some(0));
}
