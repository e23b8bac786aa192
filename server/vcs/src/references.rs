//! Our references in the user's repository: moved aside, and back again.

use crate::{
    GitError,
    git::{ANSWER_LIMIT, Git},
};
use std::path::Path;

/// What all of our references begin with.
const OURS: &str = "refs/orchestra/";

/// The object that a reference of ours holds, by its full name; `None` when there is none.
pub fn read(root: &Path, name: &str) -> Result<Option<String>, GitError> {
    if !name.starts_with(OURS) {
        return Err(GitError::Reference(name.to_owned()));
    }
    let listed = Git::new(root, "for-each-ref", ANSWER_LIMIT)
        .args(["--format=%(objectname) %(refname)", name])
        .output()?;
    let listed = String::from_utf8_lossy(&listed);
    // It also names what lies below a folder of that name.
    let mut lines = listed.lines().filter_map(|line| line.split_once(' '));
    Ok(lines.find(|(_, found)| *found == name).map(|(object, _)| object.to_owned()))
}

/// Moves every reference below the folder `from` to the same place below `to`, all of them or none, and says
/// how many there were. Both are full names without a slash at the end, such as `refs/orchestra/<workspace>/r12`.
///
/// What they keep alive stays alive. Done again after a crash, it finds nothing left to move.
pub fn move_all(root: &Path, from: &str, to: &str) -> Result<usize, GitError> {
    for name in [from, to] {
        if !name.starts_with(OURS) || name.ends_with('/') {
            return Err(GitError::Reference(name.to_owned()));
        }
    }
    let listed = Git::new(root, "for-each-ref", ANSWER_LIMIT)
        .args(["--format=%(objectname) %(refname)", &format!("{from}/")])
        .output()?;
    let mut transaction = String::new();
    let mut count = 0;
    // Names of references are what we have made them, and always text.
    for line in String::from_utf8_lossy(&listed).lines() {
        let Some((object, name)) = line.split_once(' ') else { continue };
        let Some(rest) = name.strip_prefix(from) else { continue };
        transaction.push_str(&format!("create {to}{rest}\0{object}\0delete {name}\0{object}\0"));
        count += 1;
    }
    if count == 0 {
        return Ok(0);
    }
    Git::new(root, "update-ref", ANSWER_LIMIT)
        // A user may have asked for a log of every reference.
        .set("core.logAllRefUpdates".into(), "false")
        .args(["--no-deref", "--stdin", "-z"])
        .input(transaction.into_bytes())
        .output()?;
    Ok(count)
}
