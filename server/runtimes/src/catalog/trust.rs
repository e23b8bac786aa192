//! Trust: which workspaces may run what they bring, bound to exactly what was looked at.
//!
//! A grant keeps the command line of each of the workspace's agents, if it brings one, the names of the
//! variables that it gets, and the content of every file of the workspace that the command line names; and the
//! commands that prepare trees and check work. Whatever differs later is shown and asked about, because
//! a `git pull` must not change what runs.

use super::{AgentSource, CommandSource};
use orchestra_core::{
    agent::{AgentProfile, Origin},
    ids::WorkspaceId,
};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// The version that this build writes and reads.
const VERSION: u32 = 1;
const FILE: &str = "trust.json";

/// Whether a workspace may run its agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    Trusted,
    /// Nobody has looked at it yet.
    Untrusted,
    /// It is trusted, but not with these.
    Changed(Vec<Change>),
}

/// All that a workspace brings and that could run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Brought<'a> {
    pub agents: &'a [AgentSource],
    pub commands: &'a [CommandSource],
}

/// How something differs from what was trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `agent coder`, `setting verify.commands`, `workflow audit`.
    pub what: String,
    /// `None`: it was not there.
    pub was: Option<String>,
    pub now: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.was {
            None => write!(f, "{} is new: {}", self.what, self.now),
            Some(was) => write!(f, "{} was {was}, and is now {}", self.what, self.now),
        }
    }
}

/// Why trust cannot be read or written. Unreadable trust is no trust.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    #[error("{} cannot be {what}: {source}", file.display())]
    Io { file: PathBuf, what: &'static str, source: io::Error },
    #[error("{} is not a list of trusted workspaces: {source}", file.display())]
    Malformed { file: PathBuf, source: serde_json::Error },
    #[error(
        "{} has format {version}, and this build reads format {VERSION}; upgrade orchestra",
        file.display()
    )]
    Newer { file: PathBuf, version: u32 },
}

#[derive(Debug, Serialize, Deserialize)]
struct Grants {
    version: u32,
    workspaces: BTreeMap<String, Grant>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Grant {
    /// The id is a short hash; the path makes sure.
    root: String,
    agents: BTreeMap<String, Bound>,
    /// By what they are of. A grant of a build that knew none has none, so that they are asked about.
    #[serde(default)]
    commands: BTreeMap<String, BoundCommands>,
}

/// What a grant is bound to, for the commands of one setting or workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct BoundCommands {
    commands: Vec<Vec<String>>,
    /// Programs of the workspace among them, with the SHA-256 of their content.
    files: BTreeMap<String, String>,
}

impl fmt::Display for BoundCommands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.commands)?;
        write_files(f, &self.files)
    }
}

fn write_files(f: &mut fmt::Formatter<'_>, files: &BTreeMap<String, String>) -> fmt::Result {
    files
        .iter()
        .try_for_each(|(file, hash)| write!(f, ", {file} {}", hash.get(..12).unwrap_or(hash)))
}

/// What a grant is bound to, for one agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Bound {
    command: Vec<String>,
    model: Option<String>,
    env: Vec<String>,
    /// What it may write to beside its tree.
    #[serde(default)]
    state: Vec<String>,
    /// What it gets to switch its own sandbox off.
    #[serde(default)]
    sandbox_off: Vec<String>,
    /// Files of the workspace that the command names, with the SHA-256 of their content.
    files: BTreeMap<String, String>,
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.command.is_empty() {
            f.write_str("run by an agent program of yours")?;
        } else {
            write!(f, "{:?}", self.command)?;
        }
        if let Some(model) = &self.model {
            write!(f, " with model {model}")?;
        }
        if !self.env.is_empty() {
            write!(f, " with {}", self.env.join(", "))?;
        }
        if !self.state.is_empty() {
            write!(f, " writing to {}", self.state.join(", "))?;
        }
        if !self.sandbox_off.is_empty() {
            write!(f, " and {:?} when it is confined", self.sandbox_off)?;
        }
        write_files(f, &self.files)
    }
}

/// Whether the workspace at `root` (canonical) is trusted with what it brings.
///
/// `state_dir` is `…/orchestra` in the user's state folder.
pub fn status(state_dir: &Path, root: &Path, brought: Brought<'_>) -> Result<Status, TrustError> {
    let grants = read(&state_dir.join(FILE))?;
    let Some(grant) = grants.workspaces.get(&key(root)) else { return Ok(Status::Untrusted) };
    if grant.root != shown(root) {
        return Ok(Status::Untrusted);
    }
    let mut changes = changes("agent ", &grant.agents, bound(root, brought.agents));
    changes.extend(self::changes("", &grant.commands, bound_commands(root, brought.commands)));
    Ok(if changes.is_empty() { Status::Trusted } else { Status::Changed(changes) })
}

/// What of `now` is not as it was trusted.
fn changes<B: PartialEq + fmt::Display>(
    kind: &str,
    trusted: &BTreeMap<String, B>,
    now: BTreeMap<String, B>,
) -> Vec<Change> {
    now.into_iter()
        .filter(|(name, now)| trusted.get(name) != Some(now))
        .map(|(name, now)| Change {
            was: trusted.get(&name).map(ToString::to_string),
            now: now.to_string(),
            what: format!("{kind}{name}"),
        })
        .collect()
}

