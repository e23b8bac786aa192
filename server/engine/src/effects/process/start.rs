//! Starting an attempt: its tree, its prompt, its folder, its shim.

use super::{super::Shared, Desk, ProcessWork, remove};
use orchestra_core::{
    agent::AgentProfile,
    outcome::{AttemptOutcome, Failure, FailureKind, Output},
    time::Millis,
};
use orchestra_runtimes::{
    attempt::{AttemptDir, DaemonContact, Shim, spawn_shim},
    cli,
    confine::Scope,
    prompt,
};
use orchestra_vcs::clone;
use std::path::Path;

/// How long the daemon may take to answer a shim that pokes it.
const PATIENCE: Millis = Millis::seconds(2);

/// Clones, writes the attempt's folder and starts the shim; what stands in the way ends the attempt.
pub(super) fn start(
    shared: &Shared,
    work: &ProcessWork,
    desk: &Desk,
) -> Result<Shim, Box<AttemptOutcome>> {
    let failed = |kind, message: String, hint: Option<String>| {
        let failure = Failure { kind, message, hint };
        Box::new(AttemptOutcome::Failed { failure, output: Output::default() })
    };
    let profile = work.profile().ok_or_else(|| {
        let message = format!("the plan has no agent `{}`", work.agent);
        failed(FailureKind::NotStarted, message, None)
    })?;
    let slot = shared.folders.slot(&shared.workspace, work.attempt);
    let tree = clone::create(&shared.root, &slot).map_err(|error| {
        let hint = error.hint();
        failed(FailureKind::Environment, format!("clone the repository: {error}"), Some(hint))
    })?;
    let give_up = |outcome: Box<AttemptOutcome>| {
        remove(&slot);
        outcome
    };
    let limit = shared.attempt.instructions_limit.0;
    let instructions = prompt::instructions::read(&slot.join("src"), &tree.cwd, limit);
    let text = prompt::render(&prompt::PromptInput {
        profile,
        attempt: work.attempt,
        step: &work.step,
        run_name: &work.plan.name,
        task: &work.prompt,
        instructions: &instructions,
        previous: work.previous.as_deref(),
        directory: &tree.cwd,
        out: &tree.out,
        artifacts: &shared.root.join(".orchestra").join("workspace"),
        output: work.output.as_deref(),
        inputs: &work.inputs,
    });
    let output = Output::default;
    let socket = shared.folders.tools_socket(&shared.workspace, work.attempt);
    let prepared = text.and_then(|text| {
        cli::prepare(&cli::Request {
            workspace: &shared.workspace,
            attempt: work.attempt,
            profile,
            root: &shared.root,
            slot: &slot,
            directory: &tree.cwd,
            scope: scope(shared, profile, &slot),
            protected: &shared.folders.own(&shared.root),
            caches: &shared.folders.caches(&shared.workspace, "agents"),
            prompt: &text,
            plan: &work.plan.outline(),
            environment: &work.environment,
            timeout: work.timeout,
            config: &shared.attempt,
            tools: Some(cli::Tools {
                program: &shared.program,
                socket: &socket,
                decision: &shared.decision,
                limits: &shared.mcp,
            }),
            daemon: Some(DaemonContact {
                socket: shared.folders.socket(),
                arguments: shared.daemon_command.clone(),
                patience: PATIENCE,
            }),
        })
    });
    let mut prepared = prepared.map_err(|failure| {
        give_up(Box::new(AttemptOutcome::Failed { failure, output: output() }))
    })?;
    let path = shared.folders.attempt(&shared.workspace, work.attempt);
    let made = desk.agent_begins(|timeout| {
        prepared.spec.timeout = timeout.unwrap_or(prepared.spec.timeout);
        AttemptDir::create(&path, &prepared.spec)
    });
    let dir = match made {
        Ok(Ok(dir)) => dir,
        Ok(Err(error)) => {
            let message = format!("create {}: {error}", path.display());
            return Err(give_up(failed(
                FailureKind::Environment,
                message,
                Some(DOCTOR.to_owned()),
            )));
        }
        Err(_) => {
            return Err(give_up(Box::new(AttemptOutcome::Cancelled { output: output() })));
        }
    };
    spawn_shim(&dir, &prepared.environment).map_err(|error| {
        let message = format!("start a shim: {error}");
        give_up(failed(FailureKind::Environment, message, Some(DOCTOR.to_owned())))
    })
}

/// An agent that writes has its tree; all have a place for what they hand over. No agent reads the
/// environments of other runs.
fn scope(shared: &Shared, profile: &AgentProfile, slot: &Path) -> Scope {
    let parts: &[&str] = if profile.writes { &["src", "tmp", "out"] } else { &["tmp", "out"] };
    Scope {
        write: parts.iter().map(|part| slot.join(part)).collect(),
        hidden: vec![shared.folders.runtime.clone()],
        choice: shared.attempt.sandbox,
    }
}

const DOCTOR: &str = "see `orchestra doctor`";
