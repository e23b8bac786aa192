//! Starting an attempt: its tree, its prompt, its folder, its shim.

use super::{Attempt, blocking, tree};
use orchestra_core::outcome::{AttemptOutcome, Failure, FailureKind, Output};
use orchestra_runtimes::{
    attempt::{AttemptDir, Shim, spawn_shim},
    cli,
    confine::Scope,
    prompt,
};
use orchestra_vcs::trees::Tree;
use std::io;

const DOCTOR: &str = "see `orchestra doctor`";

/// Prepares the attempt and starts its shim; what stands in the way ends the attempt.
pub(super) async fn start(attempt: &Attempt) -> io::Result<Result<Shim, AttemptOutcome>> {
    let tree = match tree::take(attempt).await? {
        Ok(tree) => tree,
        Err(outcome) => return Ok(Err(outcome)),
    };
    let attempt = attempt.clone();
    blocking(move || Ok(launch(&attempt, &tree).map_err(|outcome| *outcome))).await
}

fn launch(attempt: &Attempt, tree: &Tree) -> Result<Shim, Box<AttemptOutcome>> {
    let failed = |failure| Box::new(AttemptOutcome::Failed { failure, output: Output::default() });
    let environment = |message: String| {
        failed(Failure { kind: FailureKind::Environment, message, hint: Some(DOCTOR.to_owned()) })
    };
    let mut prepared = prepare(attempt, tree).map_err(failed)?;
    let path = attempt.dir().path().to_owned();
    let made = attempt.desk.agent_begins(|timeout| {
        prepared.spec.timeout = timeout.unwrap_or(prepared.spec.timeout);
        AttemptDir::create(&path, &prepared.spec)
    });
    let dir = match made {
        Ok(made) => {
            made.map_err(|error| environment(format!("create {}: {error}", path.display())))?
        }
        Err(_) => return Err(Box::new(AttemptOutcome::Cancelled { output: Output::default() })),
    };
    spawn_shim(&dir, &prepared.environment)
        .map_err(|error| environment(format!("start a shim: {error}")))
}

fn prepare(attempt: &Attempt, tree: &Tree) -> Result<cli::Prepared, Failure> {
    let (shared, work) = (&attempt.shared, &attempt.work);
    let profile = work.profile().ok_or_else(|| no_agent(work.executor.name()))?;
    let limit = shared.attempt.instructions_limit.0;
    let instructions = prompt::instructions::read(&tree.src, &tree.cwd, limit);
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
    })?;
    let mut write = vec![tree.tmp.clone(), tree.out.clone()];
    if work.writes() {
        write.push(tree.src.clone());
    }
    cli::prepare(&cli::Request {
        workspace: &shared.workspace,
        attempt: work.attempt,
        profile,
        root: &shared.root,
        // One of several that share a slot has a folder of its own in it.
        slot: tree.out.parent().unwrap_or(&tree.slot),
        directory: &tree.cwd,
        // No agent reads the environments of other runs.
        scope: Scope {
            write,
            hidden: vec![shared.folders.runtime.clone()],
            choice: shared.attempt.sandbox,
        },
        protected: &shared.folders.own(&shared.root),
        caches: &shared.folders.caches(&shared.workspace, "agents"),
        prompt: &text,
        plan: &work.plan.outline(),
        environment: work.environment()?,
        timeout: work.timeout,
        config: &shared.attempt,
        tools: Some(cli::Tools {
            program: &shared.program,
            socket: &shared.folders.tools_socket(&shared.workspace, work.attempt),
            decision: &shared.decision,
            limits: &shared.mcp,
        }),
        daemon: Some(shared.contact()),
    })
}

fn no_agent(name: &str) -> Failure {
    Failure {
        kind: FailureKind::NotStarted,
        message: format!("the plan of the run has no agent `{name}`"),
        hint: Some("start the run anew".to_owned()),
    }
}
