//! New files, made whole and written through to the disk before any of them takes its place.

use super::{
    carry_out::{Problems, Task, note},
    disk::{Disk, Parent, owner},
    place::Place,
    record::{Kind, Row},
    stage::{Stage, part, whole},
};
use crate::{GitError, git::Git};
use rustix::fs::{Gid, Mode, Uid, fchmod, fchown};
use std::{
    fs::File,
    io::{self, BufRead, Read},
    thread,
};

/// How many files are written through to the disk at the same time: it takes about as long for many as for one.
const AT_ONCE: usize = 16;

/// Makes the new files, and has them written through.
pub(super) fn write<'a>(
    disk: &Disk,
    place: &Place,
    stage: &Stage,
    open: &[&Task<'a>],
    problems: &mut Problems<'a>,
) -> Result<(), GitError> {
    let new: Vec<(&Task<'a>, &Row, &str)> =
        open.iter().filter_map(|task| Some((*task, task.after?, task.id?))).collect();
    if new.is_empty() {
        return Ok(());
    }
    let mut files: Vec<(&Task<'a>, File)> = Vec::new();
    let mut failed = Vec::new();
    let ids: String = new.iter().map(|(_, _, id)| format!("{id}\n")).collect();
    let git: Git = place.git("cat-file").args(["--batch"]).input(ids.into_bytes());
    git.stream(|pipe| {
        for (task, row, _) in &new {
            let bytes = size(pipe)?;
            let mut content = pipe.take(bytes);
            match write_one(disk, stage, task, row, &mut content) {
                Ok(file) => files.extend(file.map(|file| (*task, file))),
                Err(error) => failed.push((*task, error)),
            }
            io::copy(&mut content, &mut io::sink())?;
            // The line end after it.
            pipe.read_exact(&mut [0])?;
        }
        Ok(())
    })?;
    fail::fail_point!("vcs::apply::written", |_| std::process::abort());
    let synced = at_once(&files, |(_, file)| file.sync_all());
    for ((task, _), synced) in files.iter().zip(synced) {
        match synced {
            Ok(()) => {
                let name = part(task.number);
                let named = stage.folder.rename(&name, &stage.folder, &whole(task.number));
                note(problems, task, named);
            }
            Err(error) => failed.push((*task, error)),
        }
    }
    for (task, error) in failed {
        note(problems, task, Err(error));
    }
    Ok(())
}

/// The file, when it has to be written through.
fn write_one(
    disk: &Disk,
    stage: &Stage,
    task: &Task<'_>,
    row: &Row,
    content: &mut impl Read,
) -> io::Result<Option<File>> {
    if row.content.kind == Kind::Link {
        let mut target = Vec::new();
        content.read_to_end(&mut target)?;
        stage.folder.new_link(&whole(task.number), &target)?;
        return Ok(None);
    }
    let mode = if row.content.kind == Kind::Program { 0o777 } else { 0o666 };
    let name = part(task.number);
    let mut file = stage.folder.new_file(&name, mode)?;
    let written = fill(disk, task, row, &mut file, content);
    if written.is_err() {
        // Others may have the room that it takes.
        stage.folder.remove_file(&name)?;
    }
    written.map(|()| Some(file))
}

fn fill(
    disk: &Disk,
    task: &Task<'_>,
    row: &Row,
    file: &mut File,
    content: &mut impl Read,
) -> io::Result<()> {
    fail::fail_point!("vcs::apply::disk_full", |_| Err(io::ErrorKind::StorageFull.into()));
    io::copy(content, file)?;
    give_to_owner(disk, task, file)?;
    if let Some(permissions) = row.permissions {
        fchmod(file, Mode::from_raw_mode(permissions as rustix::fs::RawMode))?;
    }
    Ok(())
}

/// Gives a new file the owner and the group of the old one, or the group that its folder gives.
fn give_to_owner(disk: &Disk, task: &Task<'_>, file: &File) -> io::Result<()> {
    const SET_GROUP: u32 = 0o2000;
    let Parent::Is(folder, name) = disk.parent(task.path)? else { return Ok(()) };
    let wanted = match folder.read_file(name) {
        Ok(old) => owner(&old)?,
        Err(_) => {
            let found = folder.own_stat()?;
            let (user, group) = owner(file)?;
            (user, if found.st_mode & SET_GROUP == 0 { group } else { found.st_gid })
        }
    };
    if wanted != owner(file)? {
        let (user, group) = (Uid::from_raw(wanted.0), Gid::from_raw(wanted.1));
        // Only the superuser may give files away; git would not even try.
        let _ = fchown(file, Some(user), Some(group));
    }
    Ok(())
}

/// `<id> blob <size>`
fn size(pipe: &mut dyn BufRead) -> io::Result<u64> {
    let mut line = String::new();
    pipe.read_line(&mut line)?;
    let size = line.trim_end().rsplit(' ').next().and_then(|size| size.parse().ok());
    size.ok_or_else(|| io::Error::other(format!("git has no content: {}", line.trim_end())))
}

/// Does it for all, some at the same time; answers in order.
pub(super) fn at_once<T: Sync>(
    all: &[T],
    work: impl Fn(&T) -> io::Result<()> + Sync,
) -> Vec<io::Result<()>> {
    let share = all.len().div_ceil(AT_ONCE).max(1);
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = all
            .chunks(share)
            .map(|share| scope.spawn(move || share.iter().map(work).collect::<Vec<_>>()))
            .collect();
        let done = threads.into_iter().map(|thread| match thread.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        done.flatten().collect()
    })
}
