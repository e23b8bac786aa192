//! Who holds which slot: one writer each, many readers together, and all of it after a restart.

use crate::support::{Sandbox, Wish, assert_same_as_checkout, paths, read, write};
use orchestra_vcs::{
    GitError,
    trees::{Purpose, Reconciled, Tree},
};
use std::{collections::BTreeSet, fs, thread};

fn reader(holder: &str) -> Wish {
    Wish::new(holder).to(Purpose::Read)
}

#[test]
fn writers_at_once_never_share_a_slot() {
    let sandbox = Sandbox::with_commit();
    for round in 0..2 {
        let trees: Vec<Tree> = thread::scope(|scope| {
            let start = |number| {
                let sandbox = &sandbox;
                scope.spawn(move || sandbox.tree(&format!("r{round}.{number}-1")))
            };
            let threads: Vec<_> = (0..6).map(start).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let slots: BTreeSet<_> = trees.iter().map(|tree| tree.slot.clone()).collect();
        assert_eq!(slots, (1..=6).map(|number| sandbox.slot(&format!("w{number}"))).collect());
        for number in 0..6 {
            sandbox.pool.release(&format!("r{round}.{number}-1")).unwrap();
        }
    }
}

#[test]
fn readers_at_once_share_the_files_and_nothing_else() {
    let sandbox = Sandbox::with_commit();
    let trees: Vec<Tree> = thread::scope(|scope| {
        let start = |number| {
            let sandbox = &sandbox;
            scope.spawn(move || sandbox.acquire(&reader(&format!("r1.{number}-1"))).unwrap())
        };
        let threads: Vec<_> = (0..6).map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (number, tree) in trees.iter().enumerate() {
        let slot = sandbox.slot("r1");
        let own = slot.join(format!("holders/r1.{number}-1"));
        let expected = Tree {
            slot: slot.clone(),
            src: slot.join("src"),
            cwd: slot.join("src"),
            tmp: own.join("tmp"),
            out: own.join("out"),
            index: sandbox.slot("r1.index"),
            commit: sandbox.head(),
            prepared: None,
        };
        assert_eq!(*tree, expected);
        assert!(tree.out.join("tasks").is_dir() && tree.tmp.is_dir());
    }
    assert_same_as_checkout(&trees[0]);
}

#[test]
fn readers_of_another_commit_do_not_move_the_files_of_others() {
    let sandbox = Sandbox::with_commit();
    let first = sandbox.head();
    let tree = sandbox.acquire(&reader("r1.1-1")).unwrap();
    sandbox.acquire(&reader("r1.2-1")).unwrap();
    write(&sandbox.user(), "README", "second\n");
    sandbox.commit("second");

    let other = sandbox.acquire(&reader("r2.1-1")).unwrap();
    assert_eq!((other.slot, read(&other.src, "README")), (sandbox.slot("r2"), "second\n".into()));
    sandbox.pool.release("r1.1-1").unwrap();
    assert_eq!(paths(&tree.slot.join("holders")), ["r1.2-1"]);
    let late = sandbox.pool.acquire(&reader("r1.3-1").request(&first)).unwrap();
    assert_eq!(late.slot, tree.slot);
    assert_eq!(read(&tree.src, "README"), "hello\n");

    for holder in ["r1.2-1", "r1.3-1", "r2.1-1"] {
        sandbox.pool.release(holder).unwrap();
    }
    write(&sandbox.user(), "README", "third\n");
    sandbox.commit("third");
    let moved = sandbox.acquire(&reader("r3.1-1")).unwrap();
    assert_eq!(read(&moved.src, "README"), "third\n");
    assert_eq!(paths(&moved.slot.join("holders")), ["r3.1-1"]);
    assert_same_as_checkout(&moved);
}

#[test]
fn a_reader_that_others_stay_behind_is_discarded_alone() {
    let sandbox = Sandbox::with_commit();
    let tree = sandbox.acquire(&reader("r1.1-1")).unwrap();
    sandbox.acquire(&reader("r1.2-1")).unwrap();
    sandbox.pool.discard("r1.1-1").unwrap();
    assert_eq!(paths(&tree.slot.join("holders")), ["r1.2-1"]);
    assert_eq!(read(&tree.src, "README"), "hello\n");
    sandbox.pool.discard("r1.2-1").unwrap();
    assert_eq!(sandbox.names(), [""; 0]);
}

#[test]
fn without_a_sandbox_each_reader_has_a_copy_of_its_own() {
    let sandbox = Sandbox::with_commit();
    let alone = |holder: &str| Wish { private: true, ..reader(holder) };
    let one = sandbox.acquire(&alone("r1.1-1")).unwrap();
    let two = sandbox.acquire(&alone("r1.2-1")).unwrap();
    assert_eq!([one.slot, two.slot], [sandbox.slot("p1"), sandbox.slot("p2")]);
}

#[test]
fn asked_again_for_the_same_a_holder_gets_what_it_has() {
    let sandbox = Sandbox::with_commit();
    let tree = sandbox.tree("r1.1-1");
    write(&tree.src, "README", "work\n");
    assert_eq!(sandbox.tree("r1.1-1"), tree);
    assert_eq!(read(&tree.src, "README"), "work\n", "nothing of it is lost");

    let refused = sandbox.acquire(&Wish::new("r1.1-1").to(Purpose::Verify)).unwrap_err();
    assert!(matches!(&refused, GitError::HoldsTree { holder, .. } if holder == "r1.1-1"));
    sandbox.commit("another");
    let refused = sandbox.acquire(&Wish::new("r1.1-1")).unwrap_err();
    assert!(matches!(&refused, GitError::HoldsTree { .. }), "{refused}");
}

#[test]
fn a_holders_name_never_leads_elsewhere() {
    let sandbox = Sandbox::with_commit();
    for holder in ["../r1.1-1", "", ".", "a/b", "a\nb"] {
        let refused = sandbox.acquire(&reader(holder)).unwrap_err();
        assert!(matches!(&refused, GitError::NotAName(name) if name == holder), "{refused}");
    }
    assert_eq!(sandbox.names(), [""; 0]);
}

#[test]
fn after_a_restart_holders_have_their_trees() {
    let sandbox = Sandbox::with_commit();
    let writer = sandbox.tree("r1.1-1");
    write(&writer.src, "README", "work\n");
    let wish = Wish::new("r1.1-1.verify").to(Purpose::Verify);
    let verifier = sandbox.acquire(&wish).unwrap();
    let readers = ["r1.2-1", "r1.3-1"].map(|holder| sandbox.acquire(&reader(holder)).unwrap());

    let pool = sandbox.restarted();
    assert_eq!(pool.reconcile(&|_| true).unwrap(), Reconciled::default());
    assert_eq!(pool.find("r1.1-1").unwrap(), Some(writer.clone()));
    assert_eq!(pool.find("r1.1-1.verify").unwrap(), Some(verifier));
    assert_eq!(["r1.2-1", "r1.3-1"].map(|holder| pool.find(holder).unwrap()), readers.map(Some));
    assert_eq!(pool.find("r1.4-1").unwrap(), None);
    assert_eq!(read(&writer.src, "README"), "work\n");

    fs::remove_dir_all(&writer.slot).unwrap();
    assert_eq!(pool.find("r1.1-1").unwrap(), None, "an agent took it away");
}

#[test]
fn orphans_are_found_both_ways() {
    let sandbox = Sandbox::with_commit();
    for holder in ["r1.1-1", "r1.2-1", "r1.3-1", "r1.4-1"] {
        sandbox.tree(holder);
    }
    sandbox.acquire(&reader("r1.5-1")).unwrap();
    sandbox.acquire(&reader("r1.6-1")).unwrap();
    sandbox.pool.release("r1.4-1").unwrap();
    // A lease without a slot, a slot without a record, and what a power failure tore.
    fs::remove_dir_all(sandbox.slot("w3")).unwrap();
    fs::remove_file(sandbox.slot("w4.contents")).unwrap();
    write(&sandbox.path("pool"), "w9/src/file", "");
    write(&sandbox.path("pool"), "v1.lease", "");
    write(&sandbox.path("pool"), "v2.removed.1-1-1~/src/file", "");
    write(&sandbox.path("pool"), "notes", "of a person\n");
    std::os::unix::fs::symlink(sandbox.user(), sandbox.slot("w8")).unwrap();

    let pool = sandbox.restarted();
    let found = pool.reconcile(&|holder| matches!(holder, "r1.1-1" | "r1.5-1")).unwrap();

    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let expected = Reconciled {
        released: owned(&["r1.2-1", "r1.3-1", "r1.6-1"]),
        removed: owned(&["v1.lease", "v2.removed.1-1-1~", "w4", "w4.index", "w8", "w9"]),
    };
    assert_eq!(found, expected);
    assert_eq!(
        sandbox.names(),
        [
            "notes",
            "r1",
            "r1.contents",
            "r1.index",
            "r1.lease.r1.5-1",
            "w1",
            "w1.contents",
            "w1.index",
            "w1.lease",
            "w2",
            "w2.contents",
            "w2.index"
        ]
    );
    assert_eq!(read(&sandbox.user(), "README"), "hello\n");
    assert_eq!(pool.reconcile(&|_| true).unwrap(), Reconciled::default());
}

#[test]
fn what_was_never_given_is_taken_back_without_a_word() {
    let sandbox = Sandbox::with_commit();
    sandbox.pool.release("r1.1-1").unwrap();
    sandbox.pool.discard("r1.1-1").unwrap();
    assert_eq!(sandbox.pool.find("r1.1-1").unwrap(), None);
    assert_eq!(sandbox.pool.reconcile(&|_| false).unwrap(), Reconciled::default());
    assert_eq!(sandbox.pool.disk_usage().unwrap(), 0);
    assert!(!sandbox.path("pool").exists(), "looking writes nothing");
}
