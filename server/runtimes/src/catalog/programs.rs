//! Where a program is found, as the start of an attempt will look for it.

use std::{
    env,
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// A name with a slash is a path from `root`; any other name is looked up on `path`. Folders of `path`
/// that are not absolute are skipped: they would mean another folder for every process.
pub(crate) fn find(program: &str, root: &Path, path: Option<&OsStr>) -> Option<PathBuf> {
    if program.contains('/') {
        let file = root.join(program);
        return is_executable(&file).then_some(file);
    }
    env::split_paths(path?)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(program))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}
