//! What a run has made comes into the user's files, hunk by hunk, and goes out again.

mod branches;
pub(crate) mod crashes;
mod foreseen;
mod policies;
mod sending_back;
mod user_edits;

use orchestra_testkit::{Sandbox, eventually};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    path::Path,
    time::Duration,
};

pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Twenty numbered lines, so that changes at both ends are two hunks.
pub(crate) fn lines() -> String {
    (1..=20).map(|number| format!("line {number}\n")).collect()
}

/// A trusted repository with `a.txt`, and an agent that writes and runs this.
pub(crate) fn writer(script: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.agent_script_with("writer", "writes: true\n", script);
    sandbox.git_repo([("a.txt", lines()), ("b.txt", "b\n".to_owned())]).trust();
    sandbox
}

/// As [`writer`], with a run of it that has ended.
pub(crate) fn has_written(script: &str) -> Sandbox {
    let sandbox = writer(script);
    sandbox.orchestra(["start", "writer", "go", "--follow"]).limit(LIMIT).run().success();
    sandbox
}

/// Changes the first and the last line of `a.txt`, adds a file and deletes one.
pub(crate) const BOTH_ENDS: &str =
    "sed -i -e 's/^line 1$/first/' -e 's/^line 20$/last/' a.txt; echo new > new.txt; rm b.txt";

/// What the user has: each file with its bytes and rights, links, folders; index, branches and HEAD.
pub(crate) fn as_it_is(sandbox: &Sandbox) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    walk(&sandbox.workspace(), &sandbox.workspace(), &mut found);
    for question in [
        &["ls-files", "--stage"][..],
        &["for-each-ref", "refs/heads", "refs/tags", "refs/stash"],
        &["symbolic-ref", "-q", "HEAD"],
        &["reflog", "HEAD"],
    ] {
        let answer = sandbox.git(question.iter().copied());
        found.insert(question.join(" "), (0, answer.into_bytes()));
    }
    found
}

fn walk(top: &Path, folder: &Path, found: &mut BTreeMap<String, (u32, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with(".git") || path.ends_with(".orchestra") {
            continue;
        }
        let name = path.strip_prefix(top).unwrap().display().to_string();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let content = if metadata.is_dir() {
            walk(top, &path, found);
            Vec::new()
        } else if metadata.is_symlink() {
            fs::read_link(&path).unwrap().as_os_str().as_bytes().to_vec()
        } else {
            fs::read(&path).unwrap()
        };
        found.insert(name, (metadata.permissions().mode(), content));
    }
}

/// The review of the run as data.
pub(crate) fn review(sandbox: &Sandbox) -> Value {
    sandbox.orchestra(["review", "r1", "--json"]).run().success().json()["data"].clone()
}

/// The ids of the hunks of a file, in its order.
pub(crate) fn hunks(sandbox: &Sandbox, path: &str) -> Vec<String> {
    let review = review(sandbox);
    let files = review["files"].as_array().expect("the review has files");
    let file = files.iter().find(|file| file["path"] == path);
    let hunks = file.unwrap_or_else(|| panic!("{path} is not in {review}"))["hunks"].as_array();
    let id = |hunk: &Value| hunk["id"].as_str().unwrap().to_owned();
    hunks.unwrap().iter().map(id).collect()
}

#[test]
fn what_was_made_is_applied_and_taken_back_byte_by_byte() {
    let sandbox = has_written(BOTH_ENDS);
    let before = as_it_is(&sandbox);
    let diff = fs::read_to_string(sandbox.workspace().join(".orchestra/reviews/r1.diff")).unwrap();
    assert!(diff.contains("-line 1\n+first\n"), "{diff}");
    assert!(diff.contains("r1.1") && diff.contains("writer"), "{diff}");

    sandbox.orchestra(["apply", "r1"]).limit(LIMIT).run().success();

    let expected = lines().replacen("line 1\n", "first\n", 1).replace("line 20", "last");
    assert_eq!(sandbox.read("a.txt"), expected);
    assert_eq!(sandbox.read("new.txt"), "new\n");
    assert!(!sandbox.workspace().join("b.txt").exists());
    assert_eq!(sandbox.git(["diff", "--cached", "--name-only"]), "", "the index is the user's");
    assert_eq!(sandbox.show("r1")["run"]["review"]["status"], "applied");

    sandbox.orchestra(["undo"]).limit(LIMIT).run().success();
    assert_eq!(as_it_is(&sandbox), before);
    assert_eq!(sandbox.show("r1")["run"]["review"]["status"], "open");

    sandbox.orchestra(["undo", "r1/o2"]).limit(LIMIT).run().success();
    assert_eq!(sandbox.read("a.txt"), expected, "undoing the undo does it again");
    let listed = sandbox.orchestra(["undo", "--list"]).run().success();
    for operation in ["r1/o1", "r1/o2", "r1/o3"] {
        assert!(listed.stdout.contains(operation), "{}", listed.stdout);
    }
}

