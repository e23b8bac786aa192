//! What is taken over from an agent that has ended: the output that its step names, and the tree of an
//! agent that writes, which is kept for a person to look at.

use super::{Shared, process::remove};
use orchestra_core::outcome::{AttemptOutcome, Failure, FailureKind, Output};
use orchestra_runtimes::attempt::AttemptDir;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What is larger is left where it is.
const LARGEST_OUTPUT: u64 = 16 << 20;

/// What there is to take over from an attempt.
pub(super) struct Handover<'a> {
    pub(super) dir: &'a AttemptDir,
    pub(super) slot: &'a Path,
    /// The output that the step names.
    pub(super) output: Option<&'a str>,
    /// Whether the tree is kept for a person.
    pub(super) writes: bool,
}

/// Completes the outcome with what lies in the slot, and removes the slot when nobody needs it.
///
/// A daemon that dies before the outcome is recorded takes it over again, so what can be read only
/// once is kept before it goes.
pub(super) fn take(
    shared: &Shared,
    outcome: AttemptOutcome,
    handover: &Handover<'_>,
) -> io::Result<AttemptOutcome> {
    let Handover { dir, slot, output, writes } = *handover;
    let mut outcome = match dir.kept_outcome()? {
        Some(kept) => kept,
        None => complete(shared, outcome, slot, output),
    };
    if writes {
        if let Some(output) = output_of(&mut outcome) {
            output.tree = Some(slot.join("src").display().to_string());
        }
        return Ok(outcome);
    }
    if output.is_some() {
        dir.keep_outcome(&outcome)?;
    }
    remove(slot);
    Ok(outcome)
}

fn complete(
    shared: &Shared,
    outcome: AttemptOutcome,
    slot: &Path,
    output: Option<&str>,
) -> AttemptOutcome {
    match (output.map_or(Ok(None), |path| keep(shared, slot, path)), outcome) {
        (Ok(artifact), mut outcome) => {
            if let (Some(artifact), Some(output)) = (artifact, output_of(&mut outcome)) {
                output.artifacts.push(artifact);
            }
            outcome
        }
        (Err(failure), AttemptOutcome::Succeeded { output }) => {
            AttemptOutcome::Failed { failure, output }
        }
        // It has not succeeded anyway; that it left no output is part of that.
        (Err(_), outcome) => outcome,
    }
}

fn output_of(outcome: &mut AttemptOutcome) -> Option<&mut Output> {
    match outcome {
        AttemptOutcome::Succeeded { output }
        | AttemptOutcome::Failed { output, .. }
        | AttemptOutcome::Cancelled { output }
        | AttemptOutcome::TimedOut { output, .. } => Some(output),
        AttemptOutcome::Lost { .. } | AttemptOutcome::NeverStarted { .. } => None,
    }
}

/// Reads the output that the step names. Every process of the agent has ended, so what is looked at
/// stays as it is.
fn keep(
    shared: &Shared,
    slot: &Path,
    path: &str,
) -> Result<Option<orchestra_core::outcome::Artifact>, Failure> {
    let failed = |kind, message| Failure { kind, message, hint: None };
    let missing = |why: String| {
        let message = format!("the agent left no output in $ORCHESTRA_DIR/{path}: {why}");
        failed(FailureKind::Protocol, message)
    };
    let file = confined(&slot.join("out"), path).map_err(|error| missing(error.to_string()))?;
    let size = fs::metadata(&file).map_err(|error| missing(error.to_string()))?.len();
    if size > LARGEST_OUTPUT {
        return Err(missing(format!("it has {size} bytes, {LARGEST_OUTPUT} at most are kept")));
    }
    let content = fs::read(&file).map_err(|error| missing(error.to_string()))?;
    shared.artifacts.put(&content, path).map(Some).map_err(|error| {
        failed(FailureKind::Environment, format!("keep the output {path}: {error}"))
    })
}

/// A plain file below `folder`, whatever links the agent has put there.
fn confined(folder: &Path, path: &str) -> io::Result<PathBuf> {
    let folder = folder.canonicalize()?;
    let file = folder.join(path).canonicalize()?;
    let plain = file.starts_with(&folder) && fs::symlink_metadata(&file)?.is_file();
    if plain { Ok(file) } else { Err(io::Error::other("it is no plain file in that folder")) }
}
