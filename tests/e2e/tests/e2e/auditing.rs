//! `run audit` over this project itself: the main job on real input, with no key and no network.

use orchestra_testkit::Sandbox;
use std::path::Path;

#[test]
fn every_place_in_the_audit_of_this_project_exists_and_holds_what_it_quotes() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let checkout = checkout.canonicalize().expect("the checkout exists");
    let sandbox = Sandbox::new();
    let workspace = sandbox.root().join("clone");
    // As a stranger gets it: committed files only, and not trusted.
    sandbox
        .command("git")
        .args(["-c", "safe.directory=*", "clone", "--quiet", "--no-local"])
        .arg(&checkout)
        .arg(&workspace)
        .run()
        .success();

    let run = sandbox.orchestra(["run", "audit"]).current_dir(&workspace).run().success();

    let report = ".orchestra/workspace/documentation/audit.md";
    run.stdout_has("6 of 6 tasks ended, 0 failed").stdout_has(report);
    let script = checkout.join("tests/check_report.py");
    let check = sandbox.command("python3").arg(script).arg(&workspace).arg(workspace.join(report));
    check.run().success();
    // What a run writes is no change of the project.
    let status = sandbox.command("git").args(["status", "--porcelain"]).current_dir(&workspace);
    assert_eq!(status.run().success().stdout, "");
}
