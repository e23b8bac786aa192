//! `checks.run`: the project's own tests as a step, with no agent.

use orchestra_testkit::{Sandbox, eventually};
use serde_json::{Value, json};
use std::{
    io::{self, Write as _},
    time::Duration,
};

const LIMIT: Duration = Duration::from_secs(30);

/// A trusted repository with these files, and a workflow `w` whose only step runs these commands.
fn project(commands: &str, files: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::new();
    let with = if commands.is_empty() {
        String::new()
    } else {
        format!("\n    with: {{ commands: {commands} }}")
    };
    sandbox.workflow("w", &format!("steps:\n  - id: tests\n    action: checks.run{with}\n"));
    // One that has to be killed is killed soon.
    sandbox.configure("attempt.grace = \"300ms\"\n");
    sandbox.git_repo(files.iter().copied());
    sandbox.trust();
    sandbox
}

/// The only check of a step: its outcome, and the end of what it wrote.
fn only_check(task: &Value) -> (&str, String) {
    let checks =
        task["output"]["result"]["checks"].as_array().unwrap_or_else(|| panic!("{task:#}"));
    let [check] = checks.as_slice() else { panic!("one check, not {checks:#?}") };
    let lines = check["last_lines"].as_array().into_iter().flatten();
    let lines: Vec<&str> = lines.filter_map(Value::as_str).collect();
    (check["outcome"].as_str().unwrap_or_default(), lines.join("\n"))
}

fn failure(task: &Value) -> &str {
    task["failure"]["message"].as_str().unwrap_or_default()
}

fn sleeping(sandbox: &Sandbox) -> usize {
    sandbox.processes().iter().filter(|process| process.command_line.contains("sleep 1000")).count()
}

const CALC: &str = "def add(a, b):\n    return a + b\n";
const TEST: &str = "import unittest\nimport calc\n\nclass Calc(unittest.TestCase):\n    \
                    def test_adds(self):\n        self.assertEqual(calc.add(2, 3), 5)\n";

#[test]
fn tests_are_run_on_what_the_user_sees_and_red_ones_are_the_result() {
    let python = "/usr/bin/python3";
    let has_python = Sandbox::new().command(python).arg("--version").run().exit_code() == Some(0);
    let sandbox = if has_python {
        let command = format!("[[{python}, -m, unittest, -v]]");
        project(&command, &[("calc.py", CALC), ("test_calc.py", TEST)])
    } else {
        writeln!(io::stderr(), "there is no {python}: a script of sh takes its place").ok();
        let script =
            "grep -q '+ b' calc.py && echo OK || { echo 'FAILED (failures=1)'; exit 1; }\n";
        project("[[sh, test.sh]]", &[("calc.py", CALC), ("test.sh", script)])
    };
    sandbox.orchestra(["run", "w"]).run().success();
    let green = sandbox.show("r1/tests");
    let (outcome, lines) = only_check(&green);
    assert_eq!(outcome, "green", "{green:#}");
    assert!(lines.ends_with("OK"), "{lines}");
    assert_eq!(green["detail"], "1 check: 1 green");
    let confined = green["output"]["confined"]["type"].as_str();
    assert!(confined.is_some(), "what held it is not said: {green:#}");

    // Not committed: the snapshot has it.
    sandbox.write("calc.py", CALC.replace("a + b", "a - b"));
    sandbox.orchestra(["run", "w"]).run().success();
    let red = sandbox.show("r2/tests");
    let (outcome, lines) = only_check(&red);
    assert_eq!(outcome, "red", "{red:#}");
    assert!(lines.contains("FAILED (failures=1)"), "{lines}");
    assert_eq!(red["detail"], "1 check: 0 green, 1 red");
    let written = sandbox.read(".orchestra/workspace/tests/checks.json");
    let written: Value = serde_json::from_str(&written).expect("the artifact is JSON");
    assert_eq!(written, red["output"]["result"]);
    assert!(sandbox.leases().is_empty(), "the slot was given back");
    assert_eq!(sandbox.git(["status", "--porcelain"]), " M calc.py\n", "nothing else has changed");
}

#[test]
fn later_steps_read_what_the_checks_say() {
    let sandbox = Sandbox::new();
    sandbox.workflow(
        "w",
        "steps:\n  - id: tests\n    action: checks.run\n    with: { commands: [['true'], ['false']] }\n  \
         - id: after\n    action: value.set\n    needs: tests\n    \
         with: { value: '{{ steps.tests.result.red }}' }\n",
    );
    sandbox.git_repo([("a", "b")]).trust();
    sandbox.orchestra(["run", "w"]).run().success();
    assert_eq!(sandbox.show("r1/after")["output"]["result"], json!(1));
}

