//! Deletes slots, whatever agents left in them.

use crate::folder::Folder;
use std::{ffi::OsString, fs, io, path::Path};

/// How often a folder is emptied anew in which something appears meanwhile.
const ROUNDS: u32 = 1_000;

/// Folders further down are moved up before they are emptied, so that neither descriptors nor the
/// stack run out, however deep an agent went.
const DEEPEST: u32 = 64;

/// Deletes what is at `path`, also where folders in it are read-only, as Go's module cache is, or
/// deeper than any path is long, and where a git still writes that a killed daemon has left: it
/// ends soon, since its files go. Links are deleted, never followed.
pub(crate) fn delete(path: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.is_dir() {
        return fs::remove_file(path);
    }
    let folder = Folder::open_to_change(path)?;
    let mut moved = 0;
    for round in 0.. {
        empty(&folder, &folder, 0, &mut moved)?;
        match fs::remove_dir(path) {
            Err(error)
                if error.kind() == io::ErrorKind::DirectoryNotEmpty && round < ROUNDS + moved => {}
            other => return other,
        }
    }
    Ok(())
}

/// As [`delete`], of an entry of a folder.
pub(super) fn delete_in(folder: &Folder, name: &OsString) -> io::Result<()> {
    let inner = folder.child_to_change(name)?;
    let mut moved = 0;
    for round in 0.. {
        empty(&inner, &inner, 0, &mut moved)?;
        match folder.remove_folder(name) {
            Err(error)
                if error.kind() == io::ErrorKind::DirectoryNotEmpty && round < ROUNDS + moved => {}
            other => return other,
        }
    }
    Ok(())
}

/// That something is not there is no error.
pub(crate) fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Removes what is in `folder`, which is `depth` levels below `top`. What is too deep is moved to
/// `top` and stays there; what appears meanwhile stays, too.
fn empty(top: &Folder, folder: &Folder, depth: u32, moved: &mut u32) -> io::Result<()> {
    for entry in folder.entries()? {
        let entry = entry?;
        if !entry.is_folder() {
            absent_is_fine(folder.remove_file(&entry.name))?;
            continue;
        }
        let child = match folder.child_to_change(&entry.name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        if depth == DEEPEST {
            move_up(folder, &entry.name, top, moved)?;
            continue;
        }
        empty(top, &child, depth + 1, moved)?;
        match folder.remove_folder(&entry.name) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
            other => absent_is_fine(other)?,
        }
    }
    Ok(())
}

fn move_up(from: &Folder, name: &OsString, top: &Folder, moved: &mut u32) -> io::Result<()> {
    loop {
        *moved += 1;
        match from.rename(name, top, &format!("deep-{moved}").into()) {
            // An agent's own file of that name.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::DirectoryNotEmpty
                        | io::ErrorKind::AlreadyExists
                        | io::ErrorKind::NotADirectory
                ) => {}
            other => return other,
        }
    }
}
