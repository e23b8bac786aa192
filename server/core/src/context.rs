//! What templates and expressions of a task can see: parameters, its run, and the steps before it.

use crate::{
    ids::TaskId,
    outcome::Output,
    state::{Run, TaskPhase},
    view::TaskStatus,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The variables for a task. Of the steps before it only those are given that one of `texts` can
/// refer to, since a result may be large and a run long.
pub(crate) fn of_task(run: &Run, id: TaskId, texts: &[&str]) -> Value {
    let mut steps = Map::new();
    if let Some(position) = run.position(id)
        && texts.iter().any(|text| text.contains("steps"))
    {
        for upstream in upstream(run, position) {
            let step = run.plan.tasks[upstream].step.as_str();
            if texts.iter().any(|text| refers_to(text, step)) {
                steps.insert(step.to_owned(), step_value(run, upstream));
            }
        }
    }
    json!({
        "params": run.plan.params,
        "run": { "id": run.id, "name": run.plan.name },
        "task": { "id": id },
        "steps": steps,
    })
}

/// A step can only be named by its id, unless `steps` is used as a whole.
fn refers_to(text: &str, step: &str) -> bool {
    let as_a_whole = text
        .match_indices("steps")
        .any(|(at, word)| !text[at + word.len()..].trim_start().starts_with(['.', '[']));
    as_a_whole || text.contains(step)
}

/// The positions of all tasks that a task needs, directly or through others.
fn upstream(run: &Run, position: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut front = vec![position];
    while let Some(position) = front.pop() {
        for &need in &run.plan.tasks[position].needs {
            if found.insert(need as usize) {
                front.push(need as usize);
            }
        }
    }
    found
}

fn step_value(run: &Run, position: usize) -> Value {
    let task = &run.tasks[position];
    let nothing = Output::default();
    let output = match &task.phase {
        TaskPhase::Ended { outcome, .. } => outcome.output().unwrap_or(&nothing),
        _ => &nothing,
    };
    let artifacts: Vec<&str> =
        output.artifacts.iter().map(|artifact| artifact.path.as_str()).collect();
    json!({
        "status": TaskStatus::from(&task.phase),
        "summary": output.summary,
        "result": output.result,
        "artifacts": artifacts,
    })
}
