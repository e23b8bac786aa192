//! The library: roles played by a known agent program, agents of one's own, and who is chosen why.

use orchestra_testkit::Sandbox;
use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

/// Puts a program of this name on PATH that is a shell script, and returns PATH.
fn backend(sandbox: &Sandbox, name: &str, source: &str) -> String {
    let bin = sandbox.root().join("bin");
    fs::create_dir_all(&bin).expect("create a folder for programs");
    let program = bin.join(name);
    fs::write(&program, format!("#!/bin/sh\n{source}\n")).expect("write a program");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("make it executable");
    format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default())
}

fn repository() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.git_repo([("readme.txt", "hello\n")]).trust();
    sandbox
}

fn why(sandbox: &Sandbox, target: &str) -> String {
    sandbox.show(target)["attempts"][0]["why"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_role_is_played_by_the_agent_program_on_path() {
    let sandbox = repository();
    // The prompt is the last argument of `mini`.
    let source = "for prompt; do :; done\necho \"$prompt\" > \"$ORCHESTRA_DIR/prompt.txt\"\n\
                  echo \"$ORCHESTRA_TASK_ID: $1, key $OPENAI_API_KEY, other $OTHER_API_KEY\"";
    let path = backend(&sandbox, "mini", source);
    sandbox.workflow(
        "w",
        "steps:\n  - { id: review, capability: code_review, prompt: look at it, \
         mode: strategic, output: prompt.txt }\n",
    );
    let run = sandbox.orchestra(["run", "w"]).env("PATH", &path);
    let run = run.env("ORCHESTRA_AGENTS_BACKENDS", "codex,mini").env("OPENAI_API_KEY", "abc12345");
    run.env("OTHER_API_KEY", "not for agents").run().success();

    let log = sandbox.orchestra(["logs", "r1/review"]).run().success().stdout;
    assert!(log.starts_with("r1.1: --yolo, key ") && log.ends_with(", other \n"), "{log}");
    assert!(!log.contains("abc12345"), "the key is in the log: {log}");
    let prompt = sandbox.read(".orchestra/workspace/prompt.txt");
    assert!(prompt.contains("You review a change as the last person"), "{prompt}");
    assert!(prompt.contains("look at it"), "{prompt}");
    assert_eq!(why(&sandbox, "r1.1"), "the only candidate; needs code_review");
    sandbox.orchestra(["show", "r1.1"]).run().success().stdout_has("the only candidate");
    // Who played it is recorded with the plan.
    let created = &sandbox.events("r1")[0];
    assert_eq!(created["body"]["plan"]["agents"]["reviewer"]["backend"], "mini", "{created}");
}

#[test]
fn without_an_agent_program_it_is_said_who_was_near_and_what_to_install() {
    let sandbox = repository();
    sandbox.workflow("w", "steps:\n  - { id: a, capability: code_review, prompt: go }\n");
    let path = backend(&sandbox, "nothing", "true");
    let commands = |arguments: [&str; 3]| {
        let arguments = arguments.into_iter().filter(|argument| !argument.is_empty());
        let command = sandbox.orchestra(arguments).env("PATH", &path);
        command.env("ORCHESTRA_AGENTS_BACKENDS", "codex,gemini").run().code(2)
    };
    commands(["run", "w", ""]).stderr_has("nobody has `code_review`").stderr_has(
        "`reviewer` is not available: no agent program is on PATH: install one of codex, gemini",
    );
    commands(["start", "coder", "go"])
        .stderr_has("agent `coder` is not available: no agent program is on PATH");
}

#[test]
fn an_agent_of_ones_own_takes_the_place_of_a_role_and_says_so() {
    let sandbox = repository();
    let path = backend(&sandbox, "mini", "echo mini");
    sandbox.agent_script_with("reviewer", "capabilities: [code_review]", "echo mine");
    sandbox.trust();
    let show = sandbox.orchestra(["agents", "show", "reviewer"]).env("PATH", &path);
    show.env("ORCHESTRA_AGENTS_BACKENDS", "mini")
        .run()
        .success()
        .stdout_has(".orchestra/agents/reviewer.md")
        .stdout_has("takes the place of: built-in reviewer")
        .stdout_has("command: .orchestra/bin/reviewer");
    let shadowed = sandbox.orchestra(["agents", "show", "built-in reviewer"]).run().success();
    shadowed.stdout_has("status: shadowed by .orchestra/agents/reviewer.md");
    let role = sandbox.orchestra(["agents", "show", "coder"]).env("PATH", &path);
    role.env("ORCHESTRA_AGENTS_BACKENDS", "mini").run().success().stdout_has("backend: mini");
}

#[test]
fn who_is_chosen_follows_the_order_of_the_configuration() {
    let sandbox = Sandbox::new();
    let keys = "capabilities: [code_review, testing]\npriority: 5";
    sandbox.agent_script_with("broad", keys, "echo broad");
    sandbox.agent_script_with("narrow", "capabilities: [code_review]", "echo narrow");
    sandbox.workflow("w", "steps:\n  - { id: a, capability: code_review, prompt: go }\n");
    sandbox.git_repo([("a", "b")]).trust();
    sandbox.orchestra(["run", "w"]).run().success();
    assert_eq!(
        why(&sandbox, "r1.1"),
        "highest priority of broad (5), narrow (0); needs code_review"
    );
    let order = sandbox.orchestra(["run", "w"]).env("ORCHESTRA_AGENTS_ORDER", "load,specialised");
    order.run().success();
    assert_eq!(
        why(&sandbox, "r2.1"),
        "most specialised of narrow (1 capability), broad (2); needs code_review"
    );
    sandbox.orchestra(["run", "w"]).env("ORCHESTRA_AGENTS_ORDER", "speed").run().success();
    sandbox
        .orchestra(["config"])
        .env("ORCHESTRA_AGENTS_ORDER", "speed")
        .run()
        .code(1)
        .stdout_has("$ORCHESTRA_AGENTS_ORDER:1:1: error: `speed` is not a list of `load`");
}

#[test]
fn the_next_candidate_takes_over_and_says_why() {
    let sandbox = Sandbox::new();
    let keys = "capabilities: [code_review]\npriority: 5";
    sandbox.agent_script_with("first", keys, "exit 3");
    sandbox.agent_script_with("second", "capabilities: [code_review]", "echo done");
    sandbox.workflow("w", "steps:\n  - { id: a, capability: code_review, prompt: go }\n");
    sandbox.git_repo([("a", "b")]).trust();
    sandbox.orchestra(["run", "w"]).run().success();
    let attempts = sandbox.show("r1.1")["attempts"].clone();
    assert_eq!(attempts[1]["executor"], "second");
    let why = attempts[1]["why"].as_str().unwrap_or_default();
    assert!(
        why.starts_with("the only candidate; needs code_review, after first failed: "),
        "{why}"
    );
}

#[test]
fn an_edit_between_two_runs_counts_and_a_broken_one_hinders_nobody() {
    let sandbox = Sandbox::with_agents([("coder", "echo one".to_owned())]);
    let gate = sandbox.gate("slow");
    sandbox.agent_script("slow", &format!("{gate}\necho slow"));
    sandbox.trust();
    sandbox.workflow("w", "steps:\n  - { id: a, agent: coder, prompt: go }\n");
    sandbox.orchestra(["start", "slow", "go"]).run().success();
    let waiting = gate.wait();
    sandbox.orchestra(["run", "w"]).run().success();

    let agent = sandbox.read(".orchestra/agents/coder.md");
    sandbox.write(".orchestra/agents/coder.md", agent.replace("runtime: cli", "runtime: cloud"));
    sandbox.orchestra(["run", "w"]).run().code(2).stderr_has("coder.md:4:");
    sandbox
        .orchestra(["start", "coder", "go"])
        .run()
        .code(2)
        .stderr_has(".orchestra/agents/coder.md:4:10: error: there is no runtime `cloud`");
    sandbox.write(".orchestra/workflows/w.yaml", "steps:\n  - { id: a, agent: [ }\n");
    sandbox.orchestra(["run", "w"]).run().code(2).stderr_has(".orchestra/workflows/w.yaml:2:");
    drop(waiting);
    sandbox.wait_for_status("r1.1", "succeeded");

    sandbox.write(".orchestra/agents/coder.md", agent);
    sandbox.workflow("w", "steps:\n  - { id: b, agent: coder, prompt: go }\n");
    sandbox.write(".orchestra/config.toml", "[run]\napprove = true\n");
    sandbox.orchestra(["run", "w"]).run().success().stdout_has("waits for approval");
    assert_eq!(sandbox.show("r3/b")["step"], "b");
}

#[test]
fn capabilities_are_listed_with_who_has_them() {
    let sandbox = Sandbox::new();
    let listed = sandbox.orchestra(["agents", "capabilities"]).run().success().stdout;
    let line = listed.lines().find(|line| line.starts_with("code_review\t")).unwrap_or_default();
    let fields: Vec<&str> = line.split('\t').collect();
    assert_eq!((fields[1], fields[2]), ("quality", "reviewer"), "{listed}");
    let json = sandbox.orchestra(["agents", "capabilities", "--json"]).run().success().json();
    let all = json["capabilities"].as_array().map(Vec::len).unwrap_or_default();
    assert_eq!(all, listed.lines().count());
    assert_eq!(json["capabilities"][0]["id"], "task_decomposition");
}

fn added(sandbox: &Sandbox, name: &str) -> PathBuf {
    sandbox.workspace().join(format!(".orchestra/agents/{name}.md"))
}

#[test]
fn an_added_agent_is_valid_says_what_is_next_and_is_never_overwritten() {
    let sandbox = repository();
    let add = |arguments: &[&str]| sandbox.orchestra(["agents", "add"].iter().chain(arguments));
    let outcome = add(&["helper", "--writes", "--command", "true", "--task", "{prompt}"]);
    let outcome = outcome.run().success();
    outcome
        .stdout_has(&format!("created {}", added(&sandbox, "helper").display()))
        .stdout_has("then run `orchestra trust`");
    let text = sandbox.read(".orchestra/agents/helper.md");
    assert!(text.contains("command: [\"true\",\"--task\",\"{prompt}\"]"), "{text}");
    sandbox.orchestra(["agents", "check", "helper"]).run().success();
    sandbox.orchestra(["start", "helper", "go"]).run().code(4).stderr_has("agent helper is new");
    sandbox.orchestra(["trust", "--yes"]).run().success();
    sandbox.orchestra(["start", "helper", "go", "-f"]).run();

    add(&["helper"]).run().code(2).stderr_has("helper.md exists");
    assert_eq!(sandbox.read(".orchestra/agents/helper.md"), text);
    add(&["strict", "--from", "reviewer"]).run().success();
    let strict = sandbox.read(".orchestra/agents/strict.md");
    assert!(
        strict.contains("name: strict\n") && strict.contains("You review a change"),
        "{strict}"
    );
    assert!(!strict.contains("priority"), "{strict}");
    sandbox.orchestra(["agents", "check", "strict"]).run().success();
    let user = add(&["mine", "--user", "--from", "coder", "--json"]).run().success().json();
    assert_eq!(user["path"], sandbox.config().join("agents/mine.md").display().to_string());

    for (arguments, why) in [
        (["../x", "--writes", "--user"].as_slice(), "cannot be the name of an agent"),
        (&["x", "--from", "hero"], "there is no built-in role `hero`"),
        (&["x", "--command", "sh", "-c", "echo {prompt}"], "its file would have errors"),
    ] {
        add(arguments).run().code(2).stderr_has(why).stderr_has("hint:");
    }
    assert!(!added(&sandbox, "x").exists());
}

#[test]
fn an_agent_is_not_added_through_a_link_out_of_the_workspace() {
    let sandbox = Sandbox::new();
    let outside = sandbox.root().join("elsewhere");
    fs::create_dir(&outside).expect("create a folder");
    std::os::unix::fs::symlink(&outside, sandbox.workspace().join(".orchestra")).expect("link");
    let add = sandbox.orchestra(["agents", "add", "x"]).run().code(1);
    add.stderr_has("leads out of the workspace");
    assert!(!outside.join("agents/x.md").exists());
}

/// Nothing of a test is left: no folder, no history.
fn is_clean(sandbox: &Sandbox) -> bool {
    let tests = sandbox.data().join("agent-tests");
    let left = fs::read_dir(tests).map(|entries| entries.count()).unwrap_or(0);
    left == 0 && !sandbox.state_files().iter().any(|file| file.ends_with(".db"))
}

/// Does what the prompt says: the word between back quotes behind "the single line" is to be written.
const OBEDIENT: &str = "line=$(sed -n 's/.*write the single line `\\([^`]*\\)`.*/\\1/p' \"$1\" | head -1)\n\
    echo \"$line\" > \"$ORCHESTRA_DIR/orchestra-test.txt\"";

#[test]
fn a_test_shows_that_an_agent_works_and_leaves_nothing() {
    let sandbox = Sandbox::new();
    // It is not trusted, and the folder is no repository: the test brings both.
    sandbox.agent_script("coder", OBEDIENT);
    let outcome = sandbox.orchestra(["agents", "test", "coder"]).run().success();
    outcome
        .stdout_has("coder works")
        .stdout_has("started: yes")
        .stdout_has("wrote what it was told: yes")
        .stdout_has("confined: ");
    let json = sandbox.orchestra(["agents", "test", "coder", "--json"]).run().success().json();
    assert_eq!((&json["ok"], &json["status"]), (&true.into(), &"succeeded".into()), "{json}");
    assert!(is_clean(&sandbox), "{:?}", sandbox.state_files());
    sandbox.orchestra(["start", "coder", "go"]).run().code(4).stderr_has("is not trusted");
}

#[test]
fn a_test_says_what_is_wrong_with_an_agent() {
    let sandbox = Sandbox::new();
    sandbox.agent_script("liar", "echo all done");
    sandbox.agent_script("broken", "echo no login found >&2; exit 3");
    sandbox.agent_script("sleeper", "sleep 1000");
    let test = |arguments: &[&str]| sandbox.orchestra(["agents", "test"].iter().chain(arguments));
    test(&["liar"])
        .run()
        .code(1)
        .stdout_has("liar does not work")
        .stdout_has("wrote what it was told: no")
        .stdout_has("problem: the agent left no output in $ORCHESTRA_DIR/orchestra-test.txt")
        .stdout_has("  | all done");
    test(&["broken"])
        .run()
        .code(1)
        .stdout_has("  | no login found")
        .stdout_has("hint: look at its last lines: it may lack a login");
    test(&["sleeper", "--timeout", "1s"])
        .run()
        .code(1)
        .stdout_has("timed out after 1.0s")
        .stdout_has("hint: it may wait for an answer");
    test(&["nobody"]).run().code(2).stderr_has("find the agent `nobody`");
    test(&["reviewer"]).run().code(1).stderr_has("`agents.backends` names no agent program");
    assert!(is_clean(&sandbox), "{:?}", sandbox.state_files());
}

#[test]
fn a_test_says_how_to_install_an_agent_program_and_how_to_log_in() {
    let sandbox = Sandbox::new();
    let test = |path: &str, backends: &str| {
        let test = sandbox.orchestra(["agents", "test", "coder"]).env("PATH", path);
        test.env("ORCHESTRA_AGENTS_BACKENDS", backends).run().code(1)
    };
    let nothing = backend(&sandbox, "nothing", "true");
    test(&nothing, "codex,mini")
        .stderr_has("no agent program is on PATH: install one of codex, mini")
        .stderr_has(
            "install with `npm install --global @openai/codex` or `uv tool install mini-swe",
        );
    let path = backend(&sandbox, "codex", "echo not logged in >&2; exit 1");
    test(&path, "codex").stdout_has("  | not logged in").stdout_has(
        "log in with `codex login`, or set one of OPENAI_API_KEY, CODEX_API_KEY in the environment",
    );
}

#[test]
fn every_agent_is_told_what_the_project_asks_of_agents() {
    let sandbox = Sandbox::with_agents([("coder", "cat \"$1\"".to_owned())]);
    sandbox.write("AGENTS.md", format!("Always run `make check`.\n{}\nthe end\n", "x".repeat(200)));
    sandbox.git_commit("what agents are told");
    let start = sandbox.orchestra(["start", "coder", "go", "-f"]);
    start.env("ORCHESTRA_ATTEMPT_INSTRUCTIONS_LIMIT", "100").run().success();
    let prompt = sandbox.orchestra(["logs", "r1.1"]).run().success();
    let text = prompt.stdout.clone();
    prompt
        .stdout_has("From `AGENTS.md`:")
        .stdout_has("Always run `make check`.")
        .stdout_has("The rest of `AGENTS.md` is not shown");
    assert!(!text.contains("the end"), "{text}");
}
