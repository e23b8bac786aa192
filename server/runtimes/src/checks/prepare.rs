//! Making a command of the workspace ready to be started under a shim, as agents are.

use crate::{
    attempt::{DaemonContact, Spec, new_nonce},
    caches,
    catalog::programs,
    cli::{self, Prepared},
    confine::Scope,
};
use orchestra_core::{
    agent::{Completion, Prints},
    config::AttemptConfig,
    confinement::Cache,
    evidence::CheckOutcome,
    ids::{AttemptId, WorkspaceId},
    outcome::{Failure, FailureKind},
    time::Millis,
};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
};

/// What is to be run, and where: a command of `verify`, `accept`, `setup` or `checks.run`.
#[derive(Debug, Clone)]
pub struct CheckRequest<'a> {
    pub workspace: &'a WorkspaceId,
    /// The attempt for which it runs.
    pub attempt: AttemptId,
    /// The program and its arguments.
    pub command: &'a [String],
    /// The slot with `src`, `tmp` and `out`, which exists; no agent could write to it.
    pub slot: &'a Path,
    /// Where it starts: `src`, or the workspace's folder in it.
    pub directory: &'a Path,
    /// What it may write to, and what holds it there; caches are added.
    pub scope: Scope,
    /// Where the caches of checks lie, which no agent writes to, see [`crate::caches`].
    pub caches: &'a Path,
    /// The run's environment.
    pub environment: &'a BTreeMap<String, String>,
    pub timeout: Millis,
    pub config: &'a AttemptConfig,
    pub daemon: Option<DaemonContact>,
}

/// Why a command is not started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unready {
    /// It can be said without starting it how it ends; see [`super::Ran::not_started`].
    Ends(CheckOutcome),
    /// The surroundings are at fault.
    Failed(Failure),
}

/// Finds the program and says what is to be started.
pub fn prepare(request: &CheckRequest<'_>) -> Result<Prepared, Unready> {
    let program = program(request).map_err(Unready::Ends)?;
    let tools = Cache::WORDS.map(|(_, cache)| cache);
    let failed = |what: &str, error: io::Error| {
        Unready::Failed(Failure {
            kind: FailureKind::Environment,
            message: format!("{what}: {error}"),
            hint: Some("see `orchestra doctor`".to_owned()),
        })
    };
    let caches = caches::prepare(request.caches, &tools, request.environment)
        .map_err(|error| failed("prepare the caches of build tools", error))?;
    let mut scope = request.scope.clone();
    scope.write.extend(caches.write);
    let mut spec = Spec {
        workspace: request.workspace.clone(),
        attempt: request.attempt,
        nonce: new_nonce().map_err(|error| failed("draw random numbers", error))?,
        agent: request.command.join(" "),
        program,
        arguments: request.command.iter().skip(1).cloned().collect(),
        directory: request.directory.to_owned(),
        slot: request.slot.to_owned(),
        scope,
        own_sandbox: None,
        shared_state: Vec::new(),
        completion: Completion::Exit,
        prints: Prints::Text,
        timeout: request.timeout,
        grace: request.config.grace,
        sentinel_wait: request.config.sentinel_wait,
        log_limit: request.config.log_limit.0,
        secrets: Vec::new(),
        daemon: request.daemon.clone(),
        broker: None,
    };
    let mut environment: BTreeMap<String, String> = request
        .environment
        .iter()
        .filter(|(name, _)| cli::is_always_passed(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    environment.extend(caches.variables);
    let temporary = request.slot.join("tmp").to_string_lossy().into_owned();
    environment.extend([
        // Runners neither watch files nor ask questions when it is set.
        ("CI".to_owned(), "true".to_owned()),
        ("TMPDIR".to_owned(), temporary),
        (Spec::MARKER.to_owned(), spec.marker()),
    ]);
    spec.secrets = cli::secrets(&environment);
    Ok(Prepared { spec, environment })
}

/// A path is one in the tree, as `./gradlew` means it; a bare name is looked up on the run's PATH.
fn program(request: &CheckRequest<'_>) -> Result<PathBuf, CheckOutcome> {
    let name = request.command.first().map(String::as_str).unwrap_or_default();
    let missing = || CheckOutcome::Missing { what: format!("program {name}") };
    let path = request.environment.get("PATH").map(OsStr::new);
    let found = programs::find(name, request.directory, path).ok_or_else(missing)?;
    if !name.contains('/') || Path::new(name).is_absolute() {
        return Ok(found);
    }
    let inside = || Some(found.canonicalize().ok()?.starts_with(request.slot.canonicalize().ok()?));
    if inside() == Some(true) {
        Ok(found)
    } else {
        let message = format!("{name} leads out of the tree");
        Err(CheckOutcome::NotStarted { message })
    }
}
