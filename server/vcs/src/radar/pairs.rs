//! Where two sides may collide: paths that both have changed since they had the same.

use super::{
    between::{Differences, Own, own},
    compare::{Comparison, Question, Version},
    ignored::Ignored,
    seen::Seen,
};
use crate::{GitError, collect::difference::Side as Entry, folder::Folder, survey, working};
use std::{
    collections::{BTreeSet, HashSet},
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
    path::Path,
    sync::Arc,
};

/// Two sides, and what each had changed before it was given its files.
pub(super) struct Pair<'p, 'a> {
    pub(super) seen: &'p [Seen<'a>],
    /// Their numbers among those.
    pub(super) sides: [usize; 2],
    /// The last commit of which both have come.
    pub(super) base: &'p str,
    pub(super) since: [Arc<Differences>; 2],
}

/// The paths to compare, and at which of them a side is looked at on the disk although nothing there has
/// changed.
#[derive(Debug, Default)]
struct Paths {
    all: BTreeSet<Vec<u8>>,
    on_disk: [HashSet<Vec<u8>>; 2],
}

impl Pair<'_, '_> {
    /// What has to be compared. In folders that are new on both sides, at most `room` files are looked at on
    /// each; whether there are more.
    pub(super) fn questions(
        &self,
        ignored: &mut Ignored,
        room: usize,
    ) -> Result<(Vec<Question>, bool), GitError> {
        let mut paths = Paths::default();
        self.add_same(&mut paths);
        self.add_above_and_below(&mut paths);
        let is_crowded = self.add_in_new_folders(&mut paths, ignored, room)?;
        let is_new = |path: &Vec<u8>| {
            (0..2).any(|side| paths.is_on_disk(self, side, path) && self.own(side, path).is_none())
        };
        let new: Vec<Vec<u8>> = paths.all.iter().filter(|path| is_new(path)).cloned().collect();
        let ignored = ignored.among(new)?;
        let wanted = paths.all.iter().filter(|path| !ignored.contains(*path));
        Ok((wanted.filter_map(|path| self.question(&paths, path)).collect(), is_crowded))
    }

    /// Paths that both have changed.
    fn add_same(&self, paths: &mut Paths) {
        paths.all.extend(self.changed(0).filter(|path| self.has_changed(1, path)).cloned());
    }

    /// Files where the other side has a folder, and what is in folders that the other side has newly made.
    fn add_above_and_below(&self, paths: &mut Paths) {
        for (side, other) in [(0, 1), (1, 0)] {
            let folders = &self.side(other).folders;
            for path in self.changed(side) {
                if folders.contains(path) {
                    paths.all.insert(path.clone());
                }
                for above in survey::folders_of(path) {
                    if folders.contains(above) {
                        paths.all.insert(path.clone());
                    }
                    if self.has_changed(other, above) {
                        paths.all.insert(above.to_owned());
                        paths.on_disk[side].insert(above.to_owned());
                    }
                }
            }
        }
    }

    /// Files of the same name in folders that are new on both sides.
    fn add_in_new_folders(
        &self,
        paths: &mut Paths,
        ignored: &mut Ignored,
        room: usize,
    ) -> Result<bool, GitError> {
        let lies_in = |side: usize, folder: &[u8]| {
            let folders = &self.side(side).folders;
            survey::folders_of(folder).any(|above| folders.contains(above))
        };
        let [ours, theirs] = [0, 1].map(|side| &self.side(side).folders);
        let ours_too = |folder: &&Vec<u8>| ours.contains(*folder) || lies_in(0, folder);
        let of_both: BTreeSet<Vec<u8>> = theirs
            .iter()
            .filter(ours_too)
            .chain(ours.iter().filter(|folder| lies_in(1, folder)))
            .cloned()
            .collect();
        let ignored = ignored.among(of_both.iter().cloned())?;
        let mut rooms = [room; 2];
        for folder in of_both.iter().filter(|folder| !ignored.contains(*folder)) {
            let mut files = |side: usize| files(&self.side(side).top, folder, &mut rooms[side]);
            let (ours, theirs) = (files(0), files(1));
            paths.all.extend(ours.intersection(&theirs).cloned());
        }
        Ok(rooms.contains(&0))
    }

