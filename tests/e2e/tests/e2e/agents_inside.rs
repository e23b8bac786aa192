//! Agents that try to command the daemon whose work they are.

use orchestra_testkit::Sandbox;

/// Every command that would let an agent get at what is not its own.
const COMMANDS: [&str; 15] = [
    "run audit",
    "run audit --detach",
    "start coder go",
    "approve r1",
    "cancel r1",
    "retry r1",
    "timeout r1 1h",
    "pause r1",
    "resume r1",
    "trust --yes",
    "trust --revoke",
    "rebuild",
    "doctor --restore backup",
    "daemon start",
    "daemon stop",
];

/// `sh` lines that call each of them and print `<code> <command>`.
fn calls(sandbox: &Sandbox) -> String {
    let (program, workspace) = (sandbox.program(), sandbox.workspace());
    let (program, workspace) = (program.display(), workspace.display());
    let call = |command: &&str| {
        format!("'{program}' -w '{workspace}' {command} > /dev/null; echo \"$? {command}\"\n")
    };
    COMMANDS.iter().map(call).collect()
}

#[test]
fn an_agent_that_commands_is_refused_and_told_what_to_do() {
    let sandbox = Sandbox::new();
    sandbox.agent_script("coder", &calls(&sandbox));
    sandbox.git_repo([("a", "b")]).trust();

    sandbox.orchestra(["start", "coder", "go", "--follow"]).run().success();

    let log = sandbox.orchestra(["logs", "r1.1"]).run().success().stdout;
    for command in COMMANDS {
        assert!(log.contains(&format!("4 {command}\n")), "{command} was not refused: {log}");
    }
    assert!(log.contains("this is the agent of r1.1@1, and agents do not command"), "{log}");
    assert!(log.contains("hint: end the task, and say in its result what should be done next"));
    // Nothing of it happened, and looking is allowed.
    let status = sandbox.orchestra(["status", "--json"]).run().success().json();
    assert_eq!(status["runs"].as_array().map(Vec::len), Some(1), "{status}");
    sandbox.orchestra(["daemon", "status"]).run().success();
    sandbox.orchestra(["trust"]).run().success().stdout_has("is trusted already");
}

#[test]
fn an_agent_never_starts_a_daemon() {
    let sandbox = Sandbox::new();
    for command in COMMANDS {
        let outcome =
            sandbox.orchestra(command.split(' ')).env("ORCHESTRA_ATTEMPT", "r7.1@1:secret").run();
        assert!(!outcome.stderr.contains("secret"), "the token is shown: {outcome}");
        outcome.code(4).stderr_has("this is the agent of r7.1@1, and agents do not command");
    }
    assert_eq!(sandbox.processes(), []);
    assert_eq!(sandbox.state_files(), [""; 0]);
}
