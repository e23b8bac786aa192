//! The same merge once more, as after a crash.

use crate::support::{REFERENCE, Sandbox, git, request, try_git, write};
use orchestra_vcs::merge::{self, Work};
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

/// The works of a sandbox, merged by a process of its own.
fn merge_in(folder: &Path) {
    let user = folder.join("user");
    let base = git(&user, &["rev-parse", "HEAD"]);
    let listed = git(&user, &["for-each-ref", "--format=%(objectname)", "refs/orchestra"]);
    let names: Vec<String> = (1..=listed.lines().count()).map(|n| format!("r12.{n}")).collect();
    let works = listed.lines().zip(&names);
    let works: Vec<_> = works.map(|(commit, name)| Work { commit, name }).collect();
    merge::merge(&request(&user, &folder.join("scratch"), &base, &works)).unwrap();
}

#[test]
fn a_crash_at_any_point_leaves_nothing_half() {
    if let Some(folder) = env::var_os(SANDBOX) {
        let _armed = fail::FailScenario::setup();
        merge_in(Path::new(&folder));
        return;
    }
    let whole = three_works();
    for point in ["merge::merged", "bare::keep::imported"] {
        let sandbox = three_works();
        let name = "again::a_crash_at_any_point_leaves_nothing_half";
        let output = Command::new(env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(SANDBOX, sandbox.path(""))
            .env("FAILPOINTS", format!("{point}=return"))
            .output()
            .unwrap();
        assert!(!output.status.success(), "{point} was not reached");
        let user = sandbox.user();
        assert!(!try_git(&user, &["show-ref", "--verify", REFERENCE]).status.success());
        assert!(try_git(&user, &["fsck", "--strict"]).status.success());
        // What it left in the private folder is whoever owns that folder's to throw away.
        fs::remove_dir_all(sandbox.path("scratch")).unwrap();
        assert_eq!(sandbox.whole().tree, whole.whole().tree);
    }
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
