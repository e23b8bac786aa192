//! What an agent says about its work counts for nothing: its work is looked at.

use orchestra_testkit::Sandbox;
use serde_json::Value;

/// A project that can add, with a check that it can, and one that it can multiply.
const ADD: &str = "echo $(( $1 + $2 ))\n";
const CHECK: &str = "test \"$(sh add.sh 2 3)\" = 5 || { echo '2 and 3 do not add up'; exit 1; }\n";
const ACCEPT: &str = "test \"$(sh multiply.sh 2 3)\" = 6\n";
const MULTIPLY: &str = "echo 'echo $(( $1 * $2 ))' > multiply.sh";

/// A sandbox with the project, agents that write, and a workflow `w` in which each is given the same task,
/// verified and accepted.
fn project(agents: &[(&str, &str)]) -> Sandbox {
    project_with(agents, "verify: [[sh, check.sh]]\n    accept: [[sh, accept.sh]]")
}

fn project_with(agents: &[(&str, &str)], keys: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let mut steps = "steps:\n".to_owned();
    for (name, script) in agents {
        sandbox.agent_script_with(name, "writes: true", script);
        steps.push_str(&format!(
            "  - id: {name}\n    agent: {name}\n    prompt: make it multiply\n    {keys}\n"
        ));
    }
    sandbox.workflow("w", &steps);
    sandbox.git_repo([("add.sh", ADD), ("check.sh", CHECK), ("accept.sh", ACCEPT)]).trust();
    sandbox
}

fn failure(task: &Value) -> &str {
    task["failure"]["message"].as_str().unwrap_or_default()
}

#[test]
fn of_a_liar_a_breaker_and_an_honest_agent_only_the_honest_one_succeeds() {
    let sandbox = project(&[
        ("liar", "echo 'done, all tests pass'"),
        ("breaker", &format!("{MULTIPLY}; echo 'echo 0' > add.sh; echo 'done, all tests pass'")),
        ("lazy", "echo '# multiply' >> add.sh; echo 'done, all tests pass'"),
        ("honest", &format!("{MULTIPLY}; echo multiplies")),
    ]);
    sandbox.orchestra(["run", "w"]).run().code(1);

    let status = |agent: &str| sandbox.status(&format!("r1/{agent}"));
    assert_eq!(
        [status("liar"), status("breaker"), status("lazy"), status("honest")],
        ["failed", "failed", "failed", "succeeded"]
    );
    let shown = |agent: &str| sandbox.orchestra(["show", &format!("r1/{agent}")]).run().success();
    shown("liar").stdout_has("changed nothing");
    shown("breaker").stdout_has("`sh check.sh`").stdout_has("2 and 3 do not add up");
    shown("lazy").stdout_has("`sh accept.sh`");
    shown("honest")
        .stdout_has("changed 1 file (+1 -0)")
        .stdout_has("added multiply.sh")
        .stdout_has("verify `sh check.sh` is green")
        .stdout_has("accept `sh accept.sh` is green");
    let commit = sandbox.show("r1/honest")["output"]["change"]["commit"].clone();
    let commit = commit.as_str().expect("a commit");
    assert_eq!(sandbox.git(["show", &format!("{commit}:multiply.sh")]), "echo $(( $1 * $2 ))\n");
    assert_eq!(sandbox.git(["status", "--porcelain"]), "", "the user's files are as they were");
}

#[test]
fn what_was_red_before_is_no_agents_fault_and_is_said() {
    let sandbox = project(&[("honest", MULTIPLY)]);
    sandbox.write("add.sh", "echo 0\n");
    sandbox.orchestra(["run", "w"]).run().success();
    let task = sandbox.show("r1/honest");
    assert_eq!(task["output"]["evidence"]["verdict"]["type"], "was-red-before", "{task:#}");
    sandbox.orchestra(["show", "r1/honest"]).run().success().stdout_has("was red before");
}

#[test]
fn a_task_that_may_change_nothing_may() {
    let sandbox = project_with(&[("idle", "echo nothing to do")], "allow_empty: true");
    sandbox.orchestra(["run", "w"]).run().success();
    assert_eq!(sandbox.status("r1/idle"), "succeeded");
}

