//! The files of one task: its outputs, its log, what it asks, `tasks/r12.3.json` and, last of all, its sentinel.

use super::{
    decision,
    folder::{Folder, Obstacle},
    layout::Layout,
    markdown::line,
};
use crate::artifacts::{Artifacts, hash, parts};
use orchestra_core::{
    outcome::Artifact,
    view::{TaskStatus, TaskView},
};
use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
};

/// Every ending that a sentinel can have.
const SENTINELS: [&str; 4] = ["done", "error", "cancelled", "timeout"];

/// Writes the files of a task. Whoever waits for its sentinel then finds all the others.
pub(super) fn write(
    layout: &Layout,
    dir: &Path,
    artifacts: &Artifacts,
    seq: u64,
    task: &TaskView,
) -> Result<(), Obstacle> {
    let folder = layout.tasks()?;
    let ending = task.status.sentinel();
    for other in SENTINELS.into_iter().filter(|other| Some(*other) != ending) {
        folder.remove(&format!("{}.{other}", task.id))?;
    }
    let file = format!("{}.json", task.id);
    // Its file appears when it is its turn. In a run of thousands of tasks nearly all wait, and to
    // replace so many files soon afterwards is slow: ext4 looks through all inodes freed of late.
    let untouched = task.status == TaskStatus::Waiting && task.attempts.is_empty();
    if untouched && !folder.contains(&file)? {
        return Ok(());
    }
    let mut outputs = Ok(());
    if ending.is_some() {
        for artifact in task.output.iter().flat_map(|output| &output.artifacts) {
            // One that cannot be written does not keep the others back.
            outputs = outputs.and(write_artifact(layout, dir, artifacts, artifact));
        }
        write_log(layout, dir, task)?;
    }
    for decision in &task.decisions {
        decision::write(layout, decision)?;
    }
    folder.replace(&file, json(seq, task).as_bytes())?;
    if let Some(ending) = ending {
        folder.replace(&format!("{}.{ending}", task.id), sentinel(task).as_bytes())?;
    }
    outputs
}

/// The view with the number of the last event that it takes account of.
fn json(seq: u64, task: &TaskView) -> String {
    let mut value = serde_json::json!(task);
    value["seq"] = seq.into();
    format!("{value:#}\n")
}

/// One line that says how it ended.
fn sentinel(task: &TaskView) -> String {
    let detail = line(&task.detail);
    match (task.status, detail.is_empty()) {
        (status, true) => format!("{status}\n"),
        (TaskStatus::Skipped, false) => format!("skipped: {detail}\n"),
        (_, false) => format!("{detail}\n"),
    }
}

/// Copies the log of the last attempt, when it left one.
fn write_log(layout: &Layout, dir: &Path, task: &TaskView) -> Result<(), Obstacle> {
    let Some(attempt) = task.attempts.last() else { return Ok(()) };
    let path = dir.join("attempts").join(attempt.id.file_name()).join("log");
    let mut log = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        log => log.map_err(|error| Obstacle::new(&path, &error))?,
    };
    layout
        .logs()?
        .replace_with(&format!("{}.log", task.id), |file| io::copy(&mut log, file).map(drop))
}

fn write_artifact(
    layout: &Layout,
    dir: &Path,
    artifacts: &Artifacts,
    artifact: &Artifact,
) -> Result<(), Obstacle> {
    let source = dir.join("artifacts").join(&artifact.sha256);
    let gone = |error: io::Error| Obstacle::artifact(&source, &error);
    let parts = parts(&artifact.path).map_err(gone)?;
    let Some((name, folders)) = parts.split_last() else { return Ok(()) };
    let mut below: Option<Folder> = None;
    for folder in folders {
        let parent = match &below {
            Some(parent) => parent,
            None => layout.workspace()?,
        };
        below = Some(parent.folder(folder)?);
    }
    let folder = match &below {
        Some(folder) => folder,
        None => layout.workspace()?,
    };
    let there = folder.read(name)?.map(|content| hash(&content));
    if there.as_ref() == Some(&artifact.sha256) {
        return Ok(());
    }
    let content = artifacts.read(&artifact.sha256).map_err(gone)?;
    keep_edited(folder, name, there.as_deref(), artifacts)?;
    folder.replace_with(name, |file| file.write_all(&content))
}

/// Moves aside what lies in the way and was not made by a task: somebody has edited it.
fn keep_edited(
    folder: &Folder,
    name: &str,
    hash: Option<&str>,
    artifacts: &Artifacts,
) -> Result<(), Obstacle> {
    let ours = hash.is_some_and(|hash| artifacts.contains(hash));
    if ours || !folder.contains(name)? {
        return Ok(());
    }
    let mark = hash.and_then(|hash| hash.get(..8)).unwrap_or("other");
    folder.rename(name, &format!("{name}.edited-{mark}"))
}
