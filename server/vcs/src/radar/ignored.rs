//! Which new paths nobody would collect: those that the user's files ignore.

use crate::{
    GitError,
    git::Git,
    update_index,
    working::{self, Identity},
};
use orchestra_core::folders::BEING_WRITTEN;
use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    time::Duration,
};

/// What was answered for a path, and which `.gitignore` files, from the top down, said so.
type Answer = (Vec<Option<Identity>>, bool);

/// Git is asked once, until the files that say it change.
#[derive(Debug)]
pub(super) struct Ignored {
    top: PathBuf,
    limit: Duration,
    known: HashMap<Vec<u8>, Answer>,
}

impl Ignored {
    /// How many answers are remembered.
    const ROOM: usize = 100_000;

    pub(super) fn new(top: &Path, limit: Duration) -> Self {
        Self { top: top.to_owned(), limit, known: HashMap::new() }
    }

    /// Those of the paths that are ignored.
    pub(super) fn among(
        &mut self,
        paths: impl IntoIterator<Item = Vec<u8>>,
    ) -> Result<HashSet<Vec<u8>>, GitError> {
        let mut ignored = HashSet::new();
        let mut open: Vec<(Vec<u8>, Vec<Option<Identity>>)> = Vec::new();
        for path in paths {
            if path.rsplit(|&byte| byte == b'/').next() == Some(BEING_WRITTEN.as_bytes()) {
                ignored.insert(path);
                continue;
            }
            let sayers = self.sayers(&path);
            match self.known.get(&path) {
                Some((known, is_ignored)) if *known == sayers => {
                    if *is_ignored {
                        ignored.insert(path);
                    }
                }
                _ => open.push((path, sayers)),
            }
        }
        let asked: Vec<Vec<u8>> = open.iter().map(|(path, _)| path.clone()).collect();
        let git = Git::new(&self.top, "check-ignore", self.limit);
        let found = update_index::ignored(git, &self.top, &asked)?;
        if self.known.len() + open.len() > Self::ROOM {
            self.known.clear();
        }
        for (path, sayers) in open {
            self.known.insert(path.clone(), (sayers, found.contains(&path)));
        }
        ignored.extend(found);
        Ok(ignored)
    }

    /// The `.gitignore` files of the folders that a path lies in.
    fn sayers(&self, path: &[u8]) -> Vec<Option<Identity>> {
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let folders = slashes.map(|(at, _)| &path[..=at]);
        let files = std::iter::once(&b""[..]).chain(folders);
        files
            .map(|folder| working::identity(&self.top, &[folder, b".gitignore"].concat()))
            .collect()
    }
}
