//! Looks through a working tree for what git does not track there, and removes it. Not `git clean`:
//! it reads the settings of repositories that an agent left in the tree.

use super::{
    patterns::Patterns,
    remove::{absent_is_fine, delete_in},
};
use crate::{
    folder::{Entry, Folder},
    index::{Child, Kind, Tracked},
};
use std::{
    collections::{BTreeSet, HashMap},
    ffi::OsStr,
    io,
    ops::Range,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

/// How far down is looked for what is kept. A tracked folder further down is refused.
const DEEPEST: usize = 200;

/// What is not tracked, each with the uppermost folder of which all is alike.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Untracked {
    /// What a pattern keeps.
    pub(super) kept: BTreeSet<PathBuf>,
    /// The rest.
    pub(super) others: BTreeSet<PathBuf>,
}

/// What is left of a tree.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cleaned {
    pub(super) kept: BTreeSet<PathBuf>,
    /// Everything that is tracked is there, as git left it when it wrote the index.
    pub(super) is_untouched: bool,
}

/// Removes from the tree at `src` what is not tracked and not kept, and what stands where something
/// else is tracked. What remains besides what is kept: regular files and links at the paths of tracked ones,
/// whatever is in them, and the `.git` of the tree itself.
///
/// No link is followed. What is kept is a regular file or a folder, never a link.
pub(super) fn clean(src: &Path, tracked: &Tracked, keep: &Patterns) -> io::Result<Cleaned> {
    let mut walk = Walk::new(tracked, keep, true);
    walk.folder(&Folder::open_to_change(src)?, tracked.all(), Path::new(""), 0)?;
    let is_untouched = walk.untouched == tracked.all().len();
    Ok(Cleaned { kept: walk.found.kept, is_untouched })
}

/// Lists what is not tracked in the tree at `src`, and changes nothing.
pub(super) fn list(src: &Path, tracked: &Tracked, keep: &Patterns) -> io::Result<Untracked> {
    let mut walk = Walk::new(tracked, keep, false);
    walk.folder(&Folder::open(src)?, tracked.all(), Path::new(""), 0)?;
    Ok(walk.found)
}

struct Walk<'a> {
    tracked: &'a Tracked,
    keep: &'a Patterns,
    remove: bool,
    found: Untracked,
    /// How many tracked ones are as git left them.
    untouched: usize,
    /// Some are not: then it does not matter which others are.
    is_touched: bool,
}

impl<'a> Walk<'a> {
    fn new(tracked: &'a Tracked, keep: &'a Patterns, remove: bool) -> Self {
        let found = Untracked::default();
        Self { tracked, keep, remove, found, untouched: 0, is_touched: !remove }
    }

    /// `range` are the entries below `path`, the way from the top to `folder`.
    fn folder(
        &mut self,
        folder: &Folder,
        range: Range<usize>,
        path: &Path,
        depth: usize,
    ) -> io::Result<()> {
        if depth > DEEPEST {
            return Err(io::Error::other(format!("{} is too deep", path.display())));
        }
        let skip = match path.as_os_str().len() {
            0 => 0,
            length => length + 1,
        };
        let children: HashMap<&[u8], Child> = self.tracked.children(range, skip).collect();
        for entry in folder.entries()? {
            let entry = entry?;
            let name = entry.name.as_os_str();
            if path.as_os_str().is_empty() && name == ".git" {
                continue;
            }
            match children.get(name.as_bytes()) {
                Some(Child::Folder(range)) if entry.is_folder() => {
                    let child = self.enter(folder, name)?;
                    self.folder(&child, range.clone(), &path.join(name), depth + 1)?;
                }
                Some(Child::Entry(Kind::File, number))
                    if entry.is_file_or_link() && !self.has_other_names(folder, name)? =>
                {
                    self.compare(folder, name, *number)?;
                }
                Some(Child::Entry(Kind::Submodule, _)) if entry.is_folder() => {
                    self.untouched += 1;
                    let child = self.enter(folder, name)?;
                    self.submodule(&child, &path.join(name))?;
                }
                Some(_) => self.other(folder, &entry, path.join(name))?,
                None => self.untracked(folder, &entry, path.join(name), depth)?,
            }
        }
        Ok(())
    }

    fn compare(&mut self, folder: &Folder, name: &OsStr, number: usize) -> io::Result<()> {
        if !self.is_touched {
            self.is_touched = !self.tracked.is_untouched(number, &folder.stat(name)?);
            self.untouched += usize::from(!self.is_touched);
        }
        Ok(())
    }

    /// A second name of a file could be among what is kept: whoever writes there later would change
    /// this one, too.
    fn has_other_names(&self, folder: &Folder, name: &OsStr) -> io::Result<bool> {
        Ok(self.remove && !self.keep.is_empty() && folder.stat(name)?.st_nlink > 1)
    }

    fn enter(&self, folder: &Folder, name: &OsStr) -> io::Result<Folder> {
        if self.remove { folder.child_to_change(name) } else { folder.child(name) }
    }

    fn submodule(&mut self, folder: &Folder, path: &Path) -> io::Result<()> {
        for entry in folder.entries()? {
            let entry = entry?;
            let inner = path.join(&entry.name);
            self.other(folder, &entry, inner)?;
        }
        Ok(())
    }

    fn untracked(
        &mut self,
        folder: &Folder,
        entry: &Entry,
        path: PathBuf,
        depth: usize,
    ) -> io::Result<()> {
        let plain = entry.is_folder() || entry.kind == rustix::fs::FileType::RegularFile;
        if plain && self.keep.matches(&path, entry.is_folder()) {
            self.found.kept.insert(path);
            return Ok(());
        }
        if !entry.is_folder() || self.keep.is_empty() || depth == DEEPEST {
            return self.other(folder, entry, path);
        }
        // Something further down may be kept.
        let kept = self.found.kept.len();
        let child = self.enter(folder, &entry.name)?;
        self.folder(&child, 0..0, &path, depth + 1)?;
        if self.found.kept.len() > kept {
            return Ok(());
        }
        self.found.others.retain(|other| !other.starts_with(&path));
        self.other(folder, entry, path)
    }

    fn other(&mut self, folder: &Folder, entry: &Entry, path: PathBuf) -> io::Result<()> {
        if !self.remove {
            self.found.others.insert(path);
            return Ok(());
        }
        absent_is_fine(match entry.is_folder() {
            true => delete_in(folder, &entry.name),
            false => folder.remove_file(&entry.name),
        })
    }
}
