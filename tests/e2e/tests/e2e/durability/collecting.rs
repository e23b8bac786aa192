//! A daemon that dies while the work of an agent is taken over and checked.

use super::crew::LIMIT;
use orchestra_testkit::Sandbox;
use std::{fs, path::Path};

/// The point at which a process aborts only where a tree is put aside.
pub(super) const COVERED: &[&str] = &["engine::ingest::put_aside"];

#[test]
fn a_tree_that_was_put_aside_is_named_after_a_crash() {
    let sandbox = Sandbox::new();
    sandbox.agent_script_with("writer", "writes: true\n", "touch 1 2 3 4");
    sandbox.configure("collect.files = 3\n");
    sandbox.git_repo([("a", "b")]).trust();
    let [point] = COVERED else { panic!("one point") };
    sandbox.orchestra(["daemon", "start"]).failpoints(&format!("{point}=return")).run().success();

    sandbox.orchestra(["start", "writer", "go", "--follow"]).limit(LIMIT).run().code(1);

    let task = sandbox.show("r1/writer");
    let detail = task["detail"].as_str().unwrap();
    assert!(detail.contains("take over what the agent has left"), "{detail}");
    let tree = task["output"]["tree"].as_str().expect("the tree is named");
    assert!(Path::new(tree).join("4").exists(), "{tree}");
    assert_eq!(task["attempts"].as_array().map(Vec::len), Some(1));
    assert!(sandbox.leases().is_empty());
}

#[test]
fn a_slot_in_which_nothing_was_set_up_is_never_taken_for_one_that_is_ready() {
    let sandbox = Sandbox::new();
    let gate = sandbox.gate("before");
    sandbox.agent_script_with("writer", "writes: true\n", "echo red > a.txt");
    sandbox.write("set-up.sh", "echo made > marker\n");
    let check = format!("cat marker && grep -q red a.txt && exit 1\n{gate}\nexit 1\n");
    sandbox.write("check.sh", check);
    sandbox.write(
        ".orchestra/config.toml",
        "[tree]\nsetup = [\"sh set-up.sh\"]\nkeep = [\"marker\"]\n[verify]\ncommands = [\"sh check.sh\"]\n",
    );
    sandbox.git_repo([("a.txt", "green\n"), (".gitignore", "marker\n")]).trust();
    sandbox.orchestra(["start", "writer", "go"]).run().success();

    // Checked after the work, and being checked before it.
    let arrived = gate.wait();
    sandbox.kill_daemon();
    sandbox.orchestra(["daemon", "start"]).run().success();
    drop(arrived);

    sandbox.wait_for_status("r1", "succeeded");
    let slots: Vec<_> = fs::read_dir(sandbox.data().join("trees"))
        .unwrap()
        .flat_map(|pool| fs::read_dir(pool.unwrap().path()).unwrap())
        .map(|slot| slot.unwrap().path())
        .filter(|slot| slot.is_dir() && slot.file_name().unwrap().as_encoded_bytes()[0] == b'v')
        .collect();
    assert!(!slots.is_empty(), "there are slots for checks");
    for slot in slots {
        assert!(slot.join("src/marker").exists(), "{} is not set up", slot.display());
    }
    assert!(sandbox.leases().is_empty());
}
