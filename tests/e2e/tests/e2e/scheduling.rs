//! In which order tasks start, how many at once, and who carries them out.

use orchestra_testkit::{Gate, Sandbox};
use serde_json::Value;

/// The attempts of a run in the order in which they started.
fn started(sandbox: &Sandbox, run: &str) -> Vec<String> {
    let events = sandbox.events(run);
    let started = events.iter().filter(|event| event["body"]["type"] == "attempt-started");
    started.map(|event| event["body"]["attempt"].as_str().expect("an id").to_owned()).collect()
}

/// How many attempts of a run were under way at once, at most.
fn most_at_once(events: &[Value]) -> usize {
    let mut now = 0;
    let counts = events.iter().filter_map(|event| match event["body"]["type"].as_str()? {
        "attempt-started" => {
            now += 1;
            Some(now)
        }
        "attempt-ended" => {
            now -= 1;
            None
        }
        _ => None,
    });
    counts.max().unwrap_or(0)
}

fn steps(count: usize, agent: &str) -> String {
    let step = |number| format!("  - {{ id: s{number}, agent: {agent}, prompt: go }}\n");
    (0..count).map(step).collect()
}

#[test]
fn the_higher_priority_goes_first() {
    let sandbox = Sandbox::with_agents([("worker", "true".to_owned())]);
    sandbox.workflow(
        "w",
        "steps:\n  - { id: low, agent: worker, prompt: go, priority: -5 }\n  \
         - { id: none, agent: worker, prompt: go }\n  \
         - { id: high, agent: worker, prompt: go, priority: 5 }\n",
    );
    // The agent does one thing at a time, so the order is seen.
    sandbox.orchestra(["run", "w"]).run().success();
    assert_eq!(started(&sandbox, "r1"), ["r1.3@1", "r1.2@1", "r1.1@1"]);
}

#[test]
fn an_agent_gets_no_more_than_its_load() {
    let sandbox = Sandbox::new();
    sandbox.agent_script("single", "true");
    sandbox.agent_script_with("double", "max_load: 2", "true");
    sandbox.workflow("one", &format!("steps:\n{}", steps(4, "single")));
    sandbox.workflow("two", &format!("steps:\n{}", steps(6, "double")));
    sandbox.git_repo([("a", "b")]).trust();
    sandbox.orchestra(["run", "one"]).run().success();
    sandbox.orchestra(["run", "two"]).run().success();
    assert_eq!(most_at_once(&sandbox.events("r1")), 1);
    assert_eq!(most_at_once(&sandbox.events("r2")), 2);
}

#[test]
fn a_workflow_and_the_configuration_limit_what_runs_at_once() {
    let sandbox = Sandbox::new();
    sandbox.configure("[limits]\nmax_parallel = 3\n");
    sandbox.agent_script_with("worker", "max_load: 100", "true");
    sandbox.workflow("two", &format!("max_parallel: 2\nsteps:\n{}", steps(5, "worker")));
    sandbox.workflow("three", &format!("steps:\n{}", steps(6, "worker")));
    sandbox.git_repo([("a", "b")]).trust();
    sandbox.orchestra(["run", "two"]).run().success();
    sandbox.orchestra(["run", "three"]).run().success();
    assert_eq!(most_at_once(&sandbox.events("r1")), 2);
    assert_eq!(most_at_once(&sandbox.events("r2")), 3);
}

#[test]
fn equals_share_the_work_by_their_load() {
    let sandbox = Sandbox::new();
    let gates: [Gate; 2] = ["a", "b"].map(|name| {
        let gate = sandbox.gate(name);
        let keys = "capabilities: [code_review]";
        sandbox.agent_script_with(&format!("agent-{name}"), keys, &format!("{gate}"));
        gate
    });
    let step = |id| format!("  - {{ id: {id}, capability: [code_review], prompt: go }}\n");
    sandbox.workflow("w", &format!("mode: strategic\nsteps:\n{}{}", step("x"), step("y")));
    sandbox.git_repo([("a", "b")]).trust();
    let running = sandbox.orchestra(["run", "w"]).spawn();
    // Both are at work at the same time, one task each.
    let both = gates.each_ref().map(Gate::wait);
    drop(both);
    running.wait(std::time::Duration::from_secs(20)).success();
}

