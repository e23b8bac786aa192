//! The plan for `orchestra start <agent> "prompt"`: one task.

use super::executors::add_fallbacks;
use crate::{
    catalog::Catalog,
    ids::StepId,
    plan::{Executor, Mode, Pattern, Plan, PlannedTask, Retry, Source},
    source::nearest,
    template,
};
use serde_json::{Map, Value};

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    #[error("there is no agent `{agent}`")]
    Unknown { agent: String, near: Vec<String> },
    #[error("agent `{agent}` is not available: {reason}")]
    Unavailable { agent: String, reason: String },
    #[error("agent `{agent}` was given an empty prompt")]
    NoPrompt { agent: String },
    #[error("agent `{agent}` has a name that cannot name a step")]
    BadName { agent: String },
}

impl StartError {
    /// The next step for a person.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown { near, .. } if near.is_empty() => {
                "see `orchestra agents list`".to_owned()
            }
            Self::Unknown { near, .. } => format!("did you mean `{}`?", near.join("` or `")),
            Self::Unavailable { .. } => "see `orchestra agents check`".to_owned(),
            Self::NoPrompt { agent } => format!("orchestra start {agent} \"what it is to do\""),
            Self::BadName { .. } => {
                "start its name with a letter and use letters, digits, `_` and `-`".to_owned()
            }
        }
    }
}

/// One task for one agent. The prompt is a text, not a template: people paste code into it.
pub fn plan_for_start(agent: &str, prompt: &str, catalog: &Catalog) -> Result<Plan, StartError> {
    let name = || agent.chars().take(80).collect::<String>();
    let Some(found) = catalog.agent(agent) else {
        let names = catalog.agents.iter().map(|agent| agent.profile.name.as_str());
        let near = nearest(agent, names).into_iter().map(str::to_owned).collect();
        return Err(StartError::Unknown { agent: name(), near });
    };
    if let Some(reason) = found.unavailable() {
        return Err(StartError::Unavailable { agent: name(), reason: reason.to_owned() });
    }
    if prompt.trim().is_empty() {
        return Err(StartError::NoPrompt { agent: name() });
    }
    let step: StepId = agent.parse().map_err(|_| StartError::BadName { agent: name() })?;
    let mut agents = vec![(found, false)];
    add_fallbacks(&mut agents, catalog);
    let writes = agents.iter().any(|(agent, _)| agent.profile.writes);
    let (prompt, params) = literal(prompt);
    let executors = agents
        .iter()
        .map(|&(agent, fallback)| Executor::Agent { name: agent.profile.name.clone(), fallback })
        .collect();
    Ok(Plan {
        name: agent.to_owned(),
        description: String::new(),
        source: Source::Start { agent: agent.to_owned() },
        pattern: Pattern::Dag,
        tasks: vec![PlannedTask {
            step,
            needs: Vec::new(),
            mode: Mode::Strategic,
            capabilities: Vec::new(),
            executors,
            prompt: Some(prompt),
            with: Map::new(),
            when: None,
            timeout: None,
            retry: Retry::default(),
            priority: 0,
            approve: false,
            output: None,
            verify: if writes { catalog.checks.commands.clone() } else { Vec::new() },
            accept: Vec::new(),
            allow_empty: false,
            optional: false,
        }],
        agents: agents
            .into_iter()
            .map(|(agent, _)| (agent.profile.name.clone(), agent.profile.clone()))
            .collect(),
        params,
        order: catalog.order.clone(),
        max_parallel: None,
        timeout: None,
        approve: false,
        with_conflicts: false,
        unsaved: Vec::new(),
        tree: catalog.tree.clone(),
        checks: catalog.checks.clone(),
        apply: catalog.apply,
    })
}

/// A prompt that renders to `text` as it is: what looks like a template travels as a parameter.
fn literal(text: &str) -> (String, Map<String, Value>) {
    if !template::is_template(text) {
        return (text.to_owned(), Map::new());
    }
    let params = Map::from_iter([("prompt".to_owned(), Value::from(text))]);
    ("{{ params.prompt }}".to_owned(), params)
}
