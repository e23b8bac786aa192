//! From a command to a plan: reads the files that people write, checks them, and leaves out or
//! refuses what may not run here.

use crate::{actor::Request, environment, environment::Environment};
use orchestra_core::{
    diagnostic::Diagnostic,
    folders::Folders,
    outcome::Artifact,
    plan::{Executor, Lane, Plan},
    planner,
};
use orchestra_protocol::{
    command::{Command, Unsaved},
    error::{ErrorBody, ErrorKind},
};
use orchestra_runtimes::catalog::{self, Loaded, trust};
use orchestra_store::Artifacts;
use orchestra_vcs::state as git;
use std::{io, path::PathBuf};

/// Plans for one workspace.
#[derive(Debug)]
pub(crate) struct Planner {
    pub(crate) folders: Folders,
    pub(crate) root: PathBuf,
    pub(crate) artifacts: Artifacts,
    /// What was read for the plan before.
    pub(crate) known: catalog::Cache,
}

impl Planner {
    /// Reads files and runs git: blocks.
    pub(crate) fn plan(
        &self,
        command: Command,
        client: &Environment,
    ) -> Result<Request, ErrorBody> {
        let known = self.known.get(&self.root, &self.folders.config, client);
        let loaded = &known.loaded;
        let (mut plan, mut notes, sight) = match command {
            Command::Run { workflow, params, mode, approve, sight } => {
                let source =
                    loaded.workflow(&workflow).ok_or_else(|| unknown(&workflow, loaded))?;
                let request = planner::Request {
                    text: &source.text,
                    file: &source.file,
                    origin: source.origin,
                    catalog: &loaded.catalog,
                    params: &params,
                    mode,
                    approve,
                };
                let planned = planner::plan(&request)
                    .map_err(|diagnostics| invalid(&workflow, diagnostics))?;
                let notes = planned.warnings.iter().map(ToString::to_string).collect();
                (planned.plan, notes, sight)
            }
            Command::Start { agent, prompt, sight } => {
                let plan =
                    planner::plan_for_start(&agent, &prompt, &loaded.catalog).map_err(|error| {
                        let diagnostics = broken(&agent, loaded);
                        let error =
                            ErrorBody::new(ErrorKind::Invalid, error.to_string(), error.hint());
                        ErrorBody { diagnostics, ..error }
                    })?;
                (plan, Vec::new(), sight)
            }
            _ => {
                return Err(ErrorBody::new(ErrorKind::Internal, "not a command that plans", ""));
            }
        };
        plan.approve |= known.config.run.approve;
        plan.with_conflicts = sight.with_conflicts;
        self.admit_processes(&mut plan, loaded, &mut notes)?;
        if plan.has_processes() {
            plan.unsaved = self.keep_unsaved(sight.unsaved)?;
        }
        let environment = environment::filter(client, &plan);
        Ok(Request::CreateRun { plan: Box::new(plan), environment, notes })
    }

    /// Keeps what the user has not saved until the snapshot is taken, which another daemon may do.
    pub(crate) fn keep_unsaved(&self, unsaved: Vec<Unsaved>) -> Result<Vec<Artifact>, ErrorBody> {
        let keep = |Unsaved { path, content }: Unsaved| {
            self.artifacts.put(&content, &path).map_err(|error| {
                let what = format!("the unsaved text of {path:?} cannot be taken over: {error}");
                match error.kind() {
                    io::ErrorKind::InvalidInput => ErrorBody::new(
                        ErrorKind::Invalid,
                        what,
                        "name the file by its path from the root of the workspace",
                    ),
                    _ => ErrorBody::new(
                        ErrorKind::NotRecorded,
                        what,
                        "make room on the disk of the state folder, and ask again",
                    ),
                }
            })
        };
        unsaved.into_iter().map(keep).collect()
    }

