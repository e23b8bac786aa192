//! Changing the files, each in one step, in an order in which nothing is in the way of anything.

use super::{
    CarryOut,
    disk::{Disk, Parent, Seen, Way, above, split},
    new_files::{self, at_once},
    place::Place,
    record::{Kept, Row},
    stage::{Moved, Stage, left_open},
};
use crate::{GitError, folder::Folder};
use orchestra_core::operation::{FilePlan, FileResult, FileState, Owner};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    io,
    os::unix::ffi::OsStrExt as _,
};

/// One file of the change.
pub(super) struct Task<'a> {
    /// As it is called while it is under way.
    pub(super) number: usize,
    pub(super) path: &'a [u8],
    pub(super) before: Option<&'a Row>,
    pub(super) after: Option<&'a Row>,
    /// Where its new bytes are.
    pub(super) id: Option<&'a str>,
}

/// What went wrong, by path.
pub(super) type Problems<'a> = BTreeMap<&'a [u8], io::Error>;

/// Changes the user's files as [`super::prepare`] has worked it out, those of them that are not the client's.
/// Answers what each of these is afterwards, by a look at the disk.
///
/// A file that is not what it was when the change was prepared is left alone. Done again, also after a crash,
/// it goes on where it was: what is as it should be stays as it is.
pub fn carry_out(request: &CarryOut<'_>) -> Result<Vec<FileResult>, GitError> {
    let place = Place::find(request.root)?;
    let kept = Kept::read(&place, request.references)?;
    let record = &kept.record;
    let paths = record.paths();
    let disk = Disk::open(&place.top, paths.iter().copied())?;
    let ours = ours(request.files);
    let tasks: Vec<Task<'_>> = paths
        .into_iter()
        .enumerate()
        .filter(|(_, path)| ours.contains(&*String::from_utf8_lossy(path)))
        .map(|(number, path)| Task {
            number,
            path,
            before: record.before.get(path),
            after: record.after.get(path),
            id: kept.after.get(path).map(String::as_str),
        })
        .collect();
    if tasks.is_empty() {
        return Ok(Vec::new());
    }
    let mut problems = Problems::new();
    let change = Change { disk: &disk, place: &place, kept: &kept, tasks: &tasks };
    change.run(&mut problems)?;
    fail::fail_point!("vcs::apply::carried_out", |_| std::process::abort());
    Ok(tasks.iter().map(|task| result(&disk, task, &problems)).collect())
}

/// The paths of the files that are for the disk.
fn ours(files: &[FilePlan]) -> BTreeSet<&str> {
    let ours = files.iter().filter(|file| file.owner == Owner::Disk);
    ours.map(|file| file.path.as_str()).collect()
}

fn result(disk: &Disk, task: &Task<'_>, problems: &Problems<'_>) -> FileResult {
    let state = match disk.state(task.path) {
        Ok(seen) if seen.is(task.after) => FileState::Applied,
        now => match (problems.get(task.path), now) {
            (Some(problem), _) => FileState::Failed { problem: problem.to_string() },
            (None, Err(error)) => FileState::Failed { problem: error.to_string() },
            (None, Ok(_)) => FileState::ChangedMeanwhile,
        },
    };
    FileResult { path: String::from_utf8_lossy(task.path).into_owned(), state }
}

struct Change<'a> {
    disk: &'a Disk,
    place: &'a Place,
    kept: &'a Kept,
    tasks: &'a [Task<'a>],
}

impl<'a> Change<'a> {
    fn run(&self, problems: &mut Problems<'a>) -> Result<(), GitError> {
        let failed = || self.disk.failed("failed to write in", b"");
        for other in left_open(self.disk).map_err(failed())? {
            self.recover_other(&other);
        }
        let name = OsStr::new(&self.kept.commit);
        let stage = Stage::open(self.disk, name).map_err(failed())?;
        self.recover(&stage, problems);
        fail::fail_point!("vcs::apply::recovered", |_| std::process::abort());
        let open: Vec<&Task<'_>> =
            self.tasks.iter().filter(|task| self.is_open(task, problems)).collect();
        new_files::write(self.disk, self.place, &stage, &open, problems)?;
        fail::fail_point!("vcs::apply::staged", |_| std::process::abort());
        let mut touched = BTreeSet::new();
        for task in open.iter().filter(|task| task.after.is_none()) {
            let removed = self.remove(&stage, task, &mut touched);
            note(problems, task, removed);
            fail::fail_point!("vcs::apply::removed", |_| std::process::abort());
        }
        let gone: Vec<&[u8]> = self
            .tasks
            .iter()
            .filter(|task| task.after.is_none())
            .flat_map(|task| above(task.path))
            .collect();
        self.remove_emptied(&gone, &mut touched);
        fail::fail_point!("vcs::apply::emptied", |_| std::process::abort());
        for task in open.iter().filter(|task| task.after.is_some()) {
            if !problems.contains_key(task.path) {
                let put = self.put(&stage, task, &mut touched);
                note(problems, task, put);
                fail::fail_point!("vcs::apply::put", |_| std::process::abort());
            }
        }
        self.remake_folders(&mut touched);
        fail::fail_point!("vcs::apply::remade", |_| std::process::abort());
        self.recover(&stage, problems);
        let folders = touched.into_iter().filter_map(|path| match self.disk.folder(&path) {
            Ok(Way::Is(folder)) => Some(folder),
            _ => None,
        });
        let folders: Vec<Folder> = folders.collect();
        // What cannot be written through is no less there.
        let _ = at_once(&folders, |folder| folder.sync());
        fail::fail_point!("vcs::apply::synced", |_| std::process::abort());
        // Something of a file that could not be put right may be left in it.
        let _ = stage.close(self.disk);
        Ok(())
    }

