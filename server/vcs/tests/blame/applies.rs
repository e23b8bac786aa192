//! What is applied, and not committed yet.

use crate::support::{LIMITS, Sandbox, commit, git, write};
use orchestra_vcs::blame::{Line, LineAuthor};
use std::fs;

#[test]
fn lines_of_an_agent_and_of_the_user_are_told_apart() {
    let mut sandbox = Sandbox::new("one\ntwo\nthree\n");
    sandbox.agent_writes("coder", "one\nagent's\nthree\n");
    sandbox.write("one\nagent's\nthree\nlater\n");
    assert_eq!(sandbox.authors(), ["(first): one", "coder: agent's", "(first): three", "-: later"]);
}

#[test]
fn everything_that_is_known_of_an_author_is_told() {
    let mut sandbox = Sandbox::new("one\n");
    sandbox.agent_writes("coder", "one\ntwo\n");
    let lines = sandbox.blame_of("file", Some(b"one\ntwo\nthree"), LIMITS).unwrap();
    let head = sandbox.git(&["rev-parse", "HEAD"]);
    let seconds: i64 = sandbox.git(&["log", "-1", "--format=%at"]).parse().unwrap();
    let at = orchestra_core::time::Timestamp(seconds * 1_000);
    let work = &sandbox.applies[0].works[0];
    let agent = LineAuthor::Agent {
        operation: "r1/o1".parse().unwrap(),
        attempt: "r1.1@1".parse().unwrap(),
        agent: "coder".to_owned(),
        model: Some("m1".to_owned()),
        commit: work.commit.clone(),
    };
    let authors = [
        LineAuthor::Person { commit: head, author: "Ada".to_owned(), at },
        agent,
        LineAuthor::NotCommitted,
    ];
    let expected: Vec<Line> =
        (1..).zip(authors).map(|(number, author)| Line { number, author }).collect();
    assert_eq!(lines, expected);
}

#[test]
fn two_applies_in_one_file_are_told_apart() {
    let mut sandbox = Sandbox::new("one\ntwo\nthree\n");
    sandbox.agent_writes("coder", "one\nA\ntwo\nthree\n");
    sandbox.agent_writes("tester", "one\nA\ntwo\nthree\nB\n");
    assert_eq!(
        sandbox.authors(),
        ["(first): one", "coder: A", "(first): two", "(first): three", "tester: B"]
    );
}

#[test]
fn two_works_in_one_apply_are_told_apart() {
    let mut sandbox = Sandbox::new("one\ntwo\nthree\n");
    let base = sandbox.snapshot();
    let a = sandbox.work("coder", &base, |tree| write(tree, "file", "A\none\ntwo\nthree\n"));
    let b = sandbox.work("tester", &base, |tree| write(tree, "file", "one\ntwo\nthree\nB\n"));
    let tree = sandbox.git(&["merge-tree", "--write-tree", &a.commit, &b.commit]);
    let merge = ["commit-tree", "-p", &a.commit, "-p", &b.commit, "-m", "merge", &tree];
    let merge = sandbox.git(&merge);
    // A third one goes on from the work of both.
    let c = sandbox.work("reviewer", &merge, |tree| {
        write(tree, "file", "A\none\nC\ntwo\nthree\nB\n");
    });
    let accepted = c.commit.clone();
    sandbox.apply(vec![a, b, c], &base, &accepted);
    assert_eq!(
        sandbox.authors(),
        ["coder: A", "(first): one", "reviewer: C", "(first): two", "(first): three", "tester: B"]
    );
}

#[test]
fn what_arose_when_works_were_put_together_is_nobodys() {
    let mut sandbox = Sandbox::new("one\n");
    let base = sandbox.snapshot();
    let a = sandbox.work("coder", &base, |tree| write(tree, "file", "A\n"));
    let b = sandbox.work("tester", &base, |tree| write(tree, "file", "B\n"));
    let merged = sandbox.work("nobody", &base, |tree| write(tree, "file", "A\nboth\nB\n"));
    let tree = format!("{}^{{tree}}", merged.commit);
    let merge = ["commit-tree", "-p", &a.commit, "-p", &b.commit, "-m", "merge", &tree];
    let merge = sandbox.git(&merge);
    sandbox.apply(vec![a, b], &base, &merge);
    assert_eq!(sandbox.authors(), ["coder: A", "?: both", "tester: B"]);
}

