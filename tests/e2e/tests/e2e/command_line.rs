//! The command line as scripts meet it: exit codes, pipes, configuration, help.

use orchestra_testkit::Sandbox;
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

const VALUE: &str = "steps:\n  - { id: a, action: value.set, with: { value: 1 } }\n";

#[test]
fn in_a_pipe_a_run_is_plain_lines() {
    let sandbox = Sandbox::with_agents([("coder", "echo wrote it".to_owned())]);
    sandbox.git_commit("all");
    sandbox.workflow(
        "w",
        "steps:\n  - { id: first, action: value.set, with: { value: 1 } }\n  \
         - { id: second, agent: coder, prompt: go, needs: [first] }\n",
    );
    sandbox.git_commit("all");
    let outcome = sandbox.orchestra(["run", "w"]).run().success();
    assert_eq!(outcome.stderr, "");
    assert!(!outcome.stdout.contains('\u{1b}'), "{outcome}");
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    let [begun, done, running, ended, run] = lines.as_slice() else { panic!("{outcome}") };
    assert_eq!(*begun, "r1.1 first running: value.set");
    assert!(done.starts_with("r1.1 first succeeded: 1"), "{outcome}");
    assert_eq!(*running, "r1.2 second running: coder");
    assert!(ended.starts_with("r1.2 second succeeded: wrote it ("), "{outcome}");
    assert!(run.starts_with("r1 succeeded in "), "{outcome}");
    // Tables have tabs in a pipe, and no header to skip.
    let status = sandbox.orchestra(["status"]).run().success().stdout;
    let fields: Vec<&str> = status.lines().next().unwrap_or_default().split('\t').collect();
    assert_eq!((fields[0], fields[1], fields[2], fields[5]), ("r1", "succeeded", "2/2", "w"));
}

#[test]
fn colours_are_for_terminals_and_no_color_takes_them_away() {
    let sandbox = Sandbox::new();
    sandbox.workflow("w", VALUE);
    sandbox.orchestra(["run", "w"]).run().success();
    let limit = std::time::Duration::from_secs(20);
    let status = || sandbox.orchestra(["status"]);
    let coloured = status().spawn_on_terminal().wait(limit).success().stdout;
    assert!(coloured.contains("\u{1b}[32msucceeded"), "{coloured}");
    let plain = status().env("NO_COLOR", "1").spawn_on_terminal().wait(limit).success().stdout;
    assert!(!plain.contains('\u{1b}') && plain.contains("succeeded"), "{plain}");
    let failure = sandbox.orchestra(["show", "r9"]).run().code(2).stderr;
    assert!(!failure.contains('\u{1b}'), "{failure}");
}

#[test]
fn every_command_explains_itself() {
    let sandbox = Sandbox::new();
    let help = sandbox.orchestra(["--help"]).run().success().stdout;
    let listed = help.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next());
    let listed = listed.expect("a list of commands").lines();
    let commands: Vec<&str> = listed.filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(commands.len(), 28, "{commands:?}");
    let reference = include_str!("../../../../docs/command-line.md");
    for command in commands {
        let help = sandbox.orchestra([command, "--help"]).run().success();
        assert!(help.stdout.contains("Usage: orchestra"), "{help}");
        assert!(reference.contains(&format!("orchestra {command}")), "{command} is not documented");
        for option in help.stdout.split_whitespace().filter(|word| word.starts_with("--")) {
            let option = option.trim_end_matches([',', '.']);
            assert!(reference.contains(option), "{option} of {command} is not documented");
        }
        is_documented_with_all_below(&sandbox, &[command], reference);
    }
    assert_eq!(sandbox.state_files(), [""; 0]);
}

