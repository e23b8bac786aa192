//! Whose environment an agent gets, and where nothing of it may be found.

use super::crew::{Crew, LIMIT};
use orchestra_testkit::Sandbox;
use std::fs;

const SECRET: &str = "open-sesame-4217";
const OTHER: &str = "keep-out-9931";

#[test]
fn an_agent_gets_the_variables_that_it_names_and_nobody_keeps_them() {
    let sandbox = Sandbox::new();
    let seen = |name: &str| sandbox.outside().join(format!("seen-{name}"));
    for (name, front_matter) in [("named", "env: [DEMO_TOKEN]"), ("unnamed", "")] {
        // It is even careless with what it knows.
        let script = format!("env > '{}'; echo \"token $DEMO_TOKEN\"", seen(name).display());
        sandbox.agent_script_with(name, front_matter, &script);
    }
    sandbox.workflow(
        "both",
        "description: one that names a variable and one that does not\nsteps:\n  \
         - id: named\n    agent: named\n    prompt: Say it.\n  \
         - id: unnamed\n    agent: unnamed\n    prompt: Say it.\n",
    );
    sandbox.git_repo([("readme.txt", "hello\n")]);
    sandbox.trust();

    let run = sandbox.orchestra(["run", "both"]).env("DEMO_TOKEN", SECRET).env("DEMO_OTHER", OTHER);
    run.limit(LIMIT).run().success();

    let environment = |name: &str| fs::read_to_string(seen(name)).unwrap();
    assert!(environment("named").contains(&format!("DEMO_TOKEN={SECRET}\n")));
    assert!(!environment("named").contains("DEMO_OTHER"));
    assert!(!environment("unnamed").contains("DEMO_"));
    let log = sandbox.orchestra(["logs", "r1/named"]).run().success();
    assert!(log.stdout.starts_with("token ") && !log.stdout.contains(SECRET), "{log}");
    // The journal, the logs, the trees, the runtime folder, and what is written for people.
    for value in [SECRET, OTHER] {
        let grep =
            ["-r", "--text", "--files-with-matches", value, "../state", "../run", "../data", "."];
        let found = sandbox.command("grep").args(grep).run();
        assert_eq!(found.stdout, "", "{value} is kept there");
    }
}

#[test]
fn a_run_whose_environment_is_gone_waits_for_a_new_one() {
    let crew = Crew::at_gates();
    crew.start_run();
    let at_work = crew.both_at_work();
    crew.sandbox.wait_for_status("r1/look", "succeeded");

    // As after a restart of the machine, whose runtime folder lies in memory.
    crew.kill("daemon __serve");
    fs::remove_dir_all(crew.sandbox.runtime().join("env")).unwrap();
    crew.sandbox.orchestra(["daemon", "start"]).run().success();
    crew.sandbox.wait_for_status("r1", "paused");
    let status = crew.sandbox.orchestra(["status"]).run().success();
    status
        .stdout_has("the environment that it was started with is gone")
        .stdout_has("orchestra resume r1");
    // What works already needs nothing more.
    drop(at_work);
    crew.sandbox.wait_for_status("r1/left", "succeeded");
    crew.sandbox.wait_for_status("r1/right", "succeeded");
    assert_eq!(crew.sandbox.status("r1"), "paused");
    assert_eq!(crew.sandbox.status("r1/join"), "ready");

    crew.sandbox.orchestra(["resume", "r1"]).run().success();
    crew.wait_for_end("r1").success();
    crew.check("r1");
    assert_eq!(crew.ids("join"), ["r1.4@1"]);
}
