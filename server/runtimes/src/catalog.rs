//! The catalogue of one workspace, found on disk: agents, workflows, configuration, and what of it is
//! trusted.
//!
//! A file that cannot be read is a diagnostic and never the end of loading: the other files are
//! somebody's work, too.

mod agents;
mod backends;
mod cache;
mod commands;
mod configuration;
mod files;
mod library;
mod mcp;
mod natives;
mod places;
pub(crate) mod programs;
pub mod trust;
mod workflows;

pub use agents::AgentSource;
pub use backends::{BACKENDS, Backend};
pub use cache::{Cache, Known};
pub use commands::CommandSource;
pub use configuration::{load_config, load_user_config, process_environment};
pub use library::role_text;
pub use mcp::McpServer;
pub use natives::native_infos;
pub use workflows::WorkflowSource;

use orchestra_core::{
    catalog::{Catalog, CatalogAgent},
    config::Config,
    diagnostic::Diagnostic,
};
use std::{ffi::OsStr, path::Path};

/// Where to look, and for whom.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The workspace's root, canonical.
    pub root: &'a Path,
    /// The user's `…/orchestra` configuration folder.
    pub config_dir: &'a Path,
    /// The user's home folder, in which other tools keep their agents.
    pub home: Option<&'a Path>,
    /// The PATH of whoever asks, on which programs are looked up.
    pub path: Option<&'a OsStr>,
    pub config: &'a Config,
}

/// Everything that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// What plans may refer to.
    pub catalog: Catalog,
    /// Every agent, valid or not, also those that another one shadows; sorted by precedence.
    pub agents: Vec<AgentSource>,
    /// Each name once, sorted by name.
    pub workflows: Vec<WorkflowSource>,
    /// Commands of the workspace that agents' trees are prepared and their work is checked with.
    pub commands: Vec<CommandSource>,
    /// Sorted by name.
    pub mcp_servers: Vec<McpServer>,
    /// What is wrong with folders and files as such; what is wrong inside agent files is with them.
    pub diagnostics: Vec<Diagnostic>,
}

impl Loaded {
    /// What trust is about.
    pub fn brought(&self) -> trust::Brought<'_> {
        trust::Brought { agents: &self.agents, commands: &self.commands }
    }

    /// A workflow by the name of its file, by its path as the user types it, or by the name that
    /// it gives itself.
    pub fn workflow(&self, name: &str) -> Option<&WorkflowSource> {
        let by = |matches: fn(&WorkflowSource, &str) -> bool| {
            self.workflows.iter().find(|workflow| matches(workflow, name))
        };
        by(|workflow, name| workflow.name == name)
            .or_else(|| by(|workflow, name| workflow.file == name))
            .or_else(|| by(|workflow, name| workflow.declared_name() == Some(name)))
    }
}

/// Loads what the workspace, the user, and Orchestra itself bring.
pub fn load(surroundings: &Surroundings<'_>) -> Loaded {
    let Surroundings { root, config_dir, path, config, .. } = *surroundings;
    let mut diagnostics = Vec::new();
    let mut backends = backends::Found::new(config, root, path, &mut diagnostics);
    let agents = agents::load(surroundings, &mut backends, &mut diagnostics);
    let workflows = workflows::load(root, config_dir, &mut diagnostics);
    let mcp_servers = mcp::load(root, &mut diagnostics);
    diagnostics.sort();
    let catalog = Catalog {
        natives: native_infos(),
        agents: agents
            .iter()
            .filter(|agent| agent.shadowed_by.is_none())
            .filter_map(|agent| {
                Some(CatalogAgent {
                    profile: agent.completed()?,
                    availability: agent.availability.clone(),
                })
            })
            .collect(),
        order: config.agents.order.clone(),
        apply: config.apply.policy,
        tree: config.tree_plan(),
        checks: config.checks_plan(),
    };
    let commands = commands::load(root, &workflows);
    Loaded { catalog, agents, workflows, commands, mcp_servers, diagnostics }
}
