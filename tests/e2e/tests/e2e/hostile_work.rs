//! Agents that leave odd things: what can be taken over is, the rest is named, and nothing is waited for.

use orchestra_testkit::Sandbox;
use serde_json::Value;
use std::{fs, time::Duration};

/// Has an agent that writes do this; the answer is its task.
#[track_caller]
fn worked(sandbox: &Sandbox, script: &str) -> Value {
    sandbox.agent_script_with("worker", "writes: true", script);
    sandbox.git_repo([("readme.txt", "hello\n"), ("src/lib.rs", "pub fn one() {}\n")]).trust();
    let before = sandbox.untouched(sandbox.workspace());
    sandbox.orchestra(["start", "worker", "go", "--follow"]).run();
    sandbox.assert_untouched(&before);
    sandbox.show("r1.1")
}

fn texts(of: &Value, key: &str) -> Vec<String> {
    let items = of.as_array().cloned().unwrap_or_default();
    items.iter().filter_map(|item| item[key].as_str().map(str::to_owned)).collect()
}

#[test]
fn an_agent_that_deletes_its_tree_has_deleted_every_file_and_that_is_pointed_out() {
    let sandbox = Sandbox::new();
    let task = worked(
        &sandbox,
        "rm -rf .git .g* * .orchestra; rm -rf \"$PWD\" 2>&1; cd ..; rm -rf src 2>&1; exit 0",
    );
    let change = &task["output"]["change"];
    assert!(texts(&change["flags"], "kind").contains(&"everything-deleted".to_owned()), "{task:#}");
    assert!(texts(&change["paths"], "status").iter().all(|status| status == "deleted"), "{task:#}");
    let log = sandbox.orchestra(["logs", "r1.1"]).run().success().stdout;
    assert!(log.contains("Permission denied"), "the slot itself stays: {log}");
    sandbox
        .orchestra(["show", "r1.1"])
        .run()
        .success()
        .stdout_has("look at:  (every file is deleted)");
    // The slot serves the next one as if nothing had been.
    sandbox.orchestra(["start", "worker", "go", "--follow"]).run().success();
    assert_eq!(sandbox.show("r2.1")["output"]["change"]["files"], change["files"]);
}

#[test]
fn history_branches_and_an_unfinished_rebase_count_for_nothing_and_files_for_everything() {
    let sandbox = Sandbox::new();
    let task = worked(
        &sandbox,
        "git checkout -q -b elsewhere; echo theirs > readme.txt; git commit -qam theirs\n\
         git checkout -q --orphan fresh; git rm -rqf .; echo ours > readme.txt; git add readme.txt\n\
         git commit -qm fresh; git commit -q --amend -m rewritten; git update-ref refs/heads/main HEAD\n\
         git rebase elsewhere 2>&1; test -d .git/rebase-merge || exit 7\n\
         git checkout -q main@{1} -- . 2>&1 || git checkout -q elsewhere -- .\n\
         echo resolved > readme.txt; echo new > new.txt",
    );
    assert_eq!(task["status"], "succeeded", "{task:#}");
    let change = &task["output"]["change"];
    assert_eq!(texts(&change["paths"], "path"), ["new.txt", "readme.txt"], "{task:#}");
    let commit = change["commit"].as_str().unwrap();
    assert_eq!(sandbox.git(["show", &format!("{commit}:readme.txt")]), "resolved\n");
    // It stands on what the agent was given, whatever the agent made of the history.
    let base = change["base"].as_str().unwrap();
    sandbox.git(["merge-base", "--is-ancestor", base, commit]);
    assert_eq!(sandbox.git(["branch", "--format=%(refname:short)"]), "main\n");
}

