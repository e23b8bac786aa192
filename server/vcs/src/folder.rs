//! Folders by descriptor: whatever is linked or swapped meanwhile, nothing outside of them is reached.

use rustix::{
    fs::{
        Access, AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags, Stat, accessat, chmodat,
        fstat, fstatvfs, fsync, openat, readlinkat, renameat_with, statat, symlinkat,
    },
    io::Errno,
};
use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::{OsStrExt as _, OsStringExt as _},
    },
    path::Path,
};

const OPEN: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// An open folder.
pub(crate) struct Folder(OwnedFd);

/// What is in a folder.
pub(crate) struct Entry {
    pub(crate) name: OsString,
    pub(crate) kind: FileType,
}

impl Entry {
    pub(crate) fn is_folder(&self) -> bool {
        self.kind == FileType::Directory
    }

    /// What git can track by itself: neither a folder nor something that must not be opened.
    pub(crate) fn is_file_or_link(&self) -> bool {
        matches!(self.kind, FileType::RegularFile | FileType::Symlink)
    }
}

impl Folder {
    /// `path` must be a folder itself, not a link to one.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(openat(CWD, path, OPEN, Mode::empty())?))
    }

    /// As [`Folder::open`], with the rights to change what is in it.
    pub(crate) fn open_to_change(path: &Path) -> io::Result<Self> {
        open_to_change(CWD, path.as_os_str())
    }

    /// The folder of this name in it; a link is refused.
    pub(crate) fn child(&self, name: &OsStr) -> io::Result<Self> {
        Ok(Self(openat(&self.0, name, OPEN, Mode::empty())?))
    }

    /// As [`Folder::child`], with the rights to change what is in it.
    pub(crate) fn child_to_change(&self, name: &OsStr) -> io::Result<Self> {
        open_to_change(&self.0, name)
    }

    /// The folder of this name in it, made when it is not there.
    pub(crate) fn child_or_new(&self, name: &OsStr) -> io::Result<Self> {
        match rustix::fs::mkdirat(&self.0, name, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => self.child(name),
            Err(error) => Err(error.into()),
        }
    }

    /// A new folder of this name in it; what exists is refused.
    pub(crate) fn new_folder(&self, name: &OsStr, mode: u32) -> io::Result<Self> {
        rustix::fs::mkdirat(&self.0, name, Mode::from_raw_mode(mode as rustix::fs::RawMode))?;
        self.child(name)
    }

    /// A new file of this name in it; one that exists is refused.
    pub(crate) fn new_file(&self, name: &OsStr, mode: u32) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        // The type differs between systems.
        let mode = Mode::from_raw_mode(mode as rustix::fs::RawMode);
        Ok(File::from(openat(&self.0, name, flags, mode)?))
    }

    /// A new link of this name in it.
    pub(crate) fn new_link(&self, name: &OsStr, target: &[u8]) -> io::Result<()> {
        Ok(symlinkat(target, &self.0, name)?)
    }

    /// Opens a file for reading; a link is refused, and nothing is waited for.
    pub(crate) fn read_file(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(File::from(openat(&self.0, name, flags, Mode::empty())?))
    }

    /// Where a link leads.
    pub(crate) fn read_link(&self, name: &OsStr) -> io::Result<Vec<u8>> {
        Ok(readlinkat(&self.0, name, Vec::new())?.into_bytes())
    }

    /// What is in it, in no order.
    pub(crate) fn entries(&self) -> io::Result<impl Iterator<Item = io::Result<Entry>> + '_> {
        let entries = Dir::read_from(&self.0)?;
        Ok(entries.filter_map(|entry| self.entry(entry).transpose()))
    }

    fn entry(&self, entry: Result<rustix::fs::DirEntry, Errno>) -> io::Result<Option<Entry>> {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if matches!(name, b"." | b"..") {
            return Ok(None);
        }
        let name = OsString::from_vec(name.to_owned());
        let kind = match entry.file_type() {
            // Some file systems do not say it with the name.
            FileType::Unknown => match self.stat(&name) {
                Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            },
            kind => kind,
        };
        Ok(Some(Entry { name, kind }))
    }

    /// What is known of an entry; of a link, not of what it names.
    pub(crate) fn stat(&self, name: &OsStr) -> io::Result<Stat> {
        Ok(statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// What is known of the folder itself.
    pub(crate) fn own_stat(&self) -> io::Result<Stat> {
        Ok(fstat(&self.0)?)
    }

    /// Sets the mode of the folder itself.
    pub(crate) fn set_mode(&self, mode: u32) -> io::Result<()> {
        Ok(rustix::fs::fchmod(&self.0, Mode::from_raw_mode(mode as rustix::fs::RawMode))?)
    }

    /// Whether we may write an entry; for `.`, change what is in the folder. A link is followed.
    pub(crate) fn may_write(&self, name: &OsStr) -> bool {
        accessat(&self.0, name, Access::WRITE_OK, AtFlags::EACCESS).is_ok()
    }

    /// The bytes that may still be written in its file system.
    pub(crate) fn room(&self) -> io::Result<u64> {
        let found = fstatvfs(&self.0)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// Sees that the names in it outlast a power failure.
    pub(crate) fn sync(&self) -> io::Result<()> {
        Ok(fsync(&self.0)?)
    }

    /// Removes an entry that is no folder.
    pub(crate) fn remove_file(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Removes an empty folder.
    pub(crate) fn remove_folder(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    /// Moves an entry to another folder.
    pub(crate) fn rename(&self, name: &OsStr, to: &Self, new_name: &OsString) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.0, name, &to.0, new_name.as_os_str())?)
    }

    /// As [`Folder::rename`], where nothing has that name yet.
    pub(crate) fn rename_new(&self, name: &OsStr, to: &Self, new_name: &OsStr) -> io::Result<()> {
        Ok(renameat_with(&self.0, name, &to.0, new_name, RenameFlags::NOREPLACE)?)
    }

    /// Has two entries change places.
    pub(crate) fn exchange(&self, name: &OsStr, with: &Self, other: &OsStr) -> io::Result<()> {
        Ok(renameat_with(&self.0, name, &with.0, other, RenameFlags::EXCHANGE)?)
    }
}

fn open_to_change(place: impl AsFd, name: &OsStr) -> io::Result<Folder> {
    let place = place.as_fd();
    let stat = statat(place, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let is_folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    if is_folder && stat.st_mode & 0o700 != 0o700 {
        let mode = Mode::from_raw_mode(stat.st_mode & 0o777 | 0o700);
        chmodat(place, name.as_bytes(), mode, AtFlags::empty())?;
    }
    Ok(Folder(openat(place, name, OPEN, Mode::empty())?))
}
