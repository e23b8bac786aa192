//! What a commit holds, by name: for what depends on the contents of files and not on their history.

use crate::{
    GitError,
    git::{ANSWER_LIMIT, Git},
};
use std::path::Path;

/// The files of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The id of its tree, lowercase hex.
    pub tree: String,
    /// Path and blob id of every file below the workspace's root, relative to that, with `/` between the
    /// parts. Bytes that are no UTF-8 are shown with replacement characters.
    pub files: Vec<(String, String)>,
}

/// What `commit`, which is in the repository of the workspace at `root`, holds.
pub fn of_commit(root: &Path, commit: &str) -> Result<Contents, GitError> {
    let tree = Git::new(root, "rev-parse", ANSWER_LIMIT).args([&format!("{commit}^{{tree}}")]);
    let tree = String::from_utf8_lossy(&tree.output()?).trim().to_owned();
    let mut files = Vec::new();
    // In a folder of the working tree, it lists that folder, by paths that begin there.
    Git::new(root, "ls-tree", ANSWER_LIMIT).args(["-r", "-z", commit]).records(|record| {
        let text = String::from_utf8_lossy(record);
        // `<mode> <type> <id>\t<path>`
        if let Some((about, path)) = text.split_once('\t')
            && let Some(id) = about.rsplit(' ').next()
        {
            files.push((path.to_owned(), id.to_owned()));
        }
    })?;
    Ok(Contents { tree, files })
}
