//! Taking the snapshot of a run: what its agents get to see.

use super::Shared;
use crate::actor::Message;
use orchestra_core::{
    decide::InputKind,
    ids::RunId,
    outcome::{Artifact, Failure, FailureKind},
    plan::Plan,
    snapshot::Snapshot,
};
use orchestra_vcs::snapshot::{Buffer, Limits, Request, take};
use std::sync::Arc;

/// Takes it and reports it.
pub(super) async fn report(shared: Arc<Shared>, run: RunId, plan: Arc<Plan>) {
    let job = Arc::clone(&shared);
    let taken = tokio::task::spawn_blocking(move || now(&job, run, &plan)).await;
    let result = taken.unwrap_or_else(|panic| {
        Err(Failure {
            kind: FailureKind::Environment,
            message: format!("take a snapshot: {panic}"),
            hint: Some("please report this, with the daemon's log".to_owned()),
        })
    });
    // An actor that is gone takes it anew after its next start.
    let kind = InputKind::SnapshotEnded { run, result: result.map(Box::new) };
    let _ = shared.sender.send(Message::Came(kind));
}

fn now(shared: &Shared, run: RunId, plan: &Plan) -> Result<Snapshot, Failure> {
    let buffers = plan.unsaved.iter().map(|unsaved| buffer(shared, unsaved));
    let buffers: Vec<Buffer> = buffers.collect::<Result<_, _>>()?;
    fail::fail_point!("engine::snapshot::before", |_| std::process::abort());
    let request = Request {
        root: &shared.root,
        scratch: &shared.folders.scratch(&shared.workspace),
        reference: &shared.reference(run, "base"),
        buffers: &buffers,
        with_conflicts: plan.with_conflicts,
        // Only a trusted workspace has runs with agents.
        run_filters: true,
        limits: Limits { file: shared.snapshot.file_limit.0, total: shared.snapshot.total_limit.0 },
        subject: &format!("What the user saw when {run} started"),
        wrapper: None,
    };
    let snapshot = take(&request).map_err(|error| Failure {
        kind: FailureKind::Environment,
        message: format!("take a snapshot: {error}"),
        hint: Some(error.hint()),
    });
    fail::fail_point!("engine::snapshot::after", |_| std::process::abort());
    snapshot
}

/// What the user had not saved.
pub(super) fn buffer(shared: &Shared, unsaved: &Artifact) -> Result<Buffer, Failure> {
    let path = &unsaved.path;
    match shared.artifacts.read(&unsaved.sha256) {
        Ok(content) => Ok(Buffer { path: path.into(), content }),
        Err(error) => Err(Failure {
            kind: FailureKind::Environment,
            message: format!("take a snapshot: the unsaved text of {path} cannot be read: {error}"),
            hint: Some("start the run anew".to_owned()),
        }),
    }
}
