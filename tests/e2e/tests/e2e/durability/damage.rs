//! A journal that is too new, cut short, or has one bit turned: named, left alone, put back.

use orchestra_testkit::{Outcome, Sandbox};
use serde_json::Value;
use std::{fs, path::PathBuf};

/// Every command that looks into the journal.
const COMMANDS: [&[&str]; 13] = [
    &["status"],
    &["show", "r1"],
    &["logs", "r1.1"],
    &["watch", "r1"],
    &["run", "other"],
    &["start", "nobody", "anything"],
    &["approve", "r1"],
    &["cancel", "r1"],
    &["retry", "r1"],
    &["timeout", "r1", "5m"],
    &["pause", "r1"],
    &["resume", "r1"],
    &["rebuild"],
];

/// A run that waits for approval, one that has ended, and a backup of both; no daemon.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    for name in ["victim", "other"] {
        let steps = "steps:\n  - id: set\n    action: value.set\n    with: { value: 1 }\n";
        sandbox.workflow(name, &format!("description: that of {name}\n{steps}"));
    }
    sandbox.orchestra(["run", "victim", "--approve", "--detach"]).run().success();
    sandbox.orchestra(["run", "other"]).run().success();
    stop(&sandbox);
    // A daemon makes the backup that is due before it changes anything.
    sandbox.orchestra(["run", "other"]).run().success();
    stop(&sandbox);
    sandbox
}

fn stop(sandbox: &Sandbox) {
    sandbox.orchestra(["daemon", "stop"]).run().success();
}

fn database(sandbox: &Sandbox) -> PathBuf {
    let files = sandbox.state_files();
    let file = files.iter().find(|file| file.ends_with("orchestra.db"));
    sandbox.root().join(file.expect("there is a database"))
}

fn backup(sandbox: &Sandbox) -> PathBuf {
    let files = sandbox.state_files();
    let file = files.iter().find(|file| file.contains("/backups/"));
    sandbox.root().join(file.unwrap_or_else(|| panic!("no backup among {files:?}")))
}

/// Asserts that every command fails with the reason, the file and the next step, once each.
#[track_caller]
fn every_command_says(sandbox: &Sandbox, reason: &str, hint: &str) {
    let file = database(sandbox).display().to_string();
    for command in COMMANDS {
        let outcome = sandbox.orchestra(command).run().code(1);
        let outcome = outcome.stderr_has(reason).stderr_has(&file).stderr_has(hint);
        assert_eq!(outcome.stderr.matches(reason).count(), 1, "said once: {outcome}");
        assert_eq!(outcome.stdout, "", "{outcome}");
    }
    let outcome = sandbox.orchestra(["doctor"]).run().code(1);
    outcome.stdout_has(reason).stdout_has(&file).stdout_has(hint);
    let log = sandbox.orchestra(["daemon", "log"]).run().success();
    assert!(!log.stdout.contains("panicked"), "{log}");
}

#[test]
fn a_journal_of_a_newer_version_is_left_alone() {
    let sandbox = sandbox();
    let file = database(&sandbox);
    let mut bytes = fs::read(&file).unwrap();
    // SQLite keeps `user_version` here: https://sqlite.org/fileformat.html#user_version_number
    bytes[60..64].copy_from_slice(&99u32.to_be_bytes());
    fs::write(&file, &bytes).unwrap();

    let reason = "was written by a newer version (schema 99), this build reads up to 2";
    every_command_says(&sandbox, reason, "hint: upgrade orchestra");

    stop(&sandbox);
    assert!(fs::read(&file).unwrap() == bytes, "nothing has changed it");
}

#[test]
fn a_journal_that_was_cut_short_is_named_and_a_backup_brings_back_what_it_holds() {
    let sandbox = sandbox();
    let (file, backup) = (database(&sandbox), backup(&sandbox));
    for left in [20_000, 50, 0] {
        fs::File::options().write(true).open(&file).unwrap().set_len(left).unwrap();
        every_command_says(&sandbox, "is damaged", "orchestra doctor");
        let doctor = sandbox.orchestra(["doctor"]).run().code(1);
        doctor.stdout_has(&format!("orchestra doctor --restore {}", backup.display()));
    }
    restore(&sandbox, &backup);
    let status = sandbox.orchestra(["status", "--json"]).run().success().json();
    let ids: Vec<&Value> = status["runs"].as_array().unwrap().iter().map(|r| &r["id"]).collect();
    assert_eq!(ids, ["r2", "r1"], "the backup is older than r3");
    approve_to_the_end(&sandbox);
}

#[test]
fn a_turned_bit_freezes_its_run_and_no_other() {
    let sandbox = sandbox();
    let backup = backup(&sandbox);
    turn_bit_of_first_event(&sandbox);

    // The rows are whole, so reading goes on.
    sandbox.orchestra(["status"]).run().success().stdout_has("r1");
    sandbox.orchestra(["run", "other"]).run().success().stdout_has("r4 succeeded");
    for command in ["approve", "cancel", "pause"] {
        let outcome = sandbox.orchestra([command, "r1"]).run().code(1);
        outcome.stderr_has("r1 is frozen: event 1").stderr_has("hint: see `orchestra doctor`");
    }
    sandbox.orchestra(["watch", "r1"]).run().code(1).stderr_has("r1 is damaged at event 1");
    let doctor = sandbox.orchestra(["doctor"]).run().code(1);
    doctor.stdout_has("r1").stdout_has("event 1").stdout_has("orchestra doctor --restore");

    let file = backup.display().to_string();
    let refused = sandbox.orchestra(["doctor", "--restore", &file]).run().code(1);
    refused
        .stderr_has("is in use by")
        .stderr_has("hint: stop it first with `orchestra daemon stop`");
    restore(&sandbox, &backup);
    approve_to_the_end(&sandbox);
    let healthy: Outcome = sandbox.orchestra(["doctor", "--json"]).run();
    let problems = healthy.json()["problems"].clone();
    let damage = problems.as_array().unwrap().iter().filter(|problem| problem["place"] != "user");
    assert_eq!(damage.count(), 0, "{healthy}");
}

/// Turns one bit in the text of the event that created `r1`.
fn turn_bit_of_first_event(sandbox: &Sandbox) {
    let file = database(sandbox);
    let mut bytes = fs::read(&file).unwrap();
    let event = br#"{"type":"run-created","plan":{"name":"victim""#;
    let at: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(event)).collect();
    assert!(!at.is_empty(), "the event is not in the database");
    // SQLite leaves copies behind in pages that it has freed.
    for at in at {
        bytes[at + event.len() - 2] ^= 1;
    }
    fs::write(&file, bytes).unwrap();
}

fn restore(sandbox: &Sandbox, backup: &std::path::Path) {
    stop(sandbox);
    let file = backup.display().to_string();
    let restored = sandbox.orchestra(["doctor", "--restore", &file]).run().success();
    restored.stdout_has("what was there is kept as").stdout_has("next: `orchestra rebuild`");
    sandbox.orchestra(["rebuild"]).run().success();
}

/// What waited before the damage goes on after it.
fn approve_to_the_end(sandbox: &Sandbox) {
    sandbox.orchestra(["approve", "r1"]).run().success();
    sandbox.orchestra(["watch", "r1"]).run().success().stdout_has("r1 succeeded");
}
