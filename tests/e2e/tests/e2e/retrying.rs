//! Trying again: by itself, by another agent, and because a person asks for it.

use orchestra_testkit::Sandbox;

/// Fails until it has been tried so many times; counts in a file beside the workspace.
fn fails_until(sandbox: &Sandbox, tries: u32) -> String {
    let count = sandbox.outside().join("count").display().to_string();
    format!("echo x >> '{count}'; [ $(wc -l < '{count}') -ge {tries} ] && echo done at last")
}

fn attempts(sandbox: &Sandbox, target: &str) -> Vec<String> {
    let task = sandbox.show(target);
    let attempts = task["attempts"].as_array().expect("a list").iter();
    attempts.map(|attempt| attempt["executor"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_failed_task_is_tried_again_after_its_backoff() {
    let sandbox = Sandbox::new();
    sandbox.agent_script("flaky", &fails_until(&sandbox, 3));
    sandbox.workflow(
        "w",
        "retry: { max: 5, backoff: 20ms }\nsteps:\n  - { id: a, agent: flaky, prompt: go }\n",
    );
    sandbox.git_repo([("a", "b")]).trust();
    sandbox.orchestra(["run", "w"]).run().success().stdout_has("r1.1 a delayed");
    assert_eq!(attempts(&sandbox, "r1.1").len(), 3);
    // The wait doubles, and a next try never comes early.
    let events = sandbox.events("r1");
    let moments = |kind: &str| {
        let of_kind = events.iter().filter(|event| event["body"]["type"] == kind);
        of_kind.map(|event| event["at"].as_i64().expect("a time")).collect::<Vec<_>>()
    };
    let (started, ended) = (moments("attempt-started"), moments("attempt-ended"));
    assert!(started[1] - ended[0] >= 20, "{started:?} {ended:?}");
    assert!(started[2] - ended[1] >= 40, "{started:?} {ended:?}");
}

#[test]
fn retries_are_used_up_and_the_last_failure_is_told() {
    let sandbox = Sandbox::with_agents([("bad", "echo cannot; exit 7".to_owned())]);
    sandbox.workflow(
        "w",
        "retry: { max: 2, backoff: 1ms }\nsteps:\n  - { id: a, agent: bad, prompt: go }\n",
    );
    sandbox.orchestra(["run", "w"]).run().code(1).stdout_has("exited with code 7");
    assert_eq!(attempts(&sandbox, "r1.1").len(), 3);
}

#[test]
fn a_fallback_takes_over_when_the_first_agent_has_failed() {
    let sandbox = Sandbox::new();
    sandbox.agent_script_with("first", "fallback: [second]", "exit 1");
    sandbox.agent_script("second", "echo saved");
    sandbox.git_repo([("a", "b")]).trust();
    sandbox.orchestra(["start", "first", "go", "--follow"]).run().success();
    assert_eq!(attempts(&sandbox, "r1.1"), ["first", "second"]);
    assert_eq!(sandbox.show("r1.1")["output"]["summary"], "saved");
}

#[test]
fn a_person_has_a_task_tried_again_and_what_needed_it_follows() {
    let sandbox = Sandbox::new();
    sandbox.agent_script("flaky", &fails_until(&sandbox, 2));
    sandbox.agent_script("after", "echo after");
    sandbox.workflow(
        "w",
        "steps:\n  - { id: a, agent: flaky, prompt: go }\n  \
         - { id: b, agent: after, prompt: go, needs: [a] }\n  \
         - { id: c, agent: after, prompt: go }\n",
    );
    sandbox.git_repo([("a", "b")]).trust();
    sandbox.orchestra(["run", "w"]).run().code(1);
    assert_eq!(sandbox.status("r1/b"), "skipped");
    assert!(sandbox.workspace().join(".orchestra/tasks/r1.1.error").is_file());
    // The daemon has let go of the run; it is read from the journal again.
    sandbox.orchestra(["daemon", "stop"]).run().success();

    sandbox.orchestra(["retry", "r1/a"]).run().success().stdout_has("retry r1/a: recorded");
    sandbox.orchestra(["watch", "r1"]).run().success().stdout_has("r1 succeeded");
    assert_eq!(attempts(&sandbox, "r1/a").len(), 2);
    assert_eq!(attempts(&sandbox, "r1/b").len(), 1);
    assert_eq!(attempts(&sandbox, "r1/c").len(), 1, "what had succeeded was done again");
    assert!(!sandbox.workspace().join(".orchestra/tasks/r1.1.error").exists());
    assert!(sandbox.workspace().join(".orchestra/tasks/r1.1.done").is_file());
    sandbox.orchestra(["retry", "r1/a"]).run().code(1).stderr_has("failed to retry r1/a: ");
}

#[test]
fn a_whole_run_is_tried_again_from_where_it_failed() {
    let sandbox = Sandbox::new();
    sandbox.agent_script("flaky", &fails_until(&sandbox, 2));
    sandbox.workflow(
        "w",
        "steps:\n  - { id: before, action: value.set, with: { value: 1 } }\n  \
         - { id: a, agent: flaky, prompt: go, needs: [before] }\n",
    );
    sandbox.git_repo([("a", "b")]).trust();
    sandbox.orchestra(["run", "w"]).run().code(1);
    sandbox.orchestra(["retry", "r1"]).run().success();
    sandbox.orchestra(["watch", "r1"]).run().success();
    assert_eq!(attempts(&sandbox, "r1/before").len(), 1);
    assert_eq!(attempts(&sandbox, "r1/a").len(), 2);
}
