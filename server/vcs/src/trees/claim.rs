//! Which slot a holder gets: one beside others who read the same, a free one, or a new one for which
//! others may have to go.

use super::{
    Tree, TreeRequest, budget,
    pool::{Hold, Pool},
    prepare::{make_private, make_room, tree},
    records::{self, Lease},
    remove::{absent_is_fine, delete},
    slots::Slot,
    survey::Survey,
};
use crate::GitError;
use std::{collections::BTreeSet, path::PathBuf};

/// What a request was granted.
pub(super) enum Claim<'a> {
    /// A place beside other readers.
    Joined(Tree),
    /// A slot to bring to the commit; the lease is written.
    Slot { hold: Hold<'a>, lease: Lease, is_new: bool },
}

enum Joining {
    Joined(Tree),
    /// Somebody is making what is wanted.
    Wait,
    Alone,
}

impl Pool {
    /// Chooses a slot and writes the lease, before anything of the slot is touched.
    pub(super) fn claim(
        &self,
        request: &TreeRequest<'_>,
        may_reuse: bool,
    ) -> Result<Claim<'_>, GitError> {
        let mut busy = self.lock();
        loop {
            make_private(self.folder()).map_err(self.unreadable())?;
            let survey = Survey::of(self.folder()).map_err(self.unreadable())?;
            let shared = request.is_shared();
            if shared {
                match self.join(&survey, &busy, request)? {
                    Joining::Joined(tree) => return Ok(Claim::Joined(tree)),
                    Joining::Wait => {
                        busy = self.wait(busy);
                        continue;
                    }
                    Joining::Alone => {}
                }
            }
            let prefix = request.purpose.prefix(shared);
            let best = survey
                .free(&busy)
                .into_iter()
                .filter(|(slot, _)| may_reuse && slot.name.starts_with(prefix))
                // Fewer files change where the commit is the same already; else the last one used.
                .max_by_key(|(_, contents)| {
                    let same = contents.commit.as_deref() == Some(request.commit);
                    (contents.sparse == request.sparse, same, contents.released_ms)
                });
            let (slot, is_new) = match best {
                Some((slot, _)) => (slot.clone(), false),
                None => (self.new_slot(&survey, &busy, prefix), true),
            };
            let mut doomed = Vec::new();
            if is_new {
                doomed = budget::before_making(self.folder(), &survey, &busy, request.limit)?;
            }
            let doomed = self.set_all_aside(&doomed)?;
            let lease = Lease::new(request.holder, request.purpose, request.commit, shared);
            let file = slot.lease(request.holder, shared);
            let written = records::write_new(&file, &lease);
            written.map_err(GitError::io("failed to write", file))?;
            busy.insert(slot.name.clone());
            drop(busy);
            let hold = self.hold(slot);
            delete_all(&doomed)?;
            return Ok(Claim::Slot { hold, lease, is_new });
        }
    }

    /// Looks for readers of the same files.
    fn join(
        &self,
        survey: &Survey,
        busy: &BTreeSet<String>,
        request: &TreeRequest<'_>,
    ) -> Result<Joining, GitError> {
        for held in &survey.leases {
            let Some(other) = &held.lease else { continue };
            if !other.shared || other.commit != request.commit {
                continue;
            }
            let slot = &held.slot;
            if busy.contains(&slot.name) {
                return Ok(Joining::Wait);
            }
            let same = survey.slots.iter().any(|(known, contents)| {
                known == slot
                    && contents.commit.as_deref() == Some(request.commit)
                    && contents.sparse == request.sparse
                    && contents.copy == request.copy
            });
            if !same || other.given.is_none() || !slot.src().is_dir() {
                continue;
            }
            // Whoever finds the lease takes the rest for whole, hence the lease goes last.
            make_room(&slot.room(request.holder, true))?;
            let lease = Lease { holder: request.holder.to_owned(), ..other.clone() };
            let file = slot.lease(request.holder, true);
            records::write_new(&file, &lease).map_err(GitError::io("failed to write", file))?;
            if let Some(tree) = tree(slot, &lease) {
                return Ok(Joining::Joined(tree));
            }
        }
        Ok(Joining::Alone)
    }

    /// A slot of a name that nothing has, neither a slot nor what is left of one.
    fn new_slot(&self, survey: &Survey, busy: &BTreeSet<String>, prefix: char) -> Slot {
        let taken = |name: &String| survey.taken.contains(name) || busy.contains(name);
        let mut number = 1_u64;
        while taken(&format!("{prefix}{number}")) {
            number += 1;
        }
        Slot::new(self.folder(), format!("{prefix}{number}"))
    }

    /// Sees whether a slot that was just made is within the limit.
    pub(super) fn fits(&self, request: &TreeRequest<'_>) -> Result<(), GitError> {
        let busy = self.lock();
        let survey = Survey::of(self.folder()).map_err(self.unreadable())?;
        let victims = budget::after_making(self.folder(), &survey, &busy, request.limit)?;
        let doomed = self.set_all_aside(&victims)?;
        drop(busy);
        delete_all(&doomed)
    }

    fn set_all_aside(&self, slots: &[Slot]) -> Result<Vec<PathBuf>, GitError> {
        let set_aside = |slot: &Slot| {
            self.set_aside(slot).map_err(GitError::io("failed to remove", slot.folder()))
        };
        slots.iter().map(set_aside).collect()
    }
}

fn delete_all(folders: &[PathBuf]) -> Result<(), GitError> {
    for folder in folders {
        absent_is_fine(delete(folder)).map_err(GitError::io("failed to remove", folder))?;
    }
    Ok(())
}
