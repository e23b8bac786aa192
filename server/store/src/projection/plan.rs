//! `plans/r12.md`: the plan of a run, written once for people to read.

use super::markdown::{Node, cell, fenced, graph, line};
use orchestra_core::{
    ids::{RunId, TaskId},
    plan::{Executor, Plan, PlannedTask, Retry, Source},
    time::{Millis, Timestamp},
};
use std::fmt::Write as _;

/// The text of the file. Writing to a string does not fail, so those results are dropped.
pub(super) fn text(run: RunId, created: Timestamp, plan: &Plan) -> String {
    let mut text = format!("# {} ({run})\n\n", line(&plan.name));
    if !plan.description.trim().is_empty() {
        let _ = write!(text, "{}\n\n", line(&plan.description));
    }
    for fact in facts(created, plan) {
        let _ = writeln!(text, "- {fact}");
    }
    text.push_str("\n## Tasks\n\n| task | step | needs | who | when |\n|---|---|---|---|---|\n");
    for (id, task) in tasks(run, plan) {
        let needs: Vec<String> = needs(run, task).collect();
        let _ = writeln!(
            text,
            "| {id} | {} | {} | {} | {} |",
            task.step,
            needs.join(", "),
            cell(&who(task)),
            task.when.as_deref().map(cell).unwrap_or_default()
        );
    }
    text.push('\n');
    let nodes: Vec<Node> = tasks(run, plan)
        .map(|(id, task)| Node {
            id,
            step: task.step.to_string(),
            class: "",
            needs: needs(run, task).collect(),
        })
        .collect();
    text.push_str(&graph(&nodes));
    for (id, task) in tasks(run, plan) {
        section(&mut text, &id, task);
    }
    text
}

fn facts(created: Timestamp, plan: &Plan) -> Vec<String> {
    let source = match &plan.source {
        Source::Workflow { name, origin, file: None } => {
            format!("{origin} workflow {}", line(name))
        }
        Source::Workflow { name, origin, file: Some(file) } => {
            format!("{origin} workflow {} from {}", line(name), line(file))
        }
        Source::Start { agent } => format!("started for agent {}", line(agent)),
    };
    let mut facts = vec![source, format!("created {created}"), format!("pattern {}", plan.pattern)];
    if let Some(limit) = plan.max_parallel {
        facts.push(format!("at most {limit} at once"));
    }
    if let Some(timeout) = plan.timeout {
        facts.push(format!("timeout {timeout}"));
    }
    if plan.approve {
        facts.push("waits for approval before it starts".to_owned());
    }
    if !plan.params.is_empty() {
        facts.push(format!("params {}", line(&json(&plan.params))));
    }
    facts
}

fn section(text: &mut String, id: &str, task: &PlannedTask) {
    let mut facts = vec![format!("who: {}", line(&who(task))), format!("mode: {}", task.mode)];
    if let Some(when) = &task.when {
        facts.push(format!("when: {}", line(when)));
    }
    if let Some(timeout) = task.timeout {
        facts.push(format!("timeout: {timeout}"));
    }
    match task.retry {
        Retry { max: 0, .. } => {}
        Retry { max, backoff: Millis(0) } => facts.push(format!("retry: {max} more")),
        Retry { max, backoff } => facts.push(format!("retry: {max} more, after {backoff}")),
    }
    if task.approve {
        facts.push("waits for approval before it starts".to_owned());
    }
    if let Some(output) = &task.output {
        facts.push(format!("output: {}", line(output)));
    }
    let _ = write!(text, "## {id} {}\n\n", task.step);
    for fact in facts {
        let _ = writeln!(text, "- {fact}");
    }
    text.push('\n');
    if let Some(prompt) = &task.prompt {
        let _ = writeln!(text, "{}", fenced(prompt, "text"));
    }
    if !task.with.is_empty() {
        let _ = writeln!(text, "{}", fenced(&json(&task.with), "json"));
    }
}

fn tasks(run: RunId, plan: &Plan) -> impl Iterator<Item = (String, &PlannedTask)> {
    (1..).zip(&plan.tasks).map(move |(number, task)| (task_id(run, number), task))
}

fn needs(run: RunId, task: &PlannedTask) -> impl Iterator<Item = String> {
    task.needs.iter().map(move |need| task_id(run, need.saturating_add(1)))
}

fn task_id(run: RunId, number: u32) -> String {
    TaskId::new(run, number).map_or_else(String::new, |id| id.to_string())
}

/// Everyone who may do it, in the order in which they are asked.
fn who(task: &PlannedTask) -> String {
    let mut text = String::new();
    let mut before: Option<&Executor> = None;
    for executor in &task.executors {
        let equals = matches!(before, Some(Executor::Agent { .. }))
            && matches!(executor, Executor::Agent { fallback: false, .. });
        text.push_str(match before {
            None => "",
            Some(_) if equals => " or ",
            Some(_) => ", else ",
        });
        text.push_str(executor.name());
        before = Some(executor);
    }
    text
}

fn json(map: &serde_json::Map<String, serde_json::Value>) -> String {
    // A map of JSON values can always be written.
    serde_json::to_string_pretty(map).unwrap_or_default()
}
