//! What is taken over from an agent that has ended: the output that its step names.

use super::Shared;
use orchestra_core::outcome::{AttemptOutcome, Failure, FailureKind, Output};
use orchestra_runtimes::cli::KnownSecrets;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What is larger is left where it is.
const LARGEST_OUTPUT: u64 = 16 << 20;

/// Completes the outcome with the output that the step names, from the agent's folder `out`. An agent that
/// left none has not succeeded. Secrets of the run are masked in it, as in all that an agent says.
pub(super) fn take(
    shared: &Shared,
    secrets: &KnownSecrets,
    outcome: AttemptOutcome,
    out: &Path,
    output: Option<&str>,
) -> AttemptOutcome {
    match (output.map_or(Ok(None), |path| keep(shared, secrets, out, path)), outcome) {
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

/// What an attempt hands over, however it ended.
pub(super) fn output_of(outcome: &mut AttemptOutcome) -> Option<&mut Output> {
    match outcome {
        AttemptOutcome::Succeeded { output }
        | AttemptOutcome::Failed { output, .. }
        | AttemptOutcome::Cancelled { output }
        | AttemptOutcome::TimedOut { output, .. }
        | AttemptOutcome::Lost { output, .. } => Some(output),
        AttemptOutcome::NeverStarted { .. } => None,
    }
}

/// Reads the output that the step names. Every process of the agent has ended, so what is looked at
/// stays as it is.
fn keep(
    shared: &Shared,
    secrets: &KnownSecrets,
    out: &Path,
    path: &str,
) -> Result<Option<orchestra_core::outcome::Artifact>, Failure> {
    let failed = |kind, message| Failure { kind, message, hint: None };
    let missing = |why: String| {
        let message = format!("the agent left no output in $ORCHESTRA_DIR/{path}: {why}");
        failed(FailureKind::Protocol, message)
    };
    let file = confined(out, path).map_err(|error| missing(error.to_string()))?;
    let size = fs::metadata(&file).map_err(|error| missing(error.to_string()))?.len();
    if size > LARGEST_OUTPUT {
        return Err(missing(format!("it has {size} bytes, {LARGEST_OUTPUT} at most are kept")));
    }
    let content = fs::read(&file).map_err(|error| missing(error.to_string()))?;
    shared.artifacts.put(&secrets.mask(&content), path).map(Some).map_err(|error| {
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