#[test]
fn a_retry_is_told_what_was_wrong_and_starts_from_the_beginning() {
    let script = format!(
        "{MULTIPLY}\n\
         if grep -q 'do not add up' \"$1\" || grep -q 'sh check.sh' \"$1\"; then exit 0; fi\n\
         echo 'echo 0' > add.sh"
    );
    let sandbox = project_with(
        &[("learner", &script)],
        "verify: [[sh, check.sh]]\n    accept: [[sh, accept.sh]]\n    retry: { max: 1, backoff: 0s }",
    );
    sandbox.orchestra(["run", "w"]).run().success();
    let attempts = sandbox.show("r1/learner")["attempts"].as_array().map(Vec::len);
    assert_eq!(attempts, Some(2));
}

#[test]
fn a_check_that_hangs_is_ended_with_all_that_it_started() {
    let sandbox = project_with(&[("honest", MULTIPLY)], "verify: [sh hang.sh]");
    sandbox.write("hang.sh", "sleep 1000 & sleep 1000\n");
    sandbox.git_commit("a check that hangs");
    sandbox.configure("verify.timeout = \"300ms\"\nattempt.grace = \"300ms\"\n");
    sandbox.orchestra(["run", "w"]).run().code(1);
    let task = sandbox.show("r1/honest");
    assert!(failure(&task).contains("sh hang.sh"), "{task:#}");
    assert!(failure(&task).contains("300ms"), "{task:#}");
    let sleeping: Vec<_> =
        sandbox.processes().into_iter().filter(|p| p.command_line.contains("sleep 1000")).collect();
    assert_eq!(sleeping, []);
}

#[test]
fn a_run_that_is_cancelled_while_work_is_checked_ends_and_keeps_the_work() {
    let sandbox = project_with(&[("honest", MULTIPLY)], "verify: [sh wait.sh]");
    let gate = sandbox.gate("check");
    sandbox.write("wait.sh", format!("{gate}\n"));
    sandbox.git_commit("a check that waits");
    let run = sandbox.orchestra(["run", "w"]).spawn();
    let at_work = gate.wait();
    sandbox.orchestra(["cancel", "r1"]).run().success();
    run.wait(std::time::Duration::from_secs(30)).code(1);
    drop(at_work);
    let task = sandbox.show("r1/honest");
    assert_eq!(task["status"], "cancelled");
    assert_eq!(task["output"]["change"]["files"], 1, "{task:#}");
}

#[test]
fn a_check_that_a_killed_daemon_has_left_ends_when_its_run_is_cancelled() {
    let sandbox = project_with(&[("honest", MULTIPLY)], "verify: [sh wait.sh]");
    let gate = sandbox.gate("check");
    sandbox.write("wait.sh", format!("sleep 1000 &\n{gate}\n"));
    sandbox.git_commit("a check that waits");
    sandbox.configure("attempt.grace = \"300ms\"\n");
    sandbox.orchestra(["run", "w", "--detach"]).run().success();
    let at_work = gate.wait();
    let processes = sandbox.processes();
    let daemon = processes.iter().find(|process| process.command_line.contains("daemon __serve"));
    daemon.expect("a daemon").kill();
    // Starts another one, which finds the attempt and is told to stop it at once.
    sandbox.orchestra(["cancel", "r1"]).run().success();
    sandbox.wait_for_status("r1", "cancelled");
    let sleeping =
        |process: &orchestra_testkit::Process| process.command_line.contains("sleep 1000");
    assert!(!sandbox.processes().iter().any(sleeping));
    assert!(sandbox.leases().is_empty());
    drop(at_work);
}

