//! Agents that try to command the daemon whose work they are.

use orchestra_testkit::Sandbox;

/// Every command that would let an agent get at what is not its own.
const COMMANDS: [&str; 16] = [
    "run audit",
    "run audit --detach",
    "start coder go",
    "approve r1",
    "decide r1/d1 yes",
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

/// `sh` lines that call each of them through `wrapper` and print `<code> <command>`.
fn calls(sandbox: &Sandbox, wrapper: &str) -> String {
    let (program, workspace) = (sandbox.program(), sandbox.workspace());
    let (program, workspace) = (program.display(), workspace.display());
    let call = |command: &&str| {
        let call = format!("{wrapper} '{program}' -w '{workspace}' {command} > /dev/null");
        format!("{call}; echo \"$? {command}\"\n")
    };
    COMMANDS.iter().map(call).collect()
}

/// Has an agent do this, which must be refused for each command.
#[track_caller]
fn all_refused(sandbox: &Sandbox, source: &str) {
    sandbox.agent_script("coder", source);
    sandbox.git_repo([("a", "b")]).trust();

    sandbox.orchestra(["start", "coder", "go", "--follow"]).run().success();

    let log = sandbox.orchestra(["logs", "r1.1"]).run().success().stdout;
    for command in COMMANDS {
        assert!(log.contains(&format!("4 {command}\n")), "{command} was not refused: {log}");
    }
    assert!(log.contains("this is the agent of r1.1@1, and agents do not command"), "{log}");
    assert!(log.contains("hint: end the task, and say in its result what should be done next"));
    // Nothing of it happened.
    let status = sandbox.orchestra(["status", "--json"]).run().success().json();
    assert_eq!(status["runs"].as_array().map(Vec::len), Some(1), "{status}");
    sandbox.orchestra(["daemon", "status"]).run().success();
    sandbox.orchestra(["trust"]).run().success().stdout_has("is trusted already");
}

#[test]
fn an_agent_that_commands_is_refused_and_told_what_to_do() {
    let sandbox = Sandbox::new();
    let calls = calls(&sandbox, "");
    all_refused(&sandbox, &calls);
}

#[test]
fn an_agent_that_clears_its_environment_and_leaves_its_session_is_still_one() {
    let sandbox = Sandbox::new();
    let calls = calls(&sandbox, "setsid --wait env -u ORCHESTRA_ATTEMPT");
    all_refused(&sandbox, &calls);
}

/// Asks the daemon without the program under test, and prints its answers.
const BARE_REQUESTS: &str = r#"
import http.client, json, os, socket, sys
class Daemon(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sys.argv[1])
def ask(path, body):
    daemon = Daemon("daemon")
    body = json.dumps(body) if body else None
    daemon.request("POST", path, body, {"Content-Type": "application/json"})
    answer = daemon.getresponse()
    print(answer.status, path, json.loads(answer.read()))
root = sys.argv[2]
command = {"type": "approve", "target": "r1"}
ask("/v1/commands", {"key": "mine", "root": root, "command": command})
ask("/v1/rebuild", {"root": root})
ask("/v1/stop", None)
"#;

#[test]
fn an_agent_that_talks_to_the_socket_itself_is_refused_by_the_daemon() {
    let sandbox = Sandbox::new();
    let script = sandbox.root().join("ask.py");
    std::fs::write(&script, BARE_REQUESTS).expect("write the script");
    sandbox.workflow("w", "approve: true\nsteps:\n  - { id: a, action: todo.scan }\n");
    sandbox.orchestra(["run", "w"]).run().success();
    let facts = sandbox.orchestra(["doctor", "--json"]).run().json();
    let socket = facts["facts"]["socket"].as_str().expect("a socket").to_owned();
    let workspace = sandbox.workspace().display().to_string();
    sandbox.agent_script(
        "coder",
        &format!(
            "setsid --wait env -u ORCHESTRA_ATTEMPT python3 '{}' '{socket}' '{workspace}'",
            script.display()
        ),
    );
    sandbox.git_repo([("a", "b")]).trust();
    sandbox.orchestra(["start", "coder", "go", "--follow"]).run().success();

    let log = sandbox.orchestra(["logs", "r2.1"]).run().success().stdout;
    for path in ["/v1/commands", "/v1/rebuild", "/v1/stop"] {
        let answer =
            log.lines().find(|line| line.contains(path)).unwrap_or_else(|| panic!("{log}"));
        assert!(answer.starts_with("403 "), "{answer}");
        assert!(answer.contains("this is the agent of r2.1@1"), "{answer}");
    }
    assert_eq!(sandbox.status("r1"), "awaiting-approval");
    // No ancestor and no variable tells this one from the user, but it is held as agents are.
    let held = sandbox.command("setpriv").args(["--no-new-privs", "python3"]).arg(&script);
    let held = held.args([&socket, &workspace]).run().success();
    held.stdout_has("403 /v1/commands").stdout_has("this is a process that is held as agents are");
    // The same words from the user's own process are heard.
    let own = sandbox.command("python3").arg(&script).args([&socket, &workspace]).run().success();
    own.stdout_has("200 /v1/commands").stdout_has("200 /v1/stop");
    sandbox.orchestra(["watch", "r1"]).run().success();
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