#[test]
fn only_accepted_hunks_come_in_and_the_rest_can_follow() {
    let sandbox = has_written(BOTH_ENDS);
    let [first, last]: [String; 2] = hunks(&sandbox, "a.txt").try_into().expect("two hunks");

    sandbox.orchestra(["review", "r1", "--accept", &first]).run().success();
    sandbox.orchestra(["review", "r1", "--reject", "--file", "b.txt"]).run().success();
    sandbox.kill_daemon();
    sandbox.orchestra(["apply", "r1"]).limit(LIMIT).run().success();

    assert_eq!(sandbox.read("a.txt"), lines().replacen("line 1\n", "first\n", 1));
    assert!(sandbox.workspace().join("b.txt").exists());
    assert!(!sandbox.workspace().join("new.txt").exists());
    assert_eq!(sandbox.show("r1")["run"]["review"]["status"], "open");
    let refused = sandbox.orchestra(["review", "r1", "--reject", &first]).run();
    refused.code(1).stderr_has("is in your files already");

    sandbox.orchestra(["review", "r1", "--accept", &last[..6]]).run().success();
    sandbox.orchestra(["apply", "r1"]).limit(LIMIT).run().success();
    assert!(sandbox.read("a.txt").ends_with("last\n"));
    sandbox.orchestra(["apply", "r1", "--all"]).limit(LIMIT).run().success();
    assert_eq!(sandbox.read("new.txt"), "new\n");
    assert!(sandbox.workspace().join("b.txt").exists(), "what is rejected never comes in");
    let again = sandbox.orchestra(["apply", "r1", "--all"]).run();
    again.code(1).stderr_has("is in your files already");
}

#[test]
fn a_review_that_is_discarded_comes_back() {
    let sandbox = has_written(BOTH_ENDS);
    sandbox.orchestra(["discard", "r1"]).run().success();
    sandbox.orchestra(["apply", "r1"]).run().code(1).stderr_has("is discarded");
    sandbox.orchestra(["undo"]).run().success();
    sandbox.orchestra(["apply", "r1"]).limit(LIMIT).run().success();
    assert_eq!(sandbox.read("new.txt"), "new\n");
}

#[test]
fn what_is_cleaned_up_is_put_aside_and_comes_back() {
    let sandbox = has_written(BOTH_ENDS);
    let refused = sandbox.orchestra(["clean", "r1"]).run();
    refused.code(1).stderr_has("neither applied nor rejected");
    sandbox.orchestra(["apply", "r1"]).limit(LIMIT).run().success();
    let names = || sandbox.git(["for-each-ref", "--format=%(refname)", "refs/orchestra"]);
    let before = names();
    sandbox.orchestra(["clean", "r1"]).limit(LIMIT).run().success();
    let cleaned = names();
    let is_of_run = |name: &&str| name.contains("/r1/") && !name.contains("/cleaned/");
    assert_eq!(cleaned.lines().filter(is_of_run).count(), 0, "{cleaned}");
    assert!(cleaned.contains("/cleaned/r1/"), "{cleaned}");
    sandbox.orchestra(["undo"]).limit(LIMIT).run().success();
    assert_eq!(names(), before);
}

#[test]
fn a_run_that_changed_nothing_has_nothing_to_review() {
    let sandbox = writer("true");
    sandbox.agent_script("reader", "echo fine");
    sandbox.orchestra(["trust", "--yes"]).run().success();
    sandbox.orchestra(["start", "reader", "go", "--follow"]).limit(LIMIT).run().success();
    sandbox.orchestra(["review", "r1"]).run().code(1).stderr_has("changed nothing");
    sandbox.orchestra(["apply", "r1"]).run().code(1).stderr_has("has changed no file");
    sandbox.orchestra(["undo"]).run().code(1).stderr_has("nothing to undo");
    sandbox.orchestra(["apply", "r9"]).run().code(2).stderr_has("no run r9");
}

/// Waits for the one question that is open.
#[track_caller]
pub(crate) fn asked(sandbox: &Sandbox) -> Value {
    eventually("a question is open", LIMIT, || {
        let listed = sandbox.orchestra(["decide", "--json"]).run().success().json();
        let open = listed["decisions"].as_array().cloned().unwrap_or_default();
        (open.len() == 1).then(|| open[0].clone())
    })
}
