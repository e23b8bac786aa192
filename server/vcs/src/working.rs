//! A file as it is, reached by descriptors, so that nothing but a regular file or a link below the given folder
//! is opened, whatever is linked or swapped meanwhile.

use crate::folder::Folder;
use rustix::{
    fs::{FileType, Stat},
    io::Errno,
};
use std::{
    ffi::OsStr,
    io::{self, Read as _},
    os::unix::ffi::OsStrExt as _,
    path::Path,
};

/// The mode of a symbolic link.
pub(crate) const LINK: u32 = 0o120_000;

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum File {
    Nothing,
    Folder,
    /// A regular file, or the target of a link, with its mode as git would write it.
    Content {
        mode: u32,
        bytes: Vec<u8>,
    },
    TooLarge {
        mode: u32,
        bytes: u64,
    },
    Unreadable,
}

/// What tells a file from the same one after a change: nobody can forge when its status was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    device: i128,
    inode: i128,
    mode: i128,
    size: i128,
    modified: (i128, i128),
    changed: (i128, i128),
}

/// Looks at `path` below `top`. What lies beyond a link is nothing, as it is to git.
pub(crate) fn read(top: &Path, path: &[u8], max_bytes: u64) -> File {
    look(top, path, |folder, name| content(folder, name, max_bytes))
        .unwrap_or_else(|error| if is_absence(&error) { File::Nothing } else { File::Unreadable })
}

/// By what a file is known again; `None` for what is not there, or cannot be looked at.
pub(crate) fn identity(top: &Path, path: &[u8]) -> Option<Identity> {
    look(top, path, |folder, name| Ok(Identity::of(&folder.stat(name)?))).ok()
}

impl Identity {
    /// Of the file at `path`, or of what a link there names; `None` when there is none.
    pub(crate) fn of_file(path: &Path) -> Option<Self> {
        rustix::fs::stat(path).ok().map(|found| Self::of(&found))
    }

    /// In bytes.
    pub(crate) fn size(&self) -> u64 {
        u64::try_from(self.size).unwrap_or(0)
    }

    fn of(found: &Stat) -> Self {
        // Their types differ between systems; this one holds all of them.
        Self {
            device: i128::from(found.st_dev),
            inode: i128::from(found.st_ino),
            mode: i128::from(found.st_mode),
            size: i128::from(found.st_size),
            modified: (i128::from(found.st_mtime), i128::from(found.st_mtime_nsec)),
            changed: (i128::from(found.st_ctime), i128::from(found.st_ctime_nsec)),
        }
    }
}

/// The folder at `path` below `top`; a link is none.
pub(crate) fn folder(top: &Path, path: &[u8]) -> io::Result<Folder> {
    look(top, path, |folder, name| folder.child(name))
}

/// Does it with the folder in which the path lies, and the name that it has there.
fn look<T>(
    top: &Path,
    path: &[u8],
    work: impl FnOnce(&Folder, &OsStr) -> io::Result<T>,
) -> io::Result<T> {
    let mut folder = Folder::open(top)?;
    let mut parts = path.split(|&byte| byte == b'/').map(OsStr::from_bytes).peekable();
    while let Some(part) = parts.next() {
        if matches!(part.as_bytes(), b"" | b"." | b"..") {
            break;
        }
        if parts.peek().is_none() {
            return work(&folder, part);
        }
        folder = folder.child(part)?;
    }
    Err(io::ErrorKind::NotFound.into())
}

fn content(folder: &Folder, name: &OsStr, max_bytes: u64) -> io::Result<File> {
    match FileType::from_raw_mode(folder.stat(name)?.st_mode) {
        FileType::Directory => return Ok(File::Folder),
        FileType::Symlink => {
            return Ok(File::Content { mode: LINK, bytes: folder.read_link(name)? });
        }
        FileType::RegularFile => {}
        _ => return Ok(File::Unreadable),
    }
    let file = folder.read_file(name)?;
    let found = rustix::fs::fstat(&file)?;
    if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
        return Ok(File::Unreadable);
    }
    let mode = if found.st_mode & 0o100 != 0 { 0o100_755 } else { 0o100_644 };
    let size = u64::try_from(found.st_size).unwrap_or(0);
    if size > max_bytes {
        return Ok(File::TooLarge { mode, bytes: size });
    }
    let mut bytes = Vec::new();
    // It may grow while it is read.
    file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    let read = bytes.len() as u64;
    Ok(if read > max_bytes {
        File::TooLarge { mode, bytes: read }
    } else {
        File::Content { mode, bytes }
    })
}

/// That there is nothing, or something through which no path of git leads.
fn is_absence(error: &io::Error) -> bool {
    let by_kind = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    by_kind || error.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    #[test]
    fn files_and_links_are_read_and_nothing_outside_is() {
        let guard = tempfile::tempdir().unwrap();
        let top = guard.path().join("top");
        fs::create_dir_all(top.join("inner")).unwrap();
        fs::write(guard.path().join("outside"), "secret").unwrap();
        fs::write(top.join("inner/file"), "text").unwrap();
        symlink("..", top.join("up")).unwrap();
        symlink("inner", top.join("inside")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, top.join("fifo"), rustix::fs::Mode::RWXU).unwrap();
        let text = |text: &str, mode| File::Content { mode, bytes: text.as_bytes().to_owned() };
        for (path, expected) in [
            ("inner/file", text("text", 0o100_644)),
            ("inner", File::Folder),
            ("up", text("..", 0o120_000)),
            ("up/outside", File::Nothing),
            ("inside/file", File::Nothing),
            ("../outside", File::Nothing),
            ("inner/../inner/file", File::Nothing),
            ("inner/file/below", File::Nothing),
            ("", File::Nothing),
            ("fifo", File::Unreadable),
        ] {
            assert_eq!(read(&top, path.as_bytes(), 4), expected, "{path}");
        }
        let large = File::TooLarge { mode: 0o100_644, bytes: 4 };
        assert_eq!(read(&top, b"inner/file", 3), large);
    }

    #[test]
    fn a_change_that_keeps_size_and_time_is_another_identity() {
        let guard = tempfile::tempdir().unwrap();
        let file = guard.path().join("file");
        fs::write(&file, "one").unwrap();
        let written = fs::metadata(&file).unwrap().modified().unwrap();
        let first = identity(guard.path(), b"file").unwrap();
        assert_eq!(identity(guard.path(), b"file"), Some(first));
        fs::write(guard.path().join("new"), "two").unwrap();
        fs::rename(guard.path().join("new"), &file).unwrap();
        fs::File::options().write(true).open(&file).unwrap().set_modified(written).unwrap();
        assert_ne!(identity(guard.path(), b"file"), Some(first));
        assert_eq!(identity(guard.path(), b"gone"), None);
    }
}
