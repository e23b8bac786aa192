//! What stands in the way of a change and can be seen before anything is written.

use super::{
    NAMED, Prepared,
    disk::{Disk, Parent, Seen, Way, above, split},
    prepare::Clients,
    record::{Kind, is_acceptable},
    wanted::{Form, Planned, Step, Wanted},
};
use crate::{GitError, collect::difference::Side};
use rustix::fs::FileType;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

/// Why a file cannot be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Obstacle {
    Submodule,
    ReservedName,
    InTheWay,
    NotCheckedOut,
    NoFile,
    ReadOnly,
    ClosedFolder,
    OtherFileSystem,
}

impl Obstacle {
    fn message(self) -> &'static str {
        match self {
            Self::Submodule => {
                "submodules point to other commits, which is not for files on the disk"
            }
            Self::ReservedName => "names that git keeps for itself cannot be written",
            Self::InTheWay => {
                "files that are in no snapshot (ignored, too large, or in a repository of their own) are in the way"
            }
            Self::NotCheckedOut => {
                "files that git does not show on the disk (sparse checkout) would be changed"
            }
            Self::NoFile => "what is no regular file is in the way",
            Self::ReadOnly => "files are read-only",
            Self::ClosedFolder => "folders may not be written to",
            Self::OtherFileSystem => {
                "files lie on another file system than the top of the repository"
            }
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::Submodule => {
                "reject these hunks and change the submodules by git, or apply to a branch"
            }
            Self::ReservedName => "reject these files",
            Self::InTheWay => "move these files away, or reject what comes in their place",
            Self::NotCheckedOut => {
                "add their folders by `git sparse-checkout add`, or apply to a branch"
            }
            Self::NoFile => "remove it, or reject what comes in its place",
            Self::ReadOnly => "make them writable by `chmod u+w`, or reject their changes",
            Self::ClosedFolder => {
                "make them writable by `chmod u+w`, or reject what changes in them"
            }
            Self::OtherFileSystem => "apply to a branch, and merge it yourself",
        }
    }
}

/// Sorted by what is in the way, then by path.
#[derive(Default)]
struct Obstacles(BTreeMap<Obstacle, BTreeSet<Vec<u8>>>);

impl Obstacles {
    fn add(&mut self, obstacle: Obstacle, path: &[u8]) {
        self.0.entry(obstacle).or_default().insert(path.to_owned());
    }

    fn refusal(self) -> Option<Prepared> {
        let first = *self.0.keys().next()?;
        let messages = self.0.iter().map(|(obstacle, paths)| {
            let paths: Vec<Vec<u8>> = paths.iter().cloned().collect();
            format!("{}: {}", obstacle.message(), named(&paths))
        });
        let message = messages.collect::<Vec<_>>().join("; ");
        Some(Prepared::Refused { message, hint: first.hint().to_owned() })
    }
}

