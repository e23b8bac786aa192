//! Making an attempt of an agent ready to be started.

use super::{
    command_line::{self, Values},
    environment,
};
use crate::attempt::{DaemonContact, Spec, new_nonce};
use orchestra_core::{
    agent::AgentProfile,
    config::AttemptConfig,
    ids::{AttemptId, WorkspaceId},
    outcome::{Failure, FailureKind},
    time::Millis,
};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// What is to be run, and where.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    pub workspace: &'a WorkspaceId,
    pub attempt: AttemptId,
    pub profile: &'a AgentProfile,
    /// The workspace's root, from which programs with a relative path come.
    pub root: &'a Path,
    /// The slot with `src`, `tmp` and `out`, which exists.
    pub slot: &'a Path,
    /// Where the agent starts: `src`, or the workspace's folder in it.
    pub directory: &'a Path,
    /// All that the agent is told, see [`crate::prompt`].
    pub prompt: &'a str,
    /// The run's plan, of which the agent gets a copy.
    pub plan: &'a str,
    /// The run's environment.
    pub environment: &'a BTreeMap<String, String>,
    pub timeout: Millis,
    pub config: &'a AttemptConfig,
    pub daemon: Option<DaemonContact>,
}

/// What [`crate::attempt::AttemptDir::create`] and [`crate::attempt::spawn_shim`] take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    pub spec: Spec,
    /// All that shim and agent get. It may hold secrets.
    pub environment: BTreeMap<String, String>,
}

/// Finds the program, fills in its arguments, and writes prompt and plan into the slot.
pub fn prepare(request: &Request<'_>) -> Result<Prepared, Failure> {
    let out = request.slot.join("out");
    let (prompt_file, plan_file) = (out.join("prompt.md"), out.join("plan.md"));
    let values = Values {
        prompt: request.prompt,
        prompt_file: &prompt_file,
        task_id: request.attempt.task().to_string(),
        tree: request.directory,
    };
    let profile = request.profile;
    let (program, arguments) =
        command_line::of(profile, &values, request.root, request.environment)?;
    write(&prompt_file, request.prompt)?;
    write(&plan_file, request.plan)?;
    let mut spec = Spec {
        workspace: request.workspace.clone(),
        attempt: request.attempt,
        nonce: new_nonce().map_err(|error| environment_failure("draw random numbers", &error))?,
        agent: profile.name.clone(),
        program,
        arguments,
        directory: request.directory.to_owned(),
        slot: request.slot.to_owned(),
        completion: profile.completion,
        timeout: request.timeout,
        grace: request.config.grace,
        sentinel_wait: request.config.sentinel_wait,
        log_limit: request.config.log_limit.0,
        secrets: Vec::new(),
        daemon: request.daemon.clone(),
    };
    let environment = environment::of_agent(profile, request.environment, &spec, &plan_file);
    spec.secrets =
        environment.keys().filter(|name| environment::looks_secret(name)).cloned().collect();
    Ok(Prepared { spec, environment })
}

fn write(path: &PathBuf, text: &str) -> Result<(), Failure> {
    fs::write(path, text)
        .map_err(|error| environment_failure(&format!("write {}", path.display()), &error))
}

fn environment_failure(what: &str, error: &io::Error) -> Failure {
    Failure {
        kind: FailureKind::Environment,
        message: format!("{what}: {error}"),
        hint: Some("see `orchestra doctor`".to_owned()),
    }
}
