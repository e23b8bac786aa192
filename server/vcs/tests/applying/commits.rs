//! A change as a commit, on a new branch or on none; the user's files stay as they are.

use crate::support::{LIMITS, Sandbox, Work, assert_same, commit, try_git, write};
use orchestra_core::{
    merge::ConflictKind,
    operation::{Favor, Target},
};
use orchestra_vcs::apply::{CommitRequest, Committed, commit_on, drop_branch};

const TEXT: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n";
const REFERENCE: &str = "refs/orchestra/abcdefgh/backup/o1/commit";

fn ada(sandbox: &Sandbox) {
    sandbox.git(&["config", "user.name", "Ada Lovelace"]);
    sandbox.git(&["config", "user.email", "ada@example.org"]);
}

fn on(sandbox: &Sandbox, work: &Work, target: &Target, favor: Favor) -> Committed {
    commit_on(&CommitRequest {
        root: &sandbox.user(),
        scratch: &sandbox.path("scratch"),
        base: &work.base,
        theirs: &work.theirs,
        favor,
        limits: LIMITS,
        target,
        reference: REFERENCE,
        message: "What the agents did\n\nAll of it.\n",
    })
    .unwrap()
}

fn branch(name: &str) -> Target {
    Target::Branch { name: name.to_owned() }
}

fn made(committed: Committed) -> String {
    match committed {
        Committed::Made { commit } => commit,
        other => panic!("{other:?}"),
    }
}