/// What lies in ignored folders of an agent's tree, such as the programs that tests are run with, is the
/// agent's to change. Checks run with their own.
#[test]
fn a_test_runner_that_an_agent_has_replaced_is_not_the_one_that_checks() {
    let sandbox = Sandbox::new();
    sandbox.agent_script_with(
        "breaker",
        "writes: true",
        "for runner in node_modules/.bin/check target/debug/check; do\n\
         test -x $runner || exit 9\n\
         printf '#!/bin/sh\\nexit 0\\n' > $runner\ndone\n\
         echo \"echo 0 # $ORCHESTRA_TASK_ID\" > add.sh",
    );
    sandbox.workflow(
        "w",
        "steps:\n  - id: breaker\n    agent: breaker\n    prompt: go\n    \
         verify: [[node_modules/.bin/check], [target/debug/check]]\n",
    );
    sandbox.write(
        ".orchestra/config.toml",
        "[tree]\nsetup = [\"sh setup.sh\"]\nkeep = [\"node_modules\", \"target\"]\n",
    );
    sandbox.git_repo([
        ("add.sh", ADD),
        ("check.sh", CHECK),
        (".gitignore", "node_modules\ntarget\n"),
        (
            "setup.sh",
            "for folder in node_modules/.bin target/debug; do\nmkdir -p $folder\n\
             printf '#!/bin/sh\\npwd; exec sh check.sh\\n' > $folder/check\nchmod +x $folder/check\ndone\n",
        ),
    ]);
    sandbox.trust();
    // Later runs get the slots of earlier ones, with what was kept in them; each leaves something else, so
    // that nothing is known of it from before.
    for run in ["r1", "r2", "r3"] {
        sandbox.orchestra(["run", "w"]).run().code(1);
        let task = sandbox.show(&format!("{run}/breaker"));
        assert!(failure(&task).contains("`node_modules/.bin/check`"), "{task:#}");
        let checks = task["output"]["evidence"]["checks"].as_array().cloned().unwrap_or_default();
        let outcomes: Vec<&Value> =
            checks.iter().map(|check| &check["on_result"]["outcome"]["type"]).collect();
        assert_eq!(outcomes, ["red", "red"], "{task:#}");
        for check in &checks {
            let place = check["on_result"]["last_lines"][0].as_str().unwrap_or_default();
            assert!(place.ends_with("/v1/src"), "it ran in {place}");
        }
    }
}

/// A check runs what agents have written, and may change the folders that are kept for later checks.
#[test]
fn in_fresh_slots_a_test_runner_that_a_check_has_replaced_does_not_check_again() {
    let sandbox = Sandbox::new();
    sandbox.agent_script_with(
        "poisoner",
        "writes: true",
        "echo \"printf '#!/bin/sh\\nexit 0\\n' > node_modules/.bin/check; exit 1\" > check.sh",
    );
    sandbox.agent_script_with("breaker", "writes: true", "echo 'echo 0' > add.sh");
    for agent in ["poisoner", "breaker"] {
        sandbox.workflow(
            agent,
            &format!(
                "steps:\n  - {{ id: a, agent: {agent}, prompt: go, verify: [[node_modules/.bin/check]] }}\n"
            ),
        );
    }
    sandbox.write(
        ".orchestra/config.toml",
        "[tree]\nsetup = [\"sh setup.sh\"]\nkeep = [\"node_modules\"]\n[verify]\nclean = \"fresh\"\n",
    );
    sandbox.git_repo([
        ("add.sh", ADD),
        ("check.sh", CHECK),
        (".gitignore", "node_modules\n"),
        (
            "setup.sh",
            "mkdir -p node_modules/.bin; printf '#!/bin/sh\\nexec sh check.sh\\n' > node_modules/.bin/check\n\
             chmod +x node_modules/.bin/check\n",
        ),
    ]);
    sandbox.trust();
    for agent in ["poisoner", "breaker"] {
        sandbox.orchestra(["run", agent]).run().code(1);
    }
    let said = sandbox.orchestra(["show", "r2/a"]).run().success();
    said.stdout_has("verify `node_modules/.bin/check` exited with code 1")
        .stdout_has("do not add up");
}

#[test]
fn checks_that_the_workspace_brings_need_trust_and_a_change_of_them_asks_again() {
    let sandbox = project(&[("honest", MULTIPLY)]);
    sandbox.orchestra(["run", "w"]).run().success();
    let text = sandbox.read(".orchestra/workflows/w.yaml").replace("check.sh", "other.sh");
    sandbox.write(".orchestra/workflows/w.yaml", text);
    sandbox.orchestra(["run", "w"]).run().code(4).stderr_has("other.sh");
}
