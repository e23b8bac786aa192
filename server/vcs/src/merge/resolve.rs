//! The tree of a merge in which some conflicts are decided.

use super::{Takes, answer::Place};
use crate::{
    GitError,
    bare::Bare,
    collect::{blobs, difference::Side},
    update_index::Entry,
};
use orchestra_core::merge::ConflictKind;
use std::{
    collections::{BTreeMap, HashMap},
    fs,
};

/// `tree` as git has merged the two sides, with these places as it was decided. Files larger than `limit`
/// bytes are no text.
pub(super) fn resolve(
    bare: &Bare,
    tree: String,
    sides: [&str; 2],
    resolved: Vec<(Place, Takes)>,
    limit: u64,
) -> Result<String, GitError> {
    if resolved.is_empty() {
        return Ok(tree);
    }
    let mut entries = BTreeMap::new();
    let mut whole = HashMap::new();
    let mut texts = Vec::new();
    for (place, takes) in resolved {
        match text(bare, &place, takes, limit)? {
            Some(text) => texts.push((place.path, mode(&place.stages, takes), text)),
            None => whole.extend(place.paths.into_iter().map(|path| (path, takes))),
        }
    }
    if !whole.is_empty() {
        // A file that comes back takes the place of a folder by itself, and where a side has a folder, git has
        // left all of it in the tree.
        entries.extend(whole.keys().map(|path| (path.clone(), None)));
        for (side, takes) in sides.into_iter().zip([Takes::Ours, Takes::Theirs]) {
            for (path, entry) in files(bare, side, |path| whole.get(path) == Some(&takes))? {
                entries.insert(path, Some(entry));
            }
        }
    }
    let contents: Vec<Vec<u8>> = texts.iter().map(|(_, _, text)| text.clone()).collect();
    for ((path, mode, _), id) in texts.into_iter().zip(bare.blobs(&contents)?) {
        entries.insert(path, Some((mode, id)));
    }
    let entries = entries.into_iter().map(|(path, object)| Entry { path, object });
    bare.tree_with(&tree, entries.collect())
}

type Object = (String, String);

/// The files of a tree or commit whose paths are wanted.
fn files(
    bare: &Bare,
    tree: &str,
    is_wanted: impl Fn(&[u8]) -> bool + Sync,
) -> Result<Vec<(Vec<u8>, Object)>, GitError> {
    let mut files = Vec::new();
    bare.git("ls-tree").args(["-r", "-z", "--full-tree", tree]).records(|record| {
        // `<mode> <type> <id>\t<path>`
        let Some(tab) = record.iter().position(|&byte| byte == b'\t') else { return };
        let path = &record[tab + 1..];
        if is_wanted(path) {
            let head = String::from_utf8_lossy(&record[..tab]);
            let mut words = head.split(' ');
            if let (Some(mode), Some(id)) = (words.next(), words.nth(1)) {
                files.push((path.to_owned(), (mode.to_owned(), id.to_owned())));
            }
        }
    })?;
    Ok(files)
}

/// The merged text with one side's lines where both conflict; `None` where the whole entry is that side's.
fn text(bare: &Bare, place: &Place, takes: Takes, limit: u64) -> Result<Option<Vec<u8>>, GitError> {
    let is_of_lines = matches!(place.kind, ConflictKind::Lines | ConflictKind::BothAdded);
    let is_file = |side: &Side| side.is_file();
    let [_, Some(_), Some(_)] = &place.stages else { return Ok(None) };
    if !is_of_lines || !place.stages.iter().flatten().all(is_file) || place.paths.len() != 1 {
        return Ok(None);
    }
    let ids: Vec<&str> = place.stages.iter().flatten().map(|side| side.id.as_str()).collect();
    let mut contents = Vec::new();
    blobs::contents(bare.git("cat-file"), &ids, limit, |_, content| {
        contents.push(blobs::is_text(content).then(|| content.to_owned()));
    })?;
    let contents: Option<Vec<Vec<u8>>> = contents.into_iter().collect();
    let Some(mut contents) = contents.filter(|contents| contents.len() == ids.len()) else {
        return Ok(None);
    };
    if contents.len() == 2 {
        contents.insert(0, Vec::new());
    }
    let files = ["base", "ours", "theirs"].map(|name| bare.room(name));
    for (file, content) in files.iter().zip(contents) {
        fs::write(file, content).map_err(GitError::io("failed to write", file))?;
    }
    let [base, ours, theirs] = &files;
    let favor = match takes {
        Takes::Ours => "--ours",
        Takes::Theirs => "--theirs",
    };
    let git = bare.git("merge-file").args(["-p", "-q", favor]);
    git.args([ours, base, theirs]).output().map(Some)
}

/// As git merges modes; where that is not possible, the one of the side that counts.
fn mode(stages: &[Option<Side>; 3], takes: Takes) -> String {
    let [base, ours, theirs] = stages.each_ref().map(|side| side.as_ref().map(|side| &side.mode));
    let mode = match takes {
        _ if ours == base => theirs,
        _ if theirs == base => ours,
        Takes::Ours => ours,
        Takes::Theirs => theirs,
    };
    mode.cloned().unwrap_or_default()
}
