//! Agents: the files of the workspace, of the user, and of other tools.

use super::{
    files::{Confined, Folder, TextFile},
    programs,
};
use orchestra_core::{
    agent::{AgentProfile, AgentStatus, Origin, Runtime},
    agent_file::{self, Dialect},
    catalog::Availability,
    diagnostic::Diagnostic,
};
use std::{
    collections::HashMap,
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// One agent file.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentSource {
    /// `None`: the file has errors.
    pub profile: Option<AgentProfile>,
    pub origin: Origin,
    /// As the user would type it.
    pub file: String,
    pub path: PathBuf,
    /// What is wrong or doubtful in the file.
    pub diagnostics: Vec<Diagnostic>,
    pub availability: Availability,
    /// Whether another file with an agent of that name has precedence.
    pub shadowed: bool,
}

/// The folders below a workspace in which agents are found, in the order of precedence.
const WORKSPACE_FOLDERS: [(&str, Option<Dialect>); 5] = [
    (".orchestra/agents", None),
    (".claude/agents", Some(Dialect::Claude)),
    (".opencode/agents", Some(Dialect::OpenCode)),
    (".opencode/agent", Some(Dialect::OpenCode)),
    (".github/agents", Some(Dialect::Copilot)),
];

/// Every agent file, sorted by precedence.
pub(super) fn load(
    root: &Path,
    config_dir: &Path,
    path: Option<&OsStr>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<AgentSource> {
    let mut sources = Vec::new();
    for (folder, dialect) in WORKSPACE_FOLDERS {
        let in_root = root.join(folder);
        let folder = Folder { path: &in_root, shown: folder, confined: Confined::To(root) };
        for file in folder.read(&[".md"], agent_file::MAX_FILE_BYTES, diagnostics) {
            sources.push(read(file, Origin::Workspace, dialect, root, path));
        }
    }
    let user = config_dir.join("agents");
    let shown = user.display().to_string();
    let folder = Folder { path: &user, shown: &shown, confined: Confined::Nowhere };
    for file in folder.read(&[".md"], agent_file::MAX_FILE_BYTES, diagnostics) {
        sources.push(read(file, Origin::User, None, root, path));
    }
    shadow(&mut sources);
    sources
}

fn read(
    file: TextFile,
    origin: Origin,
    dialect: Option<Dialect>,
    root: &Path,
    path: Option<&OsStr>,
) -> AgentSource {
    let read = match dialect {
        None => agent_file::read(&file.text, &file.shown, origin),
        Some(dialect) => agent_file::read_foreign(&file.text, &file.shown, origin, dialect),
    };
    let reason = match &read.profile {
        None => Some("its file has errors".to_owned()),
        Some(profile) => unavailable(profile, root, path),
    };
    AgentSource {
        availability: reason
            .map_or(Availability::Available, |reason| Availability::Unavailable { reason }),
        profile: read.profile,
        origin,
        file: file.shown,
        path: file.path,
        diagnostics: read.diagnostics,
        shadowed: false,
    }
}

/// Why an agent cannot be given work here.
fn unavailable(profile: &AgentProfile, root: &Path, path: Option<&OsStr>) -> Option<String> {
    if profile.status == AgentStatus::Inactive {
        return Some("its status is inactive".to_owned());
    }
    if profile.runtime != Runtime::Cli {
        return Some(format!("the runtime {} is not supported by this version", profile.runtime));
    }
    let Some(program) = profile.command.first() else {
        return Some("no command configured".to_owned());
    };
    let missing = std::iter::once(program)
        .chain(&profile.requires)
        .find(|program| programs::find(program, root, path).is_none())?;
    Some(if missing.contains('/') {
        format!("`{missing}` is not an executable file")
    } else {
        format!("`{missing}` is not on PATH")
    })
}

/// Marks all but the first of each name. Two in the same layer are said, because neither is meant to
/// stand in for the other; a file with errors takes no place from a good one.
fn shadow(sources: &mut [AgentSource]) {
    let mut first: HashMap<String, (Origin, String)> = HashMap::new();
    for source in sources {
        let Some(profile) = &source.profile else { continue };
        let Some((origin, file)) = first.get(&profile.name) else {
            first.insert(profile.name.clone(), (source.origin, source.file.clone()));
            continue;
        };
        source.shadowed = true;
        if *origin == source.origin {
            let message = format!("agent `{}` is defined in {file} already", profile.name);
            let hint = "rename one of the two; this one is not used";
            source.diagnostics.push(Diagnostic::warning(&source.file, message, hint));
        }
    }
}
