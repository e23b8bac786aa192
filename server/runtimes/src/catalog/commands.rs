//! The commands that a workspace brings besides its agents: what prepares trees, and what checks work.

use super::{
    WorkflowSource, configuration,
    files::{self, Confined},
};
use orchestra_core::{
    agent::Origin,
    config::{Config, Layer},
    workflow,
};
use std::path::Path;

/// The commands of one setting or one workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandSource {
    /// For people: `setting tree.setup`, `workflow audit`.
    pub what: String,
    /// As the user would type it.
    pub file: String,
    pub commands: Vec<Vec<String>>,
}

/// Those of the workspace's own files, whether something else overrides them or not; without those
/// that name no command. What is wrong in these files is said by who reads them for what they say.
pub(super) fn load(root: &Path, workflows: &[WorkflowSource]) -> Vec<CommandSource> {
    let mut sources = of_configuration(root);
    let of_workspace = workflows
        .iter()
        .filter(|workflow| workflow.origin == Origin::Workspace)
        .map(|workflow| CommandSource {
            what: format!("workflow {}", workflow.name),
            file: workflow.file.clone(),
            commands: workflow::check_commands(&workflow.text, &workflow.file),
        });
    sources.extend(of_workspace);
    sources.retain(|source| !source.commands.is_empty());
    sources
}

fn of_configuration(root: &Path) -> Vec<CommandSource> {
    let (path, shown) = configuration::of_workspace(root);
    let limit = configuration::MAX_FILE_BYTES;
    let Ok(Some(file)) = files::read(&path, &shown, Confined::To(root), limit) else {
        return Vec::new();
    };
    let mut config = Config::default();
    config.layer_file(Layer::Workspace, &shown, &file.text);
    [("tree.setup", config.tree.setup.0), ("verify.commands", config.verify.commands.0)]
        .into_iter()
        .map(|(key, commands)| CommandSource {
            what: format!("setting {key}"),
            file: shown.clone(),
            commands,
        })
        .collect()
}
