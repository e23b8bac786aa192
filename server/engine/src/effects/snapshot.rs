//! Taking the snapshot of a run: what its agents get to see.

use super::Shared;
use crate::actor::Message;
use orchestra_core::{
    ids::RunId,
    outcome::{Failure, FailureKind},
    snapshot::Snapshot,
};
use orchestra_vcs::snapshot::{Limits, Request, take};
use std::sync::Arc;

/// Takes it and reports it.
pub(super) async fn report(shared: Arc<Shared>, run: RunId, with_conflicts: bool) {
    let job = Arc::clone(&shared);
    let taken = tokio::task::spawn_blocking(move || now(&job, run, with_conflicts)).await;
    let result = taken.unwrap_or_else(|panic| {
        Err(Failure {
            kind: FailureKind::Environment,
            message: format!("take a snapshot: {panic}"),
            hint: Some("please report this, with the daemon's log".to_owned()),
        })
    });
    // An actor that is gone takes it anew after its next start.
    let _ = shared.sender.send(Message::Snapshot { run, result: result.map(Box::new) });
}

fn now(shared: &Shared, run: RunId, with_conflicts: bool) -> Result<Snapshot, Failure> {
    fail::fail_point!("engine::snapshot::before", |_| std::process::abort());
    let request = Request {
        root: &shared.root,
        scratch: &shared.folders.scratch(&shared.workspace),
        reference: &shared.reference(run, "base"),
        buffers: &[],
        with_conflicts,
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
