//! Notes on commits of ours, under a reference of ours, as git itself keeps notes: a commit whose tree has a
//! file for each commit that is spoken of, by its id.

use crate::{
    GitError,
    bare::{Signature, check_id, hold, line},
    collect::{NAMESPACE, blobs},
    git::{ANSWER_LIMIT, Git},
};
use std::path::Path;

/// Has the note on `commit`, under `reference` in the repository of the workspace at `root`, say `text`; one
/// that was there says it from now on. Any number of processes may do so at once: no note is lost, and done
/// again it changes nothing.
pub fn note(root: &Path, reference: &str, commit: &str, text: &str) -> Result<(), GitError> {
    see(reference, commit)?;
    let mut tip = tip(root, reference, commit)?;
    if read(root, &tip, commit)?.as_deref() == Some(text) {
        return Ok(());
    }
    let blob = Git::new(root, "hash-object", ANSWER_LIMIT).args(["-w", "--no-filters", "--stdin"]);
    let blob = line(&blob.input(text.as_bytes().to_owned()).output()?);
    loop {
        let tree = tree_with(root, &tip, commit, &blob)?;
        let next = commit_on(root, &tip, &tree, commit)?;
        let old = tip.as_deref().unwrap_or_default();
        let Err(error) = hold(root, reference, &next, Some(old)) else {
            return Ok(());
        };
        let meanwhile = self::tip(root, reference, commit)?;
        if meanwhile == tip {
            return Err(error);
        }
        // Somebody else has added a note, which is kept.
        tip = meanwhile;
    }
}

/// What the note on `commit` says; `None` when there is none. Bytes that are no UTF-8 are replaced.
pub fn read_note(root: &Path, reference: &str, commit: &str) -> Result<Option<String>, GitError> {
    see(reference, commit)?;
    let tip = tip(root, reference, commit)?;
    read(root, &tip, commit)
}

fn see(reference: &str, commit: &str) -> Result<(), GitError> {
    if !reference.starts_with(NAMESPACE) {
        return Err(GitError::Reference(reference.to_owned()));
    }
    check_id(commit)
}

/// The commit that the reference holds now. The commit that is spoken of must exist: a slip would leave a
/// note that nobody finds.
fn tip(root: &Path, reference: &str, commit: &str) -> Result<Option<String>, GitError> {
    let question = format!("{commit}\n{reference}\n");
    let git = Git::new(root, "cat-file", ANSWER_LIMIT);
    let output =
        git.args(["--batch-check=%(objecttype) %(objectname)"]).input(question.into()).output()?;
    let answer = String::from_utf8_lossy(&output);
    let mut ids = answer.lines().map(|line| line.strip_prefix("commit ").map(str::to_owned));
    match (ids.next().flatten(), ids.next()) {
        (Some(_), Some(tip)) => Ok(tip),
        _ => Err(GitError::NoSuchCommit { commit: commit.to_owned(), place: root.to_owned() }),
    }
}

fn read(root: &Path, tip: &Option<String>, commit: &str) -> Result<Option<String>, GitError> {
    let Some(tip) = tip else { return Ok(None) };
    let mut text = None;
    let git = Git::new(root, "cat-file", ANSWER_LIMIT);
    blobs::contents(git, &[&format!("{tip}:{commit}")], u64::MAX, |_, content| {
        text = Some(String::from_utf8_lossy(content).into_owned());
    })?;
    Ok(text)
}

/// The tree of all notes, with this one.
fn tree_with(
    root: &Path,
    tip: &Option<String>,
    commit: &str,
    blob: &str,
) -> Result<String, GitError> {
    let mut entries = Vec::new();
    if let Some(tip) = tip {
        Git::new(root, "ls-tree", ANSWER_LIMIT).args(["-z", "--full-tree", tip]).records(
            |record| {
                // `<mode> <type> <id>\t<path>`
                if !record.ends_with(format!("\t{commit}").as_bytes()) {
                    entries.extend_from_slice(record);
                    entries.push(0);
                }
            },
        )?;
    }
    entries.extend(format!("100644 blob {blob}\t{commit}\0").bytes());
    let git = Git::new(root, "mktree", ANSWER_LIMIT).args(["-z"]).input(entries);
    git.output().map(|output| line(&output))
}

fn commit_on(
    root: &Path,
    tip: &Option<String>,
    tree: &str,
    commit: &str,
) -> Result<String, GitError> {
    let git = Signature::own()
        .sign(Git::new(root, "commit-tree", ANSWER_LIMIT))
        .args(["--no-gpg-sign", "-F", "-"])
        .args(tip.iter().flat_map(|tip| ["-p", tip]))
        .args([tree]);
    git.input(format!("note on {commit}\n").into()).output().map(|output| line(&output))
}
