//! A workspace and a user of its own for each test.

use orchestra_core::config::Config;
use orchestra_runtimes::catalog::{self, AgentSource, Loaded, Surroundings};
use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

pub(crate) struct Folders {
    /// Removed at the end.
    _temporary: TempDir,
    pub(crate) root: PathBuf,
    pub(crate) config: PathBuf,
    pub(crate) state: PathBuf,
    /// The only folder on PATH.
    pub(crate) bin: PathBuf,
    pub(crate) outside: PathBuf,
    pub(crate) home: PathBuf,
}

impl Folders {
    pub(crate) fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let base = temporary.path().canonicalize().unwrap();
        let folders = Self {
            root: base.join("work"),
            config: base.join("config/orchestra"),
            home: base.join("home"),
            state: base.join("state"),
            bin: base.join("bin"),
            outside: base.join("outside"),
            _temporary: temporary,
        };
        for folder in [&folders.root, &folders.config, &folders.bin, &folders.outside] {
            fs::create_dir_all(folder).unwrap();
        }
        folders.program(&folders.bin.join("agent"));
        folders
    }

    /// A file below the workspace's root.
    pub(crate) fn file(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        write(&self.root.join(path), content.as_ref())
    }

    /// A file below the user's configuration folder.
    pub(crate) fn user_file(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        write(&self.config.join(path), content.as_ref())
    }

    pub(crate) fn program(&self, path: &Path) {
        write(path, b"#!/bin/sh\n");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn load(&self) -> Loaded {
        self.load_with_path(self.bin.as_os_str())
    }

    pub(crate) fn load_with_path(&self, path: &OsStr) -> Loaded {
        self.load_with(path, &Config::default())
    }

    pub(crate) fn load_with(&self, path: &OsStr, config: &Config) -> Loaded {
        let Self { root, config: config_dir, home, .. } = self;
        catalog::load(&Surroundings {
            root,
            config_dir,
            home: Some(home),
            path: Some(path),
            config,
        })
    }
}

fn write(path: &Path, content: &[u8]) -> PathBuf {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
    path.to_owned()
}

/// An agent file with these lines besides its command.
pub(crate) fn agent(lines: &str) -> String {
    format!("---\ncommand: [agent, \"{{prompt}}\"]\n{lines}\n---\nWork.\n")
}

pub(crate) fn find<'l>(loaded: &'l Loaded, name: &str) -> &'l AgentSource {
    let is_it = |agent: &&AgentSource| {
        agent.profile.as_ref().is_some_and(|profile| profile.name == name)
            && agent.shadowed_by.is_none()
    };
    loaded.agents.iter().find(is_it).unwrap_or_else(|| panic!("no {name} in {loaded:#?}"))
}

/// Why an agent cannot be given work.
pub(crate) fn reason(loaded: &Loaded, name: &str) -> Option<String> {
    loaded.catalog.agent(name).unwrap().unavailable().map(str::to_owned)
}
