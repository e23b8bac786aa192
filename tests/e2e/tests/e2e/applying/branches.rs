//! Results that become a branch or a commit, and leave the user's files as they are.

use super::{BOTH_ENDS, LIMIT, as_it_is, has_written, lines};

#[test]
fn a_result_becomes_a_branch_and_the_branch_goes_again() {
    let sandbox = has_written(BOTH_ENDS);
    let before = as_it_is(&sandbox);
    sandbox.orchestra(["apply", "r1", "--branch", "topic"]).limit(LIMIT).run().success();
    assert_eq!(sandbox.git(["show", "topic:new.txt"]), "new\n");
    assert_eq!(sandbox.git(["rev-parse", "topic^"]), sandbox.git(["rev-parse", "HEAD"]));
    let message = sandbox.git(["log", "-1", "--format=%B", "topic"]);
    assert!(message.contains("Orchestra-Run: r1\nOrchestra-Agent: writer"), "{message}");
    assert_eq!(sandbox.read("a.txt"), lines(), "the files are as they were");

    let taken = sandbox.orchestra(["apply", "r1", "--branch", "topic"]).limit(LIMIT).run();
    taken.code(1).stdout_has("there is a branch topic already");
    sandbox.orchestra(["undo", "r1/o1"]).limit(LIMIT).run().success();
    assert_eq!(sandbox.git(["branch", "--list", "topic"]), "");
    assert_eq!(as_it_is(&sandbox), before);
}

#[test]
fn a_branch_with_commits_of_the_user_is_not_deleted() {
    let sandbox = has_written(BOTH_ENDS);
    sandbox.orchestra(["apply", "r1", "--branch", "topic"]).limit(LIMIT).run().success();
    sandbox.git(["checkout", "-q", "topic"]);
    sandbox.write("mine.txt", "mine\n");
    sandbox.git_commit("mine");
    let refused = sandbox.orchestra(["undo"]).limit(LIMIT).run();
    refused.code(1).stdout_has("has other commits by now");
    assert_eq!(sandbox.git(["show", "topic:mine.txt"]), "mine\n");
}

#[test]
fn a_result_becomes_a_commit_under_no_branch() {
    let sandbox = has_written(BOTH_ENDS);
    let applied = sandbox.orchestra(["apply", "r1", "--commit", "--json"]).limit(LIMIT).run();
    let commit = applied.success().json()["after"].as_str().unwrap().to_owned();
    assert_eq!(sandbox.git(["show", &format!("{commit}:new.txt")]), "new\n");
    assert_eq!(sandbox.git(["branch", "--format=%(refname)"]).lines().count(), 1);
    assert_eq!(sandbox.read("a.txt"), lines());
}
