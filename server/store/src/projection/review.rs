//! `reviews/r12.diff`: what a run has made, as a patch with who wrote each part and what a person said of it.

use super::layout::Layout;
use crate::{artifacts::Artifacts, projection::folder::Obstacle};
use orchestra_core::{
    ids::HunkId,
    review::{Hunk, Review, ReviewFile},
    view::{ReviewView, RunView},
};
use std::fmt::Write as _;

/// Writes the file of a run that has a review.
pub(super) fn write(
    layout: &Layout,
    artifacts: &Artifacts,
    seq: u64,
    run: &RunView,
) -> Result<(), Obstacle> {
    let Some(view) = &run.review else { return Ok(()) };
    let Some(data) = &view.data else { return Ok(()) };
    let reviews = layout.reviews()?;
    // One whose file is damaged is shown as that; doctor says more.
    let text = match artifacts.read(&data.sha256).map(|json| serde_json::from_slice(&json)) {
        Ok(Ok(review)) => text(seq, run, view, &review),
        Ok(Err(error)) => format!("# the review of {} cannot be read: {error}\n", run.id),
        Err(error) => format!("# the review of {} cannot be read: {error}\n", run.id),
    };
    reviews.replace(&format!("{}.diff", run.id), text.as_bytes())
}

/// The text of the file. Writing to a string does not fail, so those results are dropped.
fn text(seq: u64, run: &RunView, view: &ReviewView, review: &Review) -> String {
    let id = run.id;
    let mut text = format!(
        "# {id}: {} files, {} hunks, +{} -{}, {}\n",
        view.files, view.hunks, view.added, view.removed, view.status
    );
    for doubt in &view.doubts {
        let _ = writeln!(text, "# look: {}", one_line(doubt));
    }
    let _ = writeln!(
        text,
        "# `orchestra review {id}` accepts and rejects hunks, `orchestra apply {id}` applies them\n\
         # generated at event {seq}; changes to this file are lost\n"
    );
    let note = |_: &ReviewFile, hunk: &Hunk| verdict(view, hunk.id);
    text.push_str(&review.unified(note));
    text
}

fn verdict(view: &ReviewView, hunk: HunkId) -> String {
    if view.applied.contains(&hunk) {
        return "applied".to_owned();
    }
    view.verdicts.get(&hunk).map_or_else(|| "undecided".to_owned(), ToString::to_string)
}

fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}
