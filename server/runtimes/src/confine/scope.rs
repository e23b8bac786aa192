//! What a held process may do with files; the same for every sandbox.

use super::Refused;
use orchestra_core::confinement::SandboxChoice;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What a held process may do with files. Paths are absolute. What is in neither list can be read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Scope {
    /// Folders and files that it may write to, with all that is in them. What does not exist when it starts
    /// is left out; what is a symbolic link is refused, because whoever put it there would choose its goal.
    pub write: Vec<PathBuf>,
    /// Folders whose files it may not even read.
    pub hidden: Vec<PathBuf>,
    /// Which sandbox sees to that.
    pub choice: SandboxChoice,
}

/// A sandbox that an agent brings itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OwnSandbox {
    /// The arguments that switch it off: two sandboxes inside each other do not work.
    pub off: Vec<String>,
    /// Before which of the agent's arguments they go.
    pub at: usize,
}

impl Scope {
    /// Where it writes, what is hidden is not.
    pub(super) fn check(&self) -> Result<(), Refused> {
        let overlap = self.write.iter().find_map(|write| {
            let real = resolved(write);
            let hidden = self.hidden.iter().find(|hidden| resolved(hidden).starts_with(&real))?;
            Some(Refused::Overlap { write: write.clone(), hidden: hidden.clone() })
        });
        overlap.map_or(Ok(()), Err)
    }
}

/// The path without symbolic links, also where its end does not exist yet.
pub(super) fn resolved(path: &Path) -> PathBuf {
    if let Ok(path) = path.canonicalize() {
        return path;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => resolved(parent).join(name),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_written_to_must_not_hold_what_is_hidden() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("run/secret")).unwrap();
        std::os::unix::fs::symlink("run", root.join("link")).unwrap();
        let scope = |write: &str, hidden: &str| Scope {
            write: vec![root.join(write)],
            hidden: vec![root.join(hidden)],
            choice: SandboxChoice::Auto,
        };
        assert!(scope("run", "run/secret").check().is_err());
        assert!(scope("link", "run/secret").check().is_err());
        assert!(scope("run", "link/later").check().is_err());
        assert!(scope("run/secret", "run").check().is_ok());
        assert!(scope("run/sec", "run/secret").check().is_ok());
    }
}
