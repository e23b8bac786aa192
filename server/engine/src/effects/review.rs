//! Making the review of a run: what its attempts have made is brought together and compared.

use super::Shared;
use crate::actor::Message;
use orchestra_core::{
    decide::InputKind,
    ids::RunId,
    outcome::{Failure, FailureKind},
    pending::{ToReview, to_review},
    state::Run,
};
use std::sync::Arc;

/// What is needed to make it, taken out of the state.
pub(super) struct Work {
    run: RunId,
    made: ToReview,
}

impl Work {
    pub(super) fn new(run: &Run) -> Option<Self> {
        Some(Self { run: run.id, made: to_review(run)? })
    }
}

/// Makes it and reports it.
pub(super) async fn report(shared: Arc<Shared>, work: Work) {
    let message =
        format!("{} works of {} are not brought together yet", work.made.works.len(), work.run);
    let result = Err(Failure { kind: FailureKind::Environment, message, hint: None });
    // An actor that is gone makes it anew after its next start.
    let _ = shared.sender.send(Message::Came(InputKind::ReviewEnded { run: work.run, result }));
}
