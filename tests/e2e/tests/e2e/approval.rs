//! Plans and steps that wait for a person.

use orchestra_testkit::Sandbox;

#[test]
fn a_plan_starts_nothing_before_it_is_approved() {
    let sandbox = Sandbox::with_agents([("coder", "echo worked".to_owned())]);
    sandbox.workflow("w", "approve: true\nsteps:\n  - { id: a, agent: coder, prompt: go }\n");

    // Nobody can be asked here, so it says what to type and lets go.
    let outcome = sandbox.orchestra(["run", "w"]).run().success();
    outcome.stdout_has("r1 waits for approval: `orchestra approve r1`");
    assert_eq!(sandbox.status("r1"), "awaiting-approval");
    assert_eq!(sandbox.show("r1.1")["attempts"].as_array().map(Vec::len), Some(0));
    sandbox.orchestra(["daemon", "stop"]).run().success();

    // The question outlives the daemon that asked it.
    sandbox.orchestra(["approve", "r1"]).run().success().stdout_has("approve r1: recorded");
    sandbox.orchestra(["watch", "r1"]).run().success().stdout_has("r1 succeeded");
    sandbox
        .orchestra(["approve", "r1"])
        .run()
        .code(1)
        .stderr_has("r1")
        .stderr_has("orchestra: failed to approve r1");
}

#[test]
fn the_flag_and_the_configuration_ask_for_approval_too() {
    let sandbox = Sandbox::new();
    sandbox.workflow("w", "steps:\n  - { id: a, action: value.set, with: { value: 1 } }\n");
    sandbox.orchestra(["run", "w", "--approve"]).run().success().stdout_has("r1 waits for");
    sandbox.orchestra(["daemon", "stop"]).run().success();
    sandbox.write(".orchestra/config.toml", "[run]\napprove = true\n");
    sandbox.orchestra(["run", "w"]).run().success().stdout_has("r2 waits for approval");
}

#[test]
fn a_step_waits_for_its_own_approval_while_the_others_go_on() {
    let sandbox = Sandbox::new();
    sandbox.workflow(
        "w",
        "steps:\n  - { id: free, action: value.set, with: { value: 1 } }\n  \
         - { id: asked, action: value.set, with: { value: 2 }, approve: true }\n  \
         - { id: after, action: value.set, with: { value: 3 }, needs: [asked] }\n",
    );
    sandbox.orchestra(["run", "w", "--detach"]).run().success();
    sandbox.wait_for_status("r1/asked", "awaiting-approval");
    sandbox.wait_for_status("r1/free", "succeeded");
    assert_eq!(sandbox.status("r1/after"), "waiting");
    sandbox.orchestra(["approve", "r1/asked"]).run().success();
    sandbox.orchestra(["watch", "r1"]).run().success();
    assert_eq!(sandbox.status("r1/after"), "succeeded");
}

#[test]
fn what_waits_for_approval_can_be_cancelled() {
    let sandbox = Sandbox::new();
    sandbox.workflow(
        "w",
        "approve: true\nsteps:\n  - { id: a, action: value.set, with: { value: 1 } }\n",
    );
    sandbox.orchestra(["run", "w"]).run().success();
    sandbox.orchestra(["cancel", "r1"]).run().success();
    sandbox.orchestra(["watch", "r1"]).run().code(1).stdout_has("r1 cancelled");
    assert_eq!(sandbox.status("r1.1"), "cancelled");
}
