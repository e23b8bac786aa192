//! One look at a pool's folder: which slots there are, and who holds them.

use super::{
    records::{self, Contents, Lease},
    slots::{Name, Slot, names},
};
use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

/// What the pool's own files say.
pub(super) struct Survey {
    pub(super) leases: Vec<Held>,
    /// The slots that have something in them, by name.
    pub(super) slots: Vec<(Slot, Contents)>,
    /// Names of slots of which anything is there, be it a file that is half removed.
    pub(super) taken: BTreeSet<String>,
}

/// A slot in somebody's hands.
pub(super) struct Held {
    pub(super) slot: Slot,
    pub(super) file: PathBuf,
    /// None when it cannot be read.
    pub(super) lease: Option<Lease>,
}

impl Survey {
    pub(super) fn of(pool: &Path) -> io::Result<Self> {
        let (mut leases, mut slots, mut taken) = (Vec::new(), Vec::new(), BTreeSet::new());
        for name in names(pool)? {
            taken.insert(name.split('.').next().unwrap_or_default().to_owned());
            let file = pool.join(&name);
            match Name::of(&name) {
                Name::Lease { slot } => {
                    let (slot, lease) = (Slot::new(pool, slot), records::read(&file)?);
                    leases.push(Held { slot, file, lease });
                }
                Name::Own { slot } => {
                    let slot = Slot::new(pool, slot);
                    let contents =
                        if file == slot.contents() { records::read(&file)? } else { None };
                    slots.extend(contents.map(|contents| (slot, contents)));
                }
                Name::Slot(_) | Name::Leftover | Name::Unknown => {}
            }
        }
        Ok(Self { leases, slots, taken })
    }

    /// The lease of a holder.
    pub(super) fn of_holder(&self, holder: &str) -> Option<(Slot, Lease)> {
        let mut leases = self.leases.iter();
        leases.find_map(|held| {
            let lease = held.lease.as_ref().filter(|lease| lease.holder == holder)?;
            Some((held.slot.clone(), lease.clone()))
        })
    }

    /// How many hold a slot.
    pub(super) fn holders(&self, slot: &Slot) -> usize {
        self.leases.iter().filter(|held| held.slot == *slot).count()
    }

    /// Slots that nobody holds or works on, the least recently used first.
    pub(super) fn free(&self, busy: &BTreeSet<String>) -> Vec<&(Slot, Contents)> {
        let is_free = |slot: &Slot| !busy.contains(&slot.name) && self.holders(slot) == 0;
        let mut free: Vec<_> = self.slots.iter().filter(|(slot, _)| is_free(slot)).collect();
        free.sort_by_key(|(_, contents)| contents.released_ms);
        free
    }

    /// The blocks that all slots take, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.slots.iter().map(|(_, contents)| contents.bytes).sum()
    }
}
