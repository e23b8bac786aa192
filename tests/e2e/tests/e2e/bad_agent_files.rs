//! Agent files that cannot be used: named with their place, while the rest of the workspace works.

use orchestra_testkit::{Outcome, Sandbox};

#[track_caller]
fn check(text: &str) -> (Sandbox, Outcome) {
    let sandbox = Sandbox::new();
    sandbox.write(".orchestra/agents/bad.md", text);
    let outcome = sandbox.orchestra(["agents", "check"]).run().code(1);
    (sandbox, outcome)
}

#[test]
fn broken_front_matter_is_named_and_hinders_nobody_else() {
    let (sandbox, outcome) = check("---\nname: bad\ndescription: a: b\n---\nYou are bad.\n");
    outcome
        .stdout_has(".orchestra/agents/bad.md:3:15: error: not valid YAML")
        .stdout_has("hint: put a text that contains `: ` in quotes");
    // It is no agent, but natives and other agents are as they were.
    sandbox
        .orchestra(["start", "bad", "go"])
        .run()
        .code(2)
        .stderr_has("there is no agent `bad`")
        .stderr_has("hint:");
    sandbox.orchestra(["run", "audit"]).run().success();
}

#[test]
fn front_matter_that_does_not_end_is_named() {
    check("---\nname: bad\ncommand: [true]\n")
        .1
        .stdout_has(".orchestra/agents/bad.md:1:1: error: the front matter that starts here")
        .stdout_has("hint: add a line `---` behind the last key");
}

#[test]
fn names_that_try_to_leave_the_folder_are_no_names() {
    let (sandbox, outcome) = check("---\nname: ../x\ncommand: [\"true\"]\n---\n");
    outcome
        .stdout_has(".orchestra/agents/bad.md:2:7: error: `../x` cannot be the name of an agent")
        .stdout_has("hint: use a letter");
    for name in ["../x", "../../../etc/passwd", "/etc/passwd"] {
        sandbox.orchestra(["agents", "show", name]).run().code(2).stderr_has("hint:");
        sandbox
            .orchestra(["start", name, "go"])
            .run()
            .code(2)
            .stderr_has(&format!("there is no agent `{name}`"));
    }
}

#[test]
fn a_command_in_one_string_is_refused_because_no_shell_runs_it() {
    check("---\nname: bad\ncommand: \"sh -c 'rm -rf .'\"\n---\n")
        .1
        .stdout_has(".orchestra/agents/bad.md:3:10: error:")
        .stdout_has("hint:");
}
