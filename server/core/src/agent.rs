//! Agents: named workers, as far as planning and selection need to know them.

use crate::{
    confinement::{Cache, StateMode},
    time::Millis,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// How an agent is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Runtime {
    Native,
    Cli,
    Acp,
    Model,
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Native => "native",
            Self::Cli => "cli",
            Self::Acp => "acp",
            Self::Model => "model",
        })
    }
}

/// When an agent's attempt counts as finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Completion {
    /// Its process ended.
    #[default]
    Exit,
    /// It wrote `tasks/<id>.done` or `.error`.
    Sentinel,
    /// It called the tool `finish_task`.
    Tool,
}

/// What a program prints on its standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prints {
    /// What people read.
    #[default]
    Text,
    /// A JSON object in each line, as `codex exec --json` does.
    CodexEvents,
    /// A JSON object in each line, as `gemini --output-format stream-json` does.
    GeminiEvents,
}

/// Where an agent's definition came from; what the workspace brings needs trust before it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    BuiltIn,
    User,
    Workspace,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BuiltIn => "built-in",
            Self::User => "user",
            Self::Workspace => "workspace",
        })
    }
}

/// Whether an agent takes part in selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AgentStatus {
    #[default]
    Active,
    Inactive,
}

/// One agent, with the defaults filled in. A plan carries the profiles that it may use, so that
/// editing an agent file never changes a run that has started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentProfile {
    pub name: String,
    #[serde(default)]
    pub description: String,
    /// The role, such as `reviewer`; a step can ask for it in place of capabilities.
    #[serde(default)]
    pub kind: String,
    #[serde(default)]
    pub category: String,
    #[serde(default)]
    pub capabilities: Vec<String>,
    #[serde(default)]
    pub tools: Vec<String>,
    #[serde(default)]
    pub model: Option<String>,
    pub runtime: Runtime,
    /// The program and its arguments, with `{prompt}`, `{prompt_file}`, `{task_id}`, `{model}`,
    /// `{mcp_config}`, `{mcp_command}` and
    /// `{tree}` to be filled in. Never a shell string.
    #[serde(default)]
    pub command: Vec<String>,
    /// The known agent program that runs it. In an agent file: the one that has to; in a plan: the one
    /// whose command line it has got.
    #[serde(default)]
    pub backend: Option<String>,
    #[serde(default)]
    pub writes: bool,
    #[serde(default)]
    pub completion: Completion,
    /// Higher goes first.
    #[serde(default)]
    pub priority: i32,
    /// How many attempts this agent may run at once.
    pub max_load: u32,
    pub timeout: Millis,
    #[serde(default)]
    pub fallback: Vec<String>,
    /// Names of environment variables that the agent gets from the run's environment.
    #[serde(default)]
    pub env: Vec<String>,
    /// Folders and files of the user in which it keeps logins and settings, such as `~/.claude`, see
    /// [`crate::agent_file::StateEntry`].
    #[serde(default)]
    pub state: Vec<String>,
    #[serde(default)]
    pub state_mode: StateMode,
    /// Build tools whose downloads it shares with other attempts of agents.
    #[serde(default)]
    pub caches: Vec<Cache>,
    /// Whether it confines itself where the system cannot.
    #[serde(default)]
    pub own_sandbox: bool,
    /// Arguments that switch its own sandbox off: two inside each other do not work.
    #[serde(default)]
    pub sandbox_off: Vec<String>,
    /// Variables that its backend needs, with their values. Never secrets.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// What its backend prints.
    #[serde(default)]
    pub prints: Prints,
    /// Programs that must be on PATH.
    #[serde(default)]
    pub requires: Vec<String>,
    #[serde(default)]
    pub status: AgentStatus,
    pub origin: Origin,
    /// The body of the agent file.
    #[serde(default)]
    pub system_prompt: String,
}

impl AgentProfile {
    pub const DEFAULT_TIMEOUT: Millis = Millis::minutes(30);
    pub const DEFAULT_MAX_LOAD: u32 = 1;
}
