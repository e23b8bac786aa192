//! Targets, folders and identifiers that are not what they should be.

use orchestra_testkit::Sandbox;

#[test]
fn what_names_no_run_or_task_opens_no_file() {
    let sandbox = Sandbox::new();
    sandbox.workflow("w", "steps:\n  - { id: a, action: value.set, with: { value: 1 } }\n");
    sandbox.orchestra(["run", "w"]).run().success();
    for target in ["../x", "../../etc/passwd", "r1/../x", "r1/nope", "r1.9", "r9", "r1@2@3", "-1x"]
    {
        for command in ["show", "logs", "cancel", "retry", "approve"] {
            let outcome = sandbox.orchestra([command, "--", target]).run().code(2);
            assert!(outcome.stderr.contains(target), "{outcome}");
            outcome.stderr_has("hint:");
        }
    }
    let long = "x".repeat(10_000);
    let outcome = sandbox.orchestra(["show", &long]).run().code(2);
    assert!(outcome.stderr.len() < 1_000, "{outcome}");
}

#[test]
fn nothing_is_found_where_nothing_has_run() {
    let sandbox = Sandbox::new();
    sandbox.orchestra(["show", "r1"]).run().code(2).stderr_has("`r1`").stderr_has("hint:");
    sandbox.orchestra(["logs", "r1.1"]).run().code(2).stderr_has("`r1.1`");
    sandbox.orchestra(["watch", "r1"]).run().code(2).stderr_has("`r1`");
    sandbox.orchestra(["status"]).run().success().stdout_has("nothing has run in");
    assert_eq!(sandbox.state_files(), [""; 0], "looking has written something");
}

#[test]
fn a_workspace_is_a_folder_and_never_the_home_folder_or_the_root() {
    let sandbox = Sandbox::new();
    sandbox.write("file.txt", "x");
    let home = sandbox.home().display().to_string();
    for (folder, expected) in [
        ("missing", "open the folder missing"),
        ("file.txt", "open the folder"),
        ("/", "use / as a workspace: it is the root of the file system"),
        (home.as_str(), "it is the home folder"),
    ] {
        for command in [["status"].as_slice(), &["run", "audit"], &["init"], &["trust", "--yes"]] {
            let outcome = sandbox.orchestra(["-w", folder].iter().chain(command)).run();
            outcome
                .code(2)
                .stderr_has(expected)
                .stderr_has("hint: go to a project's folder, or name one with --workspace");
        }
    }
    assert_eq!(sandbox.state_files(), [""; 0]);
}

#[test]
fn a_command_line_that_clap_refuses_ends_with_2() {
    let sandbox = Sandbox::new();
    for arguments in [
        ["run"].as_slice(),
        &["nope"],
        &[],
        &["pause", "../x"],
        &["timeout", "r1", "soon"],
        &["run", "audit", "--mode", "fast"],
        &["status", "--status", "nope"],
        &["trust", "--yes", "--revoke"],
    ] {
        let outcome = sandbox.orchestra(arguments).run().code(2);
        assert_eq!(outcome.stdout, "", "{outcome}");
        assert_ne!(outcome.stderr, "", "{outcome}");
    }
}
