//! What a hunk is called: by what it changes and not by where that is, so that a verdict about it holds when
//! the same change is made again.

use super::hunks::Part;
use crate::collect::difference::Difference;
use orchestra_core::{ids::HunkId, ports::DiffLineKind};
use sha2::{Digest as _, Sha256};
use std::collections::{HashMap, HashSet};

/// The ids of one review.
#[derive(Debug, Default)]
pub(super) struct Identities {
    /// How many hunks change the same in the same way.
    equal: HashMap<[u8; 32], u64>,
    taken: HashSet<HunkId>,
}

impl Identities {
    /// The id of the next hunk, in the order of the files and their lines.
    pub(super) fn next(&mut self, difference: &Difference, part: &Part) -> HunkId {
        let content = content(difference, part);
        let ordinal = self.equal.entry(content).or_default();
        loop {
            let hash = Sha256::new().chain_update(content).chain_update(ordinal.to_be_bytes());
            *ordinal += 1;
            let [a, b, c, d, e, ..] = <[u8; 32]>::from(hash.finalize());
            let id = HunkId::of_hash([a, b, c, d, e]);
            // The digits are few, so that people can type them; two hunks may meet in them by chance.
            if self.taken.insert(id) {
                return id;
            }
        }
    }
}

fn content(difference: &Difference, part: &Part) -> [u8; 32] {
    let mut hash = Sha256::new();
    // With its length, so that no part can pass for another.
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    add(&difference.path);
    match part {
        Part::Text(hunk) => {
            add(b"text");
            for line in &hunk.lines {
                match line.kind {
                    DiffLineKind::Context => continue,
                    DiffLineKind::Removed => add(b"-"),
                    DiffLineKind::Added => add(b"+"),
                }
                add(&line.content);
            }
        }
        Part::Mode | Part::Whole => {
            let is_whole = *part == Part::Whole;
            add(if is_whole { b"whole" } else { b"mode" });
            for side in [&difference.old, &difference.new] {
                let side = side.as_ref();
                add(side.map_or("", |side| &side.mode).as_bytes());
                add(side.filter(|_| is_whole).map_or("", |side| &side.id).as_bytes());
            }
        }
    }
    hash.finalize().into()
}
