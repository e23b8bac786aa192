//! Work that a person sends back: the agent goes on from it, and the review is made anew.

use super::{LIMIT, hunks, review, writer};

/// The first time it changes both ends of the file, the second time it adds what it is told.
const AGAIN: &str = "if grep -q first a.txt; then cp \"$1\" prompt.txt; echo more > more.txt; \
                     else sed -i -e 's/^line 1$/first/' -e 's/^line 20$/last/' a.txt; fi";

#[test]
fn the_agent_goes_on_from_its_work_with_what_the_person_says() {
    let sandbox = writer(AGAIN);
    sandbox.orchestra(["start", "writer", "go", "--follow"]).limit(LIMIT).run().success();
    let [first, last]: [String; 2] = hunks(&sandbox, "a.txt").try_into().expect("two hunks");
    sandbox.orchestra(["review", "r1", "--accept", &first]).run().success();

    let comment = "Add a file called more";
    let back = ["review", "r1", "--send-back", comment, "--hunk", &last];
    sandbox.orchestra(back).limit(LIMIT).run().success();
    sandbox.wait_for_status("r1", "succeeded");

    let run = sandbox.show("r1");
    assert_eq!(run["tasks"][1]["step"], "follow-up-1");
    assert_eq!(run["run"]["review"]["files"], 3, "{}", run["run"]["review"]);
    let prompt = run["tasks"][1].clone();
    assert_eq!(prompt["status"], "succeeded");
    assert_eq!(run["run"]["review"]["verdicts"][&first], "accepted", "verdicts are kept");
    assert!(review(&sandbox).to_string().contains(&last), "equal hunks keep their ids");
    sandbox.orchestra(["apply", "r1", "--all"]).limit(LIMIT).run().success();
    assert_eq!(sandbox.read("more.txt"), "more\n");
    assert!(sandbox.read("prompt.txt").contains(comment), "{}", sandbox.read("prompt.txt"));
    assert!(sandbox.read("prompt.txt").contains("+last"), "{}", sandbox.read("prompt.txt"));
}

#[test]
fn an_empty_comment_and_unknown_hunks_are_refused() {
    let sandbox = writer(AGAIN);
    sandbox.orchestra(["start", "writer", "go", "--follow"]).limit(LIMIT).run().success();
    let empty = sandbox.orchestra(["review", "r1", "--send-back", "  "]).run();
    assert!(matches!(empty.exit_code(), Some(1 | 2)), "{}", empty.stderr);
    let unknown = ["review", "r1", "--send-back", "more", "--hunk", "0123456789"];
    let unknown = sandbox.orchestra(unknown).run();
    assert!(unknown.stderr.contains("0123456789"), "{}", unknown.stderr);
    assert_eq!(sandbox.show("r1")["tasks"].as_array().map(Vec::len), Some(1));
}

/// The first time it changes a line, the second time it changes that line again.
const BETTER: &str = "if grep -q first a.txt; then sed -i 's/^first$/better/' a.txt; \
                      else sed -i 's/^line 1$/first/' a.txt; fi";

#[test]
fn what_was_applied_before_it_was_sent_back_is_replaced_without_a_question() {
    let sandbox = writer(BETTER);
    sandbox.orchestra(["start", "writer", "go", "--follow"]).limit(LIMIT).run().success();
    sandbox.orchestra(["apply", "r1"]).limit(LIMIT).run().success();
    assert!(sandbox.read("a.txt").starts_with("first\n"));
    let back = ["review", "r1", "--send-back", "Make it better"];
    sandbox.orchestra(back).limit(LIMIT).run().success();
    sandbox.wait_for_status("r1", "succeeded");
    sandbox.orchestra(["apply", "r1", "--all"]).limit(LIMIT).run().success();
    assert!(sandbox.read("a.txt").starts_with("better\nline 2\n"));
    sandbox.orchestra(["undo"]).limit(LIMIT).run().success();
    assert!(sandbox.read("a.txt").starts_with("first\n"));
}
