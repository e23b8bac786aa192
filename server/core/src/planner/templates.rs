//! The templates and expressions of all steps: what they name must be there, and must have ended before.

use super::{graph::Graph, merges::Merges};
use crate::{
    source::{At, Findings, Node, Text, Value, shortened},
    template::{self, Checked, Reference},
    workflow::{Step, Workflow},
};
use std::collections::HashMap;

const ROOTS: [&str; 4] = ["params", "run", "steps", "task"];
const STEP_FIELDS: [&str; 4] = ["artifacts", "result", "status", "summary"];

pub(super) fn check(
    workflow: &Workflow<'_>,
    ids: &HashMap<&str, usize>,
    graph: &Graph,
    merges: &Merges,
    findings: &mut Findings<'_>,
) {
    for (position, step) in workflow.steps.iter().enumerate() {
        if findings.is_full() {
            return;
        }
        let mut check = StepCheck { workflow, ids, graph, merges, position, findings };
        if let Some(prompt) = step.prompt {
            check.text(prompt, template::check_template(prompt.value));
        }
        if let Some(when) = step.when {
            check.condition(step, when);
        }
        for entry in step.with {
            check.argument(&entry.value);
        }
    }
}

struct StepCheck<'c, 'n, 'f> {
    workflow: &'c Workflow<'n>,
    ids: &'c HashMap<&'n str, usize>,
    graph: &'c Graph,
    merges: &'c Merges,
    position: usize,
    findings: &'c mut Findings<'f>,
}

impl StepCheck<'_, '_, '_> {
    fn condition(&mut self, step: &Step<'_>, when: Text<'_>) {
        if template::is_template(when.value) {
            let message = "`when` is an expression already";
            self.findings.error(when.at, message, "remove the braces");
            return;
        }
        let checked = template::check_expression(when.value);
        if checked.constant == Some(false) {
            let id = step.id.unwrap_or_default();
            let message = format!("step `{id}` never runs: its `when` is always false");
            self.findings.warning(when.at, message, "change the condition, or remove the step");
        }
        self.text(when, checked);
    }

    fn argument(&mut self, node: &Node) {
        match &node.value {
            Value::Text(value) => {
                let text = Text { value, at: node.at };
                self.text(text, template::check_template(value));
            }
            Value::List(items) => items.iter().for_each(|item| self.argument(item)),
            Value::Map(entries) => entries.iter().for_each(|entry| self.argument(&entry.value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn text(&mut self, text: Text<'_>, checked: Checked) {
        for problem in checked.problems {
            let at = text.place(problem.offset, self.findings);
            self.findings.error(at, problem.message, problem.hint);
        }
        for reference in &checked.references {
            if let Some((message, hint)) = self.reference(reference) {
                let at = self.place(text, reference);
                self.findings.error(at, message, hint);
            }
        }
    }

    fn place(&self, text: Text<'_>, reference: &Reference) -> At {
        text.place(reference.offset, self.findings)
    }

    /// What is wrong with a reference.
    fn reference(&self, reference: &Reference) -> Option<(String, String)> {
        let path: Vec<&str> = reference.path.iter().map(String::as_str).collect();
        match (reference.root.as_str(), path.as_slice()) {
            ("params", [name, ..]) => {
                let params = &self.workflow.params;
                if params.iter().any(|param| param.name == *name) {
                    return None;
                }
                let hint = self.findings.near(name, params.iter().map(|param| param.name));
                let hint = hint.unwrap_or_else(|| "declare it below `params:`".to_owned());
                Some((format!("there is no parameter `{}`", shortened(name)), hint))
            }
            ("run", [name, ..]) => self.field("run", name, &["id", "name"]),
            ("task", [name, ..]) => self.field("task", name, &["id"]),
            ("steps", [id, rest @ ..]) => self.step(id, rest.first().copied()).or_else(|| {
                rest.first().and_then(|field| self.field("a step", field, &STEP_FIELDS))
            }),
            ("params" | "run" | "task" | "steps", []) => None,
            (root, _) => {
                let hint = self.findings.near(root, ROOTS);
                let known = || format!("templates know {}", ROOTS.join(", "));
                let message = format!("templates know no `{}`", shortened(root));
                Some((message, hint.unwrap_or_else(known)))
            }
        }
    }

    fn step(&self, id: &str, field: Option<&str>) -> Option<(String, String)> {
        let name = shortened(id);
        let Some(&other) = self.ids.get(id) else {
            if let Some(needed_by) = self.merges.needed_by(id) {
                return self.merge(&name, &needed_by);
            }
            // `steps.my-scan` is read as a subtraction.
            let dashed = self.ids.keys().filter(|known| field.is_none() && known.contains('-'));
            let mut dashed: Vec<&&str> = dashed
                .filter(|known| known.strip_prefix(id).is_some_and(|rest| rest.starts_with('-')))
                .collect();
            dashed.sort_unstable();
            let hint = match dashed.first() {
                Some(known) => format!("write `steps[\"{known}\"]`, because of the dash"),
                None => self
                    .findings
                    .near(id, self.ids.keys().copied())
                    .unwrap_or_else(|| "name the `id` of a step that this one needs".to_owned()),
            };
            return Some((format!("there is no step `{name}`"), hint));
        };
        if other == self.position {
            let hint = "name a step that this one needs".to_owned();
            return Some((format!("step `{name}` refers to its own outcome"), hint));
        }
        if !self.graph.is_upstream(other, self.position) {
            let message =
                format!("step `{name}` may not have ended, because nothing here needs it");
            return Some((message, format!("add `{name}` to `needs`")));
        }
        None
    }

    /// A merge that nobody wrote down, and the steps that need it.
    fn merge(&self, name: &str, needed_by: &[usize]) -> Option<(String, String)> {
        let comes_first =
            |&step: &usize| step == self.position || self.graph.is_upstream(step, self.position);
        if needed_by.iter().any(comes_first) {
            return None;
        }
        let message =
            format!("the merge `{name}` may not have ended, because nothing here needs it");
        Some((message, "need the steps whose works it brings together".to_owned()))
    }

    fn field(&self, of: &str, name: &str, known: &[&str]) -> Option<(String, String)> {
        if known.contains(&name) {
            return None;
        }
        let hint = self.findings.near(name, known.iter().copied());
        let message = format!("{of} has no `{}`", shortened(name));
        Some((message, hint.unwrap_or_else(|| format!("there is: {}", known.join(", ")))))
    }
}