#[test]
fn an_agents_own_commits_are_its_work() {
    let mut sandbox = Sandbox::new("one\n");
    sandbox.applied("coder", |tree| {
        write(tree, "file", "one\ntwo\n");
        commit(tree, "mine\n\nOrchestra-Attempt: r9.9@9\nOrchestra-Agent: other");
        git(tree, &["commit", "-q", "--amend", "--no-edit", "--author=Ada <ada@example.org>"]);
        write(tree, "file", "one\ntwo\nthree\n");
    });
    assert_eq!(sandbox.authors(), ["(first): one", "coder: two", "coder: three"]);
}

#[test]
fn of_a_part_of_a_work_only_what_was_accepted_counts() {
    let mut sandbox = Sandbox::new("one\ntwo\nthree\nfour\nfive\n");
    let base = sandbox.snapshot();
    let text = "A\none\ntwo\nthree\nfour\nfive\nB\n";
    let work = sandbox.work("coder", &base, |tree| write(tree, "file", text));
    let part = sandbox.work("selected", &base, |tree| {
        write(tree, "file", "A\none\ntwo\nthree\nfour\nfive\n");
    });
    let tree = format!("{}^{{tree}}", part.commit);
    let accepted = ["commit-tree", "-p", &base, "-p", &work.commit, "-m", "accepted", &tree];
    let accepted = sandbox.git(&accepted);
    sandbox.apply(vec![work.clone()], &base, &accepted);
    // The user writes the other line himself, and then the rest of the work is applied elsewhere.
    sandbox.write("A\none\ntwo\nthree\nfour\nfive\nB\n");
    let lines =
        ["(first): one", "(first): two", "(first): three", "(first): four", "(first): five"];
    assert_eq!(sandbox.authors(), [&["coder: A"][..], &lines, &["-: B"]].concat());

    sandbox.write("A\none\ntwo\nthree\nfour\nfive\n");
    let whole = work.commit.clone();
    sandbox.apply(vec![work], &base, &whole);
    assert_eq!(sandbox.authors(), [&["coder: A"][..], &lines, &["coder: B"]].concat());
    let numbers = |line: &Line| match &line.author {
        LineAuthor::Agent { operation, .. } => Some(operation.to_string()),
        _ => None,
    };
    let lines = sandbox.blame_of("file", None, LIMITS).unwrap();
    let operations: Vec<String> = lines.iter().filter_map(numbers).collect();
    assert_eq!(operations, ["r2/o1", "r2/o2"]);
}

#[test]
fn what_the_user_wrote_before_and_during_the_run_stays_his() {
    let mut sandbox = Sandbox::new("one\ntwo\n");
    sandbox.write("before\none\ntwo\n");
    let base = sandbox.snapshot();
    let text = "before\none\ntwo\nA\nB\n";
    let work = sandbox.work("coder", &base, |tree| write(tree, "file", text));
    sandbox.write("before\nduring\none\ntwo\n");
    let accepted = work.commit.clone();
    sandbox.apply(vec![work], &base, &accepted);
    assert_eq!(
        sandbox.authors(),
        ["-: before", "-: during", "(first): one", "(first): two", "coder: A", "coder: B"]
    );
    sandbox.commit("all of it");
    assert_eq!(
        sandbox.authors(),
        [
            "(all of it): before",
            "(all of it): during",
            "(first): one",
            "(first): two",
            "coder: A",
            "coder: B"
        ]
    );
}

#[test]
fn a_line_that_user_and_agent_have_both_typed_is_the_users() {
    let mut sandbox = Sandbox::new("one\ntwo\nthree\n");
    let base = sandbox.snapshot();
    let text = "one\nsame\ntwo\nthree\nagent's\n";
    let work = sandbox.work("coder", &base, |tree| write(tree, "file", text));
    sandbox.write("one\nsame\ntwo\nthree\n");
    let accepted = work.commit.clone();
    sandbox.apply(vec![work], &base, &accepted);
    let expected = ["(first): one", "-: same", "(first): two", "(first): three", "coder: agent's"];
    assert_eq!(sandbox.authors(), expected);
    sandbox.commit("with it");
    let expected = expected.map(|line| line.replace("-:", "(with it):"));
    assert_eq!(sandbox.authors(), expected);
}

