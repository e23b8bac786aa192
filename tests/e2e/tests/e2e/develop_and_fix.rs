//! The built-in workflows that change code, with scripted agents in the roles.

use orchestra_testkit::{Cmd, Sandbox};

/// Adds wrongly, and has a test that shows it.
const SUM: &str = "echo $(( $1 - $2 ))\n";
const TEST: &str = "test \"$(sh sum.sh 2 3)\" = 5 || { echo '2 and 3 do not add up'; exit 1; }\n";
const REPAIR: &str = "echo 'echo $(( $1 + $2 ))' > sum.sh";

/// A reviewer that looks at the change in the way that it is told to.
const REVIEWER: &str = "cat \"$1\"\n\
    of_run=$(git log --format='%(trailers:key=Orchestra-Run,valueonly,separator=)' | grep -c .)\n\
    echo \"reviewed: $(git diff --stat \"HEAD~$of_run\" | tail -1)\"";

/// The project, somebody who mends it in this way, and a reviewer.
fn project(mender: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.agent_script_with("mender", "capabilities: [debugging]\nwrites: true", mender);
    sandbox.agent_script_with("critic", "capabilities: [code_review]", REVIEWER);
    sandbox.git_repo([("sum.sh", SUM), ("test.sh", TEST), ("Makefile", "test:\n\tsh test.sh\n")]);
    sandbox.trust();
    sandbox
}

fn fix(sandbox: &Sandbox, params: &[&str]) -> Cmd {
    let params = params.iter().map(|param| format!("--param={param}"));
    sandbox.orchestra(["run".to_owned(), "fix".to_owned()].into_iter().chain(params))
}

#[test]
fn a_fault_is_looked_for_repaired_proved_and_reviewed() {
    let sandbox = project(&format!("cat \"$1\"; {REPAIR}"));
    // What the user has not committed is part of what the fault is looked for in.
    sandbox.write("notes.txt", "sum.sh subtracts\n");
    let run = fix(&sandbox, &["problem=sum.sh\n2 and 3 give -1", "test=sh test.sh"]);
    run.run().success().stdout_has("5 of 5 tasks ended, 0 failed");

    sandbox
        .orchestra(["logs", "r1/repair"])
        .run()
        .success()
        .stdout_has("Problem: sum.sh\n2 and 3 give -1\n")
        .stdout_has("`sh test.sh` shows it: red now")
        .stdout_has("- notes.txt:1: sum.sh subtracts\n")
        .stdout_has("- sum.sh: 1 lines, changed in 1 commits\n")
        .stdout_has("### detect (checks.detect): succeeded")
        .stdout_has("\"make\",\n        \"test\"");
    let task = sandbox.show("r1/repair");
    let check = &task["output"]["evidence"]["checks"][0];
    assert_eq!(
        (
            check["kind"].as_str(),
            &check["on_snapshot"]["outcome"]["type"],
            &check["on_result"]["outcome"]["type"]
        ),
        (Some("accept"), &"red".into(), &"green".into()),
        "{task:#}"
    );
    let review = sandbox.orchestra(["logs", "r1/review"]).run().success();
    review
        .stdout_has("Problem: sum.sh\n2 and 3 give -1\n")
        .stdout_has("reviewed:  1 file changed, 1 insertion(+), 1 deletion(-)");
}

#[test]
fn a_repair_that_leaves_the_fault_is_none_and_nobody_reviews_it() {
    let sandbox = project("echo '# repaired' >> sum.sh; echo 'repaired, all tests pass'");
    fix(&sandbox, &["problem=2 and 3 give -1", "test=sh test.sh"]).run().code(1);
    assert_eq!([sandbox.status("r1/repair"), sandbox.status("r1/review")], ["failed", "skipped"]);
    sandbox.orchestra(["show", "r1/repair"]).run().success().stdout_has("2 and 3 do not add up");
}

#[test]
fn a_test_that_does_not_show_the_fault_proves_nothing() {
    let sandbox = project(REPAIR);
    fix(&sandbox, &["problem=2 and 3 give -1", "test=true"]).run().code(1);
    sandbox.orchestra(["show", "r1/repair"]).run().success().stdout_has("accept `true`");
}

#[test]
fn without_a_test_a_repair_is_taken_as_it_is() {
    let sandbox = project(REPAIR);
    fix(&sandbox, &["problem=2 and 3 give -1"]).run().success();
    let task = sandbox.show("r1/repair");
    assert_eq!(task["output"]["change"]["files"], 1, "{task:#}");
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
}

#[test]
fn what_fix_is_given_is_checked_before_anything_starts() {
    let sandbox = project(REPAIR);
    fix(&sandbox, &[]).run().code(2).stderr_has("the parameter `problem` is not given");
    fix(&sandbox, &["problem= "]).run().code(2).stderr_has("the parameter `problem` is empty");
    fix(&sandbox, &["problem=x", "test=make test && make lint"])
        .run()
        .code(2)
        .stderr_has("`accept` is the parameter `test`: `&&` means something to a shell");
    sandbox.orchestra(["show", "r1"]).run().code(2);
}

