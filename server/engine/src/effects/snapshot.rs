//! Taking the snapshot of a run: what its agents get to see.

use super::Shared;
use crate::actor::Message;
use orchestra_core::{
    ids::RunId,
    outcome::{Failure, FailureKind},
    snapshot::Snapshot,
};
use orchestra_vcs::state;
use std::sync::Arc;

/// Takes it and reports it.
pub(super) async fn take(shared: Arc<Shared>, run: RunId) {
    let job = Arc::clone(&shared);
    let taken = tokio::task::spawn_blocking(move || now(&job)).await;
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

fn now(shared: &Shared) -> Result<Snapshot, Failure> {
    state::head(&shared.root).map_err(|error| Failure {
        kind: FailureKind::Environment,
        message: format!("take a snapshot: {error}"),
        hint: Some(error.hint()),
    })
}
