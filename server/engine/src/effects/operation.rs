//! Operations: what is done to the user's files, step by step.

use super::Shared;
use crate::actor::Message;
use orchestra_core::{decide::InputKind, ids::OperationId, operation::OperationEnd, state::State};
use std::sync::Arc;

/// What is needed to carry an operation out, taken out of the state.
pub(super) struct Work {
    operation: OperationId,
}

impl Work {
    pub(super) fn new(state: &State, operation: OperationId) -> Option<Self> {
        state.run(operation.run())?.operation(operation)?;
        Some(Self { operation })
    }
}

/// Finds out what it means for each file, and reports that.
pub(super) async fn prepare(shared: Arc<Shared>, work: Work) {
    let end = OperationEnd::Refused {
        message: "this is not done yet".to_owned(),
        hint: "wait for it".to_owned(),
    };
    let operation = work.operation;
    let kind = InputKind::OperationPrepared { operation, result: Err(end) };
    let _ = shared.sender.send(Message::Came(kind));
}

/// Writes what was prepared, and reports how that ended.
pub(super) async fn write(shared: Arc<Shared>, work: Work) {
    let (operation, wait) = (work.operation, shared.apply.client_timeout);
    let kind = InputKind::OperationWritten { operation, files: Vec::new(), wait };
    let _ = shared.sender.send(Message::Came(kind));
}
