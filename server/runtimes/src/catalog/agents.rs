//! Agents: the files of the workspace, of the user, and of other tools, and the built-in ones.

use super::{
    Surroundings,
    backends::{self, Backend, Found},
    files::TextFile,
    library, places, programs,
};
use orchestra_core::{
    agent::{AgentProfile, AgentStatus, Origin, Runtime},
    agent_file::{self, AgentFile, Dialect},
    catalog::Availability,
    diagnostic::{Diagnostic, Severity},
};
use std::collections::HashMap;

/// One agent file.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentSource {
    /// As the file has it; `None`: the file has errors.
    pub profile: Option<AgentProfile>,
    pub origin: Origin,
    /// The tool that the file was written for; `None`: Orchestra.
    pub dialect: Option<Dialect>,
    /// As the user would type it.
    pub file: String,
    /// What is wrong or doubtful in the file.
    pub diagnostics: Vec<Diagnostic>,
    /// The known agent program that runs it, for one that brings no command.
    pub backend: Option<&'static Backend>,
    /// Those that would run it and are not there, when it has neither them nor a command.
    pub missing: Vec<&'static Backend>,
    pub availability: Availability,
    /// The file with an agent of that name that has precedence.
    pub shadowed_by: Option<String>,
}

impl AgentSource {
    /// The agent's name, or for a file with errors that which the file's name gives it.
    pub fn name(&self) -> &str {
        let of_file = || agent_file::stem(&self.file);
        self.profile.as_ref().map_or_else(of_file, |profile| profile.name.as_str())
    }