/// The first of these paths, for people.
pub(super) fn named(paths: &[Vec<u8>]) -> String {
    let shown = paths.iter().take(NAMED).map(|path| String::from_utf8_lossy(path).into_owned());
    let shown = shown.collect::<Vec<_>>().join(", ");
    match paths.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// What can be said by the trees alone.
pub(super) fn before_contents(steps: &[Step]) -> Option<Prepared> {
    let mut obstacles = Obstacles::default();
    for step in steps {
        let old = match &step.form {
            Form::AsGitWrites { old } => old.as_ref(),
            Form::Raw { .. } => None,
        };
        if [old, step.new.as_ref()].into_iter().flatten().any(Side::is_submodule) {
            obstacles.add(Obstacle::Submodule, &step.path);
        } else if let Some(new) = &step.new
            && !is_acceptable(&step.path, Kind::of_mode(&new.mode).unwrap_or(Kind::Plain))
        {
            obstacles.add(Obstacle::ReservedName, &step.path);
        }
    }
    obstacles.refusal()
}

/// What the disk says of a change.
pub(super) fn find(
    disk: &Disk,
    clients: &Clients<'_>,
    wanted: &Wanted,
) -> Result<Option<Prepared>, GitError> {
    let record = &wanted.record;
    let leaving: BTreeSet<&[u8]> = record
        .before
        .keys()
        .filter(|path| !record.after.contains_key(*path))
        .map(Vec::as_slice)
        .collect();
    let mut obstacles = Obstacles::default();
    let device = disk.top.own_stat().map_err(disk.failed("failed to read", b""))?.st_dev;
    for file in &wanted.files {
        let failed = || disk.failed("failed to read", &file.path);
        let is_wanted = record.after.contains_key(&file.path);
        see_file(disk, file, is_wanted, clients.own(&file.path), &leaving, &mut obstacles)
            .map_err(failed())?;
        if !clients.own(&file.path) {
            see_folder(disk, file, &leaving, device, &mut obstacles).map_err(failed())?;
        }
    }
    if let Some(refused) = obstacles.refusal() {
        return Ok(Some(refused));
    }
    if !disk.top.may_write(".".as_ref()) {
        let mut obstacles = Obstacles::default();
        obstacles.add(Obstacle::ClosedFolder, disk.path.as_os_str().as_encoded_bytes());
        return Ok(obstacles.refusal());
    }
    room(disk, clients, wanted)
}

fn see_file(
    disk: &Disk,
    file: &Planned,
    is_wanted: bool,
    is_clients: bool,
    leaving: &BTreeSet<&[u8]>,
    obstacles: &mut Obstacles,
) -> io::Result<()> {
    let path = &file.path;
    match (&file.seen, file.is_in_before) {
        (Seen::Special(_), _) => obstacles.add(Obstacle::NoFile, path),
        (Seen::File(_), Some(false)) => obstacles.add(Obstacle::InTheWay, path),
        (Seen::Nothing | Seen::Folder, Some(true)) if !is_clients => {
            obstacles.add(Obstacle::NotCheckedOut, path);
        }
        (Seen::Folder, _) if is_wanted => {
            for inner in disk.inside(path)?.files {
                if !leaving.contains(inner.as_slice()) {
                    obstacles.add(Obstacle::InTheWay, &inner);
                }
            }
        }
        (Seen::File(row), _)
            if !is_clients && row.permissions.is_some_and(|bits| bits & 0o222 == 0) =>
        {
            obstacles.add(Obstacle::ReadOnly, path);
        }
        _ => {}
    }
    Ok(())
}

/// The folder in which a file is written or removed.
fn see_folder(
    disk: &Disk,
    file: &Planned,
    leaving: &BTreeSet<&[u8]>,
    device: u64,
    obstacles: &mut Obstacles,
) -> io::Result<()> {
    let path = &file.path;
    if let (Seen::File(row), Parent::Is(folder, name)) = (&file.seen, disk.parent(path)?)
        && row.permissions.is_some()
        && !folder.may_write(name)
    {
        obstacles.add(Obstacle::ReadOnly, path);
    }
    for above in above(path).chain([b"".as_slice()]) {
        match disk.folder(above)? {
            Way::Is(folder) => {
                let found = folder.own_stat()?;
                if found.st_dev != device {
                    obstacles.add(Obstacle::OtherFileSystem, path);
                }
                if found.st_mode & 0o222 == 0 || !folder.may_write(".".as_ref()) {
                    obstacles.add(Obstacle::ClosedFolder, above);
                }
                return Ok(());
            }
            Way::Missing => {}
            // A file that goes makes way for a folder; anything else stays.
            Way::Beyond => {
                let is_leaving = leaving.contains(above);
                if !is_leaving && is_there(disk, above)? {
                    obstacles.add(Obstacle::InTheWay, above);
                }
            }
        }
    }
    Ok(())
}

/// Whether the obstacle is this path itself, rather than one above it.
fn is_there(disk: &Disk, path: &[u8]) -> io::Result<bool> {
    let (_, name) = split(path);
    Ok(match disk.parent(path)? {
        Parent::Is(folder, _) => folder
            .stat(name)
            .is_ok_and(|found| FileType::from_raw_mode(found.st_mode) != FileType::Directory),
        Parent::Missing | Parent::Beyond => false,
    })
}

/// All new files are written before the first old one goes.
fn room(disk: &Disk, clients: &Clients<'_>, wanted: &Wanted) -> Result<Option<Prepared>, GitError> {
    let ours = wanted.record.after.iter().filter(|(path, _)| !clients.own(path));
    let needed: u64 = ours.map(|(_, row)| row.content.bytes).sum();
    let free = disk.top.room().map_err(disk.failed("failed to read", b""))?;
    Ok((needed > free).then(|| Prepared::Refused {
        message: format!(
            "the files take {needed} bytes, and {} has {free} left",
            disk.path.display()
        ),
        hint: "make room on the disk, and try again".to_owned(),
    }))
}
