//! Where agents and workflows of people are found, in the order of precedence.

use super::files::{Confined, Folder};
use orchestra_core::{agent::Origin, agent_file::Dialect};
use std::path::{Path, PathBuf};

/// A folder that may hold files of people.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) origin: Origin,
    /// The tool that its files were written for; `None`: Orchestra.
    pub(super) dialect: Option<Dialect>,
    path: PathBuf,
    /// As the user would type it.
    shown: String,
}

impl Place {
    fn of_workspace(root: &Path, folder: &str, dialect: Option<Dialect>) -> Self {
        let (path, shown) = (root.join(folder), folder.to_owned());
        Self { origin: Origin::Workspace, dialect, path, shown }
    }

    fn of_user(path: PathBuf, dialect: Option<Dialect>) -> Self {
        let shown = path.display().to_string();
        Self { origin: Origin::User, dialect, path, shown }
    }

    /// `root` is the workspace's.
    pub(super) fn folder<'a>(&'a self, root: &'a Path) -> Folder<'a> {
        let confined = match self.origin {
            Origin::Workspace => Confined::To(root),
            Origin::User | Origin::BuiltIn => Confined::Nowhere,
        };
        Folder { path: &self.path, shown: &self.shown, confined }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// The folders with agents. `config_dir` is the user's `…/orchestra`, beside which other tools have theirs.
pub(super) fn of_agents(root: &Path, config_dir: &Path, home: Option<&Path>) -> Vec<Place> {
    use Dialect::{Claude, Copilot, OpenCode};
    let of_workspace = |folder, dialect| Place::of_workspace(root, folder, dialect);
    let mut places = vec![
        of_workspace(".orchestra/agents", None),
        of_workspace(".claude/agents", Some(Claude)),
        of_workspace(".opencode/agents", Some(OpenCode)),
        of_workspace(".opencode/agent", Some(OpenCode)),
        of_workspace(".github/agents", Some(Copilot)),
        Place::of_user(config_dir.join("agents"), None),
    ];
    let in_home =
        |folder: &str, dialect| home.map(|home| Place::of_user(home.join(folder), Some(dialect)));
    places.extend(in_home(".claude/agents", Claude));
    for folder in ["opencode/agents", "opencode/agent"] {
        places.extend(
            config_dir.parent().map(|all| Place::of_user(all.join(folder), Some(OpenCode))),
        );
    }
    places.extend(in_home(".copilot/agents", Copilot));
    places
}

/// The folders with workflows.
pub(super) fn of_workflows(root: &Path, config_dir: &Path) -> [Place; 2] {
    [
        Place::of_workspace(root, ".orchestra/workflows", None),
        Place::of_user(config_dir.join("workflows"), None),
    ]
}