    /// Its first error; `None` when it can be used.
    pub fn error(&self) -> Option<&Diagnostic> {
        self.diagnostics.iter().find(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// The profile with the command line by which the agent is run.
    pub fn completed(&self) -> Option<AgentProfile> {
        let mut profile = self.profile.clone()?;
        if let Some(backend) = self.backend {
            // The name of a model means something to the tool only that the file was written for.
            if self.dialect.is_some() && self.dialect.and_then(own_backend) != Some(backend) {
                profile.model = None;
            }
            backend.run(&mut profile);
        }
        Some(profile)
    }
}

/// Every agent file, sorted by precedence.
pub(super) fn load(
    surroundings: &Surroundings<'_>,
    backends: &mut Found<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<AgentSource> {
    let Surroundings { root, config_dir, home, .. } = *surroundings;
    let mut sources = Vec::new();
    for place in places::of_agents(root, config_dir, home) {
        let folder = place.folder(root);
        for file in folder.read(&[".md"], agent_file::MAX_FILE_BYTES, diagnostics) {
            let read = parse(&file, place.origin, place.dialect);
            sources.push(source(read, file.shown, place.origin, place.dialect));
        }
    }
    for (name, role) in library::roles() {
        sources.push(source(role.clone(), format!("built-in {name}"), Origin::BuiltIn, None));
    }
    for source in &mut sources {
        source.find_programs(surroundings, backends);
    }
    shadow(&mut sources);
    sources
}

fn parse(file: &TextFile, origin: Origin, dialect: Option<Dialect>) -> AgentFile {
    match dialect {
        None => agent_file::read(&file.text, &file.shown, origin),
        Some(dialect) => agent_file::read_foreign(&file.text, &file.shown, origin, dialect),
    }
}

/// The program that an agent of another tool was written for.
fn own_backend(dialect: Dialect) -> Option<&'static Backend> {
    match dialect {
        Dialect::Claude => backends::find("claude"),
        Dialect::OpenCode => backends::find("opencode"),
        Dialect::Copilot => None,
    }
}

fn source(read: AgentFile, file: String, origin: Origin, dialect: Option<Dialect>) -> AgentSource {
    AgentSource {
        profile: read.profile,
        origin,
        dialect,
        file,
        diagnostics: read.diagnostics,
        backend: None,
        missing: Vec::new(),
        availability: Availability::Available,
        shadowed_by: None,
    }
}

impl AgentSource {
    fn find_programs(&mut self, surroundings: &Surroundings<'_>, found: &mut Found<'_>) {
        let Some(profile) = &self.profile else {
            self.unavailable("its file has errors".to_owned());
            return;
        };
        let reason = match unavailable(profile) {
            Some(reason) => Some(reason),
            None if profile.command.is_empty() => match backend(profile, self.dialect, found) {
                Ok(backend) => {
                    self.backend = Some(backend);
                    missing(&profile.requires, surroundings)
                }
                Err(reason) => {
                    self.missing = match &profile.backend {
                        Some(name) => backends::find(name).into_iter().collect(),
                        None => found.wanted(),
                    };
                    Some(reason)
                }
            },
            None => {
                let program = profile.command.first();
                missing(program.into_iter().chain(&profile.requires), surroundings)
            }
        };
        if let Some(reason) = reason {
            self.unavailable(reason);
        }
    }

    fn unavailable(&mut self, reason: String) {
        self.availability = Availability::Unavailable { reason };
    }
}

/// Who runs an agent without a command.
fn backend(
    profile: &AgentProfile,
    dialect: Option<Dialect>,
    found: &mut Found<'_>,
) -> Result<&'static Backend, String> {
    let Some(name) = &profile.backend else {
        return match dialect.and_then(own_backend) {
            Some(own) if found.is_there(own) => Ok(own),
            _ => found.first(),
        };
    };
    let backend = backends::find(name).ok_or_else(|| {
        let known = backends::BACKENDS.map(|backend| backend.name).join(", ");
        format!("there is no agent program `{name}`: known are {known}")
    })?;
    if found.is_there(backend) { Ok(backend) } else { Err(format!("`{name}` is not on PATH")) }
}

/// Why an agent cannot be given work, wherever it is.
fn unavailable(profile: &AgentProfile) -> Option<String> {
    if profile.status == AgentStatus::Inactive {
        return Some("its status is inactive".to_owned());
    }
    (profile.runtime != Runtime::Cli)
        .then(|| format!("the runtime {} is not supported by this version", profile.runtime))
}

fn missing<'p>(
    programs: impl IntoIterator<Item = &'p String>,
    surroundings: &Surroundings<'_>,
) -> Option<String> {
    let Surroundings { root, path, .. } = *surroundings;
    let missing =
        programs.into_iter().find(|program| programs::find(program, root, path).is_none())?;
    Some(if missing.contains('/') {
        format!("`{missing}` is not an executable file")
    } else {
        format!("`{missing}` is not on PATH")
    })
}

/// Marks all but the first of each name. Two in the same layer are said, because neither is meant to
/// stand in for the other. Where a file with errors has precedence nobody takes its place: who has
/// written it wants this agent and not another one of the same name.
fn shadow(sources: &mut [AgentSource]) {
    let mut first: HashMap<String, (Origin, String)> = HashMap::new();
    let mut broken: HashMap<String, (Origin, String)> = HashMap::new();
    for source in sources {
        let name = source.name().to_owned();
        let here = (source.origin, source.file.clone());
        if source.profile.is_none() {
            if let Some(error) = source.error() {
                let reason = format!("{}:{}: {}", source.file, error.line, error.message);
                broken.entry(name).or_insert((source.origin, reason));
            }
            continue;
        }
        if let Some((origin, file)) = first.get(&name) {
            if *origin == source.origin {
                let message = format!("agent `{name}` is defined in {file} already");
                let hint = "rename one of the two; this one is not used";
                source.diagnostics.push(Diagnostic::warning(&source.file, message, hint));
            }
            source.shadowed_by = Some(file.clone());
            continue;
        }
        if let Some((origin, error)) = broken.get(&name)
            && *origin != source.origin
        {
            let reason = format!("the file that takes its place has errors: {error}");
            source.unavailable(reason);
        }
        first.insert(name, here);
    }
}
