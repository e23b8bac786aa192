//! Plans: the concrete DAG that one run executes, with every default and reference resolved.

use crate::{
    agent::{AgentProfile, Origin},
    ids::StepId,
    selection::Order,
    time::Millis,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// How tasks are given to the two layers, natives and agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A native action where one covers the task, else an agent; each stands in for the other.
    #[default]
    Intelligent,
    /// Native actions only.
    Speed,
    /// Agents only.
    Strategic,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Intelligent => "intelligent",
            Self::Speed => "speed",
            Self::Strategic => "strategic",
        })
    }
}

/// How a plan grows out of a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pattern {
    /// Steps start when their `needs` have ended.
    #[default]
    Dag,
    /// Each step needs the one before it, besides its own `needs`.
    Sequential,
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dag => "dag",
            Self::Sequential => "sequential",
        })
    }
}

/// What takes up a worker while it runs, and so which limit it counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// Pure computation without I/O: done at once, never limited.
    Inline,
    /// A pure native action that reads files: limited by the processor.
    Native,
    /// A process under a shim.
    Process,
}

/// One way to carry out a task.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Executor {
    Native {
        action: String,
        inline: bool,
    },
    Agent {
        name: String,
        /// Takes over only when those before it have failed; the others are equals, of which the
        /// least loaded is chosen.
        #[serde(default)]
        fallback: bool,
    },
}

impl Executor {
    pub fn lane(&self) -> Lane {
        match self {
            Self::Native { inline: true, .. } => Lane::Inline,
            Self::Native { inline: false, .. } => Lane::Native,
            Self::Agent { .. } => Lane::Process,
        }
    }

    /// The action or the agent.
    pub fn name(&self) -> &str {
        match self {
            Self::Native { action, .. } => action,
            Self::Agent { name, .. } => name,
        }
    }
}

impl fmt::Display for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How often and when a failed task is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Retry {
    /// Tries after the first one.
    pub max: u32,
    /// The wait before the first retry; it doubles each time, with up to a fifth of jitter.
    pub backoff: Millis,
}

impl Retry {
    pub const LONGEST_BACKOFF: Millis = Millis::minutes(10);
}

/// Where a plan came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Source {
    /// A workflow; `file` is relative to the workspace where it comes from there.
    Workflow { name: String, origin: Origin, file: Option<String> },
    /// `orchestra start <agent> "prompt"`.
    Start { agent: String },
}

/// A workflow whose every reference is resolved and every default filled in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub name: String,
    #[serde(default)]
    pub description: String,
    pub source: Source,
    #[serde(default)]
    pub pattern: Pattern,
    /// In the order of the workflow; the n-th (from one) becomes the task `r<run>.<n>`.
    pub tasks: Vec<PlannedTask>,
    /// Every agent that a task may be given to.
    #[serde(default)]
    pub agents: BTreeMap<String, AgentProfile>,
    #[serde(default)]
    pub params: serde_json::Map<String, serde_json::Value>,
    /// By what equal candidates for a task are told apart.
    #[serde(default)]
    pub order: Order,
    /// How many attempts of this run may be under way at once, whatever the daemon allows.
    #[serde(default)]
    pub max_parallel: Option<u32>,
    /// For the whole run; waiting for a person does not count.
    #[serde(default)]
    pub timeout: Option<Millis>,
    /// Whether a person approves the plan before anything starts.
    #[serde(default)]
    pub approve: bool,
    /// Whether agents also get files with merge conflicts, as they lie on the disk.
    #[serde(default)]
    pub with_conflicts: bool,
}

/// One task of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedTask {
    pub step: StepId,
    /// Positions in [`Plan::tasks`], sorted, each smaller than the plan's length.
    #[serde(default)]
    pub needs: Vec<u32>,
    #[serde(default)]
    pub mode: Mode,
    /// What whoever does it has to be able to do, where the step names nobody.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// In the order of preference that the mode asks for; never empty.
    pub executors: Vec<Executor>,
    /// A template; what it renders to is journalled with each attempt.
    #[serde(default)]
    pub prompt: Option<String>,
    /// Arguments; every string in it is a template.
    #[serde(default)]
    pub with: serde_json::Map<String, serde_json::Value>,
    /// An expression; the task is skipped when it is false.
    #[serde(default)]
    pub when: Option<String>,
    /// `None`: the agent's own.
    #[serde(default)]
    pub timeout: Option<Millis>,
    #[serde(default)]
    pub retry: Retry,
    /// Higher goes first.
    #[serde(default)]
    pub priority: i32,
    /// Whether a person approves this task before it starts.
    #[serde(default)]
    pub approve: bool,
    /// Where the task's main output goes, below `.orchestra/workspace/`.
    #[serde(default)]
    pub output: Option<String>,
}

impl Plan {
    /// Whether a task may be given to a process, which works on a snapshot.
    pub fn has_processes(&self) -> bool {
        self.tasks.iter().flat_map(|task| &task.executors).any(|one| one.lane() == Lane::Process)
    }

    /// The plan as a list in Markdown, for agents.
    pub fn outline(&self) -> String {
        let mut text = format!("# {}\n\n{}\n\n", self.name, self.description);
        for task in &self.tasks {
            let who: Vec<&str> = task.executors.iter().map(Executor::name).collect();
            let needs: Vec<&str> = task
                .needs
                .iter()
                .filter_map(|&need| self.tasks.get(usize::try_from(need).ok()?))
                .map(|need| need.step.as_str())
                .collect();
            let needs = match needs.as_slice() {
                [] => String::new(),
                needs => format!(", after {}", needs.join(", ")),
            };
            text.push_str(&format!("- {}: {}{needs}\n", task.step, who.join(" or ")));
        }
        text
    }
}
