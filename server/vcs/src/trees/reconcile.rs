//! Finds what a crash left in a pool: leases that nobody has, slots that no lease or record knows,
//! and what was half made or half removed.

use super::{
    pool::Pool,
    remove::{absent_is_fine, delete},
    slots::{Name, names},
    survey::Survey,
};
use std::{collections::BTreeSet, fs, io};

/// What was found and put right.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Holders that are not live, whose trees were taken back; sorted.
    pub released: Vec<String>,
    /// Slots, leases and other files that were removed, by their names in the pool's folder; sorted.
    pub removed: Vec<String>,
}

impl Pool {
    /// Takes back the trees of holders that are not live, and removes what nobody knows. To be called
    /// before trees are given out.
    pub fn reconcile(&self, live: &dyn Fn(&str) -> bool) -> io::Result<Reconciled> {
        let mut found = Reconciled::default();
        for held in Survey::of(self.folder())?.leases {
            let Some(lease) = held.lease else {
                // Torn by a power failure, or another build's: nobody can claim it.
                absent_is_fine(fs::remove_file(&held.file))?;
                found
                    .removed
                    .extend(held.file.file_name().map(|name| name.to_string_lossy().into_owned()));
                continue;
            };
            if !live(&lease.holder) {
                self.release(&lease.holder).map_err(io::Error::other)?;
                found.released.push(lease.holder);
            }
        }
        let busy = self.lock();
        let survey = Survey::of(self.folder())?;
        let is_whole = |slot: &str| {
            survey.slots.iter().any(|(known, contents)| {
                let folder = fs::symlink_metadata(known.folder());
                known.name == slot
                    && contents.commit.is_some()
                    && folder.is_ok_and(|found| found.is_dir())
            })
        };
        let held: BTreeSet<&str> =
            survey.leases.iter().map(|held| held.slot.name.as_str()).collect();
        for name in names(self.folder())? {
            let is_orphan = match Name::of(&name) {
                Name::Slot(slot) | Name::Own { slot } => {
                    !busy.contains(&slot) && !held.contains(slot.as_str()) && !is_whole(&slot)
                }
                Name::Leftover => true,
                Name::Lease { .. } | Name::Unknown => false,
            };
            if is_orphan {
                absent_is_fine(delete(&self.folder().join(&name)))?;
                found.removed.push(name);
            }
        }
        drop(busy);
        found.released.sort();
        found.removed.sort();
        Ok(found)
    }
}
