//! Files that an editor has open with unsaved text: their new text goes where the editor's text came from, and
//! the daemon is told so.

use crate::{failure::Failure, session::Session};
use orchestra_core::{
    ids::OperationId,
    operation::{FilePlan, FileResult, FileState, Owner},
};
use orchestra_protocol::command::Command;
use orchestra_vcs::{apply, state};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientFile {
    /// From the root of the workspace.
    path: String,
    /// With the text.
    file: PathBuf,
}

/// What `--unsaved` names. What is wrong with it is said by who reads the texts.
pub(super) fn files(pairs: &[String]) -> Vec<ClientFile> {
    let read = |pair: &String| {
        let (path, file) = pair.split_once('=')?;
        Some(ClientFile { path: path.to_owned(), file: file.into() })
    };
    pairs.iter().filter_map(read).collect()
}

/// Writes those of `planned` that are the client's, and confirms them.
pub(super) async fn write(
    session: &Session,
    operation: OperationId,
    clients: &[ClientFile],
    planned: &[FilePlan],
) -> Result<(), Failure> {
    let ours: Vec<&FilePlan> = planned.iter().filter(|plan| plan.owner == Owner::Client).collect();
    if ours.is_empty() {
        return Ok(());
    }
    let top = state::toplevel(&session.root);
    let top = top.map_err(|error| Failure::doing("find the top of the repository", error))?;
    let below = top.and_then(|top| session.root.strip_prefix(top).ok().map(Path::to_owned));
    let below = below.unwrap_or_default();
    let references =
        format!("refs/orchestra/{}/backup/{}", session.workspace, operation.file_name());
    let mut files = Vec::new();
    for plan in ours {
        let is_meant = |client: &&ClientFile| below.join(&client.path) == Path::new(&plan.path);
        let Some(client) = clients.iter().find(is_meant) else { continue };
        let content =
            apply::for_client(&session.root, &references, &plan.path).map_err(|error| {
                Failure::doing(&format!("read the new text of {}", plan.path), error)
            })?;
        let state = match put(&client.file, content.as_deref()) {
            Ok(()) => FileState::Applied,
            Err(error) => FileState::Failed {
                problem: format!("{} cannot be written: {error}", client.file.display()),
            },
        };
        files.push(FileResult { path: plan.path.clone(), state });
    }
    session.command(&format!("confirm {operation}"), Command::Confirm { operation, files }).await?;
    Ok(())
}

/// The text of a file that is no more is none.
fn put(file: &Path, content: Option<&[u8]>) -> io::Result<()> {
    match content {
        Some(content) => fs::write(file, content),
        None => match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        },
    }
}
