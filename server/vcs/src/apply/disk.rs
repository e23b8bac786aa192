//! What lies on the disk at a path, seen by descriptors from the top of the working tree: no link is followed,
//! so nothing outside of it is looked at or written.

use super::record::{Content, Kind, Row};
use crate::{
    GitError,
    folder::Folder,
    survey::{absolute, special},
};
use rustix::fs::{FileType, Stat};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    ffi::OsStr,
    fs::File,
    io::{self, Write},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{MetadataExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
};

/// The files of a working tree.
pub(super) struct Disk {
    pub(super) path: PathBuf,
    pub(super) top: Folder,
    /// Paths that differ from another one of the same operation by the case of letters only. Where the file
    /// system takes those for one, a file is not there under the other's name.
    twins: HashSet<Vec<u8>>,
}

/// What is at a path.
#[derive(Debug)]
pub(super) enum Found {
    Nothing,
    /// Something other than a folder lies on the way to it.
    Beyond,
    Folder,
    Link(Vec<u8>),
    /// Open for reading.
    File(File),
    /// By what it is.
    Special(&'static str),
}

/// What is at a path, read and compared with nothing yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// No file: nothing at all, or nothing that could be one.
    Nothing,
    Folder,
    File(Row),
    Special(&'static str),
}

/// The folder of a path and the name in it.
pub(super) enum Parent<'a> {
    Is(Folder, &'a OsStr),
    /// It is not there.
    Missing,
    /// Something else is in its place.
    Beyond,
}

impl Disk {
    /// `paths` are all that will be asked for.
    pub(super) fn open<'a>(
        top: &Path,
        paths: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Self, GitError> {
        let folder = Folder::open(top).map_err(GitError::io("failed to open", top))?;
        Ok(Self { path: top.to_owned(), top: folder, twins: twins(paths) })
    }

    pub(super) fn failed(
        &self,
        doing: &'static str,
        path: &[u8],
    ) -> impl FnOnce(io::Error) -> GitError {
        GitError::io(doing, absolute(&self.path, path))
    }

    /// Where a path lies.
    pub(super) fn parent<'a>(&self, path: &'a [u8]) -> io::Result<Parent<'a>> {
        let (above, name) = split(path);
        match self.folder(above)? {
            Way::Is(folder) => Ok(Parent::Is(folder, name)),
            Way::Missing => Ok(Parent::Missing),
            Way::Beyond => Ok(Parent::Beyond),
        }
    }

    /// A folder; the top for an empty path.
    pub(super) fn folder(&self, path: &[u8]) -> io::Result<Way> {
        let mut folder = self.top.child(OsStr::new("."))?;
        for part in path.split(|&byte| byte == b'/').filter(|part| !part.is_empty()) {
            folder = match folder.child(OsStr::from_bytes(part)) {
                Ok(child) => child,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Way::Missing),
                Err(error) if is_no_folder(&error) => return Ok(Way::Beyond),
                Err(error) => return Err(error),
            };
        }
        Ok(Way::Is(folder))
    }

    pub(super) fn look(&self, path: &[u8]) -> io::Result<Found> {
        let (folder, name) = match self.parent(path)? {
            Parent::Is(folder, name) => (folder, name),
            Parent::Missing => return Ok(Found::Nothing),
            Parent::Beyond => return Ok(Found::Beyond),
        };
        if self.twins.contains(path) && !has_exactly(&folder, name)? {
            return Ok(Found::Nothing);
        }
        look_in(&folder, name)
    }

    /// Reads what is at a path, and shows its bytes.
    pub(super) fn see(
        &self,
        path: &[u8],
        show: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<Seen> {
        see(self.look(path)?, show)
    }

    /// Reads what is at a path.
    pub(super) fn state(&self, path: &[u8]) -> io::Result<Seen> {
        self.see(path, |_| Ok(()))
    }

    /// The folders above these paths that are there, with their permissions; not the top.
    pub(super) fn folders_above<'a>(
        &self,
        paths: impl Iterator<Item = &'a [u8]>,
    ) -> io::Result<BTreeMap<Vec<u8>, u32>> {
        let mut found = BTreeMap::new();
        let mut asked = BTreeSet::new();
        for path in paths {
            for above in above(path) {
                if asked.insert(above)
                    && let Way::Is(folder) = self.folder(above)?
                {
                    found.insert(above.to_owned(), permissions(&folder.own_stat()?));
                }
            }
        }
        Ok(found)
    }

    /// Everything in a folder: folders with their permissions, and the rest.
    pub(super) fn inside(&self, path: &[u8]) -> io::Result<Inside> {
        let mut inside = Inside::default();
        let mut places = vec![path.to_owned()];
        while let Some(place) = places.pop() {
            let Way::Is(folder) = self.folder(&place)? else { continue };
            inside.folders.insert(place.clone(), permissions(&folder.own_stat()?));
            for entry in folder.entries()? {
                let entry = entry?;
                let inner = [&place, b"/".as_slice(), entry.name.as_bytes()].concat();
                if entry.is_folder() {
                    places.push(inner);
                } else {
                    inside.files.insert(inner);
                }
            }
        }
        Ok(inside)
    }
}

