//! The built-in workflows over this project itself: the main job on real input, with no key and no network,
//! and with an agent where there is one.

use orchestra_testkit::Sandbox;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// This project as a stranger gets it: committed files only, and not trusted.
fn cloned(sandbox: &Sandbox) -> (PathBuf, PathBuf) {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let checkout = checkout.canonicalize().expect("the checkout exists");
    let workspace = sandbox.root().join("clone");
    sandbox
        .command("git")
        .args(["-c", "safe.directory=*", "clone", "--quiet", "--no-local"])
        .arg(&checkout)
        .arg(&workspace)
        .run()
        .success();
    (checkout, workspace)
}

/// Every place that a report names is there and holds what it quotes.
fn check(sandbox: &Sandbox, checkout: &Path, workspace: &Path, report: &str) {
    let script = checkout.join("tests/check_report.py");
    let report = workspace.join(report);
    sandbox.command("python3").arg(script).arg(workspace).arg(report).run().success();
}

fn git(sandbox: &Sandbox, workspace: &Path, arguments: &[&str]) -> String {
    sandbox.command("git").args(arguments).current_dir(workspace).run().success().stdout
}

#[test]
fn every_place_in_the_audit_of_this_project_exists_and_holds_what_it_quotes() {
    let sandbox = Sandbox::new();
    let (checkout, workspace) = cloned(&sandbox);
    let run = sandbox.orchestra(["run", "audit"]).current_dir(&workspace).run().success();

    let report = ".orchestra/workspace/documentation/audit.md";
    run.stdout_has("6 of 6 tasks ended, 0 failed").stdout_has(report);
    check(&sandbox, &checkout, &workspace, report);
    // What a run writes is no change of the project.
    assert_eq!(git(&sandbox, &workspace, &["status", "--porcelain"]), "");
}

#[test]
fn this_project_is_documented_without_an_agent() {
    let sandbox = Sandbox::new();
    let (checkout, workspace) = cloned(&sandbox);
    let run = sandbox.orchestra(["run", "document"]).current_dir(&workspace).run().success();

    let report = ".orchestra/workspace/documentation/overview.md";
    run.stdout_has("6 of 6 tasks ended, 0 failed").stdout_has(report);
    check(&sandbox, &checkout, &workspace, report);
    let text = fs::read_to_string(workspace.join(report)).expect("the overview");
    for words in [
        "# Documentation of a workspace",
        "## Outline of the code (step outline)",
        "## Documents (step docs)",
        "## History (step history)",
        "| Rust |",
        "`docs/architecture.md`",
        "pub fn ",
    ] {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
}

#[test]
fn a_change_of_this_project_is_reviewed_without_an_agent() {
    let sandbox = Sandbox::new();
    let (checkout, workspace) = cloned(&sandbox);
    let file = workspace.join("server/core/src/time.rs");
    let text = fs::read_to_string(&file).expect("a file of the project");
    fs::write(&file, text + "\n/// Added.\npub fn added_by_a_test() {} // FIXME: name it\n")
        .expect("change it");
    fs::write(workspace.join("new file.py"), "def new():\n    pass  # TODO: do it\n")
        .expect("add one");
    let run = sandbox.orchestra(["run", "code-review"]).current_dir(&workspace).run().success();

    let report = ".orchestra/workspace/documentation/code-review.md";
    run.stdout_has("4 of 4 tasks ended, 0 failed").stdout_has(report);
    check(&sandbox, &checkout, &workspace, report);
    let text = fs::read_to_string(workspace.join(report)).expect("the review");
    for words in ["FIXME", "added\\_by\\_a\\_test", "`new file.py:1`", "from HEAD"] {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
    // The patch is what git would make of it.
    let patch = ".orchestra/workspace/implementation/changes.diff";
    git(&sandbox, &workspace, &["stash", "--quiet", "--include-untracked"]);
    git(&sandbox, &workspace, &["apply", patch]);
    git(&sandbox, &workspace, &["add", "--all"]);
    assert_eq!(
        git(&sandbox, &workspace, &["diff", "--cached", "stash@{0}"]).matches("+++").count(),
        1
    );
}

#[test]
fn a_revision_that_does_not_exist_fails_the_review_and_is_named() {
    let sandbox = Sandbox::new();
    sandbox.git_repo([("a.rs", "fn a() {}\n")]);
    let run = sandbox.orchestra(["run", "code-review", "-pfrom=no-such"]).run().code(1);
    run.stdout_has("there is no revision `no-such`");
}

#[test]
fn reviews_and_documents_of_nothing_complete() {
    let folder = Sandbox::new();
    let unborn = Sandbox::new();
    unborn.git(["init", "--quiet"]);
    for sandbox in [&folder, &unborn] {
        for (workflow, tasks) in [("code-review", 4), ("document", 6)] {
            let run = sandbox.orchestra(["run", workflow]).run().success();
            run.stdout_has(&format!("{tasks} of {tasks} tasks ended, 0 failed"));
        }
    }
}

#[test]
fn an_agent_that_can_review_is_asked_when_it_is_trusted() {
    let sandbox = Sandbox::new();
    sandbox.agent_script_with("critic", "capabilities: [code_review]", "cat \"$1\"");
    sandbox.git_repo([("a.rs", "fn a() {}\n")]);
    sandbox.write("a.rs", "fn a() { b() }\n");
    let left_out = sandbox.orchestra(["run", "code-review"]).run().success();
    left_out.stdout_has("4 of 4 tasks ended, 0 failed");

    sandbox.trust();
    sandbox.orchestra(["run", "code-review"]).run().success().stdout_has("5 of 5 tasks ended");
    let log = sandbox.orchestra(["logs", "r2/opinion"]).run().success();
    log.stdout_has("- a.rs: 1 lines added, 1 removed");
}
