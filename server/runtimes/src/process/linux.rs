//! What `/proc` tells about processes. A process may end at any moment, so a missing entry is no error
//! where many are looked at.

use std::{
    collections::HashMap,
    fs, io,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

/// The part of `/proc/<pid>/stat` that is used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) is_zombie: bool,
    pub(crate) parent: u32,
    pub(crate) group: u32,
    pub(crate) has_terminal: bool,
    pub(crate) start_time: u64,
}

pub(crate) fn stat(pid: u32) -> io::Result<Stat> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read(&path)?;
    parse_stat(&text).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{path} has an unknown format"))
    })
}

fn parse_stat(text: &[u8]) -> Option<Stat> {
    // The second field is a name in brackets, which may itself hold spaces and brackets.
    let after_name = text.iter().rposition(|&byte| byte == b')')? + 1;
    let fields: Vec<&str> =
        std::str::from_utf8(&text[after_name..]).ok()?.split_whitespace().collect();
    Some(Stat {
        is_zombie: matches!(*fields.first()?, "Z" | "X"),
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        has_terminal: *fields.get(4)? != "0",
        start_time: fields.get(19)?.parse().ok()?,
    })
}

/// Whether it exists and has not ended. A zombie has ended.
pub(crate) fn is_running(pid: u32) -> bool {
    stat(pid).is_ok_and(|stat| !stat.is_zombie)
}

pub(crate) fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim_end().to_owned())
}

/// Whether nothing that it executes can gain privileges: all agents are like that, and few others.
pub(crate) fn has_no_new_privileges(pid: u32) -> io::Result<bool> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let value = status.lines().find_map(|line| line.strip_prefix("NoNewPrivs:"));
    Ok(value.is_some_and(|value| value.trim() == "1"))
}

/// Whether it has a file open in this folder, whose path has no symbolic links. Processes of other users
/// answer no.
pub(crate) fn has_open_below(pid: u32, folder: &Path) -> bool {
    let open = fs::read_dir(format!("/proc/{pid}/fd"));
    let mut open = open.into_iter().flatten().flatten();
    open.any(|entry| fs::read_link(entry.path()).is_ok_and(|path| path.starts_with(folder)))
}

/// Every process of the machine, or of the container.
pub(crate) fn all() -> io::Result<impl Iterator<Item = u32>> {
    let entries = fs::read_dir("/proc")?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()))
}

/// Every process below `root`, parents first, zombies included.
pub(crate) fn descendants(root: u32) -> Vec<u32> {
    match children(root) {
        Ok(first) => walk(first, |pid| children(pid).unwrap_or_default()),
        // Kernels without CONFIG_PROC_CHILDREN: everybody's parent has to be asked.
        Err(_) => {
            let mut by_parent: HashMap<u32, Vec<u32>> = HashMap::new();
            for pid in all().into_iter().flatten() {
                if let Ok(stat) = stat(pid) {
                    by_parent.entry(stat.parent).or_default().push(pid);
                }
            }
            let mut of = |pid| by_parent.remove(&pid).unwrap_or_default();
            walk(of(root), of)
        }
    }
}

fn walk(first: Vec<u32>, mut children: impl FnMut(u32) -> Vec<u32>) -> Vec<u32> {
    let mut found = first;
    let mut next = 0;
    while next < found.len() {
        found.extend(children(found[next]));
        next += 1;
    }
    found
}

/// A child belongs to the thread that forked it.
fn children(pid: u32) -> io::Result<Vec<u32>> {
    let mut found = Vec::new();
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(thread?.path().join("children"))?;
        found.extend(text.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
    }
    Ok(found)
}

/// Whether it was started with exactly this `NAME=value` in its environment. Processes of other users
/// answer no.
pub(crate) fn has_in_environment(pid: u32, entry: &str) -> bool {
    fs::read(format!("/proc/{pid}/environ"))
        .is_ok_and(|text| text.split(|&byte| byte == 0).any(|found| found == entry.as_bytes()))
}

/// `None` for processes of other users and for those that have ended.
pub(crate) fn working_directory(pid: u32) -> Option<PathBuf> {
    let path = fs::read_link(format!("/proc/{pid}/cwd")).ok()?;
    // So the kernel marks a folder that was removed meanwhile.
    match path.as_os_str().as_bytes().strip_suffix(b" (deleted)") {
        Some(removed) => Some(Path::new(std::ffi::OsStr::from_bytes(removed)).to_owned()),
        None => Some(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_shift_the_fields() {
        let line = b"42 (a) b (c) S 7 42 42 34816 42 4194304 1 0 0 0 0 0 0 0 20 0 1 0 98765 0 0";
        let expected =
            Stat { is_zombie: false, parent: 7, group: 42, has_terminal: true, start_time: 98_765 };
        assert_eq!(parse_stat(line), Some(expected));
        assert_eq!(parse_stat(b"42 (a"), None);
    }

    #[test]
    fn this_process_knows_itself() {
        let me = super::super::Identity::of(std::process::id()).unwrap();
        assert!(me.exists());
        assert!(!super::super::Identity { start_time: me.start_time + 1, ..me }.exists());
    }
}
