//! The environments of runs: each owns that of the client which started it.
//!
//! They may hold secrets, so they are kept in the runtime folder, readable by the user alone, until
//! the run ends; never in the journal, in logs or in files of the workspace.

use orchestra_core::{folders::Folders, ids::RunId, ids::WorkspaceId, plan::Plan};
use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::PathBuf,
};

pub(crate) type Environment = BTreeMap<String, String>;

/// The part of a client's environment that the agents of a plan get.
pub(crate) fn filter(client: &Environment, plan: &Plan) -> Environment {
    let named = |name: &str| {
        plan.agents.values().any(|agent| agent.env.iter().any(|wanted| wanted == name))
    };
    client
        .iter()
        .filter(|(name, _)| orchestra_runtimes::cli::is_always_passed(name) || named(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The environments of one workspace's runs.
#[derive(Debug, Clone)]
pub(crate) struct Environments {
    folders: Folders,
    workspace: WorkspaceId,
}

impl Environments {
    pub(crate) fn new(folders: Folders, workspace: WorkspaceId) -> Self {
        Self { folders, workspace }
    }

    fn path(&self, run: RunId) -> PathBuf {
        self.folders.environment(&self.workspace, run)
    }

    pub(crate) fn keep(&self, run: RunId, environment: &Environment) -> io::Result<()> {
        let path = self.path(run);
        if let Some(parent) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        }
        let unfinished = path.with_extension("tmp");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&unfinished)?;
        file.write_all(serde_json::to_string(environment)?.as_bytes())?;
        fs::rename(unfinished, path)
    }

    /// Removes what is left of runs that are not open any more: a daemon died before it could.
    pub(crate) fn clean(&self, is_open: impl Fn(RunId) -> bool) {
        let folder = self.folders.runtime.join("env");
        let prefix = format!("{}-", self.workspace);
        let Ok(entries) = fs::read_dir(&folder) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let run = name.to_str().and_then(|name| name.strip_prefix(&prefix));
            let run = run.and_then(|rest| rest.split('.').next());
            if let Some(Ok(run)) = run.map(str::parse::<RunId>)
                && !is_open(run)
            {
                self.forget(run);
            }
        }
    }

    /// `None` when it is gone: the machine was restarted, or somebody cleaned up.
    pub(crate) fn load(&self, run: RunId) -> Option<Environment> {
        serde_json::from_slice(&fs::read(self.path(run)).ok()?).ok()
    }

    pub(crate) fn forget(&self, run: RunId) {
        let path = self.path(run);
        for path in [path.with_extension("tmp"), path] {
            if let Err(error) = fs::remove_file(path)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(%run, %error, "the environment of an ended run was not removed");
            }
        }
    }
}
