//! Commands about reviews, as far as the journal and the files beside it have to be read for them.

use crate::{actor::Request, environment::Environment, planning::Planner};
use orchestra_core::{
    decide::{Apply, SendBack},
    ids::{AttemptId, HunkId, OperationId, RunId},
    operation::{Favor, OperationKind, Target},
    review::{Hunk, Review, ReviewFile},
    view::OperationView,
};
use orchestra_protocol::{
    command::Unsaved,
    error::{ErrorBody, ErrorKind},
};
use orchestra_store::Reader;
use std::{collections::BTreeMap, fmt::Write as _};

/// How many runs are looked through for the last operation that can be taken back.
const LOOKED_THROUGH: u32 = 1_000;
/// In bytes. What an agent is told of the hunks that are sent back; the rest it sees in its tree.
const LONGEST_EXCERPT: usize = 32 << 10;
/// In bytes.
const LONGEST_COMMENT: usize = 64 << 10;

impl Planner {
    /// Blocks, as all of these do.
    pub(crate) fn apply(
        &self,
        run: RunId,
        target: Target,
        favor: Favor,
        all: bool,
        unsaved: Vec<Unsaved>,
    ) -> Result<Request, ErrorBody> {
        let unsaved = self.keep_unsaved(unsaved)?;
        Ok(Request::Apply(Box::new(Apply { run, target, favor, all, unsaved })))
    }

    pub(crate) fn undo(
        &self,
        reader: &Reader,
        operation: Option<OperationId>,
        favor: Favor,
        unsaved: Vec<Unsaved>,
    ) -> Result<Request, ErrorBody> {
        let operation = match operation {
            Some(operation) => operation,
            None => last_operation(reader)?,
        };
        Ok(Request::Undo { operation, favor, unsaved: self.keep_unsaved(unsaved)? })
    }

    pub(crate) fn send_back(
        &self,
        reader: &Reader,
        run: RunId,
        comment: &str,
        hunks: &[HunkId],
        environment: Environment,
    ) -> Result<Request, ErrorBody> {
        let comment = comment.trim();
        if comment.is_empty() || comment.len() > LONGEST_COMMENT {
            return Err(ErrorBody::new(
                ErrorKind::Invalid,
                format!("the comment is empty or has more than {LONGEST_COMMENT} bytes"),
                "say in a few sentences what is to be different",
            ));
        }
        let review = self.review(reader, run)?;
        let chosen = chosen(&review, run, hunks)?;
        let back = SendBack {
            run,
            prompt: prompt(&review, comment, &chosen),
            works: authors(&review, &chosen),
        };
        Ok(Request::SendBack(Box::new(back), environment))
    }

    /// The review of a run as it was kept.
    fn review(&self, reader: &Reader, run: RunId) -> Result<Review, ErrorBody> {
        let view = reader.run(run).map_err(unreadable)?;
        let data = view.and_then(|view| view.review?.data).ok_or_else(|| {
            ErrorBody::new(
                ErrorKind::WrongState,
                format!("there is no review of {run}"),
                format!("see where it stands with `orchestra show {run}`"),
            )
        })?;
        let read = self.artifacts.read(&data.sha256).map_err(|error| error.to_string());
        read.and_then(|json| serde_json::from_slice(&json).map_err(|error| error.to_string()))
            .map_err(|error| {
                ErrorBody::new(
                    ErrorKind::Internal,
                    format!("read the review of {run}: {error}"),
                    "see `orchestra doctor`",
                )
            })
    }
}

/// The last one that has changed something which is still so. What takes another back is not meant: who asks
/// twice wants to go back twice as far.
fn last_operation(reader: &Reader) -> Result<OperationId, ErrorBody> {
    let runs = reader.operated(LOOKED_THROUGH).map_err(unreadable)?;
    let can_be_undone = |operation: &&OperationView| {
        operation.in_effect && !matches!(operation.kind, OperationKind::Undo { .. })
    };
    let operations = runs.iter().flat_map(|run| &run.operations).filter(can_be_undone);
    let last = operations.max_by_key(|operation| (operation.started, operation.id));
    last.map(|operation| operation.id).ok_or_else(|| {
        ErrorBody::new(
            ErrorKind::WrongState,
            "there is nothing to undo".to_owned(),
            "`orchestra undo --list` shows what was done to your files",
        )
    })
}

fn chosen<'a>(
    review: &'a Review,
    run: RunId,
    hunks: &[HunkId],
) -> Result<Vec<(&'a ReviewFile, &'a Hunk)>, ErrorBody> {
    let find = |id: &HunkId| {
        review.hunks().find(|(_, hunk)| hunk.id == *id).ok_or_else(|| {
            ErrorBody::new(
                ErrorKind::NotFound,
                format!("the review of {run} has no hunk {id}"),
                format!("`orchestra review {run}` lists its hunks"),
            )
        })
    };
    hunks.iter().map(find).collect()
}

/// Whose work these hunks are, whoever wrote most of them first.
fn authors(review: &Review, chosen: &[(&ReviewFile, &Hunk)]) -> Vec<AttemptId> {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for work in chosen.iter().flat_map(|(_, hunk)| &hunk.works) {
        *counts.entry(*work).or_default() += 1;
    }
    let mut counts: Vec<(u32, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|&(work, count)| (std::cmp::Reverse(count), work));
    let works = counts.into_iter().filter_map(|(work, _)| review.works.get(work as usize));
    works.map(|work| work.attempt).collect()
}

fn prompt(review: &Review, comment: &str, chosen: &[(&ReviewFile, &Hunk)]) -> String {
    let mut text = format!(
        "A person has looked at the work so far and sends it back to you. Your tree holds all of it; \
         `git diff {} HEAD` shows what it changes. What the person says:\n\n{comment}\n",
        review.base
    );
    if !chosen.is_empty() {
        text.push_str("\nIt is about these parts of the change:\n\n");
        let ids: Vec<HunkId> = chosen.iter().map(|(_, hunk)| hunk.id).collect();
        let mut part = review.clone();
        part.files.retain_mut(|file| {
            file.hunks.retain(|hunk| ids.contains(&hunk.id));
            !file.hunks.is_empty()
        });
        let patch = part.unified(|_, _| String::new());
        let end = patch.floor_char_boundary(LONGEST_EXCERPT);
        text.push_str(&patch[..end]);
        if end < patch.len() {
            // Writing into a string cannot fail.
            let _ = writeln!(text, "\n… and {} bytes more", patch.len() - end);
        }
    }
    text.push_str("\nChange what is asked for and leave the rest as it is.\n");
    text
}

fn unreadable(error: impl std::error::Error) -> ErrorBody {
    ErrorBody::new(ErrorKind::Internal, error.to_string(), "see `orchestra doctor`")
}
