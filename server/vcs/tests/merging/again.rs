//! The same merge once more, as after a crash.

use crate::support::{REFERENCE, SELECTED, Sandbox, command, git, try_git, write};
use std::{env, fs, path::Path, process::Command};

const SANDBOX: &str = "ORCHESTRA_TEST_SANDBOX";

fn three_works() -> Sandbox {
    let mut sandbox = Sandbox::with(|user| write(user, "a", "1\n2\n3\n4\n5\n"));
    sandbox.work(|src| write(src, "a", "one\n2\n3\n4\n5\n"));
    sandbox.work(|src| write(src, "a", "1\n2\n3\n4\nfive\n"));
    sandbox.work(|src| write(src, "b", "new\n"));
    sandbox
}

#[test]
fn the_same_merge_gives_the_same_commit() {
    let sandbox = three_works();
    let first = sandbox.whole();
    assert_eq!(sandbox.whole(), first);
    git(&sandbox.user(), &["update-ref", "-d", REFERENCE]);
    assert_eq!(sandbox.whole(), first);

    let sandbox = Sandbox::of_file("1\n", "a\n", "b\n");
    let first = sandbox.conflicted();
    assert_eq!(sandbox.conflicted(), first);
}

#[test]
fn a_merge_is_as_old_as_the_last_of_its_works() {
    let mut sandbox = three_works();
    let user = sandbox.user();
    for (number, (commit, _)) in sandbox.works.iter_mut().enumerate() {
        let date = format!("@{} +0200", 1_000_000_000 - number);
        let arguments = ["commit-tree", "-m", "work", "-p", "HEAD", &format!("{commit}^{{tree}}")];
        let mut made = command(&user);
        let made = made.env("GIT_COMMITTER_DATE", date).args(arguments).output().unwrap();
        *commit = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    }
    sandbox.whole();
    let dates = git(&user, &["log", "--merges", "--format=%ct %at", REFERENCE]);
    assert_eq!(dates, ["1000000000 1000000000"; 2].join("\n"));
}

#[test]
fn a_crash_at_any_point_leaves_nothing_half() {
    if let Some(folder) = env::var_os(SANDBOX) {
        let _armed = fail::FailScenario::setup();
        Sandbox::at(Path::new(&folder)).merge();
        return;
    }
    let whole = three_works();
    for point in ["merge::merged", "bare::keep::imported"] {
        let sandbox = three_works();
        let name = "again::a_crash_at_any_point_leaves_nothing_half";
        assert!(crashes_in(&sandbox, name, point), "{point} was not reached");
        let user = sandbox.user();
        assert!(!try_git(&user, &["show-ref", "--verify", REFERENCE]).status.success());
        assert!(try_git(&user, &["fsck", "--strict"]).status.success());
        // What it left in the private folder is whoever owns that folder's to throw away.
        fs::remove_dir_all(sandbox.path("scratch")).unwrap();
        assert_eq!(sandbox.whole().tree, whole.whole().tree);
    }
}

#[test]
fn a_crash_while_hunks_are_put_together_leaves_nothing_half() {
    let act = |sandbox: &Sandbox, base: &str, result: &str| {
        let review = sandbox.compare(base, result);
        let first = review.files[0].hunks[0].id;
        sandbox.select(&review, [first]).unwrap()
    };
    if let Some(folder) = env::var_os(SANDBOX) {
        let _armed = fail::FailScenario::setup();
        let sandbox = Sandbox::at(Path::new(&folder));
        act(&sandbox, &sandbox.base, &sandbox.works[0].0);
        return;
    }
    for point in ["review::selected", "bare::keep::imported"] {
        let mut sandbox = Sandbox::with(|user| write(user, "a", "1\n"));
        let work = sandbox.work(|src| {
            write(src, "a", "2\n");
            write(src, "b", "2\n");
        });
        let name = "again::a_crash_while_hunks_are_put_together_leaves_nothing_half";
        assert!(crashes_in(&sandbox, name, point), "{point} was not reached");
        let user = sandbox.user();
        assert!(!try_git(&user, &["show-ref", "--verify", SELECTED]).status.success());
        fs::remove_dir_all(sandbox.path("scratch")).unwrap();
        let selected = act(&sandbox, &sandbox.base, &work);
        assert_eq!(sandbox.reference(SELECTED), selected.commit);
    }
}

/// Runs the test called `name` once more in a process of its own, that is armed with a failpoint and works in
/// this sandbox; true when it crashed.
fn crashes_in(sandbox: &Sandbox, name: &str, point: &str) -> bool {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(SANDBOX, sandbox.path(""))
        .env("FAILPOINTS", format!("{point}=return"))
        .output()
        .unwrap();
    !output.status.success()
}

#[test]
fn a_git_that_is_killed_is_an_error_and_leaves_nothing_half() {
    let sandbox = three_works();
    // What the last work is made of is gone, in the middle of the merge.
    let lost = git(&sandbox.user(), &["rev-parse", &format!("{}:b", sandbox.works[2].0)]);
    let object = sandbox.user().join(".git/objects").join(&lost[..2]).join(&lost[2..]);
    let tree = git(&sandbox.user(), &["rev-parse", &format!("{}^{{tree}}", sandbox.works[2].0)]);
    let tree = sandbox.user().join(".git/objects").join(&tree[..2]).join(&tree[2..]);
    let kept = [fs::read(&object).unwrap(), fs::read(&tree).unwrap()];
    fs::remove_file(&object).unwrap();
    fs::remove_file(&tree).unwrap();

    let error = sandbox.try_merge().unwrap_err();

    assert!(error.to_string().contains(sandbox.user().to_str().unwrap()), "{error}");
    assert_eq!(fs::read_dir(sandbox.path("scratch")).unwrap().count(), 0);
    assert!(!try_git(&sandbox.user(), &["show-ref", "--verify", REFERENCE]).status.success());
    fs::write(&object, &kept[0]).unwrap();
    fs::write(&tree, &kept[1]).unwrap();
    sandbox.whole();
}
