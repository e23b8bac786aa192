//! The catalogue of one workspace, found on disk: agents, workflows, configuration, and what of it is
//! trusted.
//!
//! A file that cannot be read is a diagnostic and never the end of loading: the other files are
//! somebody's work, too.

mod agents;
mod commands;
mod configuration;
mod files;
mod natives;
mod programs;
pub mod trust;
mod workflows;

pub use agents::AgentSource;
pub use commands::CommandSource;
pub use configuration::{load_config, load_user_config, process_environment};
pub use natives::native_infos;
pub use workflows::WorkflowSource;

use orchestra_core::{
    catalog::{Catalog, CatalogAgent},
    diagnostic::Diagnostic,
};
use std::{ffi::OsStr, path::Path};

/// Everything that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// What plans may refer to.
    pub catalog: Catalog,
    /// Every agent file, valid or not, also those that another one shadows; sorted by precedence.
    pub agents: Vec<AgentSource>,
    /// Each name once, sorted by name.
    pub workflows: Vec<WorkflowSource>,
    /// Commands of the workspace that agents' trees are prepared and their work is checked with.
    pub commands: Vec<CommandSource>,
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

/// Loads what the workspace at `root` (canonical), the user, and Orchestra itself bring.
///
/// `config_dir` is the user's `…/orchestra` configuration folder; `path` is the PATH of whoever asks,
/// on which programs are looked up.
pub fn load(root: &Path, config_dir: &Path, path: Option<&OsStr>) -> Loaded {
    let mut diagnostics = Vec::new();
    let agents = agents::load(root, config_dir, path, &mut diagnostics);
    let workflows = workflows::load(root, config_dir, &mut diagnostics);
    diagnostics.sort();
    let catalog = Catalog {
        natives: native_infos(),
        agents: agents
            .iter()
            .filter(|agent| !agent.shadowed)
            .filter_map(|agent| {
                Some(CatalogAgent {
                    profile: agent.profile.clone()?,
                    availability: agent.availability.clone(),
                })
            })
            .collect(),
        ..Catalog::default()
    };
    let commands = commands::load(root, &workflows);
    Loaded { catalog, agents, workflows, commands, diagnostics }
}
