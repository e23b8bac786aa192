//! A result for people: files, lines, what to look at, and what git or this module passed over.

use super::{
    Collected, Request,
    difference::{self, Difference},
    flags,
    listing::Listing,
    quarantine::Quarantine,
    record::{Kept, Record},
};
use crate::{
    GitError,
    git::Git,
    survey::{Survey, absolute},
};
use orchestra_core::change::{Change, Flag, FlagKind};
use std::fs;

/// How many notes of one kind are kept.
const NOTES: usize = 100;

/// The ids of a tree without files, in both object formats.
const EMPTY_TREES: [&str; 2] = [
    "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
];

/// The result that the reference holds already.
pub(super) fn of_kept(
    quarantine: &Quarantine<'_>,
    base: &str,
    kept: &Kept,
) -> Result<Collected, GitError> {
    let commit = kept.commit.as_str();
    let tree = quarantine.tree_of(commit)?;
    let differences = difference::read(quarantine.git("diff-tree"), base, commit, true)?;
    let change = change(quarantine.git("cat-file"), base, &tree, &differences)?;
    // All but ours.
    let commits = quarantine.commits_since(base, commit)?.saturating_sub(1);
    let record = Record { held: kept.record.held.clone(), notes: kept.record.notes.clone() };
    let change = Change { commits, ..told(change, Some(commit), record) };
    Ok(Collected { commit: change.commit.clone(), change })
}

/// With what the commit says of itself.
pub(super) fn told(change: Change, commit: Option<&str>, record: Record) -> Change {
    let Record { held, notes } = record;
    Change { commit: commit.map(str::to_owned), held, notes, ..change }
}

/// That nothing has changed.
pub(super) fn nothing(base: &str) -> Change {
    Change {
        base: base.to_owned(),
        commit: None,
        tree: None,
        files: 0,
        added: 0,
        removed: 0,
        paths: Vec::new(),
        held: Vec::new(),
        flags: Vec::new(),
        commits: 0,
        notes: Vec::new(),
    }
}

/// What differs between the base and a tree. `cat_file` is a call of it.
pub(crate) fn change(
    cat_file: Git,
    base: &str,
    tree: &str,
    differences: &[Difference],
) -> Result<Change, GitError> {
    let mut change = nothing(base);
    change.files = u32::try_from(differences.len()).unwrap_or(u32::MAX);
    for (added, removed) in differences.iter().filter_map(|difference| difference.lines) {
        change.added += u64::from(added);
        change.removed += u64::from(removed);
    }
    let shown = differences.iter().take(Change::MAX_PATHS);
    change.paths = shown.map(|difference| difference.changed_file()).collect();
    if EMPTY_TREES.contains(&tree) && !differences.is_empty() {
        change.flags.push(Flag { path: String::new(), kind: FlagKind::EverythingDeleted });
    }
    change.flags.extend(flags::find(cat_file, differences)?);
    change.tree = Some(tree.to_owned());
    Ok(change)
}

/// What was left out without being held back. Nobody is told of what is ignored.
pub(super) fn notes(
    quarantine: &Quarantine<'_>,
    request: &Request<'_>,
    survey: &Survey,
    listing: &Listing,
    about_files: Vec<String>,
) -> Result<Vec<String>, GitError> {
    let candidates: Vec<Vec<u8>> = survey
        .special
        .iter()
        .map(|(path, _)| path)
        .chain(&survey.nested)
        .chain(&survey.unreadable)
        .cloned()
        .collect();
    let ignored = quarantine.ignored(&candidates)?;
    let is_told = |path: &&Vec<u8>| {
        let in_nested = survey.nested.iter().any(|nested| {
            let rest = path.strip_prefix(nested.as_slice());
            rest.is_some_and(|rest| rest.starts_with(b"/")) && !listing.inhabited.contains(nested)
        });
        !ignored.contains(*path) && !in_nested
    };
    let shown = |path: &Vec<u8>| String::from_utf8_lossy(path).into_owned();
    let mut notes = Vec::new();
    notes.extend(bounded(
        survey
            .special
            .iter()
            .filter(|(path, _)| is_told(&path))
            .map(|(path, what)| format!("{what} {} left out", shown(path))),
    ));
    notes.extend(bounded(survey.nested.iter().filter(is_told).map(|path| {
        let name = shown(path);
        if listing.submodules.contains(path) {
            format!("submodule {name} is left as it was given")
        } else if listing.inhabited.contains(path) {
            format!("of the repository made in {name}, only the files are taken")
        } else {
            format!("nested repository {name} left out")
        }
    })));
    let filled = listing.submodules.difference(&survey.nested).filter(|path| {
        let mut entries = fs::read_dir(absolute(request.src, path)).into_iter().flatten();
        entries.next().is_some()
    });
    notes.extend(bounded(
        filled.map(|path| format!("what lies in the folder of submodule {} left out", shown(path))),
    ));
    notes.extend(bounded(
        survey.unreadable.iter().filter(is_told).map(|path| {
            format!("folder {} cannot be read: it is left as it was given", shown(path))
        }),
    ));
    notes.extend(bounded(about_files.into_iter()));
    Ok(notes)
}

fn bounded(mut notes: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = notes.by_ref().take(NOTES).collect();
    let more = notes.count();
    if more > 0 {
        kept.push(format!("and {more} more like this"));
    }
    kept
}
