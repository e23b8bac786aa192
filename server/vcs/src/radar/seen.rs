//! What a walk over a side has seen.

use super::{Limits, Side};
use crate::{
    GitError,
    collect::difference::Side as Entry,
    git::Git,
    index::Tracked,
    state,
    survey::{self, Compared, Survey, Walk},
    working::Identity,
};
use orchestra_core::folders::BEING_WRITTEN;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

/// An index, and by what it is known again.
pub(super) type Known = (Identity, Arc<Tracked>);

/// A side, and what of its files may not be as the index has them. Paths are relative to its top, with no
/// slash at the end.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    pub(super) side: Side<'a>,
    /// The top of its working tree.
    pub(super) top: PathBuf,
    pub(super) index: Option<Known>,
    /// What is known and different, or gone, and new files, ignored ones, too.
    pub(super) changed: BTreeSet<Vec<u8>>,
    /// Folders in which nothing is known; nobody has looked into them.
    pub(super) folders: BTreeSet<Vec<u8>>,
    /// There are more new files than these.
    pub(super) is_crowded: bool,
}

impl<'a> Seen<'a> {
    /// An agent's tree. Of a sparse one, what is not checked out is not compared.
    pub(super) fn of_tree(
        side: &Side<'a>,
        src: &Path,
        index: Known,
        room: usize,
    ) -> Result<Self, GitError> {
        let survey = walk(src, &index.1, room)?;
        let compared = survey.compared.ok_or_else(|| GitError::NoTree(src.to_owned()))?;
        Ok(Self::new(side, src, Some(index), compared))
    }

    /// The user's folder.
    pub(super) fn of_user(
        side: &Side<'a>,
        top: &Path,
        index: Option<Known>,
        limits: &Limits,
    ) -> Result<Self, GitError> {
        if let Some((_, tracked)) = &index
            && tracked.is_plain()
            // There, a file has several spellings.
            && cfg!(not(target_os = "macos"))
            && let Ok(Survey { compared: Some(compared), .. }) = walk(top, tracked, limits.new)
        {
            return Ok(Self::new(side, top, index, compared));
        }
        Self::by_git(side, top, index, limits)
    }

    fn new(side: &Side<'a>, top: &Path, index: Option<Known>, compared: Compared) -> Self {
        let new = compared.files().to_vec();
        let folders = compared.folders().map(<[u8]>::to_owned).collect();
        let is_crowded = compared.is_crowded();
        let Compared { touched, missing, beyond_link, .. } = compared;
        let known = touched.into_iter().chain(missing).chain(beyond_link);
        let changed = known.chain(new).collect();
        Self { side: *side, top: top.to_owned(), index, changed, folders, is_crowded }
    }

    /// What git says, where a look at the files does not say enough: the index is split, sparse or not
    /// merged, or git was told not to look at some of them.
    fn by_git(
        side: &Side<'a>,
        top: &Path,
        index: Option<Known>,
        limits: &Limits,
    ) -> Result<Self, GitError> {
        let git = Git::new(top, "ls-files", limits.time);
        // None of the user's programs is run for a mere look.
        let git = state::without_filters(top)?
            .into_iter()
            .fold(git, |git, (key, value)| git.set(key, value));
        let (mut changed, mut new, mut is_crowded) = (BTreeSet::new(), 0, false);
        let options = ["-z", "-t", "--modified", "--deleted", "--others", "--exclude-standard"];
        git.args(options).args(["--exclude", BEING_WRITTEN]).records(|record| {
            // `<tag> <path>`
            let Some((tag, path)) = record.split_at_checked(2) else { return };
            if tag != b"? " {
                changed.insert(path.to_owned());
            // A nested repository ends in a slash.
            } else if !path.ends_with(b"/") {
                new += 1;
                is_crowded = new > limits.new;
                if !is_crowded {
                    changed.insert(path.to_owned());
                }
            }
        })?;
        let (top, folders) = (top.to_owned(), BTreeSet::new());
        Ok(Self { side: *side, top, index, changed, folders, is_crowded })
    }

    /// The mode and the id of what the index has at a path.
    pub(super) fn tracked(&self, path: &[u8]) -> Option<Entry> {
        let (mode, id) = self.index.as_ref().and_then(|(_, tracked)| tracked.object(path))?;
        Some(Entry { mode: format!("{mode:06o}"), id })
    }
}

fn walk(src: &Path, index: &Tracked, room: usize) -> Result<Survey, GitError> {
    survey::look(&Walk { src, index: Some(index), room, into_unknown: false, large: None })
}
