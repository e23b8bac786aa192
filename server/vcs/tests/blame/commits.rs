//! What is applied, and then committed by the user in one way or another.

use crate::support::{Sandbox, write};
use std::fs;

const USERS: &str = "one\ntwo\nthree\nfour\nfive\nsix\n";
const BOTH: &str = "one\ntwo\nA1\nA2\nthree\nfour\nfive\nsix\n";

/// An agent's two lines are among the user's, and not committed.
fn applied() -> Sandbox {
    let mut sandbox = Sandbox::new(USERS);
    sandbox.agent_writes("coder", BOTH);
    sandbox
}

fn expected(added: &[(usize, &str)]) -> Vec<String> {
    let mut lines: Vec<String> = USERS.lines().map(|line| format!("(first): {line}")).collect();
    lines.splice(2..2, ["coder: A1", "coder: A2"].map(str::to_owned));
    for (at, line) in added {
        lines.insert(*at, (*line).to_owned());
    }
    lines
}

#[test]
fn committed_and_amended_they_are_the_agents() {
    let sandbox = applied();
    sandbox.commit("all");
    assert_eq!(sandbox.authors(), expected(&[]));
    sandbox.git(&["commit", "-q", "--amend", "-m", "amended"]);
    assert_eq!(sandbox.authors(), expected(&[]));
    sandbox.write(format!("zero\n{BOTH}"));
    assert_eq!(sandbox.authors(), expected(&[(0, "-: zero")]));
    sandbox.git(&["commit", "-q", "--amend", "-a", "-m", "amended again"]);
    assert_eq!(sandbox.authors(), expected(&[(0, "(amended again): zero")]));
}

#[test]
fn committed_in_two_parts_they_are_the_agents() {
    let sandbox = applied();
    sandbox.write("one\ntwo\nA1\nthree\nfour\nfive\nsix\n");
    sandbox.commit("half");
    sandbox.write(BOTH);
    sandbox.commit("the other half");
    assert_eq!(sandbox.authors(), expected(&[]));
}

#[test]
fn commits_of_the_user_on_top_are_his() {
    let sandbox = applied();
    sandbox.commit("all");
    sandbox.write(format!("{BOTH}A1\n"));
    sandbox.commit("mine");
    sandbox.write(format!("zero\n{BOTH}A1\n"));
    sandbox.commit("mine, too");
    assert_eq!(sandbox.authors(), expected(&[(0, "(mine, too): zero"), (9, "(mine): A1")]));
}

#[test]
fn rebased_onto_another_branch_they_are_the_agents() {
    let mut sandbox = Sandbox::new(USERS);
    sandbox.git(&["checkout", "-q", "-b", "other"]);
    sandbox.write(format!("{USERS}other's\n"));
    sandbox.commit("on the other branch");
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.write(format!("mine\n{USERS}"));
    sandbox.commit("on main");
    sandbox.agent_writes("coder", &format!("mine\n{BOTH}"));
    sandbox.commit("all");
    sandbox.git(&["rebase", "-q", "other"]);
    let onto = [(0, "(on main): mine"), (9, "(on the other branch): other's")];
    assert_eq!(sandbox.authors(), expected(&onto));
    // The commit that is named is the one that the branch has now.
    let old = sandbox.git(&["rev-parse", "ORIG_HEAD"]);
    sandbox.git(&["reflog", "expire", "--expire=now", "--all"]);
    assert!(!sandbox.git(&["rev-list", "HEAD"]).contains(&old));
}

#[test]
fn cherry_picked_they_are_the_agents() {
    let mut sandbox = Sandbox::new(USERS);
    sandbox.git(&["branch", "other"]);
    sandbox.agent_writes("coder", BOTH);
    sandbox.commit("all");
    sandbox.git(&["checkout", "-q", "other"]);
    sandbox.write(format!("zero\n{USERS}"));
    sandbox.commit("zero");
    sandbox.git(&["cherry-pick", "main"]);
    assert_eq!(sandbox.authors(), expected(&[(0, "(zero): zero")]));
}

#[test]
fn merged_they_are_the_agents() {
    for how in [&["--no-ff", "-q", "-m", "merged"][..], &["--squash", "-q"]] {
        let mut sandbox = Sandbox::new(USERS);
        sandbox.git(&["checkout", "-q", "-b", "feature"]);
        sandbox.agent_writes("coder", BOTH);
        sandbox.commit("all");
        sandbox.write(format!("{BOTH}feature\n"));
        sandbox.commit("on the feature");
        sandbox.git(&["checkout", "-q", "main"]);
        sandbox.write(format!("zero\n{USERS}"));
        sandbox.commit("zero");
        sandbox.git(&[&["merge"], how, &["feature"]].concat());
        let is_squashed = how[0] == "--squash";
        if is_squashed {
            sandbox.commit("squashed");
        }
        let feature = if is_squashed { "(squashed): feature" } else { "(on the feature): feature" };
        assert_eq!(sandbox.authors(), expected(&[(0, "(zero): zero"), (9, feature)]));
    }
}

