//! What goes to `git update-index` and its like through their standard input.

use crate::{GitError, git::Git};
use std::{collections::HashSet, path::Path};

/// One line for `update-index --index-info`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) path: Vec<u8>,
    /// Mode and id; `None` removes the path.
    pub(crate) object: Option<(String, String)>,
}

/// Enters these as they are said to be, whatever the disk says. `update_index` is a call of it;
/// `id_length` is how many hex digits an object's id has.
pub(crate) fn enter(
    update_index: Git,
    id_length: usize,
    entries: Vec<Entry>,
) -> Result<(), GitError> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut input = Vec::new();
    for Entry { path, object } in entries {
        let (mode, id) = object.unwrap_or_else(|| ("0".to_owned(), "0".repeat(id_length)));
        input.extend_from_slice(format!("{mode} {id}\t").as_bytes());
        input.extend_from_slice(&path);
        input.push(0);
    }
    update_index.args(["-z", "--index-info"]).input(input).output().map(drop)
}

/// Each path with a NUL after it.
pub(crate) fn nul_ended(paths: &[Vec<u8>]) -> Vec<u8> {
    let mut input = paths.join(&0);
    input.push(0);
    input
}

/// Which of these paths are ignored, whether they are in the index or not. `check_ignore` is a call of it in
/// the folder `top`.
pub(crate) fn ignored(
    check_ignore: Git,
    top: &Path,
    paths: &[Vec<u8>],
) -> Result<HashSet<Vec<u8>>, GitError> {
    if paths.is_empty() {
        return Ok(HashSet::new());
    }
    // A name that begins with a colon would be a pattern.
    let input: Vec<Vec<u8>> = paths.iter().map(|path| [b"./", path.as_slice()].concat()).collect();
    let git = check_ignore.args(["--no-index", "-z", "--stdin"]).input(nul_ended(&input));
    let answer = git.answer()?;
    // One: none of them is.
    if !matches!(answer.status.code(), Some(0 | 1)) {
        return Err(answer.refusal("git check-ignore".to_owned(), top.to_owned()));
    }
    let paths = answer.stdout.split(|&byte| byte == 0);
    Ok(paths.filter_map(|path| path.strip_prefix(b"./").map(<[u8]>::to_owned)).collect())
}
