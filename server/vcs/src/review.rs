//! Reviewing: what a run has made is taken apart into hunks, each with its writers; and those that a person
//! accepts are put together again.

mod hunks;
mod identity;
mod select;
mod writers;

use crate::{
    GitError,
    bare::{self, Bare},
    collect::{self, flags},
    git::at_once,
    state,
};
use hunks::{File, Part};
use orchestra_core::{
    ids::HunkId,
    ports::DiffLineKind,
    review::{Hunk, HunkContent, Line, LineKind, Review, ReviewFile, Work},
};
use std::{collections::BTreeSet, path::Path};

/// What is to be compared.
#[derive(Debug, Clone, Copy)]
pub struct CompareRequest<'a> {
    /// The user's workspace, whose repository has all the commits.
    pub root: &'a Path,
    /// A private folder of ours in no agent's scope.
    pub scratch: &'a Path,
    /// The commit of the run's snapshot.
    pub base: &'a str,
    /// The commit with the work of all.
    pub result: &'a str,
    /// In the order of the plan. A commit that several of them have is the first one's.
    pub works: &'a [Work],
    pub limits: Limits,
}

/// How much of what has changed is compared line by line, in bytes of both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of a file; a larger one is reviewed as a whole.
    pub file: u64,
    /// Of all files together; in the order of their paths, those beyond it are reviewed as a whole.
    pub total: u64,
}

/// What is to be put together, and as what.
#[derive(Debug, Clone, Copy)]
pub struct SelectRequest<'a> {
    /// As in [`CompareRequest`]; the repository receives the objects and the reference.
    pub root: &'a Path,
    pub scratch: &'a Path,
    pub base: &'a str,
    pub result: &'a str,
    /// Those for which the review was made: other limits make other hunks.
    pub limits: Limits,
    pub accepted: &'a BTreeSet<HunkId>,
    /// The full name of the reference that will hold the commit, below `refs/orchestra/`.
    pub reference: &'a str,
    /// The first line of the commit's message.
    pub subject: &'a str,
}

/// The base with some hunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// The result itself when all hunks are accepted; else a commit whose parents are base and result. The
    /// same for the same hunks.
    pub commit: String,
    pub tree: String,
}

/// Compares what the user had with what the run has made.
///
/// Nothing in the user's repository changes. Who wrote a line is asked of git's own blame, in a repository of
/// ours where nobody's settings or attributes count.
pub fn compare(request: &CompareRequest<'_>) -> Result<Review, GitError> {
    check([request.base, request.result])?;
    let commits = request.works.iter().flat_map(|work| [work.base.as_str(), work.commit.as_str()]);
    commits.into_iter().try_for_each(bare::check_id)?;
    compared(request).map_err(|error| error.about(request.root))
}

fn compared(request: &CompareRequest<'_>) -> Result<Review, GitError> {
    let bare = Bare::create(request.root, request.scratch)?;
    let files = hunks::between(&bare, request.base, request.result, request.limits)?;
    let differences: Vec<_> = files.iter().map(|file| file.difference.clone()).collect();
    let (flags, writers) = at_once(
        || flags::find(bare.git("cat-file"), &differences),
        || writers::of(&bare, request, &files),
    );
    let (flags, writers) = (flags?, writers?);
    let mut flags = flags.into_iter().peekable();
    let mut shown = Vec::with_capacity(files.len());
    for (file, writers) in files.into_iter().zip(writers) {
        let path = file.difference.shown_path();
        let mut kinds = Vec::new();
        // They come in the order of the files.
        while let Some(flag) = flags.next_if(|flag| flag.path == path) {
            kinds.push(flag.kind);
        }
        let [old_mode, new_mode] = file.modes();
        let status = file.difference.changed_file().status;
        let hunks = file.parts.iter().zip(writers);
        let hunks = hunks.map(|(part, works)| hunk(&file, part, works)).collect();
        shown.push(ReviewFile { path, status, old_mode, new_mode, flags: kinds, hunks });
    }
    Ok(Review {
        base: request.base.to_owned(),
        result: request.result.to_owned(),
        works: request.works.to_owned(),
        files: shown,
    })
}

/// Puts the base and the accepted hunks together, and has the reference hold what comes out.
///
/// In the user's repository only objects and the one reference are new.
pub fn select(request: &SelectRequest<'_>) -> Result<Selected, GitError> {
    if !request.reference.starts_with(collect::NAMESPACE) {
        return Err(GitError::Reference(request.reference.to_owned()));
    }
    check([request.base, request.result])?;
    select::select(request).map_err(|error| error.about(request.root))
}

fn check(ids: [&str; 2]) -> Result<(), GitError> {
    state::require_version()?;
    ids.into_iter().try_for_each(bare::check_id)
}

fn hunk(file: &File, (id, part): &(HunkId, Part), works: Vec<u32>) -> Hunk {
    let content = match part {
        Part::Text(hunk) => HunkContent::Text {
            old_start: hunk.old_start,
            old_lines: hunk.old_lines,
            new_start: hunk.new_start,
            new_lines: hunk.new_lines,
            lines: hunk.lines.iter().map(|line| shown(line.kind, &line.content)).collect(),
        },
        Part::Mode => {
            let [old, new] = file.modes();
            HunkContent::Mode { old, new }
        }
        Part::Whole => {
            let [old, new] = file.entries();
            HunkContent::Whole { old, new }
        }
    };
    Hunk { id: *id, works, content }
}

fn shown(kind: DiffLineKind, content: &[u8]) -> Line {
    let text = content.strip_suffix(b"\n");
    Line {
        kind: match kind {
            DiffLineKind::Context => LineKind::Context,
            DiffLineKind::Added => LineKind::Added,
            DiffLineKind::Removed => LineKind::Removed,
        },
        text: String::from_utf8_lossy(text.unwrap_or(content)).into_owned(),
        no_newline: text.is_none(),
    }
}
