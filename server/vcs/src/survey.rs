//! A walk over a working tree, for what git would wait for, never read, or pass over in silence. Only folders
//! are opened, and no link is followed. On the way it sees which files are not as the index has them.

mod compared;

use crate::{
    GitError,
    folder::{Entry, Folder},
    index::{Child, Kind, Tracked},
};
pub(crate) use compared::Compared;
use rustix::fs::FileType;
use std::{
    collections::{BTreeSet, HashMap},
    ffi::OsStr,
    fs, io,
    ops::Range,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::{Path, PathBuf},
};

/// What git opens by its name, whatever it is.
const OPENED_BY_GIT: [&[u8]; 3] = [b".gitignore", b".gitattributes", b".gitmodules"];

/// What is unusual in a tree. Paths are relative to its top, sorted.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// FIFOs, sockets and devices, by what they are.
    pub(crate) special: Vec<(Vec<u8>, &'static str)>,
    /// Folders other than the top with a `.git` in them.
    pub(crate) nested: BTreeSet<Vec<u8>>,
    /// Folders that cannot be looked into.
    pub(crate) unreadable: Vec<Vec<u8>>,
    /// Files over the limit, where git has no sizes to compare and would read them.
    pub(crate) large: Vec<(Vec<u8>, u64)>,
    /// What is not as the index has it; none where only git can say that.
    pub(crate) compared: Option<Compared>,
}

/// A folder to look into.
struct Place {
    path: Vec<u8>,
    /// What is tracked below it.
    tracked: Range<usize>,
    below: Below,
}

/// What a folder lies in, for files that are not tracked.
#[derive(Clone, Copy)]
enum Below {
    /// Folders in which something is tracked.
    Known,
    /// A folder in which nothing is, by its number.
    Unknown(usize),
    /// A submodule, of which nothing is looked at.
    Submodule,
}

/// What is asked of a walk.
pub(crate) struct Walk<'a> {
    /// The top of the working tree.
    pub(crate) src: &'a Path,
    /// Compares with it.
    pub(crate) index: Option<&'a Tracked>,
    /// Remembers so many files that are not tracked.
    pub(crate) room: usize,
    /// Goes into folders in which nothing is tracked. Those of a build may be huge.
    pub(crate) into_unknown: bool,
    /// Names files with more bytes.
    pub(crate) large: Option<u64>,
}

pub(crate) fn look(walk: &Walk<'_>) -> Result<Survey, GitError> {
    let nothing = Tracked::default();
    let tracked = walk.index.unwrap_or(&nothing);
    let compared = walk.index.map(|_| Compared::new(walk.room));
    let mut survey = Survey { compared, ..Survey::default() };
    let top = Place { path: Vec::new(), tracked: tracked.all(), below: Below::Known };
    let mut places = vec![top];
    while let Some(place) = places.pop() {
        survey.place(walk, tracked, place, &mut places)?;
    }
    survey.special.sort();
    survey.unreadable.sort();
    survey.large.sort();
    Ok(survey)
}

impl Survey {
    /// Whether a path lies in a folder that cannot be looked into.
    pub(crate) fn is_closed(&self, path: &[u8]) -> bool {
        let above = |folder: &Vec<u8>| path.strip_prefix(folder.as_slice());
        self.unreadable.iter().filter_map(above).any(|rest| rest.starts_with(b"/"))
    }

    fn place(
        &mut self,
        walk: &Walk<'_>,
        tracked: &Tracked,
        place: Place,
        places: &mut Vec<Place>,
    ) -> Result<(), GitError> {
        let Place { path: above, tracked: range, below } = place;
        let shown = absolute(walk.src, &above);
        let folder = if is_open(&shown) { Folder::open(&shown) } else { Err(denied()) };
        let Ok(folder) = folder else {
            if above.is_empty() {
                return Err(GitError::NoTree(walk.src.to_owned()));
            }
            self.unreadable.push(above);
            // A folder that cannot be listed may be one through which git goes all the same.
            self.compared = None;
            return Ok(());
        };
        let failed = || GitError::io("failed to read", &shown);
        let skip = if above.is_empty() { 0 } else { above.len() + 1 };
        let mut known: HashMap<&[u8], Child> = tracked.children(range, skip).collect();
        for entry in folder.entries().map_err(failed())? {
            let entry = entry.map_err(failed())?;
            let name = entry.name.as_bytes();
            if name == b".git" {
                if !above.is_empty() {
                    self.nested.insert(above.clone());
                    see_no_special(&folder, &entry, &shown)?;
                }
                continue;
            }
            let path = join(&above, name);
            let child = known.remove(name);
            if let Some(what) = special(entry.kind) {
                if OPENED_BY_GIT.contains(&name) {
                    return Err(GitError::Special(shown.join(&entry.name)));
                }
                self.special.push((path.clone(), what));
            }
            if let Some(limit) = walk.large
                && entry.kind == FileType::RegularFile
                && let Ok(found) = folder.stat(&entry.name)
                && size(&found) > limit
            {
                self.large.push((path.clone(), size(&found)));
            }
            let below = self.compare(tracked, &folder, &entry, &path, child.as_ref(), below);
            let is_passed_over = !walk.into_unknown && matches!(below, Below::Unknown(_));
            if let (Below::Unknown(number), Some(compared)) = (below, &mut self.compared)
                && is_passed_over
            {
                compared.pass_over(number);
            } else if entry.is_folder() {
                let tracked = match child {
                    Some(Child::Folder(range)) => range,
                    _ => 0..0,
                };
                places.push(Place { path, tracked, below });
            }
        }
        for (name, child) in known {
            self.missing(tracked, &folder, name, &child);
        }
        Ok(())
    }