/// What a command's help lists under "Commands" is named in its section of the reference, with its options.
fn is_documented_with_all_below(sandbox: &Sandbox, command: &[&str], reference: &str) {
    let help = sandbox.orchestra(command.iter().chain(&["--help"])).run().success().stdout;
    let Some(listed) = help.split("Commands:\n").nth(1) else { return };
    let heading = format!("### `orchestra {}", command.join(" "));
    let section = reference.split(&heading).nth(1).and_then(|rest| rest.split("\n### ").next());
    let section = section.unwrap_or_else(|| panic!("there is no section {heading}"));
    for name in listed.lines().take_while(|line| !line.is_empty()) {
        let name = name.split_whitespace().next().unwrap_or_default();
        assert!(section.contains(name), "{name} of {command:?} is not documented");
        let below: Vec<&str> = command.iter().chain(&[name]).copied().collect();
        let help = sandbox.orchestra(below.iter().chain(&["--help"])).run().success().stdout;
        for option in help.split_whitespace().filter(|word| word.starts_with("--")) {
            let option = option.trim_end_matches([',', '.', ']']);
            let is_global = ["--workspace", "--json", "--verbose", "--help"].contains(&option);
            assert!(
                is_global || section.contains(option),
                "{option} of {below:?} is not documented"
            );
        }
    }
}

#[test]
fn completions_are_scripts_that_their_shell_reads() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = sandbox.orchestra(["completions", shell]).run().success();
        assert!(script.stdout.contains("workflows"), "{shell}");
    }
    let script = sandbox.orchestra(["completions", "bash"]).run().success().stdout;
    sandbox.command("bash").args(["-n"]).stdin(script).run().success();
}

#[test]
fn init_gives_something_to_start_from_and_touches_nothing_the_second_time() {
    let sandbox = Sandbox::new();
    sandbox.git_repo([("main.rs", "fn main() {}\n")]);
    sandbox.orchestra(["init"]).run().success().stdout_has("created .orchestra/config.toml");
    sandbox.orchestra(["agents", "check"]).run().success();
    sandbox.orchestra(["workflows", "check"]).run().success();
    sandbox.orchestra(["config"]).run().success();
    sandbox.orchestra(["run", "hello"]).run().success();

    sandbox.write(".orchestra/config.toml", "# mine\n");
    let again = sandbox.orchestra(["init"]).run().success();
    again.stdout_has("nothing to do: .orchestra/ has all it needs");
    assert_eq!(sandbox.read(".orchestra/config.toml"), "# mine\n");
    // What people write is shared, what runs leave is not.
    let seen = sandbox.git(["status", "--porcelain", "--untracked-files=all"]);
    let seen: Vec<&str> = seen.lines().map(|line| &line[3..]).collect();
    assert_eq!(
        seen,
        [
            ".orchestra/.gitignore",
            ".orchestra/agents/example.md",
            ".orchestra/config.toml",
            ".orchestra/workflows/hello.yaml",
        ]
    );
}

#[test]
fn init_shares_a_folder_that_a_run_has_made_before() {
    let sandbox = Sandbox::new();
    sandbox.git_repo([("main.rs", "fn main() {}\n")]);
    sandbox.orchestra(["run", "audit"]).run().success();
    assert_eq!(sandbox.git(["status", "--porcelain"]), "", "a run shows up as a change");
    sandbox.orchestra(["init"]).run().success().stdout_has("created .orchestra/.gitignore");
    let seen = sandbox.git(["status", "--porcelain", "--untracked-files=all"]);
    assert!(seen.contains("config.toml") && !seen.contains("audit.md"), "{seen}");
}

