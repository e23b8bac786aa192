//! What two trees differ in: files, and their lines.

use super::listing::GITLINK;
use crate::{GitError, git::Git};
use orchestra_core::change::{ChangedFile, FileStatus};

/// One path on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) path: Vec<u8>,
    pub(crate) old: Option<Side>,
    pub(crate) new: Option<Side>,
    /// Added and removed; `None` for what is not text.
    pub(crate) lines: Option<(u32, u32)>,
}

/// What one tree has at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Side {
    pub(crate) mode: String,
    pub(crate) id: String,
}

impl Side {
    /// `None` for the side that has nothing.
    fn new(mode: &str, id: &str) -> Option<Self> {
        (mode != "000000").then(|| Self { mode: mode.to_owned(), id: id.to_owned() })
    }

    pub(crate) fn is_file(&self) -> bool {
        self.mode.starts_with("100")
    }

    pub(crate) fn is_link(&self) -> bool {
        self.mode == "120000"
    }

    pub(crate) fn is_submodule(&self) -> bool {
        self.mode == GITLINK
    }

    pub(crate) fn is_executable(&self) -> bool {
        self.mode == "100755"
    }
}

impl Difference {
    pub(crate) fn shown_path(&self) -> String {
        String::from_utf8_lossy(&self.path).into_owned()
    }

    pub(crate) fn changed_file(&self) -> ChangedFile {
        let kind = |side: &Side| side.mode.get(..3).map(str::to_owned);
        let status = match (&self.old, &self.new) {
            (None, _) => FileStatus::Added,
            (_, None) => FileStatus::Deleted,
            (Some(old), Some(new)) if kind(old) != kind(new) => FileStatus::TypeChanged,
            (Some(old), Some(new)) if old.id == new.id => FileStatus::ModeChanged,
            _ => FileStatus::Modified,
        };
        ChangedFile {
            path: self.shown_path(),
            status,
            added: self.lines.map(|(added, _)| added),
            removed: self.lines.map(|(_, removed)| removed),
        }
    }
}

/// Sorted by path, in bytes. Without `lines`, none are counted. `diff_tree` is a call of it.
pub(crate) fn read(
    diff_tree: Git,
    old: &str,
    new: &str,
    lines: bool,
) -> Result<Vec<Difference>, GitError> {
    between(diff_tree, &[old, new], lines)
}

/// The same between a commit and the index. `diff_index` is a call of it.
pub(crate) fn of_index(diff_index: Git, commit: &str) -> Result<Vec<Difference>, GitError> {
    between(diff_index, &["--cached", commit], false)
}

fn between(diff: Git, both: &[&str], lines: bool) -> Result<Vec<Difference>, GitError> {
    let options = ["-r", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "--raw"];
    let git = diff.args(options);
    let git = if lines { git.args(["--numstat"]) } else { git };
    let mut found: Vec<Difference> = Vec::new();
    let mut head: Option<(Option<Side>, Option<Side>)> = None;
    let mut counted = 0;
    git.args(both).records(|record| {
        if let Some((old, new)) = head.take() {
            found.push(Difference { path: record.to_owned(), old, new, lines: None });
        } else if record.starts_with(b":") {
            head = Some(sides(record));
        } else if let Some(difference) = found.get_mut(counted) {
            // In the same order.
            counted += 1;
            let is_submodule = |side: &Option<Side>| side.as_ref().is_some_and(Side::is_submodule);
            if !is_submodule(&difference.old) && !is_submodule(&difference.new) {
                difference.lines = numbers(record);
            }
        }
    })?;
    Ok(found)
}

/// `:<mode> <mode> <id> <id> <status>`
fn sides(record: &[u8]) -> (Option<Side>, Option<Side>) {
    let text = String::from_utf8_lossy(record.get(1..).unwrap_or_default());
    let mut parts = text.split(' ');
    let mut part = || parts.next().unwrap_or_default();
    let (old_mode, new_mode, old, new) = (part(), part(), part(), part());
    (Side::new(old_mode, old), Side::new(new_mode, new))
}

/// `<added>\t<removed>\t<path>`, with a dash for what is not text.
fn numbers(record: &[u8]) -> Option<(u32, u32)> {
    let mut parts = record.split(|&byte| byte == b'\t');
    let mut number = || str::from_utf8(parts.next()?).ok()?.parse().ok();
    Some((number()?, number()?))
}