    /// Compares an entry with what the index has there; answers what a folder's entries are below.
    fn compare(
        &mut self,
        tracked: &Tracked,
        folder: &Folder,
        entry: &Entry,
        path: &[u8],
        child: Option<&Child>,
        below: Below,
    ) -> Below {
        let Some(compared) = &mut self.compared else { return below };
        match child {
            Some(Child::Folder(_)) if entry.is_folder() => return Below::Known,
            Some(Child::Entry(Kind::Submodule, _)) if entry.is_folder() => {
                return Below::Submodule;
            }
            Some(Child::Entry(..)) if entry.is_folder() => compared.touch(path),
            Some(Child::Entry(_, number)) => {
                // What cannot be looked at now, such as a file that an editor replaces, may be another one.
                let found = folder.stat(&entry.name);
                if !found.is_ok_and(|found| tracked.is_untouched(*number, &found)) {
                    compared.touch(path);
                }
                return below;
            }
            Some(Child::Folder(range)) => {
                // Git follows a link where a folder was.
                let is_link = entry.kind == FileType::Symlink;
                let gone = range.clone().map(|number| tracked.path(number));
                if is_link { compared.hide(gone) } else { compared.miss(gone) }
            }
            None => {}
        }
        match below {
            Below::Known if entry.is_folder() => Below::Unknown(compared.add_folder(path)),
            Below::Known if entry.is_file_or_link() => {
                compared.add_file(path);
                below
            }
            Below::Unknown(folder) if entry.is_file_or_link() => {
                compared.add_file_in(folder, path);
                below
            }
            below => below,
        }
    }

    /// Notes what is tracked and was not found among the entries of a folder.
    fn missing(&mut self, tracked: &Tracked, folder: &Folder, name: &[u8], child: &Child) {
        let Some(compared) = &mut self.compared else { return };
        match folder.stat(OsStr::from_bytes(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => match child {
                Child::Entry(_, number) => compared.miss([tracked.path(*number)]),
                Child::Folder(range) => {
                    compared.miss(range.clone().map(|number| tracked.path(number)));
                }
            },
            // It is there by another spelling, or was not there a moment ago.
            _ => self.compared = None,
        }
    }
}

/// To know whether a folder is a repository, git reads what lies directly in its `.git`.
fn see_no_special(folder: &Folder, entry: &Entry, shown: &Path) -> Result<(), GitError> {
    if !entry.is_folder() {
        return Ok(());
    }
    let Ok(git) = folder.child(&entry.name) else { return Ok(()) };
    let Ok(entries) = git.entries() else { return Ok(()) };
    for inner in entries.flatten() {
        if special(inner.kind).is_some() {
            return Err(GitError::Special(shown.join(&entry.name).join(&inner.name)));
        }
    }
    Ok(())
}

/// Whether its owner may look into a folder. Orchestra itself could as root, but the git that it
/// confines could not.
fn is_open(folder: &Path) -> bool {
    fs::symlink_metadata(folder).is_ok_and(|found| found.mode() & 0o500 == 0o500)
}

fn denied() -> io::Error {
    io::ErrorKind::PermissionDenied.into()
}

/// Why a file is neither regular, nor a folder, nor a link.
pub(crate) fn special(kind: FileType) -> Option<&'static str> {
    match kind {
        FileType::Fifo => Some("fifo"),
        FileType::Socket => Some("socket"),
        FileType::BlockDevice | FileType::CharacterDevice => Some("device"),
        _ => None,
    }
}

fn size(found: &rustix::fs::Stat) -> u64 {
    u64::try_from(found.st_size).unwrap_or(0)
}

/// Of the top itself, no slash is added: with one, a link in its place would be followed.
pub(crate) fn absolute(src: &Path, path: &[u8]) -> PathBuf {
    if path.is_empty() { src.to_owned() } else { src.join(OsStr::from_bytes(path)) }
}

/// The folders in which a path lies, the outermost first; the top is not among them.
pub(crate) fn folders_of(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    slashes.map(|(at, _)| &path[..at]).filter(|folder| folder.len() + 1 < path.len())
}

fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() { name.to_owned() } else { [folder, b"/", name].concat() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        git::{ANSWER_LIMIT, Git},
        trees::source::Format,
    };

    /// As when an editor replaces it between the two looks.
    #[test]
    fn a_known_file_that_is_gone_before_it_is_looked_at_is_none_that_is_unchanged() {
        let guard = tempfile::tempdir().unwrap();
        let top = guard.path();
        let git = |verb, args: &[&str]| Git::new(top, verb, ANSWER_LIMIT).args(args).output();
        git("init", &["-q", "--object-format=sha1"]).unwrap();
        fs::write(top.join("file"), "old\n").unwrap();
        git("update-index", &["--add", "file"]).unwrap();
        let tracked = Tracked::read(&top.join(".git/index"), Format::Sha1).unwrap();
        let folder = Folder::open(top).unwrap();
        let entry =
            folder.entries().unwrap().map(Result::unwrap).find(|entry| entry.name == "file");
        let (_, child) = tracked.children(tracked.all(), 0).next().unwrap();
        fs::remove_file(top.join("file")).unwrap();

        let mut survey = Survey { compared: Some(Compared::new(1)), ..Survey::default() };
        survey.compare(&tracked, &folder, &entry.unwrap(), b"file", Some(&child), Below::Known);

        assert_eq!(survey.compared.unwrap().touched, [b"file".to_vec()]);
    }
}
