//! A file as it is, read so that nothing but a regular file or a link of this workspace is opened.

use rustix::fs::{Mode, OFlags};
use std::{
    ffi::OsStr,
    fs::{self, Metadata},
    io::Read as _,
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    path::Path,
};

/// What is at a path.
pub(super) enum File {
    Nothing,
    Folder,
    /// A regular file, or the target of a link, with its mode as git would write it.
    Content {
        mode: u32,
        bytes: Vec<u8>,
    },
    TooLarge {
        mode: u32,
    },
    Unreadable,
}

/// Looks at `path` below `root`, which is canonical.
pub(super) fn read(root: &Path, path: &[u8], max_bytes: u64) -> File {
    let place = root.join(OsStr::from_bytes(path));
    // A folder on the way that became a link leads out of what git tracks.
    let folder = place.parent().and_then(|folder| folder.canonicalize().ok());
    if folder.is_none_or(|folder| !folder.starts_with(root)) {
        return File::Nothing;
    }
    let Ok(metadata) = place.symlink_metadata() else { return File::Nothing };
    if metadata.is_symlink() {
        let target = fs::read_link(&place).map(|target| target.into_os_string());
        return target.map_or(File::Unreadable, |target| File::Content {
            mode: 0o120_000,
            bytes: target.as_bytes().to_owned(),
        });
    }
    if metadata.is_dir() {
        return File::Folder;
    }
    regular(&place, max_bytes).unwrap_or(File::Unreadable)
}

fn regular(place: &Path, max_bytes: u64) -> Option<File> {
    // Not blocked by what has taken the file's place in the meantime.
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = fs::File::from(rustix::fs::open(place, flags, Mode::empty()).ok()?);
    let metadata = file.metadata().ok().filter(Metadata::is_file)?;
    let is_executable = metadata.permissions().mode() & 0o100 != 0;
    let mode = if is_executable { 0o100_755 } else { 0o100_644 };
    if metadata.len() > max_bytes {
        return Some(File::TooLarge { mode });
    }
    let mut bytes = Vec::new();
    file.take(max_bytes + 1).read_to_end(&mut bytes).ok()?;
    let is_too_large = bytes.len() as u64 > max_bytes;
    Some(if is_too_large { File::TooLarge { mode } } else { File::Content { mode, bytes } })
}
