//! Agents that misbehave: the run says what happened and what to do, and nothing of them is left.

use orchestra_testkit::{Outcome, Sandbox, Size, size};
use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf, time::Duration};

/// Gives one agent one task and follows it to its end.
#[track_caller]
fn start(sandbox: &Sandbox, agent: &str) -> Outcome {
    sandbox.orchestra(["start", agent, "go", "--follow"]).run()
}

#[track_caller]
fn failure(sandbox: &Sandbox) -> String {
    let task = sandbox.show("r1.1");
    assert_eq!(task["status"], "failed");
    task["failure"]["kind"].as_str().unwrap_or_default().to_owned()
}

/// The processes of the sandbox that are neither its daemon nor a client.
fn foreign(sandbox: &Sandbox) -> Vec<String> {
    let all = sandbox.processes().into_iter().map(|process| process.command_line);
    all.filter(|line| !line.contains("__serve")).collect()
}

#[test]
fn a_program_that_does_not_exist_is_named_and_not_tried_again() {
    let sandbox = Sandbox::with_agents([("gone", "true".to_owned())]);
    fs::remove_file(sandbox.workspace().join(".orchestra/bin/gone")).expect("remove the script");
    sandbox.trust();
    let outcome = start(&sandbox, "gone");
    assert_ne!(outcome.exit_code(), Some(0), "{outcome}");
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(said.contains(".orchestra/bin/gone"), "{outcome}");
    assert!(said.contains("hint:"), "{outcome}");
}

#[test]
fn a_program_that_is_not_executable_is_refused_before_anything_starts() {
    let sandbox = Sandbox::with_agents([("plain", "true".to_owned())]);
    let script = sandbox.workspace().join(".orchestra/bin/plain");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o644)).expect("close the script");
    start(&sandbox, "plain")
        .code(2)
        .stderr_has("`.orchestra/bin/plain` is not an executable file")
        .stderr_has("hint: see `orchestra agents check`");
}

#[test]
fn a_program_that_stops_being_executable_says_how_to_make_it_so_again() {
    let sandbox = Sandbox::new();
    let script = sandbox.agent_script("plain", "true");
    sandbox.agent_script("closer", &format!("chmod -x '{}'", script.display()));
    sandbox.workflow(
        "w",
        "retry: { max: 3, backoff: 1ms }\nsteps:\n  - { id: close, agent: closer, prompt: go }\n  \
         - { id: use, agent: plain, prompt: go, needs: [close] }\n",
    );
    sandbox.git_repo([("a", "b")]).trust();
    let outcome = sandbox.orchestra(["run", "w"]).run().code(1);
    let hint = format!("hint: make it executable: chmod +x {}", script.display());
    outcome.stdout_has("agent `plain` could not be started").stdout_has(&hint);
    let task = sandbox.show("r1/use");
    assert_eq!(task["failure"]["kind"], "not-started");
    // It would fail the same way again, so there is no retry.
    assert_eq!(task["attempts"].as_array().map(Vec::len), Some(1));
}

#[test]
fn an_exit_code_is_told_with_the_last_words() {
    let sandbox =
        Sandbox::with_agents([("three", "echo first; echo no key found >&2; exit 3".to_owned())]);
    start(&sandbox, "three")
        .code(1)
        .stdout_has("agent `three` exited with code 3; last it wrote: first ⏎ no key found")
        .stdout_has("hint: see `orchestra logs r1.1`");
    assert_eq!(failure(&sandbox), "exit");
    let logs = sandbox.orchestra(["logs", "r1.1"]).run().success();
    assert!(logs.stdout.contains("no key found"), "{logs}");
    assert!(sandbox.read(".orchestra/tasks/r1.1.error").contains("exited with code 3"));
}

#[test]
fn a_signal_is_told_by_name() {
    let sandbox = Sandbox::with_agents([("killed", "kill -9 $$".to_owned())]);
    start(&sandbox, "killed")
        .code(1)
        .stdout_has("agent `killed` was ended by signal 9 (SIGKILL)")
        .stdout_has("hint: if nobody killed it, the machine may have run out of memory");
    assert_eq!(failure(&sandbox), "signal");
}

#[test]
fn an_agent_that_ignores_term_is_killed_after_its_grace() {
    let sandbox = Sandbox::new();
    sandbox.configure("[attempt]\ngrace = \"50ms\"\n");
    let gate = sandbox.gate("deaf");
    // `read` starts anew after each signal that is ignored.
    sandbox.agent_script("deaf", &format!("trap '' TERM INT HUP\n{gate}\necho survived"));
    sandbox.git_repo([("a", "b")]).trust();
    let running = sandbox.orchestra(["start", "deaf", "go", "--follow"]).spawn();
    let _stays = gate.wait();
    sandbox.orchestra(["cancel", "r1"]).run().success();
    running.wait(Duration::from_secs(20)).code(1).stdout_has("r1 cancelled");
    assert_eq!(foreign(&sandbox), [""; 0]);
    assert!(sandbox.workspace().join(".orchestra/tasks/r1.1.cancelled").is_file());
}

