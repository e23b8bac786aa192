//! Results that come in without anybody asking, and those that never do.

use super::{BOTH_ENDS, LIMIT, lines, writer};
use orchestra_testkit::eventually;

/// Waits until the first operation has ended.
fn wait_for_operation(sandbox: &orchestra_testkit::Sandbox) -> serde_json::Value {
    eventually("the result is applied", LIMIT, || {
        let operation = sandbox.show("r1")["run"]["operations"][0].clone();
        operation["end"].is_object().then_some(operation)
    })
}

#[test]
fn verified_work_comes_in_by_itself_where_the_policy_says_so() {
    let sandbox = writer(BOTH_ENDS);
    sandbox.configure("apply.policy = \"auto\"\nverify.commands = [\"grep -q first a.txt\"]\n");
    sandbox.trust();
    sandbox.orchestra(["start", "writer", "go", "--follow"]).limit(LIMIT).run().success();
    let doubts = sandbox.show("r1")["run"]["review"]["doubts"].clone();
    if doubts.as_array().is_some_and(|doubts| !doubts.is_empty()) {
        // Nothing holds agents on this machine.
        assert!(doubts.to_string().contains("nothing held the agent"), "{doubts}");
        return;
    }
    let operation = wait_for_operation(&sandbox);
    assert_eq!(operation["by_person"], false);
    assert_eq!(operation["end"]["type"], "applied");
    assert_eq!(sandbox.read("new.txt"), "new\n");
    sandbox.orchestra(["undo"]).limit(LIMIT).run().success();
    assert_eq!(sandbox.read("a.txt"), lines());
}

#[test]
fn doubtful_work_waits_for_a_person_whatever_the_policy_says() {
    for (script, verify, doubt) in [
        (BOTH_ENDS, "", "no check has verified it"),
        ("mkdir -p .github/workflows; echo x > .github/workflows/ci.yml", "true", "is flagged"),
        (BOTH_ENDS, "grep -q nowhere a.txt", "a check was red before as well"),
    ] {
        let sandbox = writer(script);
        let commands = if verify.is_empty() {
            String::new()
        } else {
            format!("verify.commands = [\"{verify}\"]\n")
        };
        sandbox.configure(&format!("apply.policy = \"auto\"\n{commands}"));
        sandbox.trust();
        sandbox.orchestra(["start", "writer", "go", "--follow"]).limit(LIMIT).run().success();
        let run = sandbox.show("r1")["run"].clone();
        let doubts = run["review"]["doubts"].to_string();
        assert!(doubts.contains(doubt), "{doubts}");
        assert_eq!(run["operations"].as_array().map(Vec::len), Some(0));
        assert_eq!(run["review"]["status"], "open");
        assert_eq!(sandbox.read("a.txt"), lines());
    }
}

#[test]
fn a_run_becomes_a_branch_where_the_workflow_says_so() {
    let sandbox = writer(BOTH_ENDS);
    let text = "apply: branch\nsteps:\n  - id: write\n    agent: writer\n    \
                prompt: go\n";
    sandbox.workflow("branchy", text);
    sandbox.trust();
    sandbox.orchestra(["run", "branchy"]).limit(LIMIT).run().success();
    assert_eq!(wait_for_operation(&sandbox)["end"]["type"], "applied");
    assert_eq!(sandbox.git(["show", "orchestra/r1:new.txt"]), "new\n");
    assert_eq!(sandbox.read("a.txt"), lines());
}