    /// `None` where it can be told without a comparison that nothing collides.
    fn question(&self, paths: &Paths, path: &[u8]) -> Option<Question> {
        let own = [0, 1].map(|side| self.own(side, path));
        let base = self.base_entry(path);
        let versions = [0, 1].map(|side| {
            if paths.is_on_disk(self, side, path) {
                Version::Disk(working::identity(&self.side(side).top, path))
            } else {
                Version::Own(self.own_name(side))
            }
        });
        let is_own = |side: usize| matches!(versions[side], Version::Own(_));
        let is_as_before = (0..2).any(|side| is_own(side) && own[side] == base);
        let is_gone = versions == [Version::Disk(None), Version::Disk(None)];
        let is_same = is_own(0) && is_own(1) && own[0] == own[1];
        if is_as_before || is_gone || is_same {
            return None;
        }
        let between = self.sides.map(|side| self.seen[side].side.party);
        let (path, common) = (path.to_owned(), self.base.to_owned());
        let comparison = Comparison { between, path, base: common, versions };
        Some(Question { sides: self.sides, comparison, base, own })
    }

    fn side(&self, side: usize) -> &Seen<'_> {
        &self.seen[self.sides[side]]
    }

    fn own_name(&self, side: usize) -> Own {
        own(self.side(side))
    }

    /// All that a side has changed, but for what is in new folders.
    fn changed(&self, side: usize) -> impl Iterator<Item = &Vec<u8>> {
        self.side(side).changed.iter().chain(self.since[side].keys())
    }

    fn has_changed(&self, side: usize, path: &[u8]) -> bool {
        self.side(side).changed.contains(path) || self.since[side].contains_key(path)
    }

    /// What both had at a path. Where nobody has changed it since, both still have it in their index; in
    /// that of a sparse tree, it may be missing.
    fn base_entry(&self, path: &[u8]) -> Option<Entry> {
        let changed = (0..2).find_map(|side| self.since[side].get(path));
        match changed {
            Some(change) => change.base.clone(),
            None => (0..2).find_map(|side| self.side(side).tracked(path)),
        }
    }

    /// What a side has at a path where its files are as they were.
    fn own(&self, side: usize, path: &[u8]) -> Option<Entry> {
        match self.since[side].get(path) {
            Some(change) => change.own.clone(),
            None => self.base_entry(path),
        }
    }
}

impl Paths {
    /// Whether the disk says what a side has there, and not what it was given.
    fn is_on_disk(&self, pair: &Pair<'_, '_>, side: usize, path: &[u8]) -> bool {
        let seen = pair.side(side);
        let is_in_new = || survey::folders_of(path).any(|above| seen.folders.contains(above));
        seen.changed.contains(path)
            || seen.folders.contains(path)
            || self.on_disk[side].contains(path)
            || is_in_new()
    }
}

/// The files below a new folder, while there is room for them. Repositories in it are passed over.
fn files(top: &Path, folder: &[u8], room: &mut usize) -> BTreeSet<Vec<u8>> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(path) = waiting.pop() {
        let inner = working::folder(top, &path);
        // What has gone in the meantime holds nothing.
        let Ok(entries) = inner.and_then(|folder| entries(&folder)) else { continue };
        if entries.iter().any(|(name, _)| name == b".git") {
            continue;
        }
        for (name, is_folder) in entries {
            let path = [path.as_slice(), b"/", &name].concat();
            if is_folder {
                waiting.push(path);
            } else if *room > 0 {
                *room -= 1;
                found.insert(path);
            } else {
                return found;
            }
        }
    }
    found
}

fn entries(folder: &Folder) -> std::io::Result<Vec<(Vec<u8>, bool)>> {
    let name = |name: &OsStr| name.as_bytes().to_owned();
    let shown = folder.entries()?.flatten();
    let kept = shown.filter(|entry| entry.is_folder() || entry.is_file_or_link());
    Ok(kept.map(|entry| (name(&entry.name), entry.is_folder())).collect())
}