/// What is in a folder, all the way down, with the folder itself.
#[derive(Debug, Default)]
pub(super) struct Inside {
    pub(super) folders: BTreeMap<Vec<u8>, u32>,
    pub(super) files: BTreeSet<Vec<u8>>,
}

/// The way to a folder.
pub(super) enum Way {
    Is(Folder),
    Missing,
    Beyond,
}

/// What is at a name in a folder.
pub(super) fn look_in(folder: &Folder, name: &OsStr) -> io::Result<Found> {
    let stat = match folder.stat(name) {
        Ok(stat) => stat,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(error),
    };
    let kind = FileType::from_raw_mode(stat.st_mode);
    if let Some(what) = special(kind) {
        return Ok(Found::Special(what));
    }
    match kind {
        FileType::Directory => Ok(Found::Folder),
        FileType::Symlink => Ok(Found::Link(folder.read_link(name)?)),
        _ => {
            let file = folder.read_file(name)?;
            // It may have been replaced since.
            if !file.metadata()?.is_file() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            Ok(Found::File(file))
        }
    }
}

/// Reads what was found, and shows its bytes.
pub(super) fn see(found: Found, mut show: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<Seen> {
    Ok(match found {
        Found::Nothing | Found::Beyond => Seen::Nothing,
        Found::Folder => Seen::Folder,
        Found::Special(what) => Seen::Special(what),
        Found::Link(target) => {
            show(&target)?;
            Seen::File(Row { content: Content::of(Kind::Link, &target), permissions: None })
        }
        Found::File(file) => {
            let mode = file.metadata()?.permissions().mode() & 0o7777;
            let kind = if mode & 0o100 == 0 { Kind::Plain } else { Kind::Program };
            let content = Content::read(kind, file, show)?;
            Seen::File(Row { content, permissions: Some(mode) })
        }
    })
}

impl Seen {
    /// Whether it is this content; without one, whether there is no file.
    pub(super) fn is(&self, wanted: Option<&Row>) -> bool {
        match (self, wanted) {
            (Self::Nothing | Self::Folder, None) => true,
            (Self::File(row), Some(wanted)) => row.content == wanted.content,
            _ => false,
        }
    }
}

/// The owner of a file and its group.
pub(super) fn owner(file: &File) -> io::Result<(u32, u32)> {
    let found = file.metadata()?;
    Ok((found.uid(), found.gid()))
}

pub(super) fn permissions(stat: &Stat) -> u32 {
    stat.st_mode & 0o7777
}

/// The folders above a path, the uppermost last; not the top.
pub(super) fn above(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let slashes = path.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/');
    slashes.map(|(at, _)| &path[..at])
}

/// The folder of a path, empty for the top, and the name in it.
pub(super) fn split(path: &[u8]) -> (&[u8], &OsStr) {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(slash) => (&path[..slash], OsStr::from_bytes(&path[slash + 1..])),
        None => (&[], OsStr::from_bytes(path)),
    }
}

/// A link is refused in one of two ways, depending on the system.
fn is_no_folder(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotADirectory)
        || error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

fn has_exactly(folder: &Folder, name: &OsStr) -> io::Result<bool> {
    for entry in folder.entries()? {
        if entry?.name == name {
            return Ok(true);
        }
    }
    Ok(false)
}

fn twins<'a>(paths: impl Iterator<Item = &'a [u8]>) -> HashSet<Vec<u8>> {
    let mut by_folded: BTreeMap<String, BTreeSet<&[u8]>> = BTreeMap::new();
    for path in paths {
        by_folded.entry(String::from_utf8_lossy(path).to_lowercase()).or_default().insert(path);
    }
    let several = by_folded.into_values().filter(|same| same.len() > 1);
    several.flatten().map(<[u8]>::to_owned).collect()
}

/// Writes what is shown to a file.
pub(super) fn into(file: &mut File) -> impl FnMut(&[u8]) -> io::Result<()> {
    |bytes| file.write_all(bytes)
}
