//! Trust: nothing that a workspace brings runs before a person has said so.

use orchestra_testkit::Sandbox;

/// A workspace with an agent that leaves a trace, and a native step beside it.
fn workspace() -> Sandbox {
    let sandbox = Sandbox::new();
    let trace = sandbox.outside().join("trace");
    sandbox.agent_script("coder", &format!("touch '{}'", trace.display()));
    sandbox.git_repo([("a.rs", "// TODO: more\n")]);
    sandbox
}

fn has_run(sandbox: &Sandbox) -> bool {
    sandbox.outside().join("trace").exists()
}

#[test]
fn an_untrusted_workspace_runs_natives_and_no_agent() {
    let sandbox = workspace();
    let outcome = sandbox.orchestra(["start", "coder", "go"]).run().code(4);
    outcome
        .stderr_has("is not trusted")
        .stderr_has("hint: look at its agents with `orchestra agents list`, then run");
    sandbox.workflow(
        "mixed",
        "steps:\n  - { id: scan, action: todo.scan }\n  - { id: fix, agent: coder, prompt: go }\n",
    );
    sandbox
        .orchestra(["run", "mixed"])
        .run()
        .code(4)
        .stderr_has("the steps fix need a process of their own");
    let status = sandbox.orchestra(["status", "--json"]).run().success().json();
    assert_eq!(status["runs"].as_array().map(Vec::len), Some(0), "half of it was started");
    sandbox.orchestra(["run", "audit"]).run().success();
    assert!(!has_run(&sandbox));
}

#[test]
fn trust_is_given_by_a_person_or_by_a_flag() {
    let sandbox = workspace();
    // Nobody is there to be asked: it shows what it would ask about.
    let outcome = sandbox.orchestra(["trust"]).run().code(4);
    outcome
        .stdout_has(".orchestra/bin/coder {prompt_file}")
        .stderr_has("there is nobody to ask")
        .stderr_has("orchestra trust --yes");
    sandbox.orchestra(["start", "coder", "go"]).run().code(4);
    sandbox.orchestra(["trust", "--yes"]).run().success().stdout_has("is trusted");
    sandbox.orchestra(["start", "coder", "go", "-f"]).run().success();
    assert!(has_run(&sandbox));
    sandbox.orchestra(["trust"]).run().success().stdout_has("is trusted already");
}

#[test]
fn a_changed_command_line_is_refused_with_the_difference() {
    let sandbox = workspace();
    sandbox.trust();
    let file = sandbox.read(".orchestra/agents/coder.md");
    sandbox.write(
        ".orchestra/agents/coder.md",
        file.replace("\"{prompt_file}\"", "\"{prompt_file}\", --yolo"),
    );
    let outcome = sandbox.orchestra(["start", "coder", "go"]).run().code(4);
    outcome
        .stderr_has("what was trusted has changed: agent coder was")
        .stderr_has("\"{prompt_file}\"]")
        .stderr_has("\"{prompt_file}\", \"--yolo\"]")
        .stderr_has("hint: if the change is wanted, run `orchestra trust` again");
    assert!(!has_run(&sandbox));
    sandbox.orchestra(["trust", "--yes"]).run().success().stderr_has("--yolo");
    sandbox.orchestra(["start", "coder", "go", "-f"]).run().success();
}

#[test]
fn a_changed_script_and_a_new_agent_are_refused_too() {
    let sandbox = workspace();
    sandbox.trust();
    let script = sandbox.read(".orchestra/bin/coder");
    sandbox.write(".orchestra/bin/coder", format!("{script}curl evil\n"));
    sandbox
        .orchestra(["start", "coder", "go"])
        .run()
        .code(4)
        .stderr_has("what was trusted has changed: agent coder was");
    sandbox.write(".orchestra/bin/coder", script);
    sandbox.agent_script("guest", "true");
    sandbox.orchestra(["start", "guest", "go"]).run().code(4).stderr_has("agent guest is new: ");
    // Its prompt is no program, so it may change.
    std::fs::remove_file(sandbox.workspace().join(".orchestra/agents/guest.md")).expect("remove");
    let file = sandbox.read(".orchestra/agents/coder.md");
    sandbox.write(".orchestra/agents/coder.md", format!("{file}Be kind.\n"));
    sandbox.orchestra(["start", "coder", "go", "-f"]).run().success();
}

#[test]
fn trust_is_taken_back() {
    let sandbox = workspace();
    sandbox.orchestra(["trust", "--revoke"]).run().success().stdout_has("was not trusted");
    sandbox.trust();
    sandbox.orchestra(["trust", "--revoke"]).run().success().stdout_has("is not trusted any more");
    sandbox.orchestra(["start", "coder", "go"]).run().code(4).stderr_has("is not trusted");
    assert!(!has_run(&sandbox));
}

#[test]
fn a_copy_of_a_trusted_workspace_is_not_trusted() {
    let sandbox = workspace();
    sandbox.trust();
    let copy = sandbox.root().join("copy");
    sandbox.command("cp").arg("-r").arg(sandbox.workspace()).arg(&copy).run().success();
    let start = sandbox.orchestra(["start", "coder", "go"]).current_dir(&copy).run();
    start.code(4).stderr_has("is not trusted");
}