#[test]
fn children_in_sessions_of_their_own_end_with_their_agent() {
    let source = "setsid sleep 1000 & (setsid sh -c 'setsid sleep 1000 & sleep 1000' &) ; sleep 0; \
                  exit 0";
    let sandbox = Sandbox::new();
    sandbox.configure("[attempt]\ngrace = \"50ms\"\n");
    sandbox.agent_script("parent", source);
    sandbox.git_repo([("a", "b")]).trust();
    start(&sandbox, "parent").success();
    assert_eq!(foreign(&sandbox), [""; 0]);
}

#[test]
fn soak_a_flood_of_output_is_cut_to_its_head_and_tail() {
    let megabytes = size().pick(32, 1_024);
    let source =
        format!("echo HEAD; yes 0123456789abcde | head -c {megabytes}000000; echo; echo TAIL");
    let sandbox = Sandbox::new();
    sandbox.configure("[attempt]\nlog_limit = \"1MiB\"\n");
    sandbox.agent_script("flood", &source);
    sandbox.git_repo([("a", "b")]).trust();
    let start = sandbox.orchestra(["start", "flood", "go", "--follow"]);
    start.limit(Duration::from_secs(600)).run().success().stdout_has("TAIL");
    let logs = sandbox.orchestra(["logs", "r1.1"]).run().success().stdout;
    assert!(logs.starts_with("HEAD\n"), "{}", &logs[..200]);
    assert!(logs.ends_with("TAIL\n"), "{}", &logs[logs.len() - 200..]);
    assert!(logs.len() < (1 << 20) + 1_000, "{} bytes are kept", logs.len());
    assert!(logs.contains(" bytes are left out here, because the log has a limit]"));
    if size() == Size::Reduced {
        assert!(logs.len() > 1 << 19, "{} bytes are kept", logs.len());
    }
}

#[test]
fn bytes_that_are_no_text_are_kept_in_the_log_and_break_nothing() {
    let source = r#"printf 'a\377\376z\000\n'; printf '\303\n'; printf 'b\377' > "$ORCHESTRA_DIR/tasks/$ORCHESTRA_TASK_ID.done""#;
    let sandbox = Sandbox::with_agents([("bytes", source.to_owned())]);
    start(&sandbox, "bytes").success();
    assert_eq!(sandbox.show("r1.1")["output"]["summary"], "b\u{fffd}");
    let log = fs::read(sandbox.workspace().join(".orchestra/logs/r1.1.log"));
    let log = log.expect("the log is shown below .orchestra");
    assert!(log.starts_with(b"a"), "{log:?}");
    sandbox.orchestra(["logs", "r1.1"]).run().success();
    sandbox.orchestra(["show", "r1.1"]).run().success();
}

#[test]
fn in_a_folder_without_git_agents_are_refused_and_natives_run() {
    let sandbox = Sandbox::new();
    sandbox.agent_script("coder", "true");
    sandbox.write("a.rs", "// TODO: more\n");
    sandbox.trust();
    start(&sandbox, "coder")
        .code(4)
        .stderr_has("is no git repository")
        .stderr_has("hint: run `git init`");
    sandbox.orchestra(["run", "audit"]).run().success();
    assert_eq!(sandbox.status("r1"), "succeeded");
}

#[test]
fn in_a_repository_without_a_commit_agents_see_the_files_that_are_there() {
    let sandbox = Sandbox::new();
    sandbox.agent_script("reader", "cat readme.txt");
    sandbox.git(["init", "--quiet"]);
    sandbox.write("readme.txt", "hello\n");
    sandbox.trust();
    start(&sandbox, "reader").success().stdout_has("hello");
    assert_eq!(sandbox.git(["status", "--porcelain", "readme.txt"]), "?? readme.txt\n");
}

#[test]
fn a_reading_agent_cannot_write_and_what_a_writing_one_leaves_is_taken_over() {
    let sandbox = Sandbox::new();
    sandbox.agent_script_with("writer", "writes: true", "echo more >> readme.txt");
    sandbox.agent_script("reader", "(echo mine > scratch) 2>&1; cat readme.txt");
    sandbox.git_repo([("readme.txt", "hello\n")]).trust();
    start(&sandbox, "reader").success().stdout_has("hello");
    sandbox.orchestra(["logs", "r1.1"]).run().success().stdout_has("ermission denied");
    start(&sandbox, "writer").success();
    let output = sandbox.show("r2.1")["output"].clone();
    let commit = output["change"]["commit"].as_str().expect("a commit");
    let text = sandbox.git(["show", &format!("{commit}:readme.txt")]);
    assert_eq!(text, "hello\nmore\n");
    assert_eq!(output["change"]["files"], 1);
    let kept = sandbox.git(["for-each-ref", "--format=%(refname)", "refs/orchestra"]);
    assert!(kept.contains("/r2/t/r2.1-1\n"), "{kept}");
    assert_eq!(sandbox.read("readme.txt"), "hello\n", "the live folder was written");
    assert_eq!(sandbox.leases(), Vec::<PathBuf>::new());
}
