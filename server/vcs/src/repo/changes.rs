//! Which files a commit changed, and by how many lines.

use git2::{
    Commit, Delta, DiffFile, DiffOptions, Error, ErrorCode, FileMode, Oid, Patch, Repository, Tree,
};
use orchestra_core::ports::Change;
use std::path::{Path, PathBuf};

/// Lines of larger files are not counted: the cost of a log must not hang on one committed archive.
const MAX_COUNTED_BYTES: usize = 1024 * 1024;

/// Where git itself stops to look for the NUL that makes a file binary.
const BINARY_PROBE_BYTES: usize = 8_000;

/// Reads commits of one repository, as one workspace sees them.
pub(super) struct Changes<'r> {
    repository: &'r Repository,
    prefix: PathBuf,
}

impl<'r> Changes<'r> {
    pub(super) fn new(repository: &'r Repository, prefix: &Path) -> Self {
        Self { repository, prefix: prefix.to_owned() }
    }

    /// What `commit` changed against its first parent.
    pub(super) fn of(&self, commit: &Commit<'_>) -> Result<Vec<Change>, Error> {
        let new = self.tree(commit)?;
        let old = match commit.parent(0) {
            Ok(parent) => self.tree(&parent)?,
            Err(error) if error.code() == ErrorCode::NotFound => None,
            Err(error) => return Err(error),
        };
        if old.as_ref().map(Tree::id) == new.as_ref().map(Tree::id) {
            return Ok(Vec::new());
        }
        let mut options = DiffOptions::new();
        options.include_typechange(true);
        let diff =
            self.repository.diff_tree_to_tree(old.as_ref(), new.as_ref(), Some(&mut options))?;
        diff.deltas()
            .filter_map(|delta| {
                let file = match delta.status() {
                    Delta::Deleted => delta.old_file(),
                    _ => delta.new_file(),
                };
                let path = String::from_utf8_lossy(file.path_bytes()?).into_owned();
                let (old, new) = (blob_of(&delta.old_file()), blob_of(&delta.new_file()));
                // A submodule moved on; it is no file of this workspace.
                if old.is_none() && new.is_none() {
                    return None;
                }
                Some(self.lines(old, new).map(|(added, removed)| Change { path, added, removed }))
            })
            .collect()
    }

    /// The commit's tree at the workspace's root; `None` when it has no such folder.
    fn tree(&self, commit: &Commit<'_>) -> Result<Option<Tree<'r>>, Error> {
        let top = self.repository.find_tree(commit.tree_id())?;
        if self.prefix.as_os_str().is_empty() {
            return Ok(Some(top));
        }
        match top.get_path(&self.prefix) {
            Ok(entry) => Ok(self.repository.find_tree(entry.id()).ok()),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn lines(&self, old: Option<Oid>, new: Option<Oid>) -> Result<(u32, u32), Error> {
        let (Some(old), Some(new)) = (self.text(old)?, self.text(new)?) else { return Ok((0, 0)) };
        if old.is_empty() || new.is_empty() {
            return Ok((count(&new), count(&old)));
        }
        let mut options = DiffOptions::new();
        options.context_lines(0);
        let patch = Patch::from_buffers(&old, None, &new, None, Some(&mut options))?;
        let (_, added, removed) = patch.line_stats()?;
        let narrow = |lines: usize| u32::try_from(lines).unwrap_or(u32::MAX);
        Ok((narrow(added), narrow(removed)))
    }

    /// The content of a blob, empty for none; `None` when its lines are not counted.
    fn text(&self, id: Option<Oid>) -> Result<Option<Vec<u8>>, Error> {
        let Some(id) = id else { return Ok(Some(Vec::new())) };
        let (size, _) = self.repository.odb()?.read_header(id)?;
        if size > MAX_COUNTED_BYTES {
            return Ok(None);
        }
        let blob = self.repository.find_blob(id)?;
        let content = blob.content();
        let probe = &content[..content.len().min(BINARY_PROBE_BYTES)];
        Ok((!probe.contains(&0)).then(|| content.to_owned()))
    }
}

/// The blob on one side of a change; `None` when that side has no file.
fn blob_of(file: &DiffFile<'_>) -> Option<Oid> {
    let is_file = matches!(
        file.mode(),
        FileMode::Blob | FileMode::BlobGroupWritable | FileMode::BlobExecutable | FileMode::Link
    );
    (is_file && !file.id().is_zero()).then(|| file.id())
}

fn count(content: &[u8]) -> u32 {
    let breaks = content.iter().filter(|byte| **byte == b'\n').count();
    let unfinished = usize::from(content.last().is_some_and(|byte| *byte != b'\n'));
    u32::try_from(breaks + unfinished).unwrap_or(u32::MAX)
}
