//! Merges as text: what the two sides are called in conflict markers, and what the commits say.

use super::{Request, Work};
use crate::{
    GitError,
    bare::{Bare, line},
    collect::record::{ATTEMPT, beginning, one_line},
};

/// Followed by the name of a work.
const MERGE: &str = "Orchestra-Merge: ";

/// How long the name of a side in a conflict marker or a path may be.
const LABEL_BYTES: usize = 60;

/// How several works are called together, for people.
pub(super) fn joined(names: &[String]) -> String {
    names.join(", ")
}

/// What git is to call the two sides, each with its commit: valid names for branches.
pub(super) fn labels(merged: &[String], work: &Work<'_>, sides: [&str; 2]) -> [String; 2] {
    let ours = match merged {
        [first, .., _] if merged.len() > 3 => format!("{first}+{}", merged.len() - 1),
        names => names.join("+"),
    };
    let [our_commit, their_commit] = sides;
    [label(&ours, our_commit), label(work.name, their_commit)]
}

/// The commit's id where the name could be taken for something else.
fn label(name: &str, commit: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+@".contains(&byte);
    let is_name = name.len() <= LABEL_BYTES
        && name.bytes().all(is_plain)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !name.ends_with(['.', '@'])
        && !name.ends_with(".lock")
        && !name.contains("..")
        // So that it is neither the name of a file of git's nor the beginning of an id.
        && name.contains('.');
    if is_name { name.to_owned() } else { commit.to_owned() }
}

/// The message of a merge.
pub(super) fn message(request: &Request<'_>, names: &[String]) -> String {
    with_names(beginning(request.subject, &request.author), names)
}

/// The message of a tree that has conflict markers.
pub(super) fn message_of_conflict(request: &Request<'_>, names: &[String]) -> String {
    let subject = format!("{} (with conflicts)", request.subject.trim());
    with_names(beginning(&subject, &request.author), names)
}

fn with_names(mut message: String, names: &[String]) -> String {
    for name in names {
        message += &format!("{MERGE}{}\n", one_line(name));
    }
    message
}

/// How many commits between the base and the works are not ours.
pub(super) fn agents_commits(bare: &Bare, base: &str, works: &[&str]) -> Result<u32, GitError> {
    let git =
        bare.git("rev-list").args(["--count", "--invert-grep", &format!("--grep=^{ATTEMPT}")]);
    let count = git.args(works).args([&format!("^{base}")]).output()?;
    Ok(line(&count).parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_git_could_misread_is_replaced_by_the_commit() {
        for name in ["r12.1", "r12.1@2", "r12.1+r12.2"] {
            assert_eq!(label(name, "c0"), name);
        }
        for name in
            ["", "HEAD", "abcdef", "-x.1", "a b.c", "r1..2", "x.lock", "a.b@", "ä.1", "a.\nb"]
        {
            assert_eq!(label(name, "c0"), "c0", "{name:?}");
        }
        assert_eq!(label(&format!("a.{}", "x".repeat(100)), "c0"), "c0");
    }
}
