//! Files of the state folder: private, written whole or not at all.

mod unix;

pub(crate) use unix::free_space;

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

/// Begins the name of a file that is still being written.
const PREFIX: &str = ".writing-";

/// Makes a folder that nobody else can read, and those above it.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    unix::make_private_folder(DirBuilder::new().recursive(true)).create(path)
}

/// Puts `content` at `path`; when this returns, it survives a loss of power.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = temporary_beside(path);
    let written = (|| {
        let mut options = OpenOptions::new();
        unix::make_private_file(options.write(true).create_new(true));
        let mut file = options.open(&temporary)?;
        file.write_all(content)?;
        file.sync_all()
    })();
    written.and_then(|()| publish(&temporary, path)).inspect_err(|_| {
        // The first error is the one that matters.
        let _ = fs::remove_file(&temporary);
    })
}

/// A name in the folder of `path` that no other writer uses.
pub(crate) fn temporary_beside(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    path.with_file_name(format!("{PREFIX}{}-{number}", process::id()))
}

/// Moves a synced temporary file to its name, for good.
pub(crate) fn publish(temporary: &Path, path: &Path) -> io::Result<()> {
    fs::rename(temporary, path)?;
    sync_folder_of(path)
}

/// A rename is durable only when its folder is.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Removes what writers that were killed have left. Only the holder of the lock may do so.
pub(crate) fn remove_leftovers(folder: &Path) -> io::Result<()> {
    for entry in entries(folder)? {
        if entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX)) {
            fs::remove_file(entry)?;
        }
    }
    Ok(())
}

/// The paths in a folder, sorted; none when there is no such folder.
pub(crate) fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<PathBuf>>>()?;
    paths.sort();
    Ok(paths)
}
