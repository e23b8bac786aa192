//! What git knows about a workspace: where its repository is, and what is not committed in it.

use crate::{
    GitError,
    git::{ANSWER_LIMIT, Git},
};
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
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
    let output = Git::new(Path::new("/"), "version", ANSWER_LIMIT).output()?;
    let text = String::from_utf8_lossy(&output);
    let found = text.trim().strip_prefix("git version ").unwrap_or(text.trim()).to_owned();
    let mut numbers = found.split(['.', ' ', '-']).map_while(|part| part.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) if (major, minor) >= NEEDED => Ok(found),
        _ => Err(GitError::TooOld { found, needed: NEEDED }),
    }
}

/// As [`version`], asked once: a daemon need not ask for every clone.
pub(crate) fn require_version() -> Result<(), GitError> {
    static RECENT_ENOUGH: OnceLock<()> = OnceLock::new();
    if RECENT_ENOUGH.get().is_none() {
        version()?;
        RECENT_ENOUGH.get_or_init(|| ());
    }
    Ok(())
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
    let top = toplevel(root)?.ok_or_else(|| GitError::NoRepository(root.to_owned()))?;
    let prefix = root
        .strip_prefix(&top)
        .map_err(|_| GitError::Outside { root: root.to_owned(), top: top.clone() })?;
    let changed = changed(&top)?;
    let mut uncommitted = Uncommitted { paths: Vec::new(), total: changed.len() };
    let shown = |path: &[u8]| relative(path, prefix);
    uncommitted.paths.extend(changed.iter().take(named).map(|path| shown(path)));
    // Outputs of builds that nobody ignores may be very many: they are counted, not held.
    let new = Git::new(&top, "ls-files", ANSWER_LIMIT);
    new.args(["-z", "--others", "--exclude-standard"]).records(|path| {
        uncommitted.total += 1;
        if uncommitted.paths.len() < named {
            uncommitted.paths.push(shown(path));
        }
    })?;
    Ok(uncommitted)
}

/// The names of the remotes to which `git push` would send every ref, sorted.
pub fn has_mirror_remote(root: &Path) -> Result<Vec<String>, GitError> {
    let found = matching_settings(root, &["--type=bool"], "^remote\\..*\\.mirror$")?;
    let mut mirrors = BTreeSet::new();
    for (key, value) in found {
        let name = key.strip_prefix("remote.").and_then(|key| key.strip_suffix(".mirror"));
        // A later line takes an earlier one back.
        match (name, value.as_str()) {
            (Some(name), "true") => mirrors.insert(name.to_owned()),
            (Some(name), _) => mirrors.remove(name),
            (None, _) => false,
        };
    }
    Ok(mirrors.into_iter().collect())
}

/// The settings whose keys match `pattern`, in the order of their precedence, the strongest last.
pub(crate) fn matching_settings(
    root: &Path,
    options: &[&str],
    pattern: &str,
) -> Result<Vec<(String, String)>, GitError> {
    let git = Git::new(root, "config", ANSWER_LIMIT);
    let answer = git.args(options).args(["-z", "--get-regexp", pattern]).answer()?;
    match answer.status.code() {
        Some(0) => {}
        Some(1) => return Ok(Vec::new()),
        _ => return Err(answer.refusal("git config".to_owned(), root.to_owned())),
    }
    let records = answer.stdout.split(|&byte| byte == 0).filter(|record| !record.is_empty());
    let pair = |record: &[u8]| {
        let text = String::from_utf8_lossy(record).into_owned();
        // A key that stands without a value means true.
        text.split_once('\n')
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .unwrap_or_else(|| (text, "true".to_owned()))
    };
    Ok(records.map(pair).collect())
}

/// Tracked files whose index entry or content differs from the last commit.
fn changed(top: &Path) -> Result<BTreeSet<Vec<u8>>, GitError> {
    let mut changed = BTreeSet::new();
    let mut add = |path: &[u8]| {
        changed.insert(path.to_owned());
    };
    if has_commit(top)? {
        let staged = Git::new(top, "diff-index", ANSWER_LIMIT);
        staged.args(["-z", "--cached", "--name-only", "--no-renames", "HEAD"]).records(&mut add)?;
    } else {
        Git::new(top, "ls-files", ANSWER_LIMIT).args(["-z", "--cached"]).records(&mut add)?;
    }
    // To compare a file whose times alone changed, git passes it through its clean filter, which is
    // a program: with the filters emptied, such a file counts as changed. With git-lfs that is even
    // true: what the commit holds is a pointer.
    let mut unstaged = Git::new(top, "ls-files", ANSWER_LIMIT);
    for (key, _) in matching_settings(top, &[], "^filter\\..*\\.(clean|process|required)$")? {
        let value = if key.ends_with(".required") { "false" } else { "" };
        unstaged = unstaged.set(key, value);
    }
    unstaged.args(["-z", "--modified"]).records(add)?;
    Ok(changed)
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
