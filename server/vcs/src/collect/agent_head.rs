//! Where the agent's repository stands, read from its files without git: every one of them may be
//! anything.

use rustix::{
    fd::OwnedFd,
    fs::{CWD, Mode, OFlags, fstat, openat},
};
use std::{
    fs::{self, File},
    io::Read as _,
    path::Path,
};

/// Beyond it nobody keeps references in one file.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// What HEAD names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Head {
    Commit {
        id: String,
        branch: Option<String>,
    },
    /// Why that cannot be said.
    Unclear(String),
}

/// `id_length` is how many hex digits an object's id has.
pub(super) fn read(src: &Path, id_length: usize) -> Head {
    let git = src.join(".git");
    if !fs::symlink_metadata(&git).is_ok_and(|found| found.is_dir()) {
        return Head::Unclear("the agent's repository is gone".to_owned());
    }
    if ["rebase-merge", "rebase-apply"].iter().any(|name| git.join(name).symlink_metadata().is_ok())
    {
        return Head::Unclear("the agent left a rebase in progress".to_owned());
    }
    let Some(head) = plain_file(&git, "HEAD") else {
        return Head::Unclear("the agent's HEAD cannot be read".to_owned());
    };
    let is_id = |text: &str| text.len() == id_length && text.bytes().all(|b| b.is_ascii_hexdigit());
    let head = head.trim_end();
    if is_id(head) {
        return Head::Commit { id: head.to_ascii_lowercase(), branch: None };
    }
    let unclear = || Head::Unclear("the agent's HEAD names no commit".to_owned());
    let Some(reference) = head.strip_prefix("ref: ") else { return unclear() };
    let id = plain_file(&git, reference).or_else(|| packed(&git, reference));
    match id.as_deref().map(str::trim_end) {
        Some(id) if is_id(id) => {
            let branch = reference.strip_prefix("refs/heads/").map(str::to_owned);
            Head::Commit { id: id.to_ascii_lowercase(), branch }
        }
        _ => unclear(),
    }
}

fn packed(git: &Path, reference: &str) -> Option<String> {
    let text = plain_file(git, "packed-refs")?;
    let line =
        text.lines().find_map(|line| line.split_once(' ').filter(|(_, name)| *name == reference));
    line.map(|(id, _)| id.to_owned())
}

/// A regular file below `folder`, not reached through any link, and of a sensible size.
fn plain_file(folder: &Path, path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    let (name, folders) = parts.split_last()?;
    if parts.iter().any(|part| matches!(*part, "" | "." | "..")) {
        return None;
    }
    // A FIFO would be waited for.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let mut place: OwnedFd = openat(CWD, folder, flags | OFlags::DIRECTORY, Mode::empty()).ok()?;
    for part in folders {
        place = openat(&place, *part, flags | OFlags::DIRECTORY, Mode::empty()).ok()?;
    }
    let file = openat(&place, *name, flags, Mode::empty()).ok()?;
    let found = fstat(&file).ok()?;
    let is_regular = rustix::fs::FileType::from_raw_mode(found.st_mode).is_file();
    if !is_regular || u64::try_from(found.st_size).ok()? > MAX_BYTES {
        return None;
    }
    let mut text = Vec::new();
    File::from(file).take(MAX_BYTES).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}
