//! What templates and expressions of a task can see: parameters, its run, and the steps before it.

use crate::{
    ids::TaskId,
    outcome::Output,
    state::{Run, TaskPhase},
    template::Reference,
    view::TaskStatus,
};
use fixedbitset::FixedBitSet;
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, VecDeque};

/// The variables for a task. Of the steps before it only those are given that are referred to,
/// since a result may be large and a run long.
pub(crate) fn of_task(run: &Run, id: TaskId, references: Vec<Reference>) -> Value {
    let position = run.position(id);
    let steps = position.map(|position| steps(run, position, references)).unwrap_or_default();
    json!({
        "params": run.plan.params,
        "run": { "id": run.id, "name": run.plan.name },
        "task": { "id": id },
        "steps": steps,
    })
}

fn steps(run: &Run, position: usize, references: Vec<Reference>) -> Map<String, Value> {
    let mut wanted = Wanted::by(references);
    let mut steps = Map::new();
    // Nearest first: what a step refers to is mostly what it needs, and then the walk ends early.
    let mut seen = FixedBitSet::with_capacity(run.tasks.len());
    let mut front = VecDeque::from([position]);
    while !wanted.is_empty()
        && let Some(position) = front.pop_front()
    {
        for need in run.plan.tasks[position].needs.iter().map(|&need| need as usize) {
            if !seen.put(need) {
                front.push_back(need);
                let step = run.plan.tasks[need].step.as_str();
                if wanted.take(step) {
                    steps.insert(step.to_owned(), step_value(run, need));
                }
            }
        }
    }
    steps
}

/// The steps that may be referred to.
enum Wanted {
    All,
    Named(BTreeSet<String>),
}

impl Wanted {
    fn by(references: Vec<Reference>) -> Self {
        references
            .into_iter()
            .filter(|reference| reference.root == "steps")
            .map(|reference| reference.path.into_iter().next())
            .collect::<Option<_>>()
            // `steps` as a whole, or with a computed key.
            .map_or(Self::All, Self::Named)
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Named(names) if names.is_empty())
    }

    fn take(&mut self, step: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.remove(step),
        }
    }
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