    /// Puts right what was left of all files, also of those that are not asked for.
    fn recover(&self, stage: &Stage, problems: &mut Problems<'a>) {
        let kept: &'a Kept = self.kept;
        let record = &kept.record;
        for (number, path) in record.paths().into_iter().enumerate() {
            let (before, after) = (record.before.get(path), record.after.get(path));
            if let Err(error) = stage.recover(self.disk, number, path, before, after) {
                problems.entry(path).or_insert(error);
            }
        }
    }

    /// The same for an operation that was left in the middle, and may be taken back by this one. What
    /// cannot be put right is left where it is.
    fn recover_other(&self, name: &OsStr) {
        if name == OsStr::new(&self.kept.commit) {
            return;
        }
        let kept = name.to_str().map(|commit| Kept::of_commit(self.place, commit));
        let Some(Ok(kept)) = kept else { return };
        let paths = kept.record.paths();
        let Ok(disk) = Disk::open(&self.place.top, paths.into_iter()) else { return };
        let Ok(stage) = Stage::open(&disk, name) else { return };
        let other = Change { disk: &disk, place: self.place, kept: &kept, tasks: &[] };
        other.recover(&stage, &mut Problems::new());
        let _ = stage.close(&disk);
    }

    /// Whether there is something to do about a file, and it may be done.
    fn is_open(&self, task: &Task<'a>, problems: &mut Problems<'a>) -> bool {
        if problems.contains_key(task.path) {
            return false;
        }
        match self.disk.state(task.path) {
            Ok(seen) => !seen.is(task.after) && seen.is(task.before),
            Err(error) => {
                problems.insert(task.path, error);
                false
            }
        }
    }

    fn remove(
        &self,
        stage: &Stage,
        task: &Task<'_>,
        touched: &mut BTreeSet<Vec<u8>>,
    ) -> io::Result<()> {
        let Some(before) = task.before else { return Ok(()) };
        let Parent::Is(folder, name) = self.disk.parent(task.path)? else { return Ok(()) };
        if stage.take_away(task.number, &folder, name, before)? == Moved::Yes {
            touched.insert(split(task.path).0.to_owned());
        }
        Ok(())
    }

    /// Removes the folders in which nothing is left, but those that are to stay.
    fn remove_emptied(&self, folders: &[&[u8]], touched: &mut BTreeSet<Vec<u8>>) {
        let mut folders: Vec<&[u8]> =
            folders.iter().copied().filter(|path| !self.is_wanted(path)).collect();
        // The inner ones first.
        folders.sort_by(|a, b| b.cmp(a));
        folders.dedup();
        for path in folders {
            // Where something is left in one, or it is another's, it stays.
            if let Ok(Parent::Is(folder, name)) = self.disk.parent(path)
                && folder.remove_folder(name).is_ok()
            {
                let (above, _) = split(path);
                touched.remove(path);
                touched.insert(above.to_owned());
            }
        }
    }

    fn is_wanted(&self, folder: &[u8]) -> bool {
        self.kept.record.wanted.contains_key(folder)
    }

    fn put(
        &self,
        stage: &Stage,
        task: &Task<'_>,
        touched: &mut BTreeSet<Vec<u8>>,
    ) -> io::Result<()> {
        let (above, name) = split(task.path);
        let folder = self.make_folders(above, touched)?;
        if task.before.is_none() && self.disk.state(task.path)? == Seen::Folder {
            let inside = self.disk.inside(task.path)?.folders;
            for path in inside.keys().rev() {
                if let Parent::Is(folder, name) = self.disk.parent(path)? {
                    folder.remove_folder(name)?;
                }
            }
        }
        if stage.put(task.number, &folder, name, task.before)? == Moved::Yes {
            touched.insert(above.to_owned());
        }
        Ok(())
    }

    /// The folder, made with all above it where they are not there.
    fn make_folders(&self, path: &[u8], touched: &mut BTreeSet<Vec<u8>>) -> io::Result<Folder> {
        let mut folder = self.disk.top.child(OsStr::new("."))?;
        let mut at = 0;
        for part in path.split(|&byte| byte == b'/').filter(|part| !part.is_empty()) {
            let (above, name) =
                (path[..at].strip_suffix(b"/").unwrap_or(b""), OsStr::from_bytes(part));
            at += part.len() + 1;
            let here = &path[..at.min(path.len())];
            let here = here.strip_suffix(b"/").unwrap_or(here);
            folder = match folder.child(name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let made = folder.new_folder(name, 0o777)?;
                    if let Some(&permissions) = self.kept.record.wanted.get(here) {
                        made.set_mode(permissions)?;
                    }
                    touched.insert(above.to_owned());
                    made
                }
                other => other?,
            };
        }
        Ok(folder)
    }

    /// Makes the folders anew that are to be there and are not.
    fn remake_folders(&self, touched: &mut BTreeSet<Vec<u8>>) {
        for path in self.kept.record.wanted.keys() {
            // What somebody has put into its place stays there.
            let _ = self.make_folders(path, touched);
        }
    }
}

pub(super) fn note<'a>(problems: &mut Problems<'a>, task: &Task<'a>, result: io::Result<()>) {
    if let Err(error) = result {
        problems.entry(task.path).or_insert(error);
    }
}
