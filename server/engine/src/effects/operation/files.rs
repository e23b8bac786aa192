//! Bringing accepted hunks into the user's files, and taking them out again.

use super::{
    super::{Shared, review, snapshot::buffer},
    refused,
};
use orchestra_core::{
    ids::{HunkId, OperationId},
    operation::{Favor, FileResult, OperationEnd, OperationKind, Target},
    outcome::Artifact,
    provenance::{Checked, Origin},
    state::{Operation, OperationPhase, Prepared, Run},
};
use orchestra_vcs::{
    GitError,
    apply::{self, CarryOut, PrepareRequest},
    provenance, references,
    snapshot::{Buffer, Limits},
};

/// What is to be written.
pub(super) struct ToWrite {
    operation: OperationId,
    change: Change,
    favor: Favor,
    unsaved: Vec<Artifact>,
}

enum Change {
    /// These hunks come in.
    Accepted {
        selection: review::Selection,
        works: Vec<Origin>,
        /// The operation that has brought in what the user's files have of the run, as a whole.
        earlier: Option<OperationId>,
    },
    /// What an earlier operation has written goes out again.
    Back { of: OperationId, before: String, after: String },
}

impl ToWrite {
    pub(super) fn accepted(run: &Run, asked: &Operation, hunks: &[HunkId]) -> Option<Self> {
        let selection = review::Selection::new(run, hunks)?;
        let brought_all = |operation: &&Operation| {
            matches!(operation.started.kind, OperationKind::Apply { target: Target::Files, .. })
                && matches!(
                    &operation.phase,
                    OperationPhase::Ended { end: OperationEnd::Applied, .. }
                )
                && run.is_in_effect(operation)
        };
        let earlier = run.operations.iter().rev().find(brought_all).map(Operation::id);
        let works = origins(run);
        Some(Self::new(asked, Change::Accepted { selection, works, earlier }))
    }

    pub(super) fn back(asked: &Operation, undone: &Operation) -> Option<Self> {
        let Prepared { before, after, .. } = &**undone.prepared()?;
        let (of, before, after) = (undone.id(), before.clone(), after.clone());
        Some(Self::new(asked, Change::Back { of, before, after }))
    }

    fn new(asked: &Operation, change: Change) -> Self {
        let started = &asked.started;
        let (favor, unsaved) = (started.favor, started.unsaved.clone());
        Self { operation: asked.id(), change, favor, unsaved }
    }

    pub(super) fn prepare(&self, shared: &Shared) -> Result<Prepared, OperationEnd> {
        let references = shared.backup(self.operation);
        let buffers = self.unsaved.iter().map(|unsaved| buffer(shared, unsaved));
        let buffers: Vec<Buffer> = buffers.collect::<Result<_, _>>().map_err(|failure| {
            let hint = "save the file, then ask again".to_owned();
            OperationEnd::Refused { message: failure.message, hint }
        })?;
        let (accepted, brought);
        let (base, theirs, undo) = match &self.change {
            Change::Accepted { selection, earlier, .. } => {
                accepted = selection.accepted(shared, &references)?;
                brought = earlier.map(|earlier| brought_by(shared, earlier)).transpose()?.flatten();
                // What the user has of it already is no news, also where an agent has changed it since.
                (brought.as_ref().unwrap_or(&selection.base), &accepted, None)
            }
            Change::Back { of, before, after } => (after, before, Some(shared.backup(*of))),
        };
        let prepared = apply::prepare(&PrepareRequest {
            root: &shared.root,
            scratch: &shared.folders.scratch(&shared.workspace),
            base,
            theirs,
            favor: self.favor,
            references: &references,
            buffers: &buffers,
            open: &[],
            undo: undo.as_deref(),
            limits: Limits {
                file: shared.snapshot.file_limit.0,
                total: shared.snapshot.total_limit.0,
            },
            subject: &format!("What the user had when {} began", self.operation),
            // What comes from agents has only runs of trusted workspaces.
            run_filters: true,
        });
        match prepared.map_err(|error| refused("change the files", &error))? {
            apply::Prepared::Ready(apply::Transition { before, after, files }) => {
                Ok(Prepared { before, after, files })
            }
            apply::Prepared::Nothing => Err(OperationEnd::Nothing),
            apply::Prepared::Conflict(conflicts) => Err(OperationEnd::Conflict { conflicts }),
            apply::Prepared::Refused { message, hint } => {
                Err(OperationEnd::Refused { message, hint })
            }
        }
    }

    pub(super) fn write(
        &self,
        shared: &Shared,
        prepared: &Prepared,
    ) -> Result<Vec<FileResult>, GitError> {
        let references = shared.backup(self.operation);
        let files = apply::carry_out(&CarryOut {
            root: &shared.root,
            references: &references,
            files: &prepared.files,
        })?;
        if let Change::Accepted { selection, works, .. } = &self.change {
            // Who wrote a line can be seen without it; what had checked it cannot.
            if let Err(problem) = note(shared, self.operation, selection, works, &prepared.after) {
                tracing::warn!(operation = %self.operation, problem, "it has no note");
            }
        }
        Ok(files)
    }
}

/// The commit that an operation has brought in; `None` when that is gone.
fn brought_by(shared: &Shared, earlier: OperationId) -> Result<Option<String>, OperationEnd> {
    let name = format!("{}/accepted", shared.backup(earlier));
    references::read(&shared.root, &name)
        .map_err(|error| refused("see what was applied before", &error))
}

/// Says of what the user has after the operation where it came from.
fn note(
    shared: &Shared,
    operation: OperationId,
    selection: &review::Selection,
    works: &[Origin],
    after: &str,
) -> Result<(), String> {
    let text = selection.provenance(shared, operation, works)?;
    let reference = shared.references("notes");
    provenance::note(&shared.root, &reference, after, &text).map_err(|error| error.to_string())
}

/// The works of a run with what has checked each.
fn origins(run: &Run) -> Vec<Origin> {
    let origin = |work: orchestra_core::review::Work| {
        let evidence = run.evidence(work.attempt);
        Origin { checked: evidence.map(Checked::from).unwrap_or_default(), work }
    };
    run.works().into_iter().map(origin).collect()
}