#[test]
fn in_a_sequential_workflow_each_step_waits_for_the_one_before() {
    let sandbox = Sandbox::new();
    sandbox.agent_script_with("worker", "max_load: 100", "true");
    sandbox.workflow("w", &format!("pattern: sequential\nsteps:\n{}", steps(3, "worker")));
    sandbox.git_repo([("a", "b")]).trust();
    sandbox.orchestra(["run", "w"]).run().success();
    assert_eq!(started(&sandbox, "r1"), ["r1.1@1", "r1.2@1", "r1.3@1"]);
    assert_eq!(most_at_once(&sandbox.events("r1")), 1);
}

fn executors(sandbox: &Sandbox, target: &str) -> Vec<String> {
    let task = sandbox.show(target);
    let attempts = task["attempts"].as_array().expect("a list").iter();
    attempts.map(|attempt| attempt["executor"].as_str().unwrap_or_default().to_owned()).collect()
}

/// A native action that fails on this tree, with an agent that can stand in for it.
const REPORT: &str = "steps:\n  - id: a\n    action: workspace.search\n    agent: helper\n    \
                      with: { pattern: \"{{ params.pattern }}\" }\n    prompt: find it\n\
                      params: { pattern: { default: hello } }\n";

#[test]
fn modes_choose_natives_agents_or_one_after_the_other() {
    let sandbox = Sandbox::with_agents([("helper", "echo found by hand".to_owned())]);
    sandbox.workflow("w", REPORT);
    for (run, arguments, expected) in [
        ("r1", ["--mode", "speed", "-ppattern=hello"], ["workspace.search"].as_slice()),
        ("r2", ["--mode", "strategic", "-ppattern=hello"], &["helper"]),
        ("r3", ["--mode", "intelligent", "-ppattern=hello"], &["workspace.search"]),
        // A pattern that is no regular expression: the agent takes over.
        ("r4", ["--mode", "intelligent", "-ppattern=("], &["workspace.search", "helper"]),
    ] {
        sandbox.orchestra(["run", "w"].iter().chain(&arguments)).run().success();
        assert_eq!(executors(&sandbox, &format!("{run}/a")), expected, "{run}");
    }
    let failed = sandbox.orchestra(["run", "w", "--mode", "speed", "-ppattern=("]).run().code(1);
    failed.stdout_has("hint:");
}

#[test]
fn untrusted_the_native_goes_alone_and_it_is_said() {
    let sandbox = Sandbox::new();
    sandbox.agent_script("helper", "echo found by hand");
    sandbox.workflow("w", REPORT);
    sandbox.git_repo([("a", "hello")]);
    let outcome = sandbox.orchestra(["run", "w"]).run().success();
    outcome.stderr_has("note: agents are left out: ").stderr_has("is not trusted");
    assert_eq!(executors(&sandbox, "r1/a"), ["workspace.search"]);
}

#[test]
fn a_step_whose_condition_is_false_is_skipped_and_counts_as_an_end() {
    let sandbox = Sandbox::new();
    sandbox.workflow(
        "w",
        "params: { deep: { default: false } }\nsteps:\n  \
         - { id: count, action: value.set, with: { value: { total: 0 } } }\n  \
         - { id: fix, action: value.set, needs: [count], with: { value: 1 }, \
         when: \"steps.count.result.total > 0\" }\n  \
         - { id: deep, action: value.set, with: { value: 2 }, when: \"params.deep\" }\n  \
         - { id: after, action: value.set, needs: [fix], with: { value: 3 } }\n",
    );
    sandbox.orchestra(["run", "w"]).run().success();
    let status = |step: &str| sandbox.status(&format!("r1/{step}"));
    assert_eq!(
        [status("fix"), status("deep"), status("after")],
        ["skipped", "skipped", "succeeded"]
    );
    sandbox.orchestra(["run", "w", "-pdeep=true"]).run().success();
    assert_eq!(sandbox.status("r2/deep"), "succeeded");
}
