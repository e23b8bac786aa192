//! Merges: the tasks that nobody writes down, which bring works together before a step that needs those of
//! several, and at the end those of all.

mod find;

use super::graph::Graph;
use crate::{
    ids::StepId,
    plan::{Executor, Mode, PlannedTask, Retry},
    workflow::Step,
};
pub(super) use find::Files;
use find::{Found, Merge, Node};
use serde_json::Map;
use std::collections::HashSet;

/// The longest id of a step, in bytes.
const MAX_ID: usize = 64;

/// The merges of a plan.
#[derive(Debug)]
pub(super) struct Merges {
    found: Found,
    /// What each is called.
    ids: Vec<StepId>,
}

/// What every merge of a plan has.
pub(super) struct Common {
    pub(super) mode: Mode,
    /// Who takes over where works do not fit together.
    pub(super) resolvers: Vec<Executor>,
    pub(super) retry: Retry,
    pub(super) verify: Vec<Vec<String>>,
}

impl Merges {
    /// Finds where works have to come together. `files` says what each step does.
    pub(super) fn find(steps: &[Step<'_>], graph: &Graph, files: &[Files]) -> Self {
        let found = Found::of(graph, files);
        let mut ids = Vec::with_capacity(found.merges.len());
        if !found.merges.is_empty() {
            let mut taken: HashSet<String> =
                steps.iter().filter_map(|step| step.id).map(str::to_owned).collect();
            for merge in &found.merges {
                let step = merge.before.and_then(|step| steps[step as usize].id);
                let id = free_id(step, &taken);
                ids.extend(id.parse());
                taken.insert(id);
            }
        }
        Self { found, ids }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The positions of the steps that need the merge of this id, if there is one.
    pub(super) fn needed_by(&self, id: &str) -> Option<Vec<usize>> {
        let number = self.ids.iter().position(|merge| merge.as_str() == id)?;
        let merge = self.found.first + Node::try_from(number).ok()?;
        let of_steps = self.found.of_steps.iter();
        Some(
            of_steps
                .filter(|(_, needed)| **needed == merge)
                .map(|(step, _)| *step as usize)
                .collect(),
        )
    }

    /// Puts the merges among the tasks of all steps, each before the first step that needs it.
    pub(super) fn insert(&self, steps: Vec<PlannedTask>, common: &Common) -> Vec<PlannedTask> {
        if self.is_empty() {
            return steps;
        }
        let mut tasks = steps;
        for (step, merge) in &self.found.of_steps {
            tasks[*step as usize].needs.push(*merge);
        }
        // A merge comes just before its step.
        let mut places: Vec<(Node, bool)> =
            (0..self.found.first).map(|step| (step, true)).collect();
        for (id, merge) in self.ids.iter().zip(&self.found.merges) {
            places.push((merge.before.unwrap_or(self.found.first), false));
            let priority = merge.before.map_or(0, |step| tasks[step as usize].priority);
            tasks.push(planned(id, merge, priority, common));
        }
        let mut order: Vec<usize> = (0..tasks.len()).collect();
        order.sort_by_key(|&node| places[node]);
        let mut moved: Vec<Node> = vec![0; tasks.len()];
        for (place, &node) in (0..).zip(&order) {
            moved[node] = place;
        }
        for task in &mut tasks {
            task.needs.iter_mut().for_each(|need| *need = moved[*need as usize]);
            task.needs.sort_unstable();
        }
        let mut tasks: Vec<(Node, PlannedTask)> = moved.into_iter().zip(tasks).collect();
        tasks.sort_by_key(|(place, _)| *place);
        tasks.into_iter().map(|(_, task)| task).collect()
    }
}

/// An id that no step has: `merge-<step>`, and just `merge` for the last one.
fn free_id(step: Option<&str>, taken: &HashSet<String>) -> String {
    let name = step.map_or_else(|| "merge".to_owned(), |step| format!("merge-{step}"));
    let cut = |end: usize| name.get(..name.len().min(end)).unwrap_or(&name);
    let mut id = cut(MAX_ID).to_owned();
    let mut number = 1;
    while taken.contains(&id) {
        number += 1;
        let number = format!("-{number}");
        id = format!("{}{number}", cut(MAX_ID - number.len()));
    }
    id
}

fn planned(id: &StepId, merge: &Merge, priority: i32, common: &Common) -> PlannedTask {
    PlannedTask {
        step: id.clone(),
        needs: merge.works.clone(),
        mode: common.mode,
        capabilities: Vec::new(),
        // In every mode: that texts fit together is no matter of opinion.
        executors: std::iter::once(Executor::merge())
            .chain(common.resolvers.iter().cloned())
            .collect(),
        prompt: None,
        with: Map::new(),
        when: None,
        timeout: None,
        retry: common.retry,
        priority,
        approve: false,
        output: None,
        verify: common.verify.clone(),
        accept: Vec::new(),
        // Works may take each other back.
        allow_empty: true,
        optional: false,
    }
}