    /// Agents, and actions that run commands, need trust and a git repository. Where a task has another
    /// way it goes without them, and an optional one is left out; otherwise nothing is started.
    fn admit_processes(
        &self,
        plan: &mut Plan,
        loaded: &Loaded,
        notes: &mut Vec<String>,
    ) -> Result<(), ErrorBody> {
        let is_process = |executor: &Executor| executor.lane() == Lane::Process;
        if !plan.has_processes() {
            return Ok(());
        }
        let Some(obstacle) = self.obstacle(loaded) else { return Ok(()) };
        for step in plan.leave_out(|task| task.executors.iter().all(is_process)) {
            notes.push(format!("the optional step {step} is left out: {}", obstacle.reason));
        }
        let stuck: Vec<&str> = plan
            .tasks
            .iter()
            .filter(|task| task.executors.iter().all(is_process))
            .map(|task| task.step.as_str())
            .collect();
        if !stuck.is_empty() {
            let steps = stuck.join(", ");
            return Err(ErrorBody::new(
                ErrorKind::Refused,
                format!("the steps {steps} need a process of their own, and {}", obstacle.reason),
                obstacle.hint,
            ));
        }
        for task in &mut plan.tasks {
            task.executors.retain(|executor| !is_process(executor));
        }
        plan.agents.clear();
        notes.push(format!("agents are left out: {} ({})", obstacle.reason, obstacle.hint));
        Ok(())
    }

    fn obstacle(&self, loaded: &Loaded) -> Option<Obstacle> {
        match trust::status(&self.folders.state, &self.root, loaded.brought()) {
            Ok(trust::Status::Trusted) => {}
            Ok(trust::Status::Untrusted) => {
                return Some(Obstacle {
                    reason: format!("{} is not trusted", self.root.display()),
                    hint: "look at its agents with `orchestra agents list`, then run \
                           `orchestra trust`"
                        .to_owned(),
                });
            }
            Ok(trust::Status::Changed(changes)) => {
                let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
                return Some(Obstacle {
                    reason: format!("what was trusted has changed: {}", changes.join("; ")),
                    hint: "if the change is wanted, run `orchestra trust` again".to_owned(),
                });
            }
            Err(error) => {
                return Some(Obstacle {
                    reason: error.to_string(),
                    hint: "repair or remove the file, then run `orchestra trust`".to_owned(),
                });
            }
        }
        // The common case without a process: what is wrong inside `.git` shows when it is cloned.
        if self.root.ancestors().any(|folder| folder.join(".git").exists()) {
            return None;
        }
        match git::toplevel(&self.root) {
            Ok(Some(_)) => None,
            Ok(None) => Some(Obstacle {
                reason: format!(
                    "{} is no git repository, in which agents get their own copy",
                    self.root.display()
                ),
                hint: "run `git init`, commit the files, and try again".to_owned(),
            }),
            Err(error) => Some(Obstacle {
                reason: error.to_string(),
                hint: "see `orchestra doctor`".to_owned(),
            }),
        }
    }
}

struct Obstacle {
    reason: String,
    hint: String,
}

fn unknown(name: &str, loaded: &Loaded) -> ErrorBody {
    let names: Vec<&str> = loaded.workflows.iter().map(|workflow| workflow.name.as_str()).collect();
    let shown: String = name.chars().take(80).collect();
    ErrorBody::new(
        ErrorKind::NotFound,
        format!("there is no workflow `{shown}`"),
        format!(
            "there are: {}; to give one agent a task, use `orchestra start <agent> \"…\"`",
            names.join(", ")
        ),
    )
}

/// What is wrong with the file that an agent's name means.
fn broken(agent: &str, loaded: &Loaded) -> Vec<Diagnostic> {
    let files = loaded.agents.iter().filter(|source| source.name() == agent);
    files.filter_map(|source| source.error().cloned()).collect()
}

fn invalid(workflow: &str, diagnostics: Vec<Diagnostic>) -> ErrorBody {
    let message = format!("the workflow {workflow} cannot be planned");
    let hint = format!("check it with `orchestra workflows check {workflow}`");
    ErrorBody { kind: ErrorKind::Invalid, message, hint, diagnostics }
}
