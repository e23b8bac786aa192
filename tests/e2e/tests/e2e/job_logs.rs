//! What ran beside an agent has logs of its own, which can be read, and hold no secrets.

use orchestra_testkit::Sandbox;
use serde_json::json;
use std::{fs, path::PathBuf, time::Duration};

const LIMIT: Duration = Duration::from_secs(30);

/// An agent `coder` that changes a file, checked by this script, in trees that a script has prepared.
fn project(check: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.agent_script_with("coder", "writes: true", "echo coded; echo new > new.txt");
    sandbox.workflow(
        "w",
        "steps:\n  - id: code\n    agent: coder\n    prompt: go\n    verify: [[sh, check.sh]]\n",
    );
    sandbox.write(".orchestra/config.toml", "tree.setup = [\"sh setup.sh\"]\n");
    sandbox.git_repo([("check.sh", check), ("setup.sh", "echo prepared\n")]).trust();
    sandbox
}

fn log(sandbox: &Sandbox, target: &str, job: &str) -> String {
    sandbox.orchestra(["logs", target, "--job", job]).run().success().stdout
}

#[test]
fn show_names_the_jobs_of_an_attempt_and_logs_prints_each() {
    let sandbox = project("echo looking; echo broken >&2; exit 3\n");
    sandbox.orchestra(["run", "w"]).run().success();
    let task = sandbox.show("r1/code");
    let jobs = ["setup-1", "setup-after-1", "verify-1-after", "verify-1-before"];
    assert_eq!(task["attempts"][0]["jobs"], json!(jobs), "{task:#}");
    assert_eq!(sandbox.show("r1")["tasks"][0]["attempts"], task["attempts"]);
    let check = &task["output"]["evidence"]["checks"][0];
    assert_eq!(check["on_result"]["log"], "r1.1@1/verify-1-after");
    assert_eq!(check["on_snapshot"]["log"], "r1.1@1/verify-1-before");
    sandbox
        .orchestra(["show", "r1/code"])
        .run()
        .success()
        .stdout_has("jobs: setup-1, setup-after-1, verify-1-after, verify-1-before")
        .stdout_has("all of it: orchestra logs r1.1@1 --job verify-1-after");

    assert_eq!(log(&sandbox, "r1/code", "setup-1"), "prepared\n");
    assert_eq!(log(&sandbox, "r1.1", "verify-1-after"), "looking\nbroken\n");
    assert_eq!(log(&sandbox, "r1.1@1", "verify-1-before"), "looking\nbroken\n");
    assert_eq!(sandbox.orchestra(["logs", "r1/code"]).run().success().stdout, "coded\n");
}

#[test]
fn an_unknown_job_is_answered_with_those_that_there_are() {
    let sandbox = project("true\n");
    sandbox.orchestra(["run", "w"]).run().success();
    for job in ["verify-9", "", "../../r1.1-1", "setup-1/../setup-1", "."] {
        sandbox
            .orchestra(["logs", "r1/code", "--job", job])
            .run()
            .code(2)
            .stderr_has(&format!("show the log of r1.1@1: it has no job `{job}`"))
            .stderr_has("its jobs are setup-1, setup-after-1, verify-1-after; name one with --job");
    }
    // One that has written nothing has an empty log.
    assert_eq!(log(&sandbox, "r1/code", "verify-1-after"), "");
}

#[test]
fn a_step_that_only_runs_checks_has_no_log_but_those_of_its_jobs() {
    let sandbox = Sandbox::new();
    sandbox.workflow(
        "w",
        "steps:\n  - id: tests\n    action: checks.run\n    with: { commands: [[sh, check.sh]] }\n",
    );
    sandbox.git_repo([("check.sh", "echo checked\n")]).trust();
    sandbox.orchestra(["run", "w"]).run().success();
    let task = sandbox.show("r1/tests");
    assert_eq!(task["output"]["result"]["checks"][0]["log"], "r1.1@1/check-1");
    assert_eq!(log(&sandbox, "r1/tests", "check-1"), "checked\n");
    sandbox
        .orchestra(["logs", "r1/tests"])
        .run()
        .code(2)
        .stderr_has("checks.run has a log for each of its jobs")
        .stderr_has("its jobs are check-1");
    // The same command on the same files is not run again; its log is the one of the first run.
    sandbox.orchestra(["run", "w"]).run().success();
    let again = sandbox.show("r2/tests");
    assert_eq!(again["output"]["result"]["checks"][0]["log"], "r1.1@1/check-1");
    assert_eq!(again["attempts"][0]["jobs"], json!([]));
}

