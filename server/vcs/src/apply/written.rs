//! What git would write of the files of a commit, in folders of ours; and which files it would write as they
//! are.

use super::{
    record::{Content, Kind},
    wanted::{Ask, Form},
};
use crate::{
    GitError,
    collect::{blobs, difference::Side as Blob},
    git::at_once,
    state, update_index,
};
use std::{
    collections::{BTreeMap, HashSet},
    ffi::OsString,
    path::PathBuf,
};

/// The new contents of files that lie on the disk as the old commit has them, byte by byte: nothing is
/// converted in them, so nothing is in the new ones.
pub(super) fn unconverted(ask: &Ask<'_>) -> Result<BTreeMap<Vec<u8>, Content>, GitError> {
    let mut asked = Vec::new();
    for step in &ask.steps {
        let Form::AsGitWrites { old: Some(old) } = &step.form else { continue };
        let (Some(new), Some(before)) = (&step.new, ask.capture.has(&step.path)) else { continue };
        if old.is_file() && new.is_file() && before.content.kind != Kind::Link {
            asked.push((&step.path, &before.content, [old, new]));
        }
    }
    let ids = asked.iter().flat_map(|(_, _, sides)| sides.map(|side| side.id.as_str()));
    let ids: Vec<&str> = ids.collect();
    let (mut same, mut found) = (HashSet::new(), BTreeMap::new());
    blobs::contents(ask.room.git("cat-file"), &ids, u64::MAX, |number, bytes| {
        let (path, before, _) = asked[number / 2];
        if number % 2 == 1 {
            found.insert(path.clone(), Content::of(Kind::Plain, bytes));
        // A text without a line says nothing of how lines end.
        } else if bytes.contains(&b'\n') && Content::of(before.kind, bytes) == *before {
            same.insert(path);
        }
    })?;
    found.retain(|path, _| same.contains(path));
    Ok(found)
}

/// Has git write the files of both commits into folders of ours, as a checkout would. Links and programs of
/// the user's own are not in the way there.
pub(super) fn checked_out(
    ask: &Ask<'_>,
    unconverted: &BTreeMap<Vec<u8>, Content>,
) -> Result<(PathBuf, PathBuf), GitError> {
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for step in &ask.steps {
        let Form::AsGitWrites { old: old_blob } = &step.form else { continue };
        let (Some(new_blob), path) = (&step.new, &step.path) else { continue };
        if unconverted.contains_key(path) {
            continue;
        }
        new.push((path.clone(), new_blob.clone()));
        if let Some(blob) = old_blob {
            old.push((path.clone(), blob.clone()));
        }
    }
    if new.is_empty() {
        return Ok((ask.room.path("old"), ask.room.path("new")));
    }
    let emptied =
        if ask.request.run_filters { Vec::new() } else { state::without_filters(&ask.place.top)? };
    let (old, new) =
        at_once(|| check_out(ask, &emptied, "old", old), || check_out(ask, &emptied, "new", new));
    Ok((old?, new?))
}

fn check_out(
    ask: &Ask<'_>,
    emptied: &[(OsString, &'static str)],
    name: &str,
    blobs: Vec<(Vec<u8>, Blob)>,
) -> Result<PathBuf, GitError> {
    let folder = ask.room.path(name);
    if blobs.is_empty() {
        return Ok(folder);
    }
    let index = ask.room.path(&format!("{name}.index"));
    let git = |verb: &str| {
        let git = ask.room.users_git(verb).with_index(&index);
        let settings = [("core.splitIndex", "false"), ("core.safecrlf", "false")];
        let git = settings.iter().fold(git, |git, (key, value)| git.set((*key).into(), value));
        emptied.iter().fold(git, |git, (key, value)| git.set(key.clone(), value))
    };
    let entry = |(path, Blob { mode, id })| update_index::Entry { path, object: Some((mode, id)) };
    let entries = blobs.into_iter().map(entry).collect();
    update_index::enter(git("update-index"), ask.place.id_length(), entries)?;
    let mut prefix = OsString::from("--prefix=");
    prefix.push(&folder);
    prefix.push("/");
    git("checkout-index").args(["--all", "--force", "--quiet"]).args([prefix]).output()?;
    Ok(folder)
}
