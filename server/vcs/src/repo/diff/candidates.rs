//! Which files may differ: found with git's plumbing, which reads no content through a filter.

use super::said;
use crate::{
    git::{ANSWER_LIMIT, Git},
    state,
};
use orchestra_core::ports::RepoError;
use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
};

/// A file that may differ.
pub(super) struct Candidate {
    /// Relative to the workspace's root.
    pub(super) path: Vec<u8>,
    pub(super) old: Option<Entry>,
    pub(super) new: New,
}

/// What a commit or an index holds at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) mode: u32,
    /// Lowercase hex.
    pub(super) id: String,
}

/// Where the new side is.
pub(super) enum New {
    Nothing,
    Entry(Entry),
    OnDisk,
}

/// What differs between two trees or commits.
pub(super) fn between(root: &Path, from: &str, to: &str) -> Result<Vec<Candidate>, RepoError> {
    let git = Git::new(root, "diff-tree", ANSWER_LIMIT).args(["-r", "-z", "--raw", "--no-abbrev"]);
    let changes = raw(git.args(["--no-renames", "--relative", "--end-of-options", from, to]))?;
    let candidate = |(path, change): (_, RawChange)| Candidate {
        path,
        old: change.old,
        new: change.new.map_or(New::Nothing, New::Entry),
    };
    Ok(changes.into_iter().map(candidate).collect())
}

/// What may differ between a tree or commit and the files as they are.
pub(super) fn with_files(root: &Path, from: &str) -> Result<Vec<Candidate>, RepoError> {
    let git = Git::new(root, "diff-index", ANSWER_LIMIT).args(["-z", "--cached", "--raw"]);
    let git = git.args(["--no-abbrev", "--no-renames", "--relative", "--end-of-options", from]);
    let mut candidates: BTreeMap<Vec<u8>, Candidate> = BTreeMap::new();
    let deleted = names(Git::new(root, "ls-files", ANSWER_LIMIT).args(["-z", "--deleted"]))?;
    for (path, change) in raw(git)? {
        let is_on_disk = root.join(os(&path)).symlink_metadata().is_ok();
        let new = match change.new {
            // Not checked out, because the checkout is a sparse one.
            Some(entry) if !is_on_disk && !deleted.contains(&path) => New::Entry(entry),
            _ => New::OnDisk,
        };
        candidates.insert(path.clone(), Candidate { path, old: change.old, new });
    }
    for (path, change) in modified(root)? {
        // The index has what the commit has, or the entry above would be here already.
        let old = change.old;
        candidates.entry(path.clone()).or_insert(Candidate { path, old, new: New::OnDisk });
    }
    let others = Git::new(root, "ls-files", ANSWER_LIMIT);
    let others = others.args(["-z", "--others", "--exclude-standard"]);
    others
        .records(|path| {
            // What ends with a slash is a repository of its own.
            if !path.ends_with(b"/") && !path.starts_with(b".orchestra/") {
                let path = path.to_owned();
                let new = New::OnDisk;
                candidates.entry(path.clone()).or_insert(Candidate { path, old: None, new });
            }
        })
        .map_err(|error| said(&error))?;
    Ok(candidates.into_values().collect())
}

/// Files that are not as the index has them, with what that is.
fn modified(root: &Path) -> Result<Vec<(Vec<u8>, RawChange)>, RepoError> {
    // Both run clean filters, to compare a file whose length is as it was.
    let filters = state::without_filters(root).map_err(|error| said(&error))?;
    let unfiltered =
        |git: Git| filters.iter().fold(git, |git, (key, value)| git.set(key.clone(), value));
    let git = Git::new(root, "ls-files", ANSWER_LIMIT).args(["-z", "--modified"]);
    let names = names(unfiltered(git))?;
    // It knows the objects, but takes a file whose time alone differs for a changed one. Looking into
    // submodules would run what is configured there.
    let git = Git::new(root, "diff-files", ANSWER_LIMIT).args(["-z", "--raw", "--no-abbrev"]);
    let git = unfiltered(git.args(["--no-renames", "--relative", "--ignore-submodules=dirty"]));
    let mut changes = raw(git)?;
    changes.retain(|(path, _)| names.contains(path));
    Ok(changes)
}

fn names(git: Git) -> Result<HashSet<Vec<u8>>, RepoError> {
    let mut names = HashSet::new();
    git.records(|path| {
        names.insert(path.to_owned());
    })
    .map_err(|error| said(&error))?;
    Ok(names)
}

struct RawChange {
    old: Option<Entry>,
    new: Option<Entry>,
}

/// `:mode SP mode SP id SP id SP status NUL path NUL`, once for each path.
fn raw(git: Git) -> Result<Vec<(Vec<u8>, RawChange)>, RepoError> {
    let mut changes: Vec<(Vec<u8>, RawChange)> = Vec::new();
    let mut head: Option<RawChange> = None;
    git.records(|record| match (head.take(), record.strip_prefix(b":")) {
        (None, Some(line)) => {
            let line = String::from_utf8_lossy(line);
            let words: Vec<&str> = line.split(' ').collect();
            if let [old_mode, new_mode, old_id, new_id, _] = words.as_slice() {
                let (old, new) = (entry(old_mode, old_id), entry(new_mode, new_id));
                head = Some(RawChange { old, new });
            }
        }
        (Some(change), _) => match changes.last_mut().filter(|(path, _)| path == record) {
            // What is in conflict is told twice.
            Some((_, known)) => known.old = known.old.take().or(change.old),
            None => changes.push((record.to_owned(), change)),
        },
        (None, None) => {}
    })
    .map_err(|error| said(&error))?;
    Ok(changes)
}

fn entry(mode: &str, id: &str) -> Option<Entry> {
    let mode = u32::from_str_radix(mode, 8).ok().filter(|mode| *mode != 0)?;
    Some(Entry { mode, id: id.to_owned() })
}

fn os(path: &[u8]) -> &std::ffi::OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(path)
}
