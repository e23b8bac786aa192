//! Which of the agent's files differ from the index, and which are new: by what the survey saw where that
//! says enough, else by what git says.

use super::{Request, blobs, quarantine::Quarantine};
use crate::{
    GitError,
    git::at_once,
    index::Tracked,
    survey::{Compared, Survey, absolute, folders_of},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::Path,
};

/// The mode of a submodule's entry.
pub(super) const GITLINK: &str = "160000";

/// Paths are relative to the top, with no slash at the end.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Known and different.
    pub(super) changed: BTreeMap<Vec<u8>, Seen>,
    /// New and not ignored.
    pub(super) untracked: Vec<Vec<u8>>,
    pub(super) submodules: BTreeSet<Vec<u8>>,
    /// Folders with a `.git` in which there are known files all the same.
    pub(super) inhabited: BTreeSet<Vec<u8>>,
}

/// What git sees at the path of a known file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Something,
    Nothing,
    /// Something, through a symbolic link.
    BeyondLink,
}

/// What the survey saw. Files that only may differ count as changed. `None` where git has to say it: nothing
/// was compared, or there is so much that a limit could be exceeded by files which are as they were.
pub(super) fn guess(
    quarantine: &Quarantine<'_>,
    request: &Request<'_>,
    survey: &Survey,
    tracked: &Tracked,
) -> Result<Option<Listing>, GitError> {
    let Some(compared) = &survey.compared else { return Ok(None) };
    let Some(new) = compared.new_files(|paths| quarantine.ignored(paths))? else { return Ok(None) };
    let Compared { touched, missing, beyond_link, .. } = compared;
    if touched.len() + missing.len() + beyond_link.len() + new.len() > request.limits.count {
        return Ok(None);
    }
    let seen =
        |paths: &[Vec<u8>], seen| paths.iter().map(move |path| (path.clone(), seen)).collect();
    let changed: [Vec<(Vec<u8>, Seen)>; 3] = [
        seen(touched, Seen::Something),
        seen(missing, Seen::Nothing),
        seen(beyond_link, Seen::BeyondLink),
    ];
    let is_inhabited = |folder: &&Vec<u8>| tracked.holds_below(folder);
    let mut listing = Listing {
        changed: changed.into_iter().flatten().collect(),
        untracked: new,
        submodules: tracked.submodules().map(<[u8]>::to_owned).collect(),
        inhabited: survey.nested.iter().filter(is_inhabited).cloned().collect(),
    };
    listing.leave_out_nested(survey);
    Ok(Some(listing))
}

/// What git says.
pub(super) fn read(
    quarantine: &Quarantine<'_>,
    request: &Request<'_>,
    survey: &Survey,
) -> Result<Listing, GitError> {
    let unread = leave_alone(quarantine, survey)?;
    let limit = request.limits.count;
    let (others, tracked) =
        at_once(|| others(quarantine, limit), || tracked(quarantine, request.src, survey));
    let (mut listing, others) = (tracked?, others?);
    listing.changed.extend(unread.into_iter().map(|path| (path, Seen::Something)));
    listing.untracked = others;
    listing.leave_out_nested(survey);
    let changed = listing.changed.iter().filter(|(_, seen)| **seen == Seen::Something);
    let paths = || changed.clone().map(|(path, _)| path).chain(&listing.untracked);
    if paths().count() > limit {
        let mut crowd = Crowd::default();
        paths().for_each(|path| crowd.add(path));
        return Err(crowd.refusal(limit));
    }
    Ok(listing)
}

impl Listing {
    /// What is new in a repository of the agent's is that one's.
    fn leave_out_nested(&mut self, survey: &Survey) {
        let Self { untracked, inhabited, .. } = self;
        let in_nested = |path: &[u8]| {
            let mut above = folders_of(path);
            above.any(|folder| survey.nested.contains(folder) && !inhabited.contains(folder))
        };
        // What git itself takes for a repository ends in a slash.
        untracked.retain(|path| !path.ends_with(b"/") && !in_nested(path));
    }
}

/// Has git not look at what it would read without need: the checkouts of submodules, which are the
/// agent's repositories, and large files that cannot be what the base has. Answers the latter.
fn leave_alone(quarantine: &Quarantine<'_>, survey: &Survey) -> Result<Vec<Vec<u8>>, GitError> {
    if survey.nested.is_empty() && survey.large.is_empty() {
        return Ok(Vec::new());
    }
    let sizes: HashMap<&[u8], u64> =
        survey.large.iter().map(|(path, bytes)| (path.as_slice(), *bytes)).collect();
    let mut checkouts = Vec::new();
    let mut large = Vec::new();
    quarantine.git("ls-files").args(["-z", "--stage"]).records(|record| {
        let Some(Line { mode, id, path, .. }) = Line::parse(b"H ", record) else { return };
        if mode == GITLINK && survey.nested.contains(path) {
            checkouts.push(path.to_owned());
        } else if sizes.contains_key(path) {
            large.push((path.to_owned(), id.to_owned()));
        }
    })?;
    let ids: Vec<&str> = large.iter().map(|(_, id)| id.as_str()).collect();
    let known = blobs::sizes(quarantine.git("cat-file"), &ids)?;
    let differs = |((path, _), known): ((Vec<u8>, String), Option<u64>)| {
        (known != sizes.get(path.as_slice()).copied()).then_some(path)
    };
    let unread: Vec<Vec<u8>> = large.into_iter().zip(known).filter_map(differs).collect();
    quarantine.assume_unchanged(&[checkouts, unread.clone()].concat())?;
    Ok(unread)
}

