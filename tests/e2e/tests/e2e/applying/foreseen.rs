//! What agents and the user are about to collide in is told while they work.

use super::{LIMIT, lines};
use orchestra_testkit::{Sandbox, eventually};
use serde_json::Value;

fn foreseen(sandbox: &Sandbox) -> Vec<Value> {
    let run = sandbox.show("r1");
    run["run"]["foreseen"].as_array().cloned().unwrap_or_default()
}

#[test]
fn an_edit_of_the_line_that_an_agent_has_changed_is_told_before_anybody_merges() {
    let sandbox = Sandbox::new();
    let gate = sandbox.gate("written");
    let script = format!("sed -i 's/^line 7$/theirs/' a.txt\n{gate}");
    sandbox.agent_script_with("writer", "writes: true\n", &script);
    sandbox.configure("radar.interval = \"50ms\"\n");
    sandbox.git_repo([("a.txt", lines())]).trust();
    sandbox.orchestra(["start", "writer", "go"]).run().success();
    let arrived = gate.wait();

    sandbox.write("a.txt", lines().replace("line 12\n", "elsewhere\n"));
    sandbox.write("a.txt", lines().replace("line 7\n", "mine\n"));
    let conflict = eventually("the conflict is foreseen", LIMIT, || {
        let foreseen = foreseen(&sandbox);
        foreseen.first().cloned()
    });
    assert_eq!(conflict["conflict"]["path"], "a.txt");
    assert_eq!(conflict["conflict"]["kind"], "lines");
    let text = conflict.to_string();
    assert!(text.contains("\"first\":7"), "{text}");
    assert!(text.contains("mine") && text.contains("theirs"), "{text}");
    sandbox
        .orchestra(["show", "r1"])
        .run()
        .success()
        .stdout_has("are about to conflict in a.txt (line 7)");

    sandbox.write("a.txt", lines());
    eventually("it is over", LIMIT, || foreseen(&sandbox).is_empty().then_some(()));
    drop(arrived);
    sandbox.wait_for_status("r1", "succeeded");
    let told = sandbox.events("r1");
    assert!(told.iter().any(|event| event["body"]["type"] == "conflicts-foreseen"), "{told:?}");
}