#[test]
fn in_the_middle_of_a_merge_they_are_the_agents() {
    let sandbox = applied();
    sandbox.git(&["checkout", "-q", "-b", "feature"]);
    sandbox.commit("all");
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.write(format!("zero\n{USERS}"));
    sandbox.commit("zero");
    sandbox.git(&["merge", "-q", "--no-commit", "--no-ff", "feature"]);
    assert_eq!(sandbox.authors(), expected(&[(0, "(zero): zero")]));
}

#[test]
fn on_a_branch_that_does_not_have_them_the_users_lines_are_his() {
    let mut sandbox = Sandbox::new(USERS);
    sandbox.git(&["checkout", "-q", "-b", "feature"]);
    sandbox.agent_writes("coder", BOTH);
    sandbox.commit("all");
    sandbox.git(&["checkout", "-q", "main"]);
    assert_eq!(
        sandbox.authors(),
        USERS.lines().map(|line| format!("(first): {line}")).collect::<Vec<_>>()
    );
}

#[test]
fn applies_on_two_branches_that_were_merged_are_both_known() {
    let mut sandbox = Sandbox::new(USERS);
    sandbox.git(&["checkout", "-q", "-b", "feature"]);
    sandbox.agent_writes("coder", BOTH);
    sandbox.commit("by the coder");
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.agent_writes("tester", &format!("{USERS}B\n"));
    sandbox.commit("by the tester");
    sandbox.git(&["merge", "-q", "--no-edit", "feature"]);
    assert_eq!(sandbox.authors(), expected(&[(8, "tester: B")]));
}

#[test]
fn a_renamed_file_is_followed() {
    let sandbox = applied();
    sandbox.git(&["mv", "file", "moved"]);
    assert_eq!(sandbox.authors_of("moved"), expected(&[]));
    sandbox.commit("renamed");
    assert_eq!(sandbox.authors_of("moved"), expected(&[]));
    fs::create_dir(sandbox.user().join("deep")).unwrap();
    sandbox.git(&["mv", "moved", "deep/one \"more\"\ttime ä"]);
    write(&sandbox.user(), "deep/one \"more\"\ttime ä", format!("{BOTH}more\n"));
    sandbox.commit("renamed again");
    let path = "deep/one \"more\"\ttime ä";
    assert_eq!(sandbox.authors_of(path), expected(&[(8, "(renamed again): more")]));
}

#[test]
fn an_apply_after_the_rename_is_known_by_the_new_name() {
    let mut sandbox = Sandbox::new(USERS);
    sandbox.git(&["mv", "file", "moved"]);
    sandbox.commit("renamed");
    sandbox.applied("coder", |tree| write(tree, "moved", BOTH));
    sandbox.commit("all");
    sandbox.git(&["mv", "moved", "file"]);
    sandbox.commit("renamed back");
    assert_eq!(sandbox.authors(), expected(&[]));
}

#[test]
fn what_the_user_reformats_is_his() {
    let sandbox = applied();
    sandbox.commit("all");
    let indented: String = BOTH.lines().map(|line| format!("  {line}\n")).collect();
    sandbox.write(&indented);
    sandbox.commit("indented");
    let expected: Vec<String> =
        indented.lines().map(|line| format!("(indented): {line}")).collect();
    assert_eq!(sandbox.authors(), expected);
}

#[test]
fn what_the_user_deletes_and_types_again_elsewhere_is_his() {
    let sandbox = applied();
    sandbox.commit("all");
    sandbox.write(USERS);
    sandbox.commit("deleted");
    sandbox.write(format!("{USERS}A1\nA2\n"));
    sandbox.commit("typed");
    let mut lines: Vec<String> = USERS.lines().map(|line| format!("(first): {line}")).collect();
    lines.extend(["(typed): A1", "(typed): A2"].map(str::to_owned));
    assert_eq!(sandbox.authors(), lines);
}

#[test]
fn text_that_is_not_saved_is_what_counts() {
    let sandbox = applied();
    sandbox.commit("all");
    let unsaved = format!("zero\n{BOTH}last");
    assert_eq!(sandbox.authors_in(&unsaved), expected(&[(0, "-: zero"), (9, "-: last")]));
    fs::remove_file(sandbox.user().join("file")).unwrap();
    assert_eq!(sandbox.authors_in(&unsaved), expected(&[(0, "-: zero"), (9, "-: last")]));
    assert_eq!(sandbox.authors_in(""), [""; 0]);
}