fn tracked(quarantine: &Quarantine<'_>, src: &Path, survey: &Survey) -> Result<Listing, GitError> {
    let mut listing = Listing::default();
    let mut folders = Folders::default();
    // All entries, then those that are modified or deleted once more.
    let options = ["-z", "-t", "--stage", "--modified", "--deleted"];
    quarantine.git_on_files("ls-files").args(options).records(|record| {
        let Some(Line { tag, mode, path, .. }) = Line::parse(b"", record) else { return };
        match tag {
            b'C' => {
                listing.changed.entry(path.to_owned()).or_insert(Seen::Something);
            }
            b'R' => {
                let seen = listing.changed.entry(path.to_owned()).or_insert(Seen::Nothing);
                if *seen == Seen::Something {
                    *seen = Seen::Nothing;
                }
            }
            _ => {
                if mode == GITLINK {
                    listing.submodules.insert(path.to_owned());
                }
                // Git follows a link where a folder was.
                if folders.is_linked(src, parent(path)) {
                    listing.changed.insert(path.to_owned(), Seen::BeyondLink);
                }
                for folder in folders_of(path).filter(|folder| survey.nested.contains(*folder)) {
                    listing.inhabited.insert(folder.to_owned());
                }
            }
        }
    })?;
    Ok(listing)
}

/// New files, those in nested repositories too where git does not know them for what they are.
fn others(quarantine: &Quarantine<'_>, limit: usize) -> Result<Vec<Vec<u8>>, GitError> {
    let mut others = Vec::new();
    let mut crowd = Crowd::default();
    let options = ["-z", "--others", "--exclude-standard"];
    quarantine.git_on_files("ls-files").args(options).records(|path| {
        crowd.add(path);
        if crowd.total <= limit {
            others.push(path.to_owned());
        }
    })?;
    if crowd.total > limit { Err(crowd.refusal(limit)) } else { Ok(others) }
}

/// `<tag> <mode> <id> <stage>\t<path>`
struct Line<'a> {
    tag: u8,
    mode: &'a str,
    id: &'a str,
    path: &'a [u8],
}

impl<'a> Line<'a> {
    /// `tag` stands for one that the record does not have.
    fn parse(tag: &[u8], record: &'a [u8]) -> Option<Self> {
        let tab = record.iter().position(|&byte| byte == b'\t')?;
        let (head, path) = (&record[..tab], &record[tab + 1..]);
        let (tag, head) = match tag.first() {
            Some(&tag) => (tag, head),
            None => (*head.first()?, head.get(2..)?),
        };
        let mut parts = str::from_utf8(head).ok()?.split(' ');
        Some(Self { tag, mode: parts.next()?, id: parts.next()?, path })
    }
}

/// Which folders are, or lie beyond, symbolic links. Each is looked at once.
#[derive(Default)]
struct Folders {
    linked: HashMap<Vec<u8>, bool>,
}

impl Folders {
    fn is_linked(&mut self, src: &Path, folder: &[u8]) -> bool {
        if folder.is_empty() {
            return false;
        }
        if let Some(&known) = self.linked.get(folder) {
            return known;
        }
        let linked = self.is_linked(src, parent(folder))
            || fs::symlink_metadata(absolute(src, folder)).is_ok_and(|found| found.is_symlink());
        self.linked.insert(folder.to_owned(), linked);
        linked
    }
}

/// How many files are in which folder, when they are too many to be held.
#[derive(Debug, Default)]
struct Crowd {
    total: usize,
    folders: HashMap<Vec<u8>, usize>,
}

impl Crowd {
    /// How many folders are told apart; what lies in others counts for those above them.
    const FOLDERS: usize = 10_000;

    fn add(&mut self, path: &[u8]) {
        self.total += 1;
        for folder in folders_of(path) {
            if let Some(count) = self.folders.get_mut(folder) {
                *count += 1;
            } else if self.folders.len() < Self::FOLDERS {
                self.folders.insert(folder.to_owned(), 1);
            }
        }
    }

    /// Names the deepest folder in which more than half of the files are.
    fn refusal(self, limit: usize) -> GitError {
        let most = self.folders.into_iter().filter(|(_, count)| *count * 2 > self.total);
        let folder = most.max_by_key(|(folder, _)| folder.len()).map(|(folder, _)| folder);
        let folder = String::from_utf8_lossy(&folder.unwrap_or_default()).into_owned();
        GitError::TooManyFiles { count: self.total, limit, folder }
    }
}

fn parent(path: &[u8]) -> &[u8] {
    let slash = path.iter().rposition(|&byte| byte == b'/');
    &path[..slash.unwrap_or(0)]
}
