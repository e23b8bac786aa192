//! What differs between what a side started from, or the user's index, and what both sides of a pair had.

use super::{Place, seen::Seen};
use crate::{
    GitError,
    collect::difference::{self, Difference, Side},
    git::Git,
    working::Identity,
};
use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// What the one and the other have at the paths where they differ.
pub(super) type Differences = BTreeMap<Vec<u8>, Change>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// In what both sides had.
    pub(super) base: Option<Side>,
    /// In what the side started from, or in the user's index.
    pub(super) own: Option<Side>,
}

/// What a side has where its files are as they were.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Own {
    Commit(String),
    /// `None`: there is no index.
    Index(Option<Identity>),
}

/// Git is asked once for each pair of these.
#[derive(Debug)]
pub(super) struct Between {
    top: PathBuf,
    limit: Duration,
    known: HashMap<(Own, String), (Arc<Differences>, bool)>,
}

impl Between {
    pub(super) fn new(top: &Path, limit: Duration) -> Self {
        Self { top: top.to_owned(), limit, known: HashMap::new() }
    }

    /// By path, for a side and the commit `base`.
    pub(super) fn of(&mut self, seen: &Seen<'_>, base: &str) -> Result<Arc<Differences>, GitError> {
        let own = own(seen);
        let key = (own, base.to_owned());
        if let Some((differences, is_used)) = self.known.get_mut(&key) {
            *is_used = true;
            return Ok(Arc::clone(differences));
        }
        let differences = match &key.0 {
            Own::Commit(commit) if commit == base => Differences::new(),
            Own::Commit(commit) => {
                changes(difference::read(self.git("diff-tree"), base, commit, false)?)
            }
            Own::Index(_) => changes(difference::of_index(self.git("diff-index"), base)?),
        };
        let differences = Arc::new(differences);
        self.known.insert(key, (Arc::clone(&differences), true));
        Ok(differences)
    }

    /// Forgets what nobody has asked for since the last call.
    pub(super) fn forget_unused(&mut self) {
        self.known.retain(|_, (_, is_used)| std::mem::take(is_used));
    }

    fn git(&self, verb: &str) -> Git {
        Git::new(&self.top, verb, self.limit).env("GIT_NO_REPLACE_OBJECTS", "1")
    }
}

fn changes(found: Vec<Difference>) -> Differences {
    let change = |difference: Difference| {
        (difference.path, Change { base: difference.old, own: difference.new })
    };
    found.into_iter().map(change).collect()
}

/// What `seen` has where its files are as they were.
pub(super) fn own(seen: &Seen<'_>) -> Own {
    match seen.side.place {
        Place::Tree { .. } => {
            Own::Commit(seen.side.bases.first().copied().unwrap_or_default().to_owned())
        }
        Place::User => Own::Index(seen.index.as_ref().map(|(identity, _)| *identity)),
    }
}
