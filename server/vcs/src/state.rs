//! What git knows about a workspace: where its repository is, and what is not committed in it.

use crate::{
    GitError,
    git::{ANSWER_LIMIT, Git, at_once},
};
use orchestra_core::folders::BEING_WRITTEN;
use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// The first git with `GIT_CONFIG_GLOBAL`, without which filters of the user would run in clones.
const NEEDED: (u32, u32) = (2, 32);

/// What somebody who sees only the last commit does not see.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Uncommitted {
    /// The first ones, changed files before new ones, each by name; relative to the workspace's
    /// root, with `/` between the parts, with `../` where they lie above it. Non-UTF-8 names are
    /// shown with replacement characters.
    pub paths: Vec<String>,
    /// How many there are.
    pub total: usize,
}

/// Which git this is, such as `2.47.3`.
pub fn version() -> Result<String, GitError> {
    numbered_version().map(|(found, _)| found)
}

/// As [`version`], by its first two numbers and asked once: a daemon need not ask for every clone.
pub(crate) fn require_version() -> Result<(u32, u32), GitError> {
    static RECENT_ENOUGH: OnceLock<(u32, u32)> = OnceLock::new();
    if let Some(&known) = RECENT_ENOUGH.get() {
        return Ok(known);
    }
    let (_, numbers) = numbered_version()?;
    Ok(*RECENT_ENOUGH.get_or_init(|| numbers))
}

fn numbered_version() -> Result<(String, (u32, u32)), GitError> {
    let output = Git::new(Path::new("/"), "version", ANSWER_LIMIT).output()?;
    let text = String::from_utf8_lossy(&output);
    let found = text.trim().strip_prefix("git version ").unwrap_or(text.trim()).to_owned();
    let mut numbers = found.split(['.', ' ', '-']).map_while(|part| part.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) if (major, minor) >= NEEDED => Ok((found, (major, minor))),
        _ => Err(GitError::TooOld { found, needed: NEEDED }),
    }
}

