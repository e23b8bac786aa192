//! What is recorded together, and how it is reported.

use crate::{error::StoreError, journal::Numbered};
use orchestra_core::{
    ids::AttemptId,
    view::{RunStatus, RunView, TaskView},
};

/// What is recorded together or not at all.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// With their sequence numbers, which only ever grow.
    pub events: Vec<Numbered>,
    /// Every run and task that the events changed, as it is after them.
    pub runs: Vec<RunView>,
    pub tasks: Vec<TaskView>,
    /// Idempotency keys with the JSON that was answered.
    pub answers: Vec<(String, String)>,
    /// Up to which byte of its `events.jsonl` an attempt has been taken in.
    pub ingested: Vec<(AttemptId, u64)>,
}

impl Batch {
    /// Whether it leaves something to project.
    pub(crate) fn changes_rows(&self) -> bool {
        !self.runs.is_empty() || !self.tasks.is_empty()
    }

    /// Whether a person or a script is likely to look at its files now: a run has ended, or waits.
    pub(crate) fn is_looked_for(&self) -> bool {
        let goes_on =
            |run: &RunView| matches!(run.status, RunStatus::Running | RunStatus::Stopping);
        !self.runs.iter().all(goes_on)
    }

    /// How many rows it writes.
    pub(crate) fn rows(&self) -> usize {
        self.events.len() + self.runs.len() + self.tasks.len() + self.answers.len()
    }
}

/// Called on the writer's thread when a batch is durable, or certain not to be recorded. It must be
/// short: commits wait for it.
pub type Done = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Folds all events of one run into its rows. The engine brings it, since the fold is the domain's. The
/// error says why the events do not fit one another.
pub type Fold = Box<dyn FnMut(&[Numbered]) -> Result<(RunView, Vec<TaskView>), String> + Send>;