#[test]
fn the_log_of_a_job_is_followed_to_its_end() {
    let sandbox = Sandbox::new();
    let gate = sandbox.gate("check");
    sandbox.workflow(
        "w",
        "steps:\n  - id: tests\n    action: checks.run\n    with: { commands: [[sh, check.sh]] }\n",
    );
    sandbox.git_repo([("check.sh", format!("echo begun\n{gate}\necho done\n").as_str())]).trust();
    sandbox.orchestra(["run", "w", "--detach"]).run().success();
    let at_work = gate.wait();
    let following = sandbox.orchestra(["logs", "r1/tests", "--job", "check-1", "-f"]).spawn();
    assert_eq!(following.wait_for_stdout("begun", LIMIT), "begun\n");
    drop(at_work);
    assert_eq!(following.wait(LIMIT).success().stdout, "begun\ndone\n");
    sandbox.wait_for_status("r1", "succeeded");
}

/// Checks get no keys of agents, but what everything needs to reach the network may have a password in it.
#[test]
fn secrets_that_a_check_or_a_setup_prints_are_masked_in_its_log() {
    let secret = "http://ada:correct-horse@proxy.invalid:3128";
    let sandbox = project("true\n");
    sandbox.write("setup.sh", "echo \"proxy $https_proxy key $CODER_API_KEY.\"\n");
    sandbox.write("check.sh", "echo \"proxy $https_proxy key $CODER_API_KEY.\"; exit 1\n");
    sandbox
        .orchestra(["run", "w"])
        .env("https_proxy", secret)
        .env("CODER_API_KEY", "sk-live-0123456789")
        .run()
        .success();
    for job in ["setup-1", "setup-after-1", "verify-1-after"] {
        assert_eq!(log(&sandbox, "r1/code", job), "proxy *** key .\n", "{job}");
    }
    let shown = sandbox.orchestra(["show", "r1/code"]).run().success();
    shown.stdout_has("| proxy *** key .");
    let written = sandbox.state_files();
    let held = written.iter().map(|file| sandbox.root().join(file)).filter(|file| {
        // Reading a named pipe would wait.
        file.is_file() && fs::read(file).unwrap().windows(13).any(|part| part == b"correct-horse")
    });
    // The run's environment is kept while the run lasts, and it has ended.
    assert_eq!(held.collect::<Vec<_>>(), Vec::<PathBuf>::new());
}

#[test]
fn settings_that_an_agent_changed_and_what_held_it_are_shown() {
    let sandbox = Sandbox::new();
    // The agents of these tests share this folder for their state.
    let config = sandbox.outside().join("config.toml");
    fs::write(&config, "approval = \"always\"\n").unwrap();
    fs::write(sandbox.outside().join("hooks.json"), "[]\n").unwrap();
    let outside = sandbox.outside().display().to_string();
    sandbox.agent_script(
        "sly",
        &format!("echo 'approval = \"never\"' > {outside}/config.toml; rm {outside}/hooks.json"),
    );
    sandbox.git_repo([("a", "b")]).trust();
    // Its own sandbox, which it has not: so nothing holds it.
    sandbox.configure("attempt.sandbox = \"agent\"\n");
    sandbox.orchestra(["start", "sly", "go", "--follow"]).run().success();
    assert_eq!(fs::read_to_string(&config).unwrap(), "approval = \"always\"\n");

    let task = sandbox.show("r1.1");
    let output = &task["output"];
    let kept = output["settings"][0]["kept"].as_str().unwrap_or_else(|| panic!("{task:#}"));
    assert_eq!(fs::read_to_string(kept).unwrap(), "approval = \"never\"\n");
    let (config, hooks) = (config.display(), sandbox.outside().join("hooks.json"));
    let expected = json!([
        { "path": config.to_string(), "kept": kept, "problem": null },
        { "path": hooks.display().to_string(), "kept": null, "problem": null },
    ]);
    assert_eq!(output["settings"], expected);
    assert_eq!(output["confined"], json!({ "type": "none" }), "{task:#}");
    let problem = output["confine_problem"].as_str().unwrap_or_else(|| panic!("{task:#}"));
    sandbox
        .orchestra(["show", "r1.1"])
        .run()
        .success()
        .stdout_has(&format!("held by: none ({problem})"))
        .stdout_has(&format!(
            "settings that it changed were put back: {config}; its version is {kept}"
        ))
        .stdout_has(&format!("settings that it removed were put back: {}", hooks.display()));
}
