//! The catalogue: the native actions and the agents that a plan may refer to, and who of them can work.

use crate::{
    agent::AgentProfile,
    config::Config,
    plan::{ApplyPolicy, ChecksPlan, TreePlan},
    selection::Order,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The argument by which an action is told what to run. Its commands are written as those of `verify`, are
/// no templates either, and are part of what a workspace is trusted with.
pub const COMMANDS_ARGUMENT: &str = "commands";

/// Everything that a step can be given to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Catalog {
    pub natives: Vec<NativeInfo>,
    /// Each name once: what shadows another has taken its place.
    pub agents: Vec<CatalogAgent>,
    /// By what candidates are told apart that can all do a step.
    #[serde(default)]
    pub order: Order,
    /// How trees are prepared.
    #[serde(default)]
    pub tree: TreePlan,
    /// With what work is checked, and how checks run.
    #[serde(default)]
    pub checks: ChecksPlan,
    pub apply: ApplyPolicy,
}

/// A native action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NativeInfo {
    /// Such as `todo.scan`.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// By which a step can ask for it.
    pub capabilities: Vec<String>,
    /// Pure computation, done at once.
    pub inline: bool,
    /// Whether it runs commands of the workspace.
    #[serde(default)]
    pub spawns: bool,
    pub arguments: Vec<ArgumentInfo>,
}

/// One key that an action takes in `with`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArgumentInfo {
    pub name: String,
    pub kind: ArgumentKind,
    pub required: bool,
    /// One sentence.
    pub description: String,
}

/// What an argument may be. Numbers and flags may come as text, because that is what the parameters of
/// a command line are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ArgumentKind {
    Text,
    Choice {
        words: Vec<String>,
    },
    /// One text, or a list of texts.
    Texts,
    /// One command, or a list of commands, each a text or a list of arguments.
    Commands,
    Flag,
    /// A whole number within these bounds, both included.
    Count {
        min: u64,
        max: u64,
    },
    Any,
}

/// An agent, and whether it can work here and now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CatalogAgent {
    pub profile: AgentProfile,
    pub availability: Availability,
}

/// Whether an agent can be given work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Availability {
    Available,
    /// The reason reads after "agent x is not available: ".
    Unavailable {
        reason: String,
    },
}

impl Catalog {
    /// Takes over what the configuration says about plans.
    pub fn configure(&mut self, config: &Config) {
        self.order = config.agents.order.clone();
        self.tree = config.tree_plan();
        self.checks = config.checks_plan();
        self.apply = config.apply.policy;
    }

    pub fn native(&self, name: &str) -> Option<&NativeInfo> {
        self.natives.iter().find(|native| native.name == name)
    }

    pub fn agent(&self, name: &str) -> Option<&CatalogAgent> {
        self.agents.iter().find(|agent| agent.profile.name == name)
    }
}

impl CatalogAgent {
    pub fn is_available(&self) -> bool {
        self.availability == Availability::Available
    }

    /// Why it cannot work.
    pub fn unavailable(&self) -> Option<&str> {
        match &self.availability {
            Availability::Available => None,
            Availability::Unavailable { reason } => Some(reason),
        }
    }

    /// The first of `needed` that it has neither as a capability nor as its type.
    pub(crate) fn lacks<'a>(&self, needed: &[&'a str]) -> Option<&'a str> {
        let profile = &self.profile;
        needed.iter().copied().find(|capability| {
            profile.kind != *capability && !profile.capabilities.iter().any(|c| c == capability)
        })
    }
}

impl ArgumentKind {
    /// Whether a value that contains no template may be given.
    pub(crate) fn fits(&self, value: &serde_json::Value) -> bool {
        let text = value.as_str();
        match self {
            Self::Text => text.is_some(),
            Self::Choice { words } => text.is_some_and(|text| words.iter().any(|w| w == text)),
            Self::Texts => {
                text.is_some()
                    || value.as_array().is_some_and(|items| items.iter().all(|i| i.is_string()))
            }
            Self::Commands => {
                let fits = |item: &serde_json::Value| Self::Texts.fits(item);
                text.is_some() || value.as_array().is_some_and(|items| items.iter().all(fits))
            }
            Self::Flag => {
                value.is_boolean() || text.is_some_and(|text| text.parse::<bool>().is_ok())
            }
            Self::Count { min, max } => value
                .as_u64()
                .or_else(|| text.and_then(|text| text.parse().ok()))
                .is_some_and(|number| (*min..=*max).contains(&number)),
            Self::Any => true,
        }
    }
}

impl fmt::Display for ArgumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("a text"),
            Self::Choice { words } => write!(f, "one of {}", words.join(", ")),
            Self::Texts => f.write_str("a text or a list of texts"),
            Self::Commands => f.write_str("a command or a list of commands"),
            Self::Flag => f.write_str("true or false"),
            Self::Count { min, max } => write!(f, "a whole number from {min} to {max}"),
            Self::Any => f.write_str("a value"),
        }
    }
}
