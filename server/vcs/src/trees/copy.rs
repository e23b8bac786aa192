//! Files of the user's own that no commit holds and a build needs, such as `.env`: which they are,
//! and how they come into a tree.

use super::{patterns::Patterns, remove::absent_is_fine, source::Layout};
use crate::{
    GitError,
    folder::Folder,
    git::{ANSWER_LIMIT, Git},
    index::Tracked,
};
use std::{
    ffi::OsStr,
    fs::{self, File},
    io,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{MetadataExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
};

/// The file at the top of a working tree that lists such files, in the syntax of a `.gitignore`.
const INCLUDE: &str = ".worktreeinclude";
const INCLUDE_LIMIT: u64 = 1024 * 1024;

/// Ignored folders are not looked through further down.
const DEEPEST: u32 = 100;

/// What is wanted of the user's files.
pub(super) struct Wanted {
    all: Rules,
    /// Those that lead into folders.
    leading: Rules,
    prefix: PathBuf,
}

struct Rules {
    /// Relative to the workspace's root.
    here: Patterns,
    /// Relative to the top of the working tree.
    above: Patterns,
}

impl Rules {
    fn new(here: &[&str], above: &[&str]) -> Result<Self, GitError> {
        let patterns = |lines: &[&str]| Patterns::new(lines.iter().copied());
        Ok(Self { here: patterns(here)?, above: patterns(above)? })
    }

    fn are_none(&self) -> bool {
        self.here.is_empty() && self.above.is_empty()
    }
}

impl Wanted {
    /// The patterns `copy`, and those of the user's `.worktreeinclude`. `None` when there are none.
    pub(super) fn new(copy: &[String], layout: &Layout) -> Result<Option<Self>, GitError> {
        let included = read_include(&layout.top.join(INCLUDE))?;
        let here: Vec<&str> = copy.iter().map(String::as_str).collect();
        let above: Vec<&str> = included.lines().collect();
        let leading = Rules::new(&leading(&here), &leading(&above))?;
        let all = Rules::new(&here, &above)?;
        let wanted = Self { all, leading, prefix: layout.prefix.clone() };
        Ok((!wanted.all.are_none()).then_some(wanted))
    }

    fn wants(&self, path: &Path, is_folder: bool, rules: &Rules) -> bool {
        rules.here.covers(path, is_folder) || rules.above.covers(&self.prefix.join(path), is_folder)
    }

    /// The wanted files that git ignores and does not track, relative to the workspace's `root`.
    ///
    /// In a folder that is ignored as a whole (`node_modules`), files are found by patterns that
    /// name the folder or a way into it, not by a bare name like `.env`: they are not meant, and
    /// looking there takes long.
    pub(super) fn find(&self, root: &Path) -> Result<Vec<PathBuf>, GitError> {
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        Git::new(root, "ls-files", ANSWER_LIMIT)
            .args(["-z", "--others", "--ignored", "--exclude-standard", "--directory"])
            .records(|record| match record.strip_suffix(b"/") {
                Some(folder) => folders.push(PathBuf::from(OsStr::from_bytes(folder))),
                None => files.push(PathBuf::from(OsStr::from_bytes(record))),
            })?;
        files.retain(|path| self.wants(path, false, &self.all));
        for path in folders {
            let rules = if self.wants(&path, true, &self.all) { &self.all } else { &self.leading };
            if !rules.are_none() {
                let opened = Folder::open(&root.join(&path));
                let found =
                    opened.and_then(|folder| self.look_into(&folder, &path, rules, 0, &mut files));
                absent_is_fine(found).map_err(GitError::io("failed to read", root.join(&path)))?;
            }
        }
        files.sort();
        Ok(files)
    }

    fn look_into(
        &self,
        folder: &Folder,
        path: &Path,
        rules: &Rules,
        depth: u32,
        files: &mut Vec<PathBuf>,
    ) -> io::Result<()> {
        for entry in folder.entries()? {
            let entry = entry?;
            let inner = path.join(&entry.name);
            if entry.is_folder() && entry.name != ".git" && depth < DEEPEST {
                self.look_into(&folder.child(&entry.name)?, &inner, rules, depth + 1, files)?;
            } else if entry.is_file_or_link() && self.wants(&inner, false, rules) {
                files.push(inner);
            }
        }
        Ok(())
    }
}

/// The patterns with a slash in them, other than at their end.
fn leading<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let leads = |line: &&str| line.trim_end().trim_end_matches('/').contains('/');
    lines.iter().copied().filter(leads).collect()
}

fn read_include(file: &Path) -> Result<String, GitError> {
    match fs::symlink_metadata(file) {
        Ok(found) if found.is_file() && found.len() <= INCLUDE_LIMIT => {
            let text = fs::read(file).map_err(GitError::io("failed to read", file))?;
            Ok(String::from_utf8_lossy(&text).into_owned())
        }
        Ok(_) => Ok(String::new()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(GitError::io("failed to read", file)(error)),
    }
}

/// Copies `files` of the workspace at `root` into the tree at `src`, where it is the folder `prefix`.
/// Answers which were copied, relative to the top.
///
/// Left out is what the tree's commit holds, and links that lead out of the workspace; what the tree
/// has as a link or a file, nothing is written through.
pub(super) fn place(
    root: &Path,
    files: &[PathBuf],
    src: &Path,
    prefix: &Path,
    tracked: &Tracked,
) -> Result<Vec<String>, GitError> {
    let mut copied = Vec::new();
    if files.is_empty() {
        return Ok(copied);
    }
    let failed = |path: &Path| GitError::io("failed to copy", root.join(path));
    let top = Folder::open(src).map_err(failed(Path::new("")))?;
    for file in files {
        let target = prefix.join(file);
        if tracked.holds(target.as_os_str().as_bytes()) {
            continue;
        }
        let Some(source) = open_inside(root, file).map_err(failed(file))? else { continue };
        if copy_to(source, &top, &target).map_err(failed(file))? {
            copied.push(target.to_string_lossy().into_owned());
        }
    }
    Ok(copied)
}

/// `None` when there is no regular file, or one somewhere else.
fn open_inside(root: &Path, file: &Path) -> io::Result<Option<File>> {
    let real = match root.join(file).canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let inside = real.strip_prefix(root).is_ok_and(|path| path.iter().all(|part| part != ".git"));
    if !inside || !fs::symlink_metadata(&real)?.is_file() {
        return Ok(None);
    }
    File::open(real).map(Some)
}

/// False when the commit has something else on the way.
fn copy_to(mut source: File, top: &Folder, target: &Path) -> io::Result<bool> {
    let (Some(name), folders) = (target.file_name(), target.parent()) else { return Ok(false) };
    let mut folder = None;
    for part in folders.into_iter().flatten() {
        match folder.as_ref().unwrap_or(top).child_or_new(part) {
            Ok(child) => folder = Some(child),
            Err(_) => return Ok(false),
        }
    }
    let folder = folder.as_ref().unwrap_or(top);
    if folder
        .stat(name)
        .is_ok_and(|found| rustix::fs::FileType::from_raw_mode(found.st_mode).is_dir())
    {
        return Ok(false);
    }
    absent_is_fine(folder.remove_file(name))?;
    let found = source.metadata()?;
    let mut copy = folder.new_file(name, found.mode() & 0o777)?;
    io::copy(&mut source, &mut copy)?;
    copy.set_permissions(fs::Permissions::from_mode(found.mode() & 0o777 | 0o600))?;
    Ok(true)
}