#[test]
fn settings_say_where_they_come_from_and_wrong_ones_where_they_are() {
    let sandbox = Sandbox::new();
    sandbox.configure("[attempt]\ngrace = \"1s\"\n");
    sandbox.write(".orchestra/config.toml", "[limits]\nmax_parallel = 3\n");
    let config = || sandbox.orchestra(["config"]).env("ORCHESTRA_LIMITS_AGEING", "9s");
    let user = sandbox.config().join("config.toml");
    config()
        .run()
        .success()
        .stdout_has(&format!("attempt.grace\t\"1s\"\t{}:2", user.display()))
        .stdout_has("limits.max_parallel\t3\t.orchestra/config.toml:2")
        .stdout_has("limits.ageing\t\"9s\"\t$ORCHESTRA_LIMITS_AGEING")
        .stdout_has("run.approve\tfalse\tdefault");

    sandbox.write(".orchestra/config.toml", "[limits]\nmax_paralel = 3\nmax_natives = \"x\"\n");
    config()
        .env("ORCHESTRA_RUN_APPROVE", "perhaps")
        .run()
        .code(1)
        .stdout_has(".orchestra/config.toml:2:1: error: there is no setting `limits.max_paralel`")
        .stdout_has("hint: did you mean `limits.max_parallel`?")
        .stdout_has(
            ".orchestra/config.toml:3:15: error: `limits.max_natives` is not a whole number",
        )
        .stdout_has("$ORCHESTRA_RUN_APPROVE:1:1: error: `perhaps` is not `true` or `false`")
        .stdout_has("limits.max_parallel\t8\tdefault");
}

#[test]
fn each_kind_of_end_has_its_exit_code() {
    let sandbox = Sandbox::with_agents([("bad", "exit 9".to_owned())]);
    sandbox.workflow("w", VALUE);
    sandbox.orchestra(["daemon", "status"]).run().code(3).stderr_has("no daemon answers on");
    sandbox.orchestra(["run", "w"]).run().code(0);
    sandbox.orchestra(["start", "bad", "go", "-f"]).run().code(1);
    sandbox.orchestra(["watch", "r2"]).run().code(1);
    sandbox.orchestra(["run", "nope"]).run().code(2);
    sandbox.orchestra(["trust", "--revoke"]).run().code(0);
    sandbox.orchestra(["start", "bad", "go"]).run().code(4);
}

#[test]
fn without_a_place_for_the_daemon_it_is_said_where_and_why() {
    let sandbox = Sandbox::new();
    sandbox.workflow("w", VALUE);
    // Neither root nor anybody else can make a folder in a file.
    let file = sandbox.root().join("file");
    fs::write(&file, "").expect("write a file");
    let run = sandbox.orchestra(["run", "w"]).env("XDG_STATE_HOME", &file).run();
    assert!(matches!(run.exit_code(), Some(2 | 3)), "{run}");
    let run = run.code(3).stderr_has(&file.display().to_string()).stderr_has("hint:");
    assert_eq!(run.stdout, "");
    // A runtime folder that others can read is not used.
    let open = sandbox.root().join("open");
    fs::create_dir(&open).expect("create a folder");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).expect("open the folder");
    sandbox.orchestra(["run", "w"]).env("XDG_RUNTIME_DIR", &open).run().success();
    assert!(fs::read_dir(&open).expect("it is there").next().is_none());
    sandbox.orchestra(["daemon", "stop"]).env("XDG_RUNTIME_DIR", &open).run().success();
}

#[test]
fn a_socket_path_that_is_too_long_is_named() {
    let sandbox = Sandbox::new();
    let long = sandbox.root().join("r".repeat(90));
    fs::create_dir(&long).expect("create a folder");
    fs::set_permissions(&long, fs::Permissions::from_mode(0o700)).expect("close the folder");
    let outcome = sandbox.orchestra(["run", "audit"]).env("XDG_RUNTIME_DIR", &long).run().code(2);
    let outcome = outcome.stderr_has(&long.display().to_string());
    assert!(outcome.stderr.contains("hint:") || outcome.stderr.contains("shorter"), "{outcome}");
}

#[test]
fn a_command_works_from_a_folder_deep_in_its_workspace() {
    let sandbox = Sandbox::new();
    sandbox.workflow("w", VALUE);
    let deep = sandbox.write("a/b/c.txt", "x");
    let deep: &Path = deep.parent().expect("a folder");
    sandbox.orchestra(["run", "w"]).current_dir(deep).run().success();
    sandbox.orchestra(["status"]).current_dir(deep).run().success().stdout_has("r1\tsucceeded");
    assert!(sandbox.workspace().join(".orchestra/tasks/r1.1.done").is_file());
}
