//! The chain of hashes through the events of each run: it finds what SQLite's own checks do not, such
//! as a flipped bit in a payload or an event that is gone.

use sha2::{Digest as _, Sha256};

pub(crate) type Hash = [u8; 32];

/// The last link of a run's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Head {
    /// How many events the run has.
    pub(crate) n: i64,
    /// Zeros before the first.
    pub(crate) hash: Hash,
}

/// The columns of an event that its hash covers. The others are functions of the payload.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Covered<'a> {
    pub(crate) seq: i64,
    pub(crate) run: i64,
    pub(crate) at: i64,
    pub(crate) version: u32,
    pub(crate) payload: &'a [u8],
}

impl Head {
    /// The head after one more event.
    pub(crate) fn next(&self, event: &Covered<'_>) -> Self {
        let n = self.n + 1;
        let mut hash = Sha256::new();
        hash.update(self.hash);
        // All of fixed width before the payload, so no two events hash the same bytes.
        hash.update(event.seq.to_be_bytes());
        hash.update(event.run.to_be_bytes());
        hash.update(n.to_be_bytes());
        hash.update(event.at.to_be_bytes());
        hash.update(event.version.to_be_bytes());
        hash.update(event.payload);
        Self { n, hash: hash.finalize().into() }
    }
}
