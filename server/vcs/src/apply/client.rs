//! The files that a client has open: what it is to put into its buffers, and whether it has.

use super::{
    place::Place,
    record::{Content, Kept, Kind, Row},
};
use crate::GitError;
use orchestra_core::operation::FileState;
use std::path::Path;

/// What a client is to have as the text of a file, as bytes of the disk; `None`: no such file. `references` and
/// `path` are as [`super::prepare`] was given and answered them.
pub fn for_client(root: &Path, references: &str, path: &str) -> Result<Option<Vec<u8>>, GitError> {
    let place = Place::find(root)?;
    let kept = Kept::read(&place, references)?;
    let path = known(&kept, path)?;
    let Some(id) = kept.after.get(path) else { return Ok(None) };
    place.git("cat-file").args(["blob", id]).output().map(Some)
}

/// Where a file of the client stands that says it now has this text, or no such file.
pub fn check_client(
    root: &Path,
    references: &str,
    path: &str,
    now: Option<&[u8]>,
) -> Result<FileState, GitError> {
    let place = Place::find(root)?;
    let kept = Kept::read(&place, references)?;
    let path = known(&kept, path)?;
    // A buffer says nothing of the mode.
    let is = |row: Option<&Row>| {
        let then = row.map(|row| (row.content.bytes, row.content.digest));
        let now = now.map(|text| Content::of(Kind::Plain, text));
        now.map(|now| (now.bytes, now.digest)) == then
    };
    Ok(if is(kept.record.after.get(path)) {
        FileState::Applied
    } else if is(kept.record.before.get(path)) {
        FileState::Unanswered
    } else {
        FileState::ChangedMeanwhile
    })
}

fn known<'a>(kept: &Kept, path: &'a str) -> Result<&'a [u8], GitError> {
    if kept.record.paths().contains(path.as_bytes()) {
        Ok(path.as_bytes())
    } else {
        Err(GitError::NotOfOperation(path.to_owned()))
    }
}
