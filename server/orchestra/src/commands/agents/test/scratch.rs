//! The surroundings of a test: a repository with a workflow of one step, and folders of their own. All of
//! it vanishes with its owner.

use crate::session::Session;
use orchestra_core::{
    agent::{AgentProfile, Origin},
    folders::Folders,
    time::Millis,
};
use orchestra_runtimes::catalog::{self, AgentSource, Surroundings, trust};
use orchestra_vcs::scratch;
use serde_json::json;
use std::{
    env,
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

pub(super) const WORKFLOW: &str = "agent-test";
/// What the agent is told to hand over, and to change if it writes.
pub(super) const FILE: &str = "orchestra-test.txt";

pub(super) struct Scratch {
    /// Removed at the end.
    _folder: TempDir,
    root: PathBuf,
    folders: Folders,
    token: String,
}

impl Scratch {
    pub(super) fn create(
        session: &Session,
        source: &AgentSource,
        profile: &AgentProfile,
        timeout: Millis,
    ) -> io::Result<Self> {
        let parent = session.folders.data.join("agent-tests");
        fs::create_dir_all(&parent)?;
        let folder = tempfile::Builder::new().prefix("").tempdir_in(&parent)?;
        let base = folder.path().canonicalize()?;
        let root = base.join("repository");
        let folders = Folders {
            state: base.join("state"),
            data: base.join("data"),
            // Environments are kept there, which may hold secrets; its sandbox hides it.
            runtime: session.folders.runtime.clone(),
            config: session.folders.config.clone(),
        };
        for folder in [&root, &folders.state, &folders.data] {
            DirBuilder::new().mode(0o700).create(folder)?;
        }
        let token = base.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let scratch = Self { _folder: folder, root, folders, token };
        if source.origin == Origin::Workspace {
            scratch.copy(&session.root, &source.file)?;
            let named = profile.command.iter().filter(|word| !word.contains('{'));
            for file in named.filter(|word| session.root.join(word).is_file()) {
                scratch.copy(&session.root, file)?;
            }
        }
        scratch.write("readme.txt", "Made by `orchestra agents test`.\n")?;
        let workflow = format!(".orchestra/workflows/{WORKFLOW}.yaml");
        scratch.write(&workflow, &scratch.workflow(profile, timeout))?;
        scratch::create(&scratch.root).map_err(io::Error::other)?;
        scratch.trust()?;
        Ok(scratch)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn folders(&self) -> &Folders {
        &self.folders
    }

    /// What the agent is told to write.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    fn write(&self, path: &str, text: &str) -> io::Result<()> {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap_or(&self.root))?;
        fs::write(path, text)
    }

    /// A file of the workspace at the same place. One elsewhere is used where it is.
    fn copy(&self, workspace: &Path, file: &str) -> io::Result<()> {
        let from = workspace.join(file).canonicalize()?;
        let to = self.root.join(file);
        if !from.starts_with(workspace) || !to.starts_with(&self.root) || file.contains("..") {
            return Ok(());
        }
        fs::create_dir_all(to.parent().unwrap_or(&self.root))?;
        fs::copy(from, to).map(drop)
    }

    fn workflow(&self, profile: &AgentProfile, timeout: Millis) -> String {
        let token = &self.token;
        let mut prompt = format!(
            "This is a test of whether you can be started and can hand something over. Do only this, and \
             then end: write the single line `{token}` into the file `$ORCHESTRA_DIR/{FILE}`."
        );
        if profile.writes {
            prompt.push_str(&format!(
                " Write the same line into a new file `{FILE}` in your folder."
            ));
        }
        let step = json!({
            "id": "test", "agent": profile.name, "mode": "strategic", "prompt": prompt,
            "timeout": format!("{}ms", timeout.0), "output": FILE,
        });
        // JSON is YAML, whatever the agent is called.
        json!({ "name": WORKFLOW, "steps": [step] }).to_string()
    }

    /// Implied by the user asking for it, and gone with the folder.
    fn trust(&self) -> io::Result<()> {
        let environment = catalog::process_environment();
        let (config, _) = catalog::load_config(&self.root, &self.folders.config, &environment);
        let loaded = catalog::load(&Surroundings {
            root: &self.root,
            config_dir: &self.folders.config,
            home: environment.get("HOME").map(Path::new),
            path: env::var_os("PATH").as_deref(),
            config: &config,
        });
        trust::grant(&self.folders.state, &self.root, loaded.brought()).map_err(io::Error::other)
    }
}
