//! The settings in a user's folder that an agent shares for its login: copied before the agent runs, and put
//! back after it when it has changed them. They run programs in every later session of that tool, also in those
//! that nothing confines.
//!
//! The shim is not confined, and another agent may work in the same folder meanwhile. So each step goes by the
//! descriptor of a folder and follows no link: nothing outside is read, written or removed.

use crate::attempt::AttemptDir;
use orchestra_core::outcome::SettingsChange;
use rustix::{
    fs::{AtFlags, CWD, FileType, Mode, OFlags, fstat, mkdirat, openat, statat, unlinkat},
    io::Errno,
};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::fd::OwnedFd,
    path::{Component, Path, PathBuf},
};

/// Beyond these it is data, not settings.
const LARGEST: u64 = 1 << 20;
const DEEPEST: usize = 3;

/// By their beginnings and ends. Logins have other names, since they change with each use.
const NAMES: [&str; 5] = ["config", "settings", "mcp", ".mcp", "hooks"];
const EXTENSIONS: [&str; 11] =
    ["toml", "yaml", "yml", "md", "js", "cjs", "mjs", "ts", "py", "sh", "rb"];

const FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// What the settings were.
#[derive(Debug)]
pub(super) struct Settings {
    folders: Vec<(PathBuf, BTreeMap<PathBuf, Setting>)>,
}

#[derive(Debug, PartialEq, Eq)]
struct Setting {
    text: Vec<u8>,
    mode: Mode,
}

impl Settings {
    pub(super) fn read(folders: &[PathBuf]) -> Self {
        let read = |folder: &PathBuf| (folder.clone(), all(folder));
        Self { folders: folders.iter().map(read).collect() }
    }

    /// Puts back what is different now. The agent's version is kept in the attempt's folder: it may be the
    /// user's own, who has edited it meanwhile.
    pub(super) fn put_back(self, attempt: &AttemptDir) -> Vec<SettingsChange> {
        let mut changes = Vec::new();
        for (folder, before) in self.folders {
            let mut now = all(&folder);
            for (name, setting) in before {
                let found = now.remove(&name);
                if found.as_ref() != Some(&setting) {
                    let number = changes.len();
                    changes.push(change(attempt, number, &folder, &name, found, Some(&setting)));
                }
            }
            for (name, found) in now {
                changes.push(change(attempt, changes.len(), &folder, &name, Some(found), None));
            }
        }
        changes
    }
}

fn change(
    attempt: &AttemptDir,
    number: usize,
    folder: &Path,
    name: &Path,
    found: Option<Setting>,
    before: Option<&Setting>,
) -> SettingsChange {
    let kept = found.map(|found| keep(attempt, number, name, &found.text)).transpose();
    let (kept, problem) = match kept {
        // What could not be kept is not taken away, either.
        Err(error) => (None, Some(error.to_string())),
        Ok(kept) => (kept, restore(folder, name, before).err().map(|error| error.to_string())),
    };
    let shown = |path: PathBuf| path.to_string_lossy().into_owned();
    SettingsChange { path: shown(folder.join(name)), kept: kept.map(shown), problem }
}

fn keep(attempt: &AttemptDir, number: usize, name: &Path, text: &[u8]) -> io::Result<PathBuf> {
    let folder = attempt.settings_path();
    fs::create_dir_all(&folder)?;
    let name = name.file_name().unwrap_or_default().to_string_lossy();
    let copy = folder.join(format!("{number}-{name}"));
    fs::write(&copy, text)?;
    Ok(copy)
}

fn restore(folder: &Path, name: &Path, before: Option<&Setting>) -> io::Result<()> {
    let mut parent = openat(CWD, folder, FOLDER, Mode::empty())?;
    let parents = name.parent().unwrap_or(Path::new("")).components();
    for part in parents {
        parent = subfolder(&parent, part)?;
    }
    let Some(name) = name.file_name() else { return Ok(()) };
    match unlinkat(&parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(error) => return Err(error.into()),
    }
    let Some(Setting { text, mode }) = before else { return Ok(()) };
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    File::from(openat(&parent, name, flags, *mode)?).write_all(text)
}

/// What has the place of a folder, such as a link to elsewhere, is removed.
fn subfolder(parent: &OwnedFd, name: Component<'_>) -> io::Result<OwnedFd> {
    let name = name.as_os_str();
    match openat(parent, name, FOLDER, Mode::empty()) {
        Err(Errno::NOTDIR | Errno::LOOP) => unlinkat(parent, name, AtFlags::empty())?,
        Err(Errno::NOENT) => {}
        opened => return Ok(opened?),
    }
    mkdirat(parent, name, Mode::RWXU)?;
    Ok(openat(parent, name, FOLDER, Mode::empty())?)
}

fn all(folder: &Path) -> BTreeMap<PathBuf, Setting> {
    let mut found = BTreeMap::new();
    if let Ok(opened) = openat(CWD, folder, FOLDER, Mode::empty()) {
        collect(&opened, Path::new(""), DEEPEST, &mut found);
    }
    found
}

/// What cannot be read is no setting that the agent could read, either.
fn collect(folder: &OwnedFd, at: &Path, depth: usize, found: &mut BTreeMap<PathBuf, Setting>) {
    use std::os::unix::ffi::OsStrExt as _;
    let Ok(entries) = rustix::fs::Dir::read_from(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let path = at.join(std::ffi::OsStr::from_bytes(name.to_bytes()));
        if depth > 1
            && let Ok(below) = openat(folder, name, FOLDER, Mode::empty())
        {
            collect(&below, &path, depth - 1, found);
        } else if let Some(setting) = read(folder, name, &path) {
            found.insert(path, setting);
        }
    }
}

/// A regular file of a fitting size and name. A named pipe must not keep the shim waiting, nor may it be opened
/// for a moment: whoever writes to it would take the shim for the reader that they wait for.
fn read(folder: &OwnedFd, name: &std::ffi::CStr, path: &Path) -> Option<Setting> {
    let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return None;
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(folder, name, flags, Mode::empty()).ok()?;
    let stat = fstat(&file).ok()?;
    let mode = Mode::from_raw_mode(stat.st_mode);
    let file = File::from(file);
    if !file.metadata().ok()?.is_file() || !is_setting(path, mode) {
        return None;
    }
    let mut text = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut text).ok()?;
    (text.len() as u64 <= LARGEST).then_some(Setting { text, mode })
}

fn is_setting(path: &Path, mode: Mode) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    NAMES.iter().any(|beginning| name.starts_with(beginning))
        || EXTENSIONS.contains(&&*extension)
        || mode.intersects(Mode::XUSR | Mode::XGRP | Mode::XOTH)
}
