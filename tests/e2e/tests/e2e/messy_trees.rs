//! The native actions over trees that nobody has tidied: they complete, and say what they left out.

use orchestra_testkit::{Sandbox, size};
use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt as _, time::Duration};

/// Runs the audit, checks that it completes without an agent or git, and returns its report.
#[track_caller]
fn audit(sandbox: &Sandbox) -> String {
    let run = sandbox.orchestra(["run", "audit"]).limit(Duration::from_secs(600)).run().success();
    run.stdout_has("6 of 6 tasks ended, 0 failed");
    sandbox.read(".orchestra/workspace/documentation/audit.md")
}

#[test]
fn an_empty_folder_has_a_report_too() {
    let report = audit(&Sandbox::new());
    assert!(report.starts_with("# "), "{report}");
}

#[test]
fn binary_files_and_names_and_texts_that_are_no_utf8_break_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("good.rs", "fn main() {}\n// TODO: the only one\n");
    sandbox.write("binary.bin", [0, 159, 146, 150, 0, 255].repeat(1_000));
    sandbox.write("latin1.c", b"/* TODO: caf\xe9 */\nint main;\n");
    sandbox.write(
        "utf16.txt",
        "\u{feff}TODO".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(),
    );
    fs::write(sandbox.workspace().join(OsStr::from_bytes(b"na\xff\xfeme.rs")), "// TODO: odd\n")
        .expect("write a file");
    fs::write(sandbox.workspace().join("new\nline.rs"), "// TODO: odd\n").expect("write a file");
    std::os::unix::fs::symlink("/etc", sandbox.workspace().join("outside")).expect("link");
    std::os::unix::fs::symlink(".", sandbox.workspace().join("loop")).expect("link");
    sandbox.command("mkfifo").arg("pipe.rs").run().success();
    let report = audit(&sandbox);
    assert!(report.contains("`good.rs:2`"), "{report}");
    assert!(!report.contains("outside/"), "it has left the folder: {report}");
}

#[test]
fn soak_a_large_tree_is_audited_in_full() {
    let files = size().pick(3_000, 100_000);
    let sandbox = Sandbox::new();
    for number in 0..files {
        let text = format!("fn f{number}() {{}}\n");
        sandbox.write(format!("src/d{}/f{number}.rs", number % 100), text);
    }
    sandbox.write("src/d1/marked.rs", "// TODO: found among many\n");
    sandbox.write("big.txt", "x".repeat(20 << 20));
    let report = audit(&sandbox);
    assert!(report.contains("`src/d1/marked.rs:1`"), "{report}");
    let files = files + 1;
    let metrics = sandbox.show("r1/metrics");
    let shown = metrics["output"]["result"].to_string();
    assert!(shown.contains(&files.to_string()), "{files} files are not among {shown}");
}

#[test]
fn a_very_deep_tree_is_walked() {
    let sandbox = Sandbox::new();
    sandbox.write("good.rs", "// TODO: readable\n");
    let deep = "d/".repeat(300);
    sandbox.write(format!("{deep}deep.rs"), "// TODO: deep\n");
    let report = audit(&sandbox);
    for path in ["good.rs".to_owned(), format!("{deep}deep.rs")] {
        assert!(report.contains(&format!("`{path}:1`")), "{report}");
    }
}
