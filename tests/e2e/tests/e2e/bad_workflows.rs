//! Workflows that cannot run: every mistake is named with its place and the next step, and nothing
//! is started or recorded.

use orchestra_testkit::{Outcome, Sandbox};

/// Runs a workflow of these lines behind its name, which must be refused as a wrong file.
#[track_caller]
fn refused(text: &str) -> Outcome {
    let sandbox = Sandbox::new();
    sandbox.agent_script("coder", "true");
    sandbox.workflow("w", text);
    let outcome = sandbox.orchestra(["run", "w"]).run().code(2);
    assert_eq!(outcome.stdout, "", "{outcome}");
    let runs = sandbox.orchestra(["status", "--json"]).run().success().json();
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(0), "something was recorded: {runs}");
    let check = sandbox.orchestra(["workflows", "check", "w"]).run().code(1);
    let place = outcome.stderr.lines().next().unwrap_or_default();
    check.stdout_has(place);
    outcome
}

const FILE: &str = ".orchestra/workflows/w.yaml";

#[test]
fn broken_yaml_is_named_with_its_place() {
    refused("steps: [\n")
        .stderr_has(&format!("{FILE}:2:8: error: not valid YAML"))
        .stderr_has("hint: close the quote or bracket that was opened here");
}

#[test]
fn an_unknown_agent_is_named_with_the_one_that_was_meant() {
    refused("steps:\n  - id: a\n    agent: codr\n    prompt: go\n")
        .stderr_has(&format!("{FILE}:4:12: error: there is no agent `codr`"))
        .stderr_has("hint: did you mean `coder`?");
}

#[test]
fn an_unknown_action_is_named_with_the_one_that_was_meant() {
    refused("steps:\n  - id: a\n    action: todo.scam\n")
        .stderr_has(&format!("{FILE}:4:13: error: there is no native action `todo.scam`"))
        .stderr_has("hint: did you mean `todo.scan`?");
}

#[test]
fn a_cycle_is_shown_with_its_path() {
    let steps = "steps:\n  - { id: a, action: todo.scan, needs: [c] }\n  \
                 - { id: b, action: todo.scan, needs: [a] }\n  \
                 - { id: c, action: todo.scan, needs: [b] }\n";
    refused(steps)
        .stderr_has("error: steps need each other in a cycle: a → c → b → a")
        .stderr_has("hint: remove one of these `needs`");
}

#[test]
fn a_duplicate_id_is_named_with_both_places() {
    let steps = "steps:\n  - id: a\n    action: todo.scan\n  - id: a\n    action: deps.list\n";
    refused(steps)
        .stderr_has(&format!("{FILE}:5:9: error: step id `a` is used twice, first at line 3"))
        .stderr_has("hint: give one of the two another id");
}

#[test]
fn a_bad_expression_is_named_with_its_place() {
    refused("steps:\n  - id: a\n    action: todo.scan\n    when: \"1 +\"\n")
        .stderr_has(&format!("{FILE}:5:"))
        .stderr_has("error: bad syntax")
        .stderr_has("hint: write an expression such as");
}

#[test]
fn an_impossible_limit_is_named_with_what_is_possible() {
    let steps = "max_parallel: 0\ntimeout: 5m\nsteps:\n  - id: a\n    action: todo.scan\n    \
                 timeout: 10m\n";
    refused(steps)
        .stderr_has(&format!("{FILE}:2:15: error: `max_parallel` is a whole number from 1 to"))
        .stderr_has(&format!("{FILE}:7:14: error: a timeout of 10m 0s is longer than the whole"));
}

#[test]
fn ids_that_try_to_leave_the_folder_are_no_ids() {
    refused("steps:\n  - id: ../x\n    action: todo.scan\n")
        .stderr_has(&format!("{FILE}:3:9: error: `../x` cannot be the id of a step"))
        .stderr_has("hint: use a letter");
    refused("steps:\n  - id: a\n    action: todo.scan\n    output: ../../x\n")
        .stderr_has(&format!("{FILE}:5:13: error: "));
    refused("steps:\n  - id: a\n    agent: ../coder\n    prompt: go\n")
        .stderr_has(&format!("{FILE}:4:12: error: there is no agent `../coder`"));
}

#[test]
fn a_workflow_name_that_leaves_the_folder_is_no_workflow() {
    let sandbox = Sandbox::new();
    sandbox.write("secret.yaml", "name: secret\nsteps:\n  - { id: a, action: todo.scan }\n");
    for name in ["../../secret", "../x", "/etc/passwd", ""] {
        let outcome = sandbox.orchestra(["run", name]).run().code(2);
        outcome.stderr_has(&format!("there is no workflow `{name}`")).stderr_has("hint: there are");
        sandbox.orchestra(["workflows", "show", name]).run().code(2);
        sandbox.orchestra(["workflows", "check", name]).run().code(2);
    }
    sandbox.workflow("w", "steps:\n  - { id: a, action: todo.scan }\n");
    sandbox.write(
        ".orchestra/workflows/evil.yaml",
        "name: ../evil\nsteps:\n  - { id: a, action: todo.scan }\n",
    );
    sandbox
        .orchestra(["workflows", "check"])
        .run()
        .code(1)
        .stdout_has("evil.yaml:1:7: error: `../evil` cannot be the name of a workflow");
}

#[test]
fn parameters_that_do_not_fit_are_named() {
    let sandbox = Sandbox::new();
    sandbox.workflow(
        "w",
        "params: { token: { description: How to log in }, count: { default: 3 } }\n\
         steps:\n  - { id: a, action: value.set, with: { value: \"{{ params.token }}\" } }\n",
    );
    let run = |parameters: &[&str]| {
        let parameters = parameters.iter().flat_map(|pair| ["--param", pair]);
        sandbox.orchestra(["run", "w"].into_iter().chain(parameters)).run()
    };
    run(&[])
        .code(2)
        .stderr_has("the parameter `token` is not given")
        .stderr_has("hint: add `--param token=…`: How to log in");
    run(&["token=x", "cuont=4"])
        .code(2)
        .stderr_has("there is no parameter `cuont`")
        .stderr_has("hint: did you mean `count`?");
    run(&["token=x", "count=many"]).code(2).stderr_has("the parameter `count` is a number");
    run(&["token"]).code(2).stderr_has("`token`").stderr_has("hint: write it as name=value");
    run(&["token=x", "count=4"]).success();
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once_as_json_too() {
    let sandbox = Sandbox::new();
    sandbox.workflow("w", "steps:\n  - { id: a, action: nope.a }\n  - { id: b, action: nope.b }\n");
    let outcome = sandbox.orchestra(["run", "w", "--json"]).run().code(2);
    let error: serde_json::Value = serde_json::from_str(&outcome.stderr).expect("JSON");
    let error = &error["error"];
    assert_eq!(error["code"], 2);
    assert_eq!(error["message"], "run w: the workflow w cannot be planned");
    assert_eq!(error["hint"], "check it with `orchestra workflows check w`");
    let places: Vec<_> = error["diagnostics"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|found| (found["file"].as_str(), found["line"].as_u64(), found["column"].as_u64()))
        .collect();
    assert_eq!(places, [(Some(FILE), Some(3), Some(22)), (Some(FILE), Some(4), Some(22))]);
}