#[test]
fn without_commands_the_configured_ones_run_and_else_the_detected_ones() {
    let make = "test:\n\t@echo made\n";
    let sandbox = project("", &[("Makefile", make), ("check.sh", "echo checked\n")]);
    sandbox.orchestra(["run", "w"]).run().success();
    let detected = sandbox.show("r1/tests");
    assert_eq!(detected["output"]["result"]["checks"][0]["command"], json!(["make", "test"]));
    sandbox.configure("verify.commands = [\"sh check.sh\"]\n");
    sandbox.orchestra(["run", "w"]).run().success();
    let configured = sandbox.show("r2/tests");
    assert_eq!(configured["output"]["result"]["checks"][0]["command"], json!(["sh", "check.sh"]));
    assert_eq!(only_check(&configured), ("green", "checked".to_owned()));
}

#[test]
fn a_project_without_checks_is_told_how_to_name_some() {
    let sandbox = project("", &[("readme.txt", "hello\n")]);
    sandbox.orchestra(["run", "w"]).run().code(1);
    let task = sandbox.show("r1/tests");
    assert_eq!(failure(&task), "no tests or linters were found in the project");
    let hint = task["failure"]["hint"].as_str().unwrap_or_default();
    assert!(hint.contains("[verify] commands"), "{hint}");
}

#[test]
fn a_program_that_is_not_there_is_named_and_is_no_red_test() {
    let sandbox = project("['true', no-such-program --all]", &[("a", "b")]);
    sandbox.orchestra(["run", "w"]).run().success();
    let task = sandbox.show("r1/tests");
    assert_eq!(task["detail"], "2 checks: 1 green, 1 not run (program no-such-program is missing)");
    assert_eq!(task["output"]["result"]["red"], 0);

    let sandbox = project("no-such-program --all", &[("a", "b")]);
    sandbox.orchestra(["run", "w"]).run().code(1);
    let task = sandbox.show("r1/tests");
    assert_eq!(
        failure(&task),
        "no check could run: `no-such-program --all` could not run: program no-such-program is missing"
    );
    assert_eq!(task["output"]["result"]["not_run"], 1, "what was tried is kept: {task:#}");
}

#[test]
fn a_step_that_is_cancelled_ends_all_that_it_started() {
    let sandbox = project("[[sh, hang.sh]]", &[("a", "b")]);
    let gate = sandbox.gate("check");
    sandbox.write("hang.sh", format!("sleep 1000 &\nsetsid sleep 1000 &\n{gate}\n"));
    let run = sandbox.orchestra(["run", "w"]).spawn();
    let at_work = gate.wait();
    sandbox.orchestra(["cancel", "r1"]).run().success();
    run.wait(LIMIT).code(1);
    drop(at_work);
    assert_eq!(sandbox.status("r1/tests"), "cancelled");
    assert_eq!(sleeping(&sandbox), 0);
    assert!(sandbox.leases().is_empty());
}

#[test]
fn a_hanging_check_is_red_by_its_own_time_and_the_step_by_that_of_the_step() {
    let sandbox = project("[[sh, hang.sh]]", &[("hang.sh", "sleep 1000 & sleep 1000\n")]);
    sandbox.configure("verify.timeout = \"300ms\"\nattempt.grace = \"300ms\"\n");
    sandbox.orchestra(["run", "w"]).run().success();
    let task = sandbox.show("r1/tests");
    assert_eq!(only_check(&task).0, "timed-out", "{task:#}");
    assert_eq!(task["output"]["result"]["red"], 1);
    assert_eq!(sleeping(&sandbox), 0);

    let sandbox = project("[[sh, hang.sh]]", &[("hang.sh", "sleep 1000 & sleep 1000\n")]);
    let text = sandbox
        .read(".orchestra/workflows/w.yaml")
        .replace("action:", "timeout: 300ms\n    action:");
    sandbox.write(".orchestra/workflows/w.yaml", text);
    sandbox.orchestra(["run", "w"]).run().code(1);
    let task = sandbox.show("r1/tests");
    assert_eq!(
        (&task["status"], &task["detail"]),
        (&json!("timed-out"), &json!("timed out after 300ms"))
    );
    assert_eq!(sleeping(&sandbox), 0);
}

#[test]
fn the_time_of_a_step_that_runs_can_be_changed() {
    let sandbox = project("[[sh, hang.sh]]", &[("a", "b")]);
    let gate = sandbox.gate("check");
    sandbox.write("hang.sh", format!("{gate}\n"));
    let run = sandbox.orchestra(["run", "w"]).spawn();
    let at_work = gate.wait();
    sandbox.orchestra(["timeout", "r1/tests", "1ms"]).run().success();
    run.wait(LIMIT).code(1);
    drop(at_work);
    assert_eq!(sandbox.show("r1/tests")["detail"], "timed out after 1ms");
}

