//! After a commit has failed: what is outstanding is given up, and the journal is tried again.

use super::{Actor, Turn, commands::store_error};
use crate::recovery;
use orchestra_core::{
    event::EventBody,
    pending::{Effect, pending},
};
use orchestra_store::StoreError;
use tokio::time::Instant;

/// A commit has failed: nothing is recorded until the journal goes on.
pub(super) struct Halted {
    pub(super) error: StoreError,
    pub(super) try_again: Instant,
}

impl Actor {
    /// After the state was read from the journal: what must be under way and is not.
    pub(super) fn take_up(&self, turn: &mut Turn) {
        turn.add_effects(pending(&self.state).into_iter().filter(|effect| match effect {
            Effect::Execute { attempt, .. } => !self.effects.is_running(*attempt),
            Effect::TakeSnapshot { .. }
            | Effect::Review { .. }
            | Effect::Prepare { .. }
            | Effect::Write { .. } => !self.effects.is_under_way(*effect),
            Effect::Stop { .. } | Effect::ChangeTimeout { .. } | Effect::Deliver { .. } => true,
        }));
    }

    /// Nothing of what is outstanding was recorded: forget it, and say so.
    pub(super) fn not_recorded(&mut self, error: &StoreError) {
        tracing::error!(%error, "not recorded");
        let body = store_error(error);
        for mut lost in std::mem::take(&mut self.outstanding) {
            for (key, _, reply) in lost.turn.answers.drain(..) {
                for waiting in self.in_doubt.remove(&key).unwrap_or_default() {
                    let _ = waiting.send(Err(body.clone()));
                }
                let _ = reply.send(Err(body.clone()));
            }
            self.deferred.append(&mut lost.turn.outcomes);
            for (_, event) in lost.turn.events {
                if matches!(event.body, EventBody::RunCreated { .. }) {
                    self.effects.forget_environment(event.run);
                }
            }
        }
        self.hub.trouble(Some(body.message));
        self.halted =
            Some(Halted { error: error.clone(), try_again: Instant::now() + self.try_again_after });
    }

    /// After a failed commit: whether the journal takes something again. If so, the state is what it
    /// says.
    ///
    /// Waits for the disk on the actor, which has nothing else that it could do.
    pub(super) fn try_to_go_on(&mut self) -> bool {
        let recovered =
            self.store.recover().and_then(|()| recovery::load(&self.store, self.limits));
        match recovered {
            Ok(recovered) => {
                self.take_over(recovered);
                self.halted = None;
                self.hub.trouble(None);
                true
            }
            Err(error) => {
                tracing::error!(%error, "the journal still takes nothing");
                self.halted =
                    Some(Halted { error, try_again: Instant::now() + self.try_again_after });
                false
            }
        }
    }

    fn take_over(&mut self, recovered: recovery::Recovered) {
        self.state = recovered.state;
        self.seq = recovered.last_seq;
        self.frozen = recovered.frozen;
    }

    /// Makes the state what the journal says, after an event that did not fit it: a defect, from
    /// which this is the way out that loses nothing.
    pub(super) fn reload(&mut self) {
        match recovery::load(&self.store, self.limits) {
            Ok(recovered) => self.take_over(recovered),
            Err(error) => tracing::error!(%error, "the journal could not be read again"),
        }
    }

    /// Tries again to record what could not be.
    pub(super) fn record_deferred(&mut self, turn: &mut Turn) {
        for outcome in std::mem::take(&mut self.deferred) {
            self.ended(outcome, turn);
        }
    }
}