#[test]
fn special_huge_and_oddly_named_files_are_named_and_hold_nobody_up() {
    let sandbox = Sandbox::new();
    // Nobody is there to say whether what is huge is wanted.
    sandbox.configure("decision.timeout = \"50ms\"\n");
    let task = worked(
        &sandbox,
        r#"mkfifo pipe; rm src/lib.rs; mkfifo src/lib.rs
        mknod disk b 7 0 2>&1; mknod zero c 1 5 2>&1
        truncate -s 10G huge.bin; truncate -s 10G readme.txt
        printf 'odd\n' > "$(printf 'two\nlines')"; printf 'odd\n' > "$(printf 'no\377text')"
        printf 'odd\n' > "$(printf 'forged\r\033[2Jverify `true` is green')"
        git init -q nested; git -C nested commit -q --allow-empty -m x; echo x > nested/file
        git -c protocol.file.allow=always submodule --quiet add ./nested module
        exit 0"#,
    );
    let change = &task["output"]["change"];
    assert_eq!(texts(&change["held"], "path"), ["huge.bin", "readme.txt"], "{task:#}");
    let notes = change["notes"].to_string();
    for note in
        ["fifo pipe left out", "fifo src/lib.rs left out", "nested repository nested left out"]
    {
        assert!(notes.contains(note), "{notes}");
    }
    // What git is to make of files, and where submodules come from, is looked at by a person.
    assert_eq!(texts(&change["flags"], "path"), [".gitmodules"], "{task:#}");
    let log = sandbox.orchestra(["logs", "r1.1"]).run().success().stdout;
    assert_eq!(log.matches("Permission denied").count(), 2, "no device is made: {log}");
    // What an agent names its files does not write on the terminal of who looks at them.
    let shown = sandbox.orchestra(["show", "r1.1"]).run().success().stdout;
    assert!(!shown.contains(['\r', '\u{1b}']), "{shown:?}");
    assert!(!shown.contains("two\nlines"), "{shown}");
    assert!(shown.contains("held back: huge.bin (large (10737418240 bytes))"), "{shown}");
}

#[test]
fn more_files_than_anybody_looks_at_are_refused_and_their_tree_is_kept() {
    let sandbox = Sandbox::new();
    sandbox.configure("collect.files = 500\n");
    let task = worked(
        &sandbox,
        "mkdir -p src/out; i=0; while [ $i -lt 2000 ]; do : > src/out/f$i; i=$((i + 1)); done",
    );
    assert_eq!(task["status"], "failed");
    let message = task["failure"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("2000") && message.contains("src/out"), "{task:#}");
    assert!(
        task["failure"]["hint"].as_str().unwrap_or_default().contains(".gitignore"),
        "{task:#}"
    );
    let kept = task["output"]["tree"].as_str().expect("a tree that is kept");
    let files = fs::read_dir(std::path::Path::new(kept).join("src/out")).unwrap();
    assert_eq!(files.count(), 2000);
}

/// What an agent hands over is read with care, too: a file may have no end, and a pipe no writer.
#[test]
fn endless_logs_sentinels_and_outputs_hold_nobody_up() {
    let sandbox = Sandbox::new();
    sandbox.configure("attempt.log_limit = \"1MiB\"\n");
    sandbox.agent_script(
        "endless",
        "echo first; rm -f \"$ORCHESTRA_LOG\"; truncate -s 7T \"$ORCHESTRA_LOG\" || truncate -s 1T \"$ORCHESTRA_LOG\"\n\
         truncate -s 1T \"$ORCHESTRA_DIR/tasks/$ORCHESTRA_TASK_ID.done\"; truncate -s 1T \"$ORCHESTRA_DIR/out.md\"",
    );
    sandbox.agent_script(
        "piping",
        "rm -f \"$ORCHESTRA_LOG\"; mkfifo \"$ORCHESTRA_LOG\" \"$ORCHESTRA_DIR/out.md\" \
         \"$ORCHESTRA_DIR/tasks/$ORCHESTRA_TASK_ID.done\"",
    );
    for agent in ["endless", "piping"] {
        sandbox.workflow(
            agent,
            &format!("steps:\n  - {{ id: a, agent: {agent}, prompt: go, output: out.md }}\n"),
        );
    }
    sandbox.git_repo([("a", "b")]).trust();
    for agent in ["endless", "piping"] {
        let run = sandbox.orchestra(["run", agent]).limit(Duration::from_secs(30)).run().code(1);
        run.stdout_has("the agent left no output in $ORCHESTRA_DIR/out.md");
    }
}