/// Trusts the workspace with exactly what it brings now.
pub fn grant(state_dir: &Path, root: &Path, brought: Brought<'_>) -> Result<(), TrustError> {
    let grant = Grant {
        root: shown(root),
        agents: bound(root, brought.agents),
        commands: bound_commands(root, brought.commands),
    };
    change(state_dir, |workspaces| {
        workspaces.insert(key(root), grant);
    })
}

/// Takes trust back. `false`: there was none.
pub fn revoke(state_dir: &Path, root: &Path) -> Result<bool, TrustError> {
    let mut was_there = false;
    change(state_dir, |workspaces| was_there = workspaces.remove(&key(root)).is_some())?;
    Ok(was_there)
}

fn key(root: &Path) -> String {
    WorkspaceId::of_root(root).to_string()
}

fn shown(root: &Path) -> String {
    root.to_string_lossy().into_owned()
}

/// The agents that the workspace brings and that could run.
fn bound(root: &Path, agents: &[AgentSource]) -> BTreeMap<String, Bound> {
    agents
        .iter()
        .filter(|agent| agent.origin == Origin::Workspace && agent.shadowed_by.is_none())
        .filter_map(|agent| agent.profile.as_ref())
        .map(|profile| (profile.name.clone(), bind(root, profile)))
        .collect()
}

fn bound_commands(root: &Path, sources: &[CommandSource]) -> BTreeMap<String, BoundCommands> {
    let bind = |source: &CommandSource| {
        // What a test runner reads is the project's own code, which every commit may change; a program
        // of the workspace is part of the command.
        let programs = source.commands.iter().filter_map(|command| command.first());
        let files = programs
            .filter(|program| program.contains('/'))
            .filter_map(|program| Some((program.clone(), hash_in(root, program)?)))
            .collect();
        BoundCommands { commands: source.commands.clone(), files }
    };
    sources.iter().map(|source| (source.what.clone(), bind(source))).collect()
}

fn bind(root: &Path, profile: &AgentProfile) -> Bound {
    // A program named without a slash is found on PATH, whatever lies here under that name.
    let on_path = usize::from(profile.command.first().is_some_and(|name| !name.contains('/')));
    let files = profile
        .command
        .iter()
        .skip(on_path)
        .filter_map(|argument| Some((argument.clone(), hash_in(root, argument)?)))
        .collect();
    Bound {
        command: profile.command.clone(),
        model: profile.model.clone(),
        env: profile.env.clone(),
        state: profile.state.clone(),
        sandbox_off: profile.sandbox_off.clone(),
        files,
    }
}

/// The hash of a file of the workspace. An argument that names none has none.
fn hash_in(root: &Path, argument: &str) -> Option<String> {
    let path = root.join(argument);
    if !path.starts_with(root) || !fs::metadata(&path).ok()?.is_file() {
        return None;
    }
    let mut hasher = Sha256::new();
    let copied =
        File::open(&path).and_then(|mut file| io::copy(&mut file, &mut Hashing(&mut hasher)));
    // Not `None`: a file that cannot be read must differ from one that is not there.
    let Ok(_) = copied else { return Some("unreadable".to_owned()) };
    Some(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

struct Hashing<'h>(&'h mut Sha256);

impl io::Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn read(file: &Path) -> Result<Grants, TrustError> {
    let text = match fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Grants { version: VERSION, workspaces: BTreeMap::new() });
        }
        Err(source) => {
            return Err(TrustError::Io { file: file.to_owned(), what: "read", source });
        }
    };
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    let malformed = |source| TrustError::Malformed { file: file.to_owned(), source };
    let Versioned { version } = serde_json::from_slice(&text).map_err(malformed)?;
    if version > VERSION {
        return Err(TrustError::Newer { file: file.to_owned(), version });
    }
    serde_json::from_slice(&text).map_err(malformed)
}

/// Changes the file as a whole: two commands at once must not lose one another's grant, and a crash must
/// not leave half a file.
fn change(
    state_dir: &Path,
    change: impl FnOnce(&mut BTreeMap<String, Grant>),
) -> Result<(), TrustError> {
    let file = state_dir.join(FILE);
    let failed = |source: io::Error| TrustError::Io { file: file.clone(), what: "written", source };
    fs::create_dir_all(state_dir).map_err(failed)?;
    let private = |path: &Path| {
        OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path)
    };
    let lock = private(&state_dir.join("trust.lock")).map_err(failed)?;
    flock(&lock, FlockOperation::LockExclusive).map_err(|error| failed(error.into()))?;

    let mut grants = read(&file)?;
    change(&mut grants.workspaces);
    let text = serde_json::to_vec_pretty(&grants)
        .map_err(|source| TrustError::Malformed { file: file.clone(), source })?;
    let temporary = state_dir.join("trust.json.new");
    // A file left over from a crash would keep its permissions.
    if let Err(error) = fs::remove_file(&temporary)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(failed(error));
    }
    let written = private(&temporary).and_then(|mut new| {
        new.write_all(&text)?;
        new.sync_all()?;
        fs::rename(&temporary, &file)?;
        File::open(state_dir)?.sync_all()
    });
    written.map_err(failed)
}
