//! Looks of the conflict radar at a user's folder and the trees of two agents.

use crate::{Result, measuring::Rows, repository::Repository, rounds::acquire};
use orchestra_core::merge::Party;
use orchestra_vcs::{
    radar::{Limits, Place, Side, Watcher},
    trees::{Pool, Tree},
};
use std::{path::Path, time::Duration};

const LIMITS: Limits = Limits {
    files: 1_000,
    file: 1 << 20,
    total: 1 << 26,
    new: 10_000,
    time: Duration::from_secs(600),
};

/// The first round is there to warm up.
pub(crate) fn rows(folder: &Path, repository: &Repository, measured: usize) -> Result<Rows> {
    let pool = Pool::open(folder.join("pool"), repository.top.clone());
    let trees =
        [acquire(&pool, "r1.1-1", &repository.head)?, acquire(&pool, "r1.2-1", &repository.head)?];
    let mut rows = Rows::default();
    for round in 0..=measured {
        let mut watcher = Watcher::open(&repository.top, LIMITS)?;
        rows.time("radar, first look", || look(&mut watcher, &trees, repository))?;
        rows.status("git status, quiet", &repository.top)?;
        rows.time("radar, quiet", || look(&mut watcher, &trees, repository))?;
        for (number, tree) in trees.iter().enumerate() {
            repository.change(&tree.src, 2 * round + number)?;
        }
        rows.status("git status in a tree, 10 changed", &trees[0].src)?;
        let foreseen = rows
            .time("radar, 10 changed in both trees", || look(&mut watcher, &trees, repository))?;
        if foreseen == 0 {
            return Err("nothing was foreseen".into());
        }
        rows.time("radar, 10 changed before", || look(&mut watcher, &trees, repository))?;
        for tree in &trees {
            crate::repository::git(&tree.src, &["checkout", "-q", "."])?;
        }
    }
    Ok(rows)
}

fn look(watcher: &mut Watcher, trees: &[Tree; 2], repository: &Repository) -> Result<usize> {
    let bases = [repository.head.as_str()];
    let mut sides = vec![Side { party: Party::User, place: Place::User, bases: &bases }];
    for (tree, attempt) in trees.iter().zip(["r1.1@1", "r1.2@1"]) {
        let place = Place::Tree { src: &tree.src, index: &tree.index };
        sides.push(Side { party: Party::Attempt(attempt.parse()?), place, bases: &bases });
    }
    let look = watcher.look(&sides)?;
    if look.left_out > 0 || !look.partly_seen.is_empty() {
        return Err("something was left out".into());
    }
    Ok(look.foreseen.len())
}
