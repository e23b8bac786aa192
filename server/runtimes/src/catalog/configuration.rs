//! The configuration in effect: the user's file, the workspace's, and the environment.

use super::files::{self, Confined};
use orchestra_core::{
    config::{Config, Layer},
    diagnostic::Diagnostic,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

pub(super) const FILE: &str = "config.toml";
/// A file of settings that is longer is something else.
pub(super) const MAX_FILE_BYTES: usize = 1 << 20;

/// The environment of this process, without what is no text: it cannot travel as JSON, and no agent
/// or setting asks for it.
pub fn process_environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The configuration for the workspace at `root` (canonical). What is wrong in a layer is left as the
/// layers before it have it, and named.
pub fn load_config(
    root: &Path,
    config_dir: &Path,
    environment: &BTreeMap<String, String>,
) -> (Config, Vec<Diagnostic>) {
    let mut config = Config::default();
    let mut diagnostics = user_file(&mut config, config_dir);
    let (path, shown) = of_workspace(root);
    let confined = Confined::To(root);
    diagnostics.extend(file(&mut config, Layer::Workspace, &path, &shown, confined));
    diagnostics.extend(config.layer_environment(|name| environment.get(name).cloned()));
    (config, diagnostics)
}

/// The workspace's own file, and its name as the user would type it.
pub(super) fn of_workspace(root: &Path) -> (PathBuf, String) {
    (root.join(".orchestra").join(FILE), format!(".orchestra/{FILE}"))
}

/// The configuration that holds for all workspaces.
pub fn load_user_config(
    config_dir: &Path,
    environment: &BTreeMap<String, String>,
) -> (Config, Vec<Diagnostic>) {
    let mut config = Config::default();
    let mut diagnostics = user_file(&mut config, config_dir);
    diagnostics.extend(config.layer_environment(|name| environment.get(name).cloned()));
    (config, diagnostics)
}

fn user_file(config: &mut Config, config_dir: &Path) -> Vec<Diagnostic> {
    let path = config_dir.join(FILE);
    let shown = path.display().to_string();
    file(config, Layer::User, &path, &shown, Confined::Nowhere)
}

fn file(
    config: &mut Config,
    layer: Layer,
    path: &Path,
    shown: &str,
    confined: Confined<'_>,
) -> Vec<Diagnostic> {
    match files::read(path, shown, confined, MAX_FILE_BYTES) {
        Ok(None) => Vec::new(),
        Ok(Some(file)) => config.layer_file(layer, shown, &file.text),
        Err(diagnostic) => vec![*diagnostic],
    }
}
