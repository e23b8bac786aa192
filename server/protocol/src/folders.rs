//! Finding the user's folders, by the XDG base directory specification.

use orchestra_core::folders::Folders;
use rustix::process::getuid;
use std::{
    env,
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// The longest path that fits into a socket address on every system, with room for its end.
const LONGEST_SOCKET_PATH: usize = 100;

#[derive(Debug, thiserror::Error)]
pub enum FoldersError {
    #[error("find the home folder: neither HOME nor {0} is set")]
    NoHome(&'static str),
    #[error("create the folder {}: {source}", path.display())]
    Create { path: PathBuf, source: io::Error },
    #[error(
        "use the socket {}: its path has {length} bytes and sockets allow \
         {LONGEST_SOCKET_PATH}; set XDG_RUNTIME_DIR to a shorter folder", path.display()
    )]
    SocketPath { path: PathBuf, length: usize },
}

/// The folders of the user whose environment this process has. Creates the runtime folder, which
/// must be the user's own and closed to others, and nothing else.
pub fn find() -> Result<Folders, FoldersError> {
    let state = base("XDG_STATE_HOME", ".local/state")?;
    let folders = Folders {
        data: base("XDG_DATA_HOME", ".local/share")?,
        config: base("XDG_CONFIG_HOME", ".config")?,
        runtime: runtime(&state)?,
        state,
    };
    let socket = folders.socket();
    let length = socket.as_os_str().len();
    if length > LONGEST_SOCKET_PATH {
        return Err(FoldersError::SocketPath { path: socket, length });
    }
    Ok(folders)
}

fn base(variable: &'static str, below_home: &str) -> Result<PathBuf, FoldersError> {
    // The specification has relative paths ignored.
    let set = absolute(variable);
    let base = match set {
        Some(base) => base,
        None => absolute("HOME").ok_or(FoldersError::NoHome(variable))?.join(below_home),
    };
    Ok(base.join("orchestra"))
}

fn absolute(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// `$XDG_RUNTIME_DIR`, else `/run/user/$UID`, if it is ours alone; else `run/` in the state folder.
fn runtime(state: &Path) -> Result<PathBuf, FoldersError> {
    let candidates = [
        absolute("XDG_RUNTIME_DIR"),
        Some(PathBuf::from(format!("/run/user/{}", getuid().as_raw()))),
    ];
    let parent = candidates.into_iter().flatten().find(|path| is_ours_alone(path));
    let folder = match parent {
        Some(parent) => parent.join("orchestra"),
        None => state.join("run"),
    };
    let error = |source| FoldersError::Create { path: folder.clone(), source };
    if !is_ours_alone(&folder) {
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(error)?;
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).map_err(error)?;
    }
    Ok(folder)
}

fn is_ours_alone(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| {
        metadata.is_dir()
            && metadata.uid() == getuid().as_raw()
            && metadata.permissions().mode() & 0o077 == 0
    })
}
