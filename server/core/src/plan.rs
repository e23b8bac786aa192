//! Plans: the concrete DAG that one run executes, with every default and reference resolved.

use crate::{
    agent::{AgentProfile, Origin},
    config::{Bytes, Config},
    ids::StepId,
    outcome::{Artifact, AttemptOutcome},
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
        /// Whether it runs commands of the workspace, under a shim as agents are.
        #[serde(default)]
        spawns: bool,
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
    /// The action that brings works together. Nobody names it: it is planned where a step needs the work
    /// of several.
    pub const MERGE: &str = "changes.merge";

    /// Who carries out a merge first.
    pub(crate) fn merge() -> Self {
        Self::Native { action: Self::MERGE.to_owned(), inline: false, spawns: true }
    }

    /// Whether an attempt of it that ended so has done its part: works that it has put right do not fit to the
    /// next one, which is there to be put right in turn.
    pub(crate) fn goes_on(&self, outcome: &AttemptOutcome) -> bool {
        matches!(self, Self::Agent { .. }) && outcome.is_conflict()
    }

    fn merges(&self) -> bool {
        matches!(self, Self::Native { action, .. } if action == Self::MERGE)
    }

    pub fn lane(&self) -> Lane {
        match self {
            Self::Native { spawns: true, .. } | Self::Agent { .. } => Lane::Process,
            Self::Native { inline: true, .. } => Lane::Inline,
            Self::Native { inline: false, .. } => Lane::Native,
        }
    }

    pub fn is_agent(&self) -> bool {
        matches!(self, Self::Agent { .. })
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

/// What becomes of a run's result without anybody asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApplyPolicy {
    /// It waits for a person.
    #[default]
    Review,
    /// It is applied to the user's files, if it was verified, its agents were held, and nothing in it is
    /// flagged; else it waits.
    Auto,
    /// It becomes a branch, if every task succeeded; a person reviews it there or here.
    Branch,
}

impl ApplyPolicy {
    /// Each by the word that chooses it.
    pub const WORDS: [(&'static str, Self); 3] =
        [("review", Self::Review), ("auto", Self::Auto), ("branch", Self::Branch)];
}

impl fmt::Display for ApplyPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Review => "review",
            Self::Auto => "auto",
            Self::Branch => "branch",
        })
    }
}

/// How the trees of a run are prepared. Paths are below the workspace's root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TreePlan {
    /// Commands that are run in a tree before anything else is.
    pub setup: Vec<Vec<String>>,
    /// What these read; empty: the usual lock files and manifests.
    pub setup_inputs: Vec<String>,
    /// Ignored folders that survive when a tree is used again.
    pub keep: Vec<String>,
    /// Ignored files that are copied from the workspace.
    pub copy: Vec<String>,
    /// The only folders that are there; empty: all that the workspace contains.
    pub sparse: Vec<String>,
    /// How much room all trees of the workspace may take up.
    pub disk_budget: Bytes,
}

impl Default for TreePlan {
    fn default() -> Self {
        Config::default().tree_plan()
    }
}

/// How the checks of a run are run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChecksPlan {
    /// With what the project is checked where a step says nothing else.
    pub commands: Vec<Vec<String>>,
    /// For each command.
    pub timeout: Millis,
    pub clean: Clean,
    /// How many run at once in a workspace.
    pub parallel: u32,
}

impl Default for ChecksPlan {
    fn default() -> Self {
        Config::default().checks_plan()
    }
}

/// In what checks run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clean {
    /// With what earlier checks have built.
    #[default]
    Kept,
    /// With nothing but what the setup makes.
    Fresh,
}

impl Clean {
    /// Each by the word that chooses it.
    pub const WORDS: [(&'static str, Self); 2] = [("kept", Self::Kept), ("fresh", Self::Fresh)];
}

impl fmt::Display for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kept => "kept",
            Self::Fresh => "fresh",
        })
    }
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
    /// What the user had not saved when the run was asked for: by its path from the root of the workspace,
    /// and kept like an artifact. Agents see it in place of what is on the disk.
    #[serde(default)]
    pub unsaved: Vec<Artifact>,
    /// As configured when the plan was made, so that a run does not change under way.
    #[serde(default)]
    pub tree: TreePlan,
    #[serde(default)]
    pub checks: ChecksPlan,
    /// What becomes of the result.
    #[serde(default)]
    pub apply: ApplyPolicy,
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
    /// Commands that must be green after the work of an agent that writes.
    #[serde(default)]
    pub verify: Vec<Vec<String>>,
    /// Commands that must be red before it and green after it.
    #[serde(default)]
    pub accept: Vec<Vec<String>>,
    /// Whether an agent that writes may have changed nothing.
    #[serde(default)]
    pub allow_empty: bool,
    /// Whether the run may do without it where nobody can do it. No task needs an optional one.
    #[serde(default)]
    pub optional: bool,
}

impl PlannedTask {
    /// Whether it brings the works of its needs together.
    pub fn is_merge(&self) -> bool {
        self.executors.first().is_some_and(Executor::merges)
    }

    /// How often the executor may try again. The same works merged again are the same merge.
    pub(crate) fn retries(&self, executor: &Executor) -> u32 {
        if executor.merges() { 0 } else { self.retry.max }
    }
}

impl Plan {
    /// Whether a task may be given to a process, which works on a snapshot.
    pub fn has_processes(&self) -> bool {
        self.tasks.iter().flat_map(|task| &task.executors).any(|one| one.lane() == Lane::Process)
    }

    /// Takes the optional tasks and the merges away that are `gone`, and names the steps of the former. What
    /// needs a merge also needs those whose work it brings together; no task needs an optional one.
    pub fn leave_out(&mut self, gone: impl Fn(&PlannedTask) -> bool) -> Vec<StepId> {
        let mut positions = Vec::with_capacity(self.tasks.len());
        let mut left_out = Vec::new();
        let mut kept = 0;
        for task in std::mem::take(&mut self.tasks) {
            if (task.optional || task.is_merge()) && gone(&task) {
                positions.push(None);
                left_out.extend(task.optional.then_some(task.step));
            } else {
                positions.push(Some(kept));
                self.tasks.push(task);
                kept += 1;
            }
        }
        let moved = |need: &u32| *positions.get(usize::try_from(*need).ok()?)?;
        for task in &mut self.tasks {
            task.needs = task.needs.iter().filter_map(moved).collect();
        }
        left_out
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
