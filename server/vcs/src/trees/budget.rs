//! How much of the disk a pool may take, and what goes when it would be too much.

use super::{DiskLimit, slots::Slot, survey::Survey};
use crate::GitError;
use std::{collections::BTreeSet, path::Path};

/// Before a slot is made: which free slots have to go until there is room for another one, the least
/// recently used first.
///
/// How large it will be is not known; no slot that there is was smaller than the smallest.
pub(super) fn before_making(
    pool: &Path,
    survey: &Survey,
    busy: &BTreeSet<String>,
    limit: DiskLimit,
) -> Result<Vec<Slot>, GitError> {
    let smallest = survey.slots.iter().map(|(_, contents)| contents.bytes).min();
    victims(pool, survey, busy, smallest.unwrap_or(0), limit)
}

/// After a slot was made, and its size is known: which free slots have to go.
pub(super) fn after_making(
    pool: &Path,
    survey: &Survey,
    busy: &BTreeSet<String>,
    limit: DiskLimit,
) -> Result<Vec<Slot>, GitError> {
    victims(pool, survey, busy, 0, limit)
}

fn victims(
    pool: &Path,
    survey: &Survey,
    busy: &BTreeSet<String>,
    wanted: u64,
    DiskLimit(limit): DiskLimit,
) -> Result<Vec<Slot>, GitError> {
    let used = survey.bytes();
    let mut excess = used.saturating_add(wanted).saturating_sub(limit);
    let mut victims = Vec::new();
    for (slot, contents) in survey.free(busy) {
        if excess > 0 {
            excess = excess.saturating_sub(contents.bytes);
            victims.push(slot.clone());
        }
    }
    if excess > 0 {
        return Err(GitError::DiskBudget { used, limit, pool: pool.to_owned() });
    }
    Ok(victims)
}
