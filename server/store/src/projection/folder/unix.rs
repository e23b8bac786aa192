//! Folders as open descriptors, so that nothing on the way to a file can be swapped for a link.

use super::Obstacle;
use orchestra_core::folders::BEING_WRITTEN;
use rustix::{
    fs::{self, AtFlags, FileType, Mode, OFlags, RenameFlags},
    io::Errno,
};
use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

/// An open folder. Names given to it are single parts of a path.
#[derive(Debug)]
pub(in super::super) struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Opens the root of the workspace, which must exist.
    pub(in super::super) fn open_root(path: &Path) -> Result<Self, Obstacle> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = fs::open(path, flags, Mode::empty())
            .map_err(|error| Obstacle::folder(path, io::Error::from(error).to_string()))?;
        Ok(Self { fd, path: path.to_owned() })
    }

    /// Opens a folder in this one, made if it is missing.
    pub(in super::super) fn folder(&self, name: &str) -> Result<Self, Obstacle> {
        let path = self.path.join(name);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = || fs::openat(&self.fd, name, flags, Mode::empty());
        let fd = match open() {
            Err(Errno::NOENT) => match fs::mkdirat(&self.fd, name, Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(Errno::EXIST) => open(),
                Err(error) => Err(error),
            },
            opened => opened,
        };
        match fd {
            Ok(fd) => Ok(Self { fd, path }),
            // This folder itself is gone.
            Err(Errno::NOENT) => Err(Obstacle::new(&path, &Errno::NOENT.into())),
            Err(error) => Err(Obstacle::folder(&path, self.why_no_folder(name, error))),
        }
    }

    fn why_no_folder(&self, name: &str, error: Errno) -> String {
        match self.kind(name) {
            Ok(Some(FileType::Symlink)) => "is a symbolic link, which is not followed".to_owned(),
            Ok(Some(FileType::Directory) | None) | Err(_) => io::Error::from(error).to_string(),
            Ok(Some(_)) => "is not a folder".to_owned(),
        }
    }

    fn kind(&self, name: &str) -> Result<Option<FileType>, Errno> {
        match fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether anything has this name, a dangling link included.
    pub(in super::super) fn contains(&self, name: &str) -> Result<bool, Obstacle> {
        self.kind(name).map(|kind| kind.is_some()).map_err(|error| self.obstacle(name, error))
    }

    /// The content of a plain file; `None` when there is none of this name.
    pub(in super::super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Obstacle> {
        // Without NONBLOCK, opening a pipe would wait for its writer.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mut file = match fs::openat(&self.fd, name, flags, Mode::empty()) {
            Ok(fd) => File::from(fd),
            Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => return Ok(None),
            Err(error) => return Err(self.obstacle(name, error)),
        };
        let mut content = Vec::new();
        let plain = file.metadata().is_ok_and(|metadata| metadata.is_file());
        if !plain {
            return Ok(None);
        }
        file.read_to_end(&mut content).map_err(|error| self.failed(name, &error))?;
        Ok(Some(content))
    }

    /// Puts `content` there, in the place of whatever file or link has the name. A file that has it
    /// already is left alone, so that nobody who watches it is woken.
    pub(in super::super) fn replace(&self, name: &str, content: &[u8]) -> Result<(), Obstacle> {
        let length = fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| stat.st_size);
        let same_length = length.is_ok_and(|length| usize::try_from(length) == Ok(content.len()));
        if same_length && self.read(name).ok().flatten().is_some_and(|there| there == content) {
            return Ok(());
        }
        self.replace_with(name, |file| file.write_all(content))
    }

    pub(in super::super) fn replace_with(
        &self,
        name: &str,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<(), Obstacle> {
        self.write_temporary(name, write)?;
        fs::renameat(&self.fd, BEING_WRITTEN, &self.fd, name)
            .map_err(|error| self.obstacle(name, error))
    }

    /// Puts `content` there unless anything has the name. Since it is never written again, it is made
    /// to survive a loss of power.
    pub(in super::super) fn create(&self, name: &str, content: &[u8]) -> Result<(), Obstacle> {
        if self.contains(name)? {
            return Ok(());
        }
        self.write_temporary(name, |file| {
            file.write_all(content)?;
            file.sync_all()
        })?;
        let renamed = match fs::renameat_with(
            &self.fd,
            BEING_WRITTEN,
            &self.fd,
            name,
            RenameFlags::NOREPLACE,
        ) {
            // Somebody was faster.
            Err(Errno::EXIST) => fs::unlinkat(&self.fd, BEING_WRITTEN, AtFlags::empty()),
            // Some file systems cannot; then the check above has to do.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                fs::renameat(&self.fd, BEING_WRITTEN, &self.fd, name)
            }
            renamed => renamed,
        };
        renamed.map_err(|error| self.obstacle(name, error))
    }

    fn write_temporary(
        &self,
        name: &str,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<(), Obstacle> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let open = || fs::openat(&self.fd, BEING_WRITTEN, flags, Mode::from_raw_mode(0o666));
        let fd = match open() {
            // A new file each time: what lies there may be a link, or a second name of another file.
            Err(Errno::EXIST) => {
                self.remove(BEING_WRITTEN)?;
                open()
            }
            opened => opened,
        };
        let fd = fd.map_err(|error| self.obstacle(name, error))?;
        write(&mut File::from(fd)).map_err(|error| self.failed(name, &error))
    }

    /// Removes a file or a link; nothing happens when there is none.
    pub(in super::super) fn remove(&self, name: &str) -> Result<(), Obstacle> {
        match fs::unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(self.obstacle(name, error)),
        }
    }

    pub(in super::super) fn rename(&self, from: &str, to: &str) -> Result<(), Obstacle> {
        fs::renameat(&self.fd, from, &self.fd, to).map_err(|error| self.obstacle(from, error))
    }

    fn obstacle(&self, name: &str, error: Errno) -> Obstacle {
        self.failed(name, &error.into())
    }

    fn failed(&self, name: &str, error: &io::Error) -> Obstacle {
        Obstacle::new(&self.path.join(name), error)
    }
}