#[test]
fn without_agents_one_message_says_which_steps_have_nobody_and_what_to_install() {
    let sandbox = Sandbox::new();
    sandbox.git_repo([("a.rs", "fn a() {}\n")]);
    let run = |arguments: [&str; 3], backends: &str| {
        let command = sandbox.orchestra(arguments).env("ORCHESTRA_AGENTS_BACKENDS", backends);
        let outcome = command.env("PATH", "/nothing:/usr/bin:/bin").run().code(2);
        assert_eq!(outcome.stderr.matches("error: ").count(), 1, "{}", outcome.stderr);
        assert_eq!(outcome.stderr.matches("warning: ").count(), 0, "{}", outcome.stderr);
        outcome
    };
    run(["run", "develop", "-pgoal=x"], "no-such,codex")
        .stderr_has(
            "nobody is there for the steps plan (`planning`), code (`code_generation`), \
             tests (`testing`), finish (`code_generation`)",
        )
        .stderr_has("no agent program is on PATH: install one of codex");
    run(["run", "fix", "-pproblem=x"], "codex")
        .stderr_has("nobody has `debugging`")
        .stderr_has("no agent program is on PATH: install one of codex");
    // The files are fine all the same.
    sandbox.orchestra(["workflows", "check"]).run().success();
}

/// An agent that does for each step of `develop` what its part says.
const DEVELOPER: &str = "step=$(sed -n 's/^# Task [^:]*: //p' \"$1\" | head -1)\n\
    echo \"$step with:\"; ls; cat \"$1\"\n\
    case $step in\n\
    plan) mkdir -p \"$ORCHESTRA_DIR/architecture\"; echo 'product.sh A B prints A * B' > \"$ORCHESTRA_DIR/architecture/plan.md\";;\n\
    code) CODE;;\n\
    tests) echo 'test \"$(sh product.sh 2 3)\" = 6 || { echo wrong product; exit 1; }' > test-product.sh;;\n\
    merge-finish) echo 'echo $(( $1 * $2 ))' > product.sh;;\n\
    esac";

/// `develop` in a project whose checks are all its tests; `code` is what the agent does that writes the code.
fn developed(code: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let keys = "capabilities: [planning, code_generation, testing]\nwrites: true\nmax_load: 4";
    sandbox.agent_script_with("developer", keys, &DEVELOPER.replace("CODE", code));
    sandbox.agent_script_with("critic", "capabilities: [code_review]", REVIEWER);
    let all = "for test in test*.sh; do sh \"$test\" || exit 1; done\n";
    sandbox.configure("verify.commands = [\"sh all.sh\"]\n");
    sandbox.git_repo([("all.sh", all), ("test.sh", "true\n")]);
    sandbox.trust();
    sandbox.orchestra(["run", "develop", "--param=goal=it multiplies"]).run().success();
    sandbox
}

#[test]
fn a_goal_is_planned_written_and_tested_side_by_side_joined_and_reviewed() {
    let sandbox = developed("echo 'echo $(( $1 * $2 ))' > product.sh");
    let log =
        |step: &str| sandbox.orchestra(["logs", &format!("r1/{step}")]).run().success().stdout;
    assert!(log("code").contains("Goal: it multiplies") && log("code").contains("plan.md"));
    // Neither writer sees the work of the other; who joins them has both.
    assert!(!log("tests").contains("product.sh\n"), "{}", log("tests"));
    let finish = log("finish");
    assert!(finish.contains("product.sh\ntest-product.sh\n"), "{finish}");
    let merge = sandbox.show("r1/merge-finish");
    assert_eq!(merge["attempts"].as_array().map(Vec::len), Some(1), "{merge:#}");
    assert_eq!(merge["output"]["evidence"]["verdict"]["type"], "passed", "{merge:#}");
    assert!(log("review").contains("reviewed:  2 files changed"), "{}", log("review"));
    assert_eq!(
        sandbox.read(".orchestra/workspace/architecture/plan.md"),
        "product.sh A B prints A * B\n"
    );
}

#[test]
fn code_and_tests_that_are_red_together_are_put_right_by_an_agent() {
    let sandbox = developed("echo 'echo $(( $1 + $2 ))' > product.sh");
    let merge = sandbox.show("r1/merge-finish");
    let executors: Vec<_> = merge["attempts"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|attempt| attempt["executor"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(executors, ["changes.merge", "developer"], "{merge:#}");
    let commit = sandbox.show("r1/merge-finish")["output"]["change"]["commit"].clone();
    let file = format!("{}:product.sh", commit.as_str().expect("a commit"));
    assert_eq!(sandbox.git(["show", &file]), "echo $(( $1 * $2 ))\n");
}
