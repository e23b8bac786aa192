//! What differs between two commits, or between a commit and the files as they are.

mod blobs;
mod candidates;
pub(crate) mod lines;
mod sides;

use super::said;
use crate::working::{self, File};
use blobs::{Blob, Blobs};
use candidates::{Candidate, New};
use orchestra_core::ports::{Diff, DiffContent, DiffQuery, FileDiff, RepoError};
use std::{ops::ControlFlow, path::Path};

/// How many contents are asked for at once, at most, and how large they are together.
const BATCH_FILES: usize = 256;
const BATCH_BYTES: u64 = 16 * 1024 * 1024;

/// A submodule's mode.
const GITLINK: u32 = 0o160_000;

pub(super) fn diff(
    root: &Path,
    query: &DiffQuery<'_>,
    visit: &mut dyn FnMut(FileDiff) -> ControlFlow<()>,
) -> Result<Diff, RepoError> {
    let sides = sides::find(root, query)?;
    let (candidates, from, to) = (sides.candidates, sides.from, sides.to);
    let mut files = 0;
    let mut shown = 0;
    let mut stopped = false;
    for batch in candidates.chunks(BATCH_FILES) {
        let wanted = if shown < query.max_files && !stopped { batch } else { &[] };
        let blobs = Blobs::read(root, wanted, query.max_file_bytes, BATCH_BYTES)?;
        for candidate in batch {
            if shown == query.max_files || stopped {
                files += 1;
                continue;
            }
            let Some(file) = compare(root, candidate, &blobs, query) else { continue };
            files += 1;
            shown += 1;
            stopped = visit(file).is_break();
        }
    }
    Ok(Diff { from, to, files })
}

/// `None` when both sides turn out to be the same.
fn compare(
    root: &Path,
    candidate: &Candidate,
    blobs: &Blobs,
    query: &DiffQuery<'_>,
) -> Option<FileDiff> {
    let old_mode = candidate.old.as_ref().map_or(0, |entry| entry.mode);
    let file = |new_mode, content| {
        let path = String::from_utf8_lossy(&candidate.path).into_owned();
        Some(FileDiff { path, old_mode, new_mode, content })
    };
    let (new_mode, new) = match &candidate.new {
        New::Nothing => (0, Blob::Text(Vec::new())),
        New::Entry(entry) => (entry.mode, blobs.get(&entry.id)),
        New::OnDisk => match working::read(root, &candidate.path, query.max_file_bytes) {
            File::Nothing => (0, Blob::Text(Vec::new())),
            File::Folder if old_mode == GITLINK => return file(GITLINK, DiffContent::Submodule),
            File::Folder if old_mode == 0 => return None,
            File::Folder => (0, Blob::Text(Vec::new())),
            File::Content { mode, bytes } => (mode, Blob::of(bytes)),
            File::TooLarge { mode, .. } => (mode, Blob::TooLarge),
            File::Unreadable => return file(old_mode, DiffContent::Unreadable),
        },
    };
    if old_mode == 0 && new_mode == 0 {
        return None;
    }
    if [old_mode, new_mode].contains(&GITLINK) {
        return file(new_mode, DiffContent::Submodule);
    }
    let old = candidate.old.as_ref().map_or(Blob::Text(Vec::new()), |entry| blobs.get(&entry.id));
    let content = match (old, new) {
        (Blob::Missing, _) | (_, Blob::Missing) => DiffContent::Missing,
        (Blob::TooLarge, _) | (_, Blob::TooLarge) => DiffContent::TooLarge,
        (Blob::Binary(old), Blob::Binary(new)) if old == new && old_mode == new_mode => {
            return None;
        }
        (Blob::Binary(_), _) | (_, Blob::Binary(_)) => DiffContent::Binary,
        (Blob::Text(old), Blob::Text(new)) => {
            let new = lines::with_breaks_of(&old, new);
            // Only its times differ, or its line breaks, which git would bring into line.
            if old == new && old_mode == new_mode {
                return None;
            }
            let Ok(hunks) = lines::hunks(&old, &new, query.context) else {
                return file(new_mode, DiffContent::Unreadable);
            };
            DiffContent::Text { new, hunks }
        }
    };
    file(new_mode, content)
}