/// The top of the working tree that `root` belongs to. `None` when it is in no git repository.
pub fn toplevel(root: &Path) -> Result<Option<PathBuf>, GitError> {
    match Git::new(root, "rev-parse", ANSWER_LIMIT).args(["--show-toplevel"]).output() {
        Ok(output) => {
            let line = output.strip_suffix(b"\n").unwrap_or(&output);
            Ok(Some(PathBuf::from(OsStr::from_bytes(line))))
        }
        Err(GitError::NoRepository(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The files of the whole repository that differ from the last commit, staged or not, and those
/// that are new and not ignored; the first `named` of them by name.
///
/// Nothing that the repository or the user configures is run. Without a commit, every file counts.
pub fn uncommitted(root: &Path, named: usize) -> Result<Uncommitted, GitError> {
    let (top, filters) = at_once(|| toplevel(root), || without_filters(root));
    let top = top?.ok_or_else(|| GitError::NoRepository(root.to_owned()))?;
    let prefix = root
        .strip_prefix(&top)
        .map_err(|_| GitError::Outside { root: root.to_owned(), top: top.clone() })?;
    let filters = filters?;
    let (changed, new) = at_once(
        || {
            let (staged, unstaged) = at_once(|| staged(&top), || unstaged(&top, filters));
            staged.and_then(|staged| Ok(&staged | &unstaged?))
        },
        || new(&top, named),
    );
    let (changed, (new, new_total)) = (changed?, new?);
    let named = changed.iter().chain(&new).take(named);
    Ok(Uncommitted {
        paths: named.map(|path| relative(path, prefix)).collect(),
        total: changed.len() + new_total,
    })
}

/// The names of the remotes to which `git push` would send every ref, sorted.
pub fn has_mirror_remote(root: &Path) -> Result<Vec<String>, GitError> {
    let found = matching_settings(root, &["--type=bool"], "^remote\\..*\\.mirror$")?;
    let mut mirrors = BTreeSet::new();
    for Setting { key, value } in found {
        let key = String::from_utf8_lossy(&key);
        let name = key.strip_prefix("remote.").and_then(|key| key.strip_suffix(".mirror"));
        // A later line takes an earlier one back.
        match name {
            Some(name) if value == b"true" => mirrors.insert(name.to_owned()),
            Some(name) => mirrors.remove(name),
            None => false,
        };
    }
    Ok(mirrors.into_iter().collect())
}

/// A setting as git prints it: section and name in lowercase, nothing promised about the encoding.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) key: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

/// The settings whose keys match `pattern`, in the order of their precedence, the strongest last.
pub(crate) fn matching_settings(
    root: &Path,
    options: &[&str],
    pattern: &str,
) -> Result<Vec<Setting>, GitError> {
    let git = Git::new(root, "config", ANSWER_LIMIT);
    let answer = git.args(options).args(["-z", "--get-regexp", pattern]).answer()?;
    match answer.status.code() {
        Some(0) => {}
        Some(1) => return Ok(Vec::new()),
        _ => return Err(answer.refusal("git config".to_owned(), root.to_owned())),
    }
    let records = answer.stdout.split(|&byte| byte == 0).filter(|record| !record.is_empty());
    let setting = |record: &[u8]| {
        let mut parts = record.splitn(2, |&byte| byte == b'\n').map(<[u8]>::to_owned);
        let key = parts.next().unwrap_or_default();
        // A key that stands without a value means true.
        Setting { key, value: parts.next().unwrap_or_else(|| b"true".to_vec()) }
    };
    Ok(records.map(setting).collect())
}

/// Tracked files whose index entry differs from the last commit; all of them without one.
fn staged(top: &Path) -> Result<BTreeSet<Vec<u8>>, GitError> {
    let git = if has_commit(top)? {
        let options = ["-z", "--cached", "--name-only", "--no-renames", "HEAD"];
        Git::new(top, "diff-index", ANSWER_LIMIT).args(options)
    } else {
        Git::new(top, "ls-files", ANSWER_LIMIT).args(["-z", "--cached"])
    };
    names(git)
}

/// Tracked files whose content differs from their index entry.
fn unstaged(top: &Path, filters: Vec<(OsString, &str)>) -> Result<BTreeSet<Vec<u8>>, GitError> {
    let git = Git::new(top, "ls-files", ANSWER_LIMIT).args(["-z", "--modified"]);
    names(filters.into_iter().fold(git, |git, (key, value)| git.set(key, value)))
}

/// The first `named` of the new files that nobody ignores, and how many there are. The outputs of
/// a build may be very many: they are counted, not held.
fn new(top: &Path, named: usize) -> Result<(Vec<Vec<u8>>, usize), GitError> {
    let mut first = Vec::new();
    let mut total = 0;
    let git = Git::new(top, "ls-files", ANSWER_LIMIT);
    git.args(["-z", "--others", "--exclude-standard", "--exclude", BEING_WRITTEN]).records(
        |path| {
            total += 1;
            if first.len() < named {
                first.push(path.to_owned());
            }
        },
    )?;
    Ok((first, total))
}

fn names(git: Git) -> Result<BTreeSet<Vec<u8>>, GitError> {
    let mut names = BTreeSet::new();
    git.records(|path| {
        names.insert(path.to_owned());
    })?;
    Ok(names)
}

/// Settings that empty every filter.
///
/// To compare a file whose times alone changed, git passes it through its clean filter, which is a
/// program; without, such a file counts as changed. With git-lfs that is even true: what the commit
/// holds is a pointer.
pub(crate) fn without_filters(root: &Path) -> Result<Vec<(OsString, &'static str)>, GitError> {
    let found = matching_settings(root, &[], "^filter\\..*\\.(clean|smudge|process|required)$")?;
    let emptied = |Setting { key, .. }| {
        let value = if key.ends_with(b".required") { "false" } else { "" };
        (OsString::from_vec(key), value)
    };
    Ok(found.into_iter().map(emptied).collect())
}

fn has_commit(top: &Path) -> Result<bool, GitError> {
    let git = Git::new(top, "rev-parse", ANSWER_LIMIT);
    Ok(git.args(["--quiet", "--verify", "HEAD"]).answer()?.status.success())
}

/// `path`, relative to the top of the working tree, as seen from the folder `prefix` below it.
/// In bytes, because a path would lose the slash that ends a nested repository.
fn relative(path: &[u8], prefix: &Path) -> String {
    let mut up = String::new();
    for base in prefix.ancestors() {
        let below = match base.as_os_str().as_bytes() {
            b"" => Some(path),
            base => path.strip_prefix(base).and_then(|rest| rest.strip_prefix(b"/")),
        };
        if let Some(below) = below {
            return up + &String::from_utf8_lossy(below);
        }
        up.push_str("../");
    }
    up + &String::from_utf8_lossy(path)
}
