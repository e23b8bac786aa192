//! Deletes slots, whatever agents left in them.

use super::beside;
use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

/// Deletes a slot with all that is in it. One that does not exist is no error.
///
/// It is renamed first, so that a slot is either whole or gone, also after a crash in the middle;
/// what such a crash left is deleted by the next call for the same slot, with what a crash in the
/// middle of making it left.
pub fn remove(slot: &Path) -> io::Result<()> {
    absent_is_fine(delete(&beside(slot, ".partial")))?;
    let doomed = beside(slot, ".removed");
    absent_is_fine(delete(&doomed))?;
    match fs::rename(slot, &doomed) {
        Ok(()) => delete(&doomed),
        other => absent_is_fine(other),
    }
}

/// How often a folder is deleted in which something appears meanwhile.
const ROUNDS: u32 = 1_000;

/// Deletes a folder, also where folders in it are read-only, as Go's module cache is, and where a git
/// still writes that a killed daemon has left: it ends soon, since its files go.
pub(super) fn delete(folder: &Path) -> io::Result<()> {
    let mut made_writable = false;
    for _ in 1..ROUNDS {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && !made_writable => {
                make_writable(folder)?;
                made_writable = true;
            }
            other => return other,
        }
    }
    fs::remove_dir_all(folder)
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Gives the owner back the right to change every folder in `folder`. Links are not followed.
fn make_writable(folder: &Path) -> io::Result<()> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let mode = fs::symlink_metadata(&folder)?.permissions().mode();
        if mode & 0o700 != 0o700 {
            fs::set_permissions(&folder, Permissions::from_mode(mode | 0o700))?;
        }
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_only_folders_become_writable_and_what_a_link_names_stays() {
        let outside = tempfile::tempdir().unwrap();
        fs::set_permissions(outside.path(), Permissions::from_mode(0o500)).unwrap();
        let slot = tempfile::tempdir().unwrap();
        let deep = slot.path().join("mod/pkg");
        fs::create_dir_all(&deep).unwrap();
        std::os::unix::fs::symlink(outside.path(), deep.join("link")).unwrap();
        fs::set_permissions(&deep, Permissions::from_mode(0o500)).unwrap();
        fs::set_permissions(slot.path().join("mod"), Permissions::from_mode(0o000)).unwrap();

        make_writable(slot.path()).unwrap();

        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&slot.path().join("mod")), 0o700);
        assert_eq!(mode(&deep), 0o700);
        assert_eq!(mode(outside.path()), 0o500);
    }
}