#[test]
fn a_line_like_an_agents_that_the_user_types_elsewhere_is_his() {
    let mut sandbox = Sandbox::new("one\ntwo\nthree\nfour\nfive\n");
    sandbox.agent_writes("coder", "one\nreturn x;\ntwo\nthree\nfour\nfive\n");
    sandbox.write("one\nreturn x;\ntwo\nthree\nfour\nreturn x;\nfive\n");
    let expected = [
        "(first): one",
        "coder: return x;",
        "(first): two",
        "(first): three",
        "(first): four",
        "-: return x;",
        "(first): five",
    ];
    assert_eq!(sandbox.authors(), expected);
    // And when the agent's is deleted.
    sandbox.write("one\ntwo\nthree\nfour\nreturn x;\nfive\n");
    let mut expected = expected.to_vec();
    expected.remove(1);
    assert_eq!(sandbox.authors(), expected);
}

#[test]
fn a_line_that_the_user_had_committed_stays_his_when_an_agent_puts_it_back() {
    let mut sandbox = Sandbox::new("one\ntwo\nthree\n");
    sandbox.write("one\nthree\n");
    sandbox.agent_writes("coder", "one\ntwo\nA\nthree\n");
    assert_eq!(sandbox.authors(), ["(first): one", "(first): two", "coder: A", "(first): three"]);
}

#[test]
fn a_line_is_an_agents_only_once() {
    let mut sandbox = Sandbox::new("old\n");
    sandbox.agent_writes("coder", "A\nP\nQ\n");
    sandbox.commit("all");
    sandbox.write("0\nA\nX\n");
    sandbox.commit("mine");
    // The first is still there; only what was deleted comes back.
    sandbox.write("0\nA\nX\nA\nP\nQ\n");
    assert_eq!(
        sandbox.authors(),
        ["(mine): 0", "coder: A", "(mine): X", "-: A", "coder: P", "coder: Q"]
    );
}

#[test]
fn what_was_undone_counts_for_nobody() {
    let mut sandbox = Sandbox::new("one\n");
    sandbox.agent_writes("coder", "one\nA\n");
    sandbox.write("one\n");
    sandbox.applies.clear();
    assert_eq!(sandbox.authors(), ["(first): one"]);
    sandbox.write("one\nA\n");
    assert_eq!(sandbox.authors(), ["(first): one", "-: A"]);
}

#[test]
fn of_two_agents_that_wrote_the_same_line_it_is_the_later_ones() {
    let mut sandbox = Sandbox::new("one\ntwo\n");
    sandbox.agent_writes("coder", "one\nA\ntwo\n");
    sandbox.write("one\ntwo\n");
    sandbox.agent_writes("tester", "one\nA\ntwo\n");
    assert_eq!(sandbox.authors(), ["(first): one", "tester: A", "(first): two"]);
}

#[test]
fn a_new_file_of_an_agents_need_not_be_known_to_git() {
    let mut sandbox = Sandbox::new("one\n");
    sandbox.applied("coder", |tree| write(tree, "new", "A\nB\n"));
    write(&sandbox.user(), "new", "A\nB\nC\n");
    assert_eq!(sandbox.authors_of("new"), ["coder: A", "coder: B", "-: C"]);
    sandbox.git(&["add", "new"]);
    assert_eq!(sandbox.authors_of("new"), ["coder: A", "coder: B", "-: C"]);
    sandbox.commit("all");
    assert_eq!(sandbox.authors_of("new"), ["coder: A", "coder: B", "(all): C"]);
}

#[test]
fn a_file_that_an_agent_has_renamed_keeps_its_authors() {
    let text = "one\ntwo\nthree\nfour\nfive\n";
    let mut sandbox = Sandbox::new(text);
    sandbox.agent_writes("coder", &format!("{text}A\n"));
    let old = format!("{text}A\n");
    sandbox.applied("tester", |tree| {
        fs::remove_file(tree.join("file")).unwrap();
        write(tree, "moved", format!("{old}B\n"));
    });
    let mut expected: Vec<String> = text.lines().map(|line| format!("(first): {line}")).collect();
    expected.extend(["-: A", "tester: B"].map(str::to_owned));
    assert_eq!(sandbox.authors_of("moved"), expected);
    sandbox.commit("all");
    expected[5] = "coder: A".to_owned();
    assert_eq!(sandbox.authors_of("moved"), expected);
}

#[test]
fn an_apply_whose_commit_is_lost_brings_nothing() {
    let mut sandbox = Sandbox::new("one\n");
    sandbox.agent_writes("coder", "one\nA\n");
    sandbox.applies[0].after = "0123456789".repeat(4);
    assert_eq!(sandbox.authors(), ["(first): one", "-: A"]);
}
