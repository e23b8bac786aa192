//! A tree of the base and some hunks.

use super::{
    SelectRequest, Selected,
    hunks::{self, File, Part},
};
use crate::{
    GitError,
    bare::{Bare, Facts, Signature},
    update_index::Entry,
};
use orchestra_core::{
    ids::HunkId,
    ports::{DiffLineKind, Hunk},
};
use std::collections::{BTreeSet, HashSet};

pub(super) fn select(request: &SelectRequest<'_>) -> Result<Selected, GitError> {
    let bare = Bare::create(request.root, request.scratch)?;
    let files = hunks::between(&bare, request.base, request.result, request.limits)?;
    let known: HashSet<HunkId> =
        files.iter().flat_map(|file| file.parts.iter().map(|(id, _)| *id)).collect();
    if let Some(unknown) = request.accepted.iter().find(|id| !known.contains(id)) {
        return Err(GitError::NoHunk(*unknown));
    }
    let commits = [request.base, request.result];
    let facts = bare.facts(&commits)?;
    let [base, result] = facts.as_slice() else { return Err(GitError::NoWork) };
    let selected = if request.accepted.len() == known.len() {
        let (commit, tree) = (request.result.to_owned(), result.tree.clone());
        Selected { commit, tree }
    } else {
        let tree = tree(&bare, base, &files, request.accepted)?;
        let message = format!("{}\n", request.subject.lines().next().unwrap_or_default());
        let commit = bare.commit(&Signature::own(), result.date, &tree, &commits, message)?;
        Selected { commit, tree }
    };
    fail::fail_point!("review::selected", |_| std::process::abort());
    bare.keep(&selected.commit, &commits, request.reference)?;
    Ok(selected)
}

fn tree(
    bare: &Bare,
    base: &Facts,
    files: &[File],
    accepted: &BTreeSet<HunkId>,
) -> Result<String, GitError> {
    see_that_they_fit(files, accepted)?;
    let mut entries = Vec::new();
    let mut made = Vec::new();
    for file in files {
        let [old, new] = file.sides();
        let is_accepted = |part: &&(HunkId, Part)| accepted.contains(&part.0);
        let count = file.parts.iter().filter(is_accepted).count();
        let entry = |object| Entry { path: file.difference.path.clone(), object };
        if count == 0 {
            continue;
        } else if count == file.parts.len() {
            entries.push(entry(new.map(|side| (side.mode.clone(), side.id.clone()))));
        } else if let (Some(old), Some(new)) = (old, new) {
            let mode = match file.parts.iter().find(|(_, part)| *part == Part::Mode) {
                Some(part) if is_accepted(&part) => &new.mode,
                Some(_) | None => &old.mode,
            };
            let hunks: Vec<&Hunk> = file
                .parts
                .iter()
                .filter(is_accepted)
                .filter_map(|(_, part)| match part {
                    Part::Text(hunk) => Some(hunk),
                    Part::Mode | Part::Whole => None,
                })
                .collect();
            if hunks.is_empty() {
                entries.push(entry(Some((mode.clone(), old.id.clone()))));
            } else {
                let [old, _] = &file.contents;
                made.push(with(old.as_deref().unwrap_or_default(), &hunks));
                entries.push(entry(Some((mode.clone(), String::new()))));
            }
        }
    }
    let mut ids = bare.blobs(&made)?.into_iter();
    for (_, id) in entries.iter_mut().filter_map(|entry| entry.object.as_mut()) {
        if id.is_empty() {
            *id = ids.next().unwrap_or_default();
        }
    }
    bare.tree_with(&base.tree, entries)
}

/// A text with some of the hunks that lead from it to another one.
fn with(old: &[u8], hunks: &[&Hunk]) -> Vec<u8> {
    let lines: Vec<&[u8]> = old.split_inclusive(|&byte| byte == b'\n').collect();
    let mut text = Vec::with_capacity(old.len());
    let mut next = 0;
    for hunk in hunks {
        // A side without lines is told as the line before it.
        let start = hunk.old_start.saturating_sub(u32::from(hunk.old_lines > 0)) as usize;
        text.extend(lines.get(next..start).unwrap_or_default().concat());
        let kept = hunk.lines.iter().filter(|line| line.kind != DiffLineKind::Removed);
        kept.for_each(|line| text.extend_from_slice(&line.content));
        next = start + hunk.old_lines as usize;
    }
    text.extend(lines.get(next..).unwrap_or_default().concat());
    text
}

/// A file cannot come where something below its path stays, nor something below a file that stays.
fn see_that_they_fit(files: &[File], accepted: &BTreeSet<HunkId>) -> Result<(), GitError> {
    let is_accepted = |file: &File| file.parts.iter().any(|(id, _)| accepted.contains(id));
    let comes = |file: &&File| file.difference.old.is_none() && is_accepted(file);
    let stays = |file: &&File| file.difference.new.is_none() && !is_accepted(file);
    let staying: BTreeSet<&[u8]> =
        files.iter().filter(stays).map(|file| file.difference.path.as_slice()).collect();
    for file in files.iter().filter(comes) {
        let path = file.difference.path.as_slice();
        let folder = [path, b"/"].concat();
        let below = staying.range(folder.as_slice()..).next();
        let below = below.filter(|other| other.starts_with(&folder));
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        let above = || ends.clone().find_map(|end| staying.get(&path[..end]));
        if let Some(other) = below.or_else(above) {
            let (path, other) = (file.difference.shown_path(), String::from_utf8_lossy(other));
            return Err(GitError::Inseparable { path, other: other.into_owned() });
        }
    }
    Ok(())
}
