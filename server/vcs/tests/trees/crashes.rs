//! The program ends in the middle of something: what it was at is found again, whole or gone.

use crate::support::{Sandbox, Wish, assert_pristine, read, write};
use orchestra_vcs::{
    GitError,
    trees::{Pool, Reconciled},
};
use std::{env, fs, io, path::PathBuf, process::Command};

const SANDBOX: &str = "ORCHESTRA_TEST_SANDBOX";

/// Runs the test called `name` once more in a process of its own, that is armed with a failpoint
/// and works on this sandbox; true when it crashed.
fn crashes_in(sandbox: &Sandbox, name: &str, point: &str) -> bool {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(SANDBOX, sandbox.path(""))
        .env("FAILPOINTS", format!("{point}=return"))
        .output()
        .unwrap();
    !output.status.success()
}

/// In such a process: the sandbox, and what keeps the failpoints armed.
fn armed() -> Option<(fail::FailScenario<'static>, PathBuf, String)> {
    let folder = PathBuf::from(env::var_os(SANDBOX)?);
    let head = crate::support::git(&folder.join("user"), &["rev-parse", "HEAD"]);
    Some((fail::FailScenario::setup(), folder, head))
}

fn pool(folder: &std::path::Path) -> Pool {
    Pool::open(folder.join("pool"), folder.join("user"))
}

const ACQUIRE: [&str; 7] = [
    "trees::acquire::leased",
    "trees::acquire::cleaned",
    "trees::acquire::index_taken",
    "trees::acquire::read",
    "trees::acquire::checked_out",
    "trees::acquire::filled",
    "trees::acquire::whole",
];

#[test]
fn a_crash_while_a_tree_is_made_leaves_a_whole_one_or_none() {
    if let Some((_armed, folder, head)) = armed() {
        pool(&folder).acquire(&Wish::new("r1.1-1").request(&head)).unwrap();
        return;
    }
    let name = "crashes::a_crash_while_a_tree_is_made_leaves_a_whole_one_or_none";
    for is_used in [false, true] {
        for point in ACQUIRE {
            for is_live in [false, true] {
                let sandbox = Sandbox::with_commit();
                if is_used {
                    let tree = sandbox.tree("r0.1-1");
                    write(&tree.src, "README", "left behind\n");
                    sandbox.pool.release("r0.1-1").unwrap();
                    write(&sandbox.user(), "README", "second\n");
                    sandbox.commit("second");
                }
                assert!(crashes_in(&sandbox, name, point), "{point} was not reached");

                let pool = sandbox.restarted();
                let found = pool.reconcile(&|_| is_live).unwrap();
                let tree = pool.find("r1.1-1").unwrap();
                if is_live {
                    assert_eq!(found.released, [""; 0]);
                    assert_eq!(tree.is_some(), point == "trees::acquire::whole", "{point}");
                } else {
                    assert_eq!((found.released, tree), (vec!["r1.1-1".to_owned()], None));
                }
                // The same again is what recovery does.
                assert_pristine(&sandbox.tree("r1.1-1"));
                sandbox.pool.discard("r1.1-1").unwrap();
                let whole = |name: &String| name.contains('.');
                let slots = sandbox.names().into_iter().filter(|name| !whole(name)).count();
                pool.reconcile(&|_| false).unwrap();
                assert_eq!(
                    sandbox.names().len(),
                    slots * 3,
                    "{point}: slots with their records, and nothing else: {:?}",
                    sandbox.names()
                );
            }
        }
    }
}

#[test]
fn a_crash_while_a_tree_is_given_back_frees_it_later() {
    if let Some((_armed, folder, _)) = armed() {
        pool(&folder).release("r1.1-1").unwrap();
        return;
    }
    let name = "crashes::a_crash_while_a_tree_is_given_back_frees_it_later";
    for point in ["trees::release::emptied", "trees::release::recorded"] {
        let sandbox = Sandbox::with_commit();
        let tree = sandbox.tree("r1.1-1");
        write(&tree.src, "README", "left behind\n");
        assert!(crashes_in(&sandbox, name, point), "{point} was not reached");

        let pool = sandbox.restarted();
        let expected = Reconciled { released: vec!["r1.1-1".to_owned()], removed: Vec::new() };
        assert_eq!(pool.reconcile(&|_| false).unwrap(), expected, "{point}");
        let again = sandbox.tree("r1.2-1");
        assert_eq!(again.slot, tree.slot);
        assert_pristine(&again);
    }
}

#[test]
fn a_crash_while_a_slot_is_deleted_leaves_nothing_of_it() {
    if let Some((_armed, folder, _)) = armed() {
        pool(&folder).discard("r1.1-1").unwrap();
        return;
    }
    let name = "crashes::a_crash_while_a_slot_is_deleted_leaves_nothing_of_it";
    for point in ["trees::discard::renamed", "trees::discard::forgotten"] {
        let sandbox = Sandbox::with_commit();
        sandbox.tree("r1.1-1");
        assert!(crashes_in(&sandbox, name, point), "{point} was not reached");
        sandbox.restarted().reconcile(&|_| false).unwrap();
        assert_eq!(sandbox.names(), [""; 0], "{point}");
    }
}

#[test]
fn a_full_disk_is_reported_and_costs_the_slot_only() {
    if let Some((_armed, folder, head)) = armed() {
        let refused = pool(&folder).acquire(&Wish::new("r1.2-1").request(&head)).unwrap_err();
        let GitError::Io { source, .. } = &refused else { panic!("{refused}") };
        assert_eq!(source.kind(), io::ErrorKind::StorageFull);
        return;
    }
    let sandbox = Sandbox::with_commit();
    let held = sandbox.tree("r1.1-1");
    write(&held.src, "README", "work\n");
    let name = "crashes::a_full_disk_is_reported_and_costs_the_slot_only";
    assert!(!crashes_in(&sandbox, name, "trees::disk_full"));
    assert_eq!(sandbox.names(), ["w1", "w1.contents", "w1.index", "w1.lease"]);
    assert_eq!(read(&held.src, "README"), "work\n");
    fs::remove_dir_all(sandbox.path("pool")).unwrap();
}