#[test]
fn a_killed_daemon_is_followed_by_one_that_finds_the_checks_again() {
    let sandbox = project("[[sh, first.sh], [sh, second.sh]]", &[("a", "b")]);
    let gates = ["first", "second"].map(|name| {
        let gate = sandbox.gate(name);
        sandbox.write(format!("{name}.sh"), format!("{gate}\n"));
        gate
    });
    sandbox.orchestra(["run", "w", "--detach"]).run().success();
    for gate in &gates {
        let at_work = gate.wait();
        sandbox.kill_daemon();
        // The shim of the check finds no daemon, and starts one.
        drop(at_work);
    }
    sandbox.wait_for_status("r1", "succeeded");
    let task = sandbox.show("r1/tests");
    assert_eq!(task["detail"], "2 checks: 2 green");
    assert_eq!(task["attempts"].as_array().map(Vec::len), Some(1), "{task:#}");
    // One that runs again would wait at its gate.
    assert!(gates.iter().all(|gate| gate.arrived().is_none()));
    eventually("the slot is given back", LIMIT, || sandbox.leases().is_empty().then_some(()));
}

#[test]
fn what_a_check_leaves_in_its_tree_changes_nothing_of_which_are_run() {
    let sandbox = project("", &[("Makefile", "test:\n\t@sh test.sh\n")]);
    let gate = sandbox.gate("check");
    sandbox.write("test.sh", format!("echo module x > go.mod\n{gate}\n"));
    sandbox.orchestra(["run", "w", "--detach"]).run().success();
    let at_work = gate.wait();
    sandbox.kill_daemon();
    sandbox.orchestra(["daemon", "start"]).run().success();
    drop(at_work);
    sandbox.wait_for_status("r1", "succeeded");
    let result = sandbox.show("r1/tests")["output"]["result"].clone();
    let commands: Vec<&Value> =
        result["checks"].as_array().into_iter().flatten().map(|check| &check["command"]).collect();
    assert_eq!(commands, [&json!(["make", "test"])], "{result:#}");
}

#[test]
fn checks_that_a_killed_daemon_has_left_end_when_they_are_cancelled() {
    let sandbox = project("[[sh, hang.sh]]", &[("a", "b")]);
    let gate = sandbox.gate("check");
    sandbox.write("hang.sh", format!("sleep 1000 &\n{gate}\n"));
    sandbox.orchestra(["run", "w", "--detach"]).run().success();
    let at_work = gate.wait();
    sandbox.kill_daemon();
    // Starts another one, which finds the attempt and is told to stop it at once.
    sandbox.orchestra(["cancel", "r1"]).run().success();
    sandbox.wait_for_status("r1", "cancelled");
    assert_eq!(sleeping(&sandbox), 0);
    assert!(sandbox.leases().is_empty());
    drop(at_work);
}

#[test]
fn checks_whose_environment_is_gone_wait_for_another_one() {
    let sandbox = project("[[sh, hang.sh]]", &[("a", "b")]);
    let gate = sandbox.gate("check");
    sandbox.write("hang.sh", format!("sleep 1000 &\n{gate}\n"));
    sandbox.orchestra(["run", "w", "--detach"]).run().success();
    let at_work = gate.wait();
    sandbox.kill_daemon();
    std::fs::remove_dir_all(sandbox.runtime().join("env")).unwrap();
    sandbox.orchestra(["daemon", "start"]).run().success();
    sandbox.wait_for_status("r1", "paused");
    sandbox.wait_for_status("r1/tests", "ready");
    assert_eq!(sleeping(&sandbox), 0, "what the first try had started has ended");
    drop(at_work);
    sandbox.orchestra(["resume", "r1"]).run().success();
    gate.open();
    sandbox.wait_for_status("r1", "succeeded");
    let attempts = sandbox.show("r1/tests")["attempts"].clone();
    assert_eq!(
        attempts[0]["outcome"],
        "lost: the environment that the run was started with is gone"
    );
    assert_eq!(attempts[1]["outcome"], "succeeded: 1 check: 1 green");
}

#[test]
fn checks_look_at_the_work_of_the_step_that_they_need() {
    let sandbox = Sandbox::new();
    sandbox.agent_script_with("coder", "writes: true", "echo new > new.txt");
    sandbox.workflow(
        "w",
        "steps:\n  - { id: code, agent: coder, prompt: go }\n  - id: tests\n    action: checks.run\n    \
         needs: code\n    with: { commands: [[grep, -c, new, new.txt]] }\n",
    );
    sandbox.git_repo([("a", "b")]).trust();
    sandbox.orchestra(["run", "w"]).run().success();
    assert_eq!(only_check(&sandbox.show("r1/tests")), ("green", "1".to_owned()));
}

#[test]
fn commands_of_a_workflow_need_trust_and_a_change_of_them_asks_again() {
    let sandbox = project("[sh check.sh]", &[("check.sh", "true\n")]);
    sandbox.orchestra(["run", "w"]).run().success();
    let text = sandbox.read(".orchestra/workflows/w.yaml").replace("check.sh", "other.sh");
    sandbox.write(".orchestra/workflows/w.yaml", text);
    sandbox.orchestra(["run", "w"]).run().code(4).stderr_has("other.sh");
    sandbox.orchestra(["trust", "--revoke"]).run().success();
    sandbox.orchestra(["run", "w"]).run().code(4).stderr_has("is not trusted");
}