fn refusal(committed: Committed) -> String {
    match committed {
        Committed::Refused { message, .. } => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_branch_gets_one_commit_in_the_name_of_the_user_on_what_is_checked_out() {
    let sandbox = Sandbox::with(&[("a", TEXT), ("b", "b\n")]);
    ada(&sandbox);
    sandbox.write("b", "not committed\n");
    let work = sandbox.work(|agent| write(agent, "a", TEXT.replace("one", "ONE")));
    sandbox.write("a", TEXT.replace("seven", "SEVEN"));
    commit(&sandbox.user(), "second");
    let head = sandbox.git(&["rev-parse", "HEAD"]);
    let before = sandbox.all();
    let commit = made(on(&sandbox, &work, &branch("team/work"), Favor::Neither));

    assert_eq!(sandbox.git(&["rev-parse", "team/work"]), commit);
    assert_eq!(sandbox.git(&["rev-parse", REFERENCE]), commit);
    let shown = sandbox.git(&["show", "-s", "--format=%P|%an <%ae>|%cn|%B", &commit]);
    let expected = format!(
        "{head}|Ada Lovelace <ada@example.org>|Ada Lovelace|What the agents did\n\nAll of it."
    );
    assert_eq!(shown, expected);
    assert_eq!(sandbox.shown(&commit)["a"], TEXT.replace("one", "ONE").replace("seven", "SEVEN"));
    assert_eq!(sandbox.git(&["fsck", "--strict"]), "");

    // Done again it is the same, and what it was given is not taken for somebody else's.
    assert_eq!(made(on(&sandbox, &work, &branch("team/work"), Favor::Neither)), commit);
    assert_eq!(drop_branch(&sandbox.user(), "team/work", &commit).unwrap(), None);
    assert_eq!(drop_branch(&sandbox.user(), "team/work", &commit).unwrap(), None);
    std::fs::remove_dir_all(sandbox.user().join(".git/refs/heads/team")).ok();
    assert_same(&before, &sandbox.all());
}

#[test]
fn a_commit_under_no_branch() {
    let sandbox = Sandbox::with(&[("a", TEXT)]);
    ada(&sandbox);
    let work = sandbox.work(|agent| write(agent, "a", "new\n"));
    let before = sandbox.all();
    let commit = made(on(&sandbox, &work, &Target::Commit, Favor::Neither));
    assert_same(&before, &sandbox.all());
    assert_eq!(sandbox.git(&["rev-parse", REFERENCE]), commit);
    let again = Work { base: work.base.clone(), theirs: work.base };
    assert_eq!(on(&sandbox, &again, &Target::Commit, Favor::Neither), Committed::Nothing);
}

#[test]
fn names_that_are_taken_or_none_are_refused() {
    let sandbox = Sandbox::with(&[("a", TEXT)]);
    ada(&sandbox);
    let work = sandbox.work(|agent| write(agent, "a", "new\n"));
    sandbox.git(&["branch", "taken"]);
    let refused = |name: &str| refusal(on(&sandbox, &work, &branch(name), Favor::Neither));
    assert_eq!(refused("taken"), "there is a branch taken already");
    assert_eq!(refused("main"), "there is a branch main already");
    for name in ["", "-x", "a..b", "a b", "a.lock", "@{-1}", "HEAD", "a\nb"] {
        assert_eq!(refused(name), format!("{name:?} is no name for a branch"));
    }
    let below = refused("taken/below");
    assert!(below.starts_with("git does not make the branch taken/below: "), "{below}");
    assert_eq!(
        sandbox.git(&["for-each-ref", "--format=%(refname)", "refs/heads"]),
        "refs/heads/main\nrefs/heads/taken"
    );
}

#[test]
fn a_conflict_with_what_is_checked_out_makes_nothing_unless_a_side_counts() {
    let sandbox = Sandbox::with(&[("a", TEXT)]);
    ada(&sandbox);
    let work = sandbox.work(|agent| {
        write(agent, "a", TEXT.replace("one", "ONE").replace("seven", "SEVEN"));
    });
    sandbox.write("a", TEXT.replace("one", "eins"));
    commit(&sandbox.user(), "second");
    let conflicts = match on(&sandbox, &work, &branch("work"), Favor::Neither) {
        Committed::Conflict(conflicts) => conflicts,
        other => panic!("{other:?}"),
    };
    let [conflict] = &conflicts[..] else { panic!("{conflicts:?}") };
    assert_eq!((conflict.path.as_str(), conflict.kind), ("a", ConflictKind::Lines));
    assert_eq!(conflict.ours.excerpt.as_deref(), Some("eins\n"));
    assert_eq!(conflict.theirs.excerpt.as_deref(), Some("ONE\n"));
    assert!(
        !try_git(&sandbox.user(), &["rev-parse", "--verify", "-q", REFERENCE]).status.success()
    );

    let ours = made(on(&sandbox, &work, &Target::Commit, Favor::Ours));
    assert_eq!(sandbox.shown(&ours)["a"], TEXT.replace("one", "eins").replace("seven", "SEVEN"));
    let theirs = made(on(&sandbox, &work, &Target::Commit, Favor::Theirs));
    assert_eq!(sandbox.shown(&theirs)["a"], TEXT.replace("one", "ONE").replace("seven", "SEVEN"));
}

#[test]
fn a_branch_that_went_on_or_is_checked_out_is_not_deleted() {
    let sandbox = Sandbox::with(&[("a", TEXT)]);
    ada(&sandbox);
    let work = sandbox.work(|agent| write(agent, "a", "new\n"));
    let commit = made(on(&sandbox, &work, &branch("work"), Favor::Neither));
    let drop = || drop_branch(&sandbox.user(), "work", &commit).unwrap().map(refusal);
    sandbox.git(&["switch", "-q", "work"]);
    assert_eq!(drop().unwrap(), "the branch work is checked out");
    sandbox.git(&["commit", "-q", "--allow-empty", "-m", "more"]);
    sandbox.git(&["switch", "-q", "main"]);
    assert_eq!(drop().unwrap(), "the branch work has other commits by now");
    sandbox.git(&["branch", "-f", "work", &commit]);
    assert_eq!(drop(), None);
}

#[test]
fn without_a_name_for_the_user_nothing_is_committed() {
    let sandbox = Sandbox::with(&[("a", TEXT)]);
    sandbox.git(&["config", "user.name", ""]);
    let work = sandbox.work(|agent| write(agent, "a", "new\n"));
    let message = refusal(on(&sandbox, &work, &Target::Commit, Favor::Neither));
    assert!(message.starts_with("git cannot commit in your name: "), "{message}");
}
