//! Reading what a person points at: `r12`, `r12.3`, `r12.3@2` or `r12/scan`.

use orchestra_core::{
    decide::Target,
    ids::{AttemptId, RunId, TaskId},
    state::Run,
};
use orchestra_protocol::error::{ErrorBody, ErrorKind};

/// A target as far as it can be read without knowing the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pointer {
    Known(Target),
    Step { run: RunId, step: String },
}

impl Pointer {
    pub(crate) fn parse(text: &str) -> Result<Self, ErrorBody> {
        if let Ok(run) = text.parse::<RunId>() {
            return Ok(Self::Known(Target::Run(run)));
        }
        if let Ok(task) = text.parse::<TaskId>() {
            return Ok(Self::Known(Target::Task(task)));
        }
        if let Ok(attempt) = text.parse::<AttemptId>() {
            return Ok(Self::Known(Target::Task(attempt.task())));
        }
        if let Some((run, step)) = text.split_once('/')
            && let Ok(run) = run.parse()
        {
            return Ok(Self::Step { run, step: step.to_owned() });
        }
        let shown: String = text.chars().take(80).collect();
        Err(ErrorBody::new(
            ErrorKind::Invalid,
            format!("`{shown}` names no run and no task"),
            "write a run as r12, a task as r12.3 or r12/scan; `orchestra status` lists them",
        ))
    }

    pub(crate) fn run(&self) -> RunId {
        match self {
            Self::Known(target) => target.run(),
            Self::Step { run, .. } => *run,
        }
    }

    pub(crate) fn resolve(&self, run: &Run) -> Result<Target, ErrorBody> {
        match self {
            Self::Known(target) => Ok(*target),
            Self::Step { run: id, step } => run
                .plan
                .tasks
                .iter()
                .position(|planned| planned.step.as_str() == step)
                .map(|position| Target::Task(run.tasks[position].id))
                .ok_or_else(|| {
                    ErrorBody::new(
                        ErrorKind::NotFound,
                        format!("{id} has no step `{step}`"),
                        format!("list its tasks with `orchestra show {id}`"),
                    )
                }),
        }
    }
}
