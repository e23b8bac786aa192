//! Agents see what the user sees when a run starts, committed or not, and the user's repository stays as
//! it is.

use orchestra_testkit::Sandbox;
use std::fs;

/// A sandbox with an agent that reads, and a workflow `w` that gives it a task.
fn reader(script: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.agent_script("reader", script);
    sandbox.workflow("w", "steps:\n  - { id: a, agent: reader, prompt: go }\n");
    sandbox.git_repo([("readme.txt", "hello\n"), (".gitignore", "ignored.txt\n")]).trust();
    sandbox
}

#[test]
fn an_agent_sees_what_is_not_committed_and_the_users_repository_stays_as_it_is() {
    let sandbox = reader("cat readme.txt new.txt staged.txt; ls");
    sandbox.write("staged.txt", "staged\n");
    sandbox.git(["add", "staged.txt"]);
    sandbox.write("readme.txt", "changed\n");
    sandbox.write("new.txt", "new\n");
    sandbox.write("ignored.txt", "ignored\n");
    let before = sandbox.untouched(sandbox.workspace());

    let seen = sandbox.orchestra(["run", "w"]).run().success();

    assert_eq!(seen.stderr, "", "nothing is hidden, so nothing is said");
    let log = sandbox.orchestra(["logs", "r1.1"]).run().success().stdout;
    assert!(log.starts_with("changed\nnew\nstaged\n"), "{log}");
    assert!(!log.contains("ignored.txt"), "{log}");
    sandbox.assert_untouched(&before);
    let shown = sandbox.show("r1");
    let commit = shown["run"]["snapshot"]["commit"].as_str().expect("a snapshot");
    assert_eq!(sandbox.git(["show", &format!("{commit}:readme.txt")]), "changed\n");
    assert_eq!(sandbox.git(["stash", "list"]), "");
}

#[test]
fn text_that_an_editor_has_not_saved_is_seen_in_place_of_the_disk() {
    let sandbox = reader("cat readme.txt new/file.txt; cat ignored.txt");
    let text = |name: &str, bytes: &[u8]| {
        let file = sandbox.outside().join(name);
        fs::write(&file, bytes).unwrap();
        file.display().to_string()
    };
    let readme = format!("readme.txt={}", text("readme", b"not saved \xff\r\n"));
    let new = format!("new/file.txt={}", text("new", b"not there\n"));
    let ignored = format!("ignored.txt={}", text("ignored", b"ignored\n"));
    let run = |text: &str| sandbox.orchestra(["run", "w", "--unsaved", text]).run();
    let before = sandbox.untouched(sandbox.workspace());

    let all = ["run", "w", "--unsaved", &readme, "--unsaved", &new, "--unsaved", &ignored];
    sandbox.orchestra(all).run().code(1);

    let shown = sandbox.show("r1");
    let commit = shown["run"]["snapshot"]["commit"].as_str().expect("a snapshot");
    let files = sandbox.git(["ls-tree", "-r", "--name-only", commit]);
    assert!(files.contains("new/file.txt") && !files.contains("ignored"), "{files}");
    let log = sandbox.orchestra(["logs", "r1.1"]).run().success().stdout;
    assert!(log.starts_with("not saved \u{fffd}\r\nnot there\n"), "{log:?}");
    sandbox.assert_untouched(&before);

    run(&new.replace("new/file.txt=", "readme.txt/file=")).code(1);
    sandbox
        .orchestra(["show", "r2.1"])
        .run()
        .success()
        .stdout_has("the unsaved file readme.txt/file cannot be taken: readme.txt is no folder");

    run(&readme.replace("readme.txt=", "../readme.txt="))
        .code(2)
        .stderr_has("the unsaved text of \"../readme.txt\" cannot be taken over")
        .stderr_has("name the file by its path from the root of the workspace");
    run(&format!("readme.txt={}", text("huge", &vec![b'x'; (32 << 20) + 1])))
        .code(2)
        .stderr_has("take along unsaved text of 33554433 bytes: more than 33554432")
        .stderr_has("save the largest files first");
    run("readme.txt").code(2).stderr_has("read the unsaved text `readme.txt`");
    run("readme.txt=nowhere")
        .code(2)
        .stderr_has("read the unsaved text of readme.txt from nowhere");
}

#[test]
fn it_is_taken_when_the_run_starts_however_late_an_agent_does() {
    let sandbox = reader("cat readme.txt");
    sandbox.write("readme.txt", "at the start\n");
    sandbox.orchestra(["run", "w", "--approve"]).run().success();
    let taken = || (!sandbox.show("r1")["run"]["snapshot"].is_null()).then_some(());
    orchestra_testkit::eventually("the snapshot", std::time::Duration::from_secs(20), taken);
    sandbox.write("readme.txt", "later\n");
    sandbox.orchestra(["approve", "r1"]).run().success();
    sandbox.orchestra(["watch", "r1"]).run().success();
    sandbox.orchestra(["logs", "r1.1"]).run().success().stdout_has("at the start");
}

#[test]
fn what_agents_do_not_see_is_named() {
    let sandbox = reader("ls");
    sandbox.configure("snapshot.file_limit = \"1MiB\"\n");
    sandbox.write("large.bin", vec![b'x'; 2 << 20]);
    sandbox.command("git").args(["init", "--quiet", "nested"]).run().success();
    sandbox.write("nested/a.txt", "a");
    let run = sandbox.orchestra(["run", "w"]).run().success();
    run.stderr_has(
        "note: agents do not see large.bin (untracked and large (2097152 bytes)), nested",
    );
    sandbox.orchestra(["show", "r1"]).run().success().stdout_has("agents do not see large.bin");
}

#[test]
fn in_the_middle_of_a_merge_agents_start_only_when_told_to() {
    let sandbox = reader("cat readme.txt");
    sandbox.git(["checkout", "--quiet", "-b", "other"]);
    sandbox.write("readme.txt", "theirs\n");
    sandbox.git(["commit", "--quiet", "-am", "theirs"]);
    sandbox.git(["checkout", "--quiet", "main"]);
    sandbox.write("readme.txt", "ours\n");
    sandbox.git(["commit", "--quiet", "-am", "ours"]);
    sandbox.command("git").args(["merge", "other"]).run().code(1);

    let refused = sandbox.orchestra(["run", "w"]).run().code(1);
    refused.stdout_has("readme.txt");
    sandbox.orchestra(["show", "r1.1"]).run().success().stdout_has("--with-conflicts");

    let run = sandbox.orchestra(["run", "w", "--with-conflicts"]).run().success();
    run.stderr_has("note: agents see conflict markers in readme.txt");
    sandbox.orchestra(["logs", "r2.1"]).run().success().stdout_has("<<<<<<<");

    sandbox.write("readme.txt", "both\n");
    sandbox.git(["add", "readme.txt"]);
    sandbox.orchestra(["retry", "r1"]).run().success();
    sandbox.orchestra(["watch", "r1"]).run().success();
    sandbox.orchestra(["logs", "r1.1"]).run().success().stdout_has("both");
}
