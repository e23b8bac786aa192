//! What the user does between the start of a run, its review, apply and undo is his.

use super::{BOTH_ENDS, LIMIT, as_it_is, asked, has_written, lines};
use orchestra_testkit::Sandbox;

/// Edits the middle of the file.
fn edit_elsewhere(sandbox: &Sandbox) {
    let text = sandbox.read("a.txt").replace("line 10\n", "mine\n");
    sandbox.write("a.txt", text);
}

#[test]
fn edits_elsewhere_in_the_file_stay_through_apply_and_undo() {
    let sandbox = has_written(BOTH_ENDS);
    edit_elsewhere(&sandbox);
    sandbox.orchestra(["apply", "r1"]).limit(LIMIT).run().success();
    let text = sandbox.read("a.txt");
    assert!(text.starts_with("first\n") && text.contains("mine\n") && text.ends_with("last\n"));
    let later = text.replace("line 5\n", "later\n");
    sandbox.write("a.txt", &later);
    sandbox.orchestra(["undo"]).limit(LIMIT).run().success();
    let expected = lines().replace("line 10\n", "mine\n").replace("line 5\n", "later\n");
    assert_eq!(sandbox.read("a.txt"), expected);
}

#[test]
fn the_same_line_is_a_question_and_nothing_is_written_before_its_answer() {
    let sandbox = has_written(BOTH_ENDS);
    sandbox.write("a.txt", lines().replacen("line 1\n", "mine\n", 1));
    let before = as_it_is(&sandbox);
    let conflict = sandbox.orchestra(["apply", "r1"]).limit(LIMIT).run();
    conflict.code(1).stdout_has("a.txt: both changed the same lines");
    assert_eq!(as_it_is(&sandbox), before);

    let question = asked(&sandbox);
    let text = question["question"].as_str().unwrap();
    assert!(text.contains("mine") && text.contains("first"), "both sides are shown: {text}");
    let id = question["id"].as_str().unwrap();
    sandbox.orchestra(["decide", id, "mine"]).run().success();
    orchestra_testkit::eventually("the rest is applied", LIMIT, || {
        sandbox.workspace().join("new.txt").exists().then_some(())
    });
    let text = sandbox.read("a.txt");
    assert!(text.starts_with("mine\n") && text.ends_with("last\n"), "{text}");
}

#[test]
fn commits_and_other_branches_of_the_user_are_what_he_has_now() {
    let sandbox = has_written(BOTH_ENDS);
    sandbox.git(["checkout", "-q", "-b", "other"]);
    edit_elsewhere(&sandbox);
    sandbox.write("c.txt", "c\n");
    sandbox.git_commit("on another branch");
    let head = sandbox.git(["rev-parse", "HEAD"]);
    sandbox.orchestra(["apply", "r1"]).limit(LIMIT).run().success();
    assert!(sandbox.read("a.txt").contains("mine\n") && sandbox.read("a.txt").ends_with("last\n"));
    assert_eq!(sandbox.git(["rev-parse", "HEAD"]), head);
    assert_eq!(sandbox.git(["symbolic-ref", "HEAD"]).trim(), "refs/heads/other");
    sandbox.orchestra(["undo"]).limit(LIMIT).run().success();
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
}

#[test]
fn unsaved_text_belongs_to_the_editor_that_has_it() {
    let sandbox = has_written(BOTH_ENDS);
    let buffer = sandbox.outside().join("buffer");
    std::fs::write(&buffer, lines().replace("line 10\n", "unsaved\n")).unwrap();
    let unsaved = format!("a.txt={}", buffer.display());
    sandbox.orchestra(["apply", "r1", "--unsaved", &unsaved]).limit(LIMIT).run().success();
    let text = std::fs::read_to_string(&buffer).unwrap();
    assert!(text.starts_with("first\n") && text.contains("unsaved\n"), "{text}");
    assert_eq!(sandbox.read("a.txt"), lines(), "the disk is not touched under an editor");
    assert_eq!(sandbox.read("new.txt"), "new\n");
}
