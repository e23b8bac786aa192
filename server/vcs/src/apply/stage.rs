//! Folders at the top of the working tree, one for each operation under way, in which new files are made whole before they take their places,
//! and through which old ones leave: so every change of a file is one step, and an old file is looked at once
//! more when nobody can reach it any longer by its name.

use super::{
    disk::{self, Disk, Parent, Seen, look_in},
    record::Row,
};
use crate::folder::Folder;
use orchestra_core::folders::BEING_WRITTEN;
use rustix::io::Errno;
use std::{
    ffi::{OsStr, OsString},
    io,
};

/// The folder of an operation.
pub(super) struct Stage {
    pub(super) folder: Folder,
    all: Folder,
    name: OsString,
}

/// What became of an attempt to change a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moved {
    Yes,
    /// It is not what it was; nothing is changed.
    No,
}

/// A new file while it is being written: whatever it holds, it is ours.
pub(super) fn part(number: usize) -> OsString {
    format!("{number}.part").into()
}

/// A new file that is whole; once it has taken its place, the old one.
pub(super) fn whole(number: usize) -> OsString {
    number.to_string().into()
}

/// An old file that leaves.
fn leaving(number: usize) -> OsString {
    format!("{number}.old").into()
}

/// The operations that a crash has left in the middle, by the names of their folders.
pub(super) fn left_open(disk: &Disk) -> io::Result<Vec<OsString>> {
    match disk.top.child(OsStr::new(BEING_WRITTEN)) {
        Ok(all) => all.entries()?.map(|entry| entry.map(|entry| entry.name)).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

impl Stage {
    /// Opens the folder of an operation, and makes it where it is not there.
    pub(super) fn open(disk: &Disk, name: &OsStr) -> io::Result<Self> {
        let all = open_or_new(&disk.top, OsStr::new(BEING_WRITTEN))?;
        Ok(Self { folder: open_or_new(&all, name)?, all, name: name.to_owned() })
    }

    /// Removes the folder when nothing is left in it.
    pub(super) fn close(self, disk: &Disk) -> io::Result<()> {
        self.all.remove_folder(&self.name)?;
        disk.top.remove_folder(OsStr::new(BEING_WRITTEN))
    }

    fn state(&self, name: &OsStr) -> io::Result<Seen> {
        disk::see(look_in(&self.folder, name)?, |_| Ok(()))
    }

    /// Puts right what a crash has left of a file. The error names what must not be touched.
    pub(super) fn recover(
        &self,
        disk: &Disk,
        number: usize,
        path: &[u8],
        before: Option<&Row>,
        after: Option<&Row>,
    ) -> io::Result<()> {
        self.remove(&part(number))?;
        let old = leaving(number);
        match self.state(&old)? {
            Seen::Nothing => {}
            seen if before.is_some() && seen.is(before) => self.remove(&old)?,
            // What somebody wrote at the last moment goes back.
            _ => self.give_back(disk, &old, path)?,
        }
        let staged = whole(number);
        match self.state(&staged)? {
            Seen::Nothing => {}
            seen if after.is_some() && seen.is(after) => self.remove(&staged)?,
            seen if before.is_some() && seen.is(before) => self.remove(&staged)?,
            _ => self.change_back(disk, &staged, path, after)?,
        }
        Ok(())
    }

    /// Has a file that gave way to the new one, which it should not have, take its place again.
    fn change_back(
        &self,
        disk: &Disk,
        name: &OsStr,
        path: &[u8],
        after: Option<&Row>,
    ) -> io::Result<()> {
        if let Parent::Is(folder, place) = disk.parent(path)?
            && after.is_some()
            && disk.state(path)?.is(after)
        {
            self.folder.exchange(name, &folder, place)?;
            return self.remove(name);
        }
        self.give_back(disk, name, path)
    }

    fn remove(&self, name: &OsStr) -> io::Result<()> {
        match self.folder.remove_file(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    /// Gives a file its place back, in which nothing of anybody's is.
    fn give_back(&self, disk: &Disk, name: &OsStr, path: &[u8]) -> io::Result<()> {
        let kept = || {
            io::Error::other(format!(
                "what was written there at the last moment is in {BEING_WRITTEN}/{}/{}",
                self.name.display(),
                name.display()
            ))
        };
        let Parent::Is(folder, place) = disk.parent(path)? else { return Err(kept()) };
        match rename_new(&self.folder, name, &folder, place) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(kept()),
            other => other,
        }
    }

    /// Takes a file away that is still as it was.
    pub(super) fn take_away(
        &self,
        number: usize,
        folder: &Folder,
        place: &OsStr,
        before: &Row,
    ) -> io::Result<Moved> {
        let name = leaving(number);
        match rename_new(folder, place, &self.folder, &name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Moved::No),
            other => other?,
        }
        fail::fail_point!("vcs::apply::taken_away", |_| std::process::abort());
        if !self.state(&name)?.is(Some(before)) {
            rename_new(&self.folder, &name, folder, place)?;
            return Ok(Moved::No);
        }
        self.remove(&name)?;
        Ok(Moved::Yes)
    }

    /// Gives a new file its place, in which nothing or an old one is.
    pub(super) fn put(
        &self,
        number: usize,
        folder: &Folder,
        place: &OsStr,
        before: Option<&Row>,
    ) -> io::Result<Moved> {
        let name = whole(number);
        let Some(before) = before else {
            return match rename_new(&self.folder, &name, folder, place) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    self.remove(&name)?;
                    Ok(Moved::No)
                }
                other => other.map(|()| Moved::Yes),
            };
        };
        match self.folder.exchange(&name, folder, place) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.remove(&name)?;
                return Ok(Moved::No);
            }
            Err(error) if is_unknown(&error) => {
                return self.put_over(&name, folder, place, before);
            }
            Err(error) => return Err(error),
        }
        fail::fail_point!("vcs::apply::exchanged", |_| std::process::abort());
        if !self.state(&name)?.is(Some(before)) {
            self.folder.exchange(&name, folder, place)?;
            self.remove(&name)?;
            return Ok(Moved::No);
        }
        self.remove(&name)?;
        Ok(Moved::Yes)
    }

    /// Where the file system cannot have two files change places.
    fn put_over(
        &self,
        name: &OsString,
        folder: &Folder,
        place: &OsStr,
        before: &Row,
    ) -> io::Result<Moved> {
        if !disk::see(look_in(folder, place)?, |_| Ok(()))?.is(Some(before)) {
            self.remove(name)?;
            return Ok(Moved::No);
        }
        self.folder.rename(name, folder, &place.to_owned())?;
        Ok(Moved::Yes)
    }
}

fn open_or_new(folder: &Folder, name: &OsStr) -> io::Result<Folder> {
    match folder.new_folder(name, 0o700) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => folder.child_to_change(name),
        other => other,
    }
}

/// As [`Folder::rename_new`], also where the file system does not know it.
fn rename_new(from: &Folder, name: &OsStr, to: &Folder, new_name: &OsStr) -> io::Result<()> {
    match from.rename_new(name, to, new_name) {
        Err(error) if is_unknown(&error) => match to.stat(new_name) {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                from.rename(name, to, &new_name.to_owned())
            }
            Err(error) => Err(error),
        },
        other => other,
    }
}

/// Whether the file system or the kernel does not have what was asked.
fn is_unknown(error: &io::Error) -> bool {
    [Errno::INVAL, Errno::NOSYS, Errno::NOTSUP]
        .iter()
        .any(|unknown| error.raw_os_error() == Some(unknown.raw_os_error()))
}
