//! Where Orchestra keeps what: pure path arithmetic, so that every room agrees on it.

use crate::ids::{AttemptId, RunId, WorkspaceId};
use std::path::{Path, PathBuf};

/// The name under which a file below `.orchestra/` is written before it gets its own. It may be there for a
/// moment, also where nothing ignores it yet, and is nobody's work.
pub const BEING_WRITTEN: &str = ".orchestra-writing";

/// The three folders of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// Truth: `$XDG_STATE_HOME/orchestra`.
    pub state: PathBuf,
    /// What can be made again, such as trees: `$XDG_DATA_HOME/orchestra`.
    pub data: PathBuf,
    /// What lives until the next boot, such as sockets and environments.
    pub runtime: PathBuf,
    /// What the user configures: `$XDG_CONFIG_HOME/orchestra`.
    pub config: PathBuf,
}

impl Folders {
    pub fn workspace_state(&self, workspace: &WorkspaceId) -> PathBuf {
        self.state.join(workspace.as_str())
    }

    pub fn attempt(&self, workspace: &WorkspaceId, attempt: AttemptId) -> PathBuf {
        self.workspace_state(workspace).join("attempts").join(attempt.file_name())
    }

    /// For files that are of use for a moment; nothing in it is missed.
    pub fn scratch(&self, workspace: &WorkspaceId) -> PathBuf {
        self.workspace_state(workspace).join("scratch")
    }

    /// What checks said, by what they checked.
    pub fn checks(&self, workspace: &WorkspaceId) -> PathBuf {
        self.workspace_state(workspace).join("checks")
    }

    /// The pool of trees.
    pub fn trees(&self, workspace: &WorkspaceId) -> PathBuf {
        self.data.join("trees").join(workspace.as_str())
    }

    /// The tree of an attempt that could not be taken over, and is kept for a person.
    pub fn kept(&self, workspace: &WorkspaceId, attempt: AttemptId) -> PathBuf {
        self.data.join("kept").join(workspace.as_str()).join(attempt.file_name())
    }

    /// The same, of a run that was cleaned up.
    pub fn cleaned(&self, workspace: &WorkspaceId, attempt: AttemptId) -> PathBuf {
        self.data.join("cleaned").join(workspace.as_str()).join(attempt.file_name())
    }

    /// Downloads of build tools; `who` is `agents` or `checks`, which must not share them.
    pub fn caches(&self, workspace: &WorkspaceId, who: &str) -> PathBuf {
        self.data.join("caches").join(workspace.as_str()).join(who)
    }

    /// What no agent may write to, whatever its file says, together with the workspace at `root`.
    pub fn own(&self, root: &Path) -> Vec<PathBuf> {
        [&self.state, &self.data, &self.runtime, &self.config]
            .map(PathBuf::clone)
            .into_iter()
            .chain([root.to_owned()])
            .collect()
    }

    /// Where the agent of an attempt finds its tools. Its name is short, since the system takes no long
    /// ones for sockets.
    pub fn tools_socket(&self, workspace: &WorkspaceId, attempt: AttemptId) -> PathBuf {
        let name = short_hash(&self.attempt(workspace, attempt));
        self.runtime.join("s").join(format!("{name}.sock"))
    }

    /// The environment of a run, while it lasts.
    pub fn environment(&self, workspace: &WorkspaceId, run: RunId) -> PathBuf {
        self.runtime.join("env").join(format!("{workspace}-{run}.json"))
    }

    /// The daemon's socket. Its name depends on the state folder, since users with several of them
    /// (tests, sandboxes) may share one runtime folder.
    pub fn socket(&self) -> PathBuf {
        self.runtime.join(format!("{}.sock", short_hash(&self.state)))
    }

    /// Held by the one daemon that serves [`Folders::socket`].
    pub fn daemon_lock(&self) -> PathBuf {
        self.runtime.join(format!("{}.lock", short_hash(&self.state)))
    }

    pub fn daemon_log(&self) -> PathBuf {
        self.state.join("daemon.log")
    }
}

/// Eight base32 characters of a path's SHA-256.
pub(crate) fn short_hash(path: &Path) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(path.as_os_str().as_encoded_bytes());
    data_encoding::BASE32_NOPAD.encode(&digest[..5]).to_ascii_lowercase()
}
