//! How much of the disk the slots take, and what happens when it would be too much.

use crate::support::{Sandbox, Wish, assert_pristine, write};
use orchestra_vcs::{GitError, trees::Purpose};

#[test]
fn what_slots_take_is_known_after_they_are_given_back() {
    let sandbox = Sandbox::with_commit();
    let wish = Wish::new("r1.1-1").keeping(&["target"]);
    sandbox.acquire(&wish).unwrap();
    assert!(sandbox.pool.disk_usage().unwrap() > 0, "before, too");
    sandbox.pool.release("r1.1-1").unwrap();
    let before = sandbox.pool.disk_usage().unwrap();
    let tree = sandbox.acquire(&wish).unwrap();
    write(&tree.src, "target/big", vec![1_u8; 1_000_000]);
    std::fs::hard_link(tree.src.join("target/big"), tree.src.join("target/same")).unwrap();
    write(&tree.tmp, "scratch", vec![1_u8; 1_000_000]);
    sandbox.pool.release("r1.1-1").unwrap();
    let grown = sandbox.pool.disk_usage().unwrap() - before;
    assert!((1_000_000..1_100_000).contains(&grown), "{grown}");
    sandbox.acquire(&wish).unwrap();
    sandbox.pool.discard("r1.1-1").unwrap();
    assert_eq!(sandbox.pool.disk_usage().unwrap(), 0);
}

#[test]
fn free_slots_go_before_a_new_one_is_refused_and_the_oldest_first() {
    let sandbox = Sandbox::with_commit();
    write(&sandbox.user(), "data", vec![1_u8; 500_000]);
    sandbox.commit("data");
    for holder in ["r1.1-1", "r1.2-1"] {
        sandbox.tree(holder);
    }
    let one = sandbox.pool.disk_usage().unwrap() / 2;
    for holder in ["r1.2-1", "r1.1-1"] {
        sandbox.pool.release(holder).unwrap();
    }

    let verify = |holder: &str| {
        let wish = Wish::new(holder).to(Purpose::Verify).within(2 * one + one / 2);
        sandbox.acquire(&wish)
    };
    assert_pristine(&verify("r1.1-1.verify").unwrap());
    let slots = || -> Vec<String> {
        sandbox.names().into_iter().filter(|name| !name.contains('.')).collect()
    };
    let names = slots();
    // Both were released within a millisecond, perhaps: then any of them is the oldest.
    assert_eq!(names.len(), 2);
    assert_eq!(names[0], "v1");

    verify("r1.2-1.verify").unwrap();
    assert_eq!(slots(), ["v1", "v2"]);
    let refused = verify("r1.3-1.verify").unwrap_err();
    let GitError::DiskBudget { used, limit, .. } = &refused else { panic!("{refused}") };
    assert_eq!((*used / one, *limit), (2, 2 * one + one / 2));
    assert!(refused.hint().contains("tree.disk_budget"), "{}", refused.hint());
    assert_eq!(slots(), ["v1", "v2"], "nobody's tree is taken away");

    // A slot that is there already takes nothing more.
    sandbox.pool.release("r1.1-1.verify").unwrap();
    verify("r1.3-1.verify").unwrap();
}

#[test]
fn a_first_slot_that_is_too_large_is_refused_and_leaves_nothing() {
    let sandbox = Sandbox::with_commit();
    let refused = sandbox.acquire(&Wish::new("r1.1-1").within(1_000)).unwrap_err();
    assert!(matches!(refused, GitError::DiskBudget { limit: 1_000, .. }), "{refused}");
    assert_eq!(sandbox.names(), [""; 0]);
}
