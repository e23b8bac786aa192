//! Making the state from the journal: at start, and after a commit has failed.

use orchestra_core::{
    apply::{ApplyError, apply},
    event::Event,
    ids::RunId,
    state::{Limits, State},
    view::{RunView, TaskView},
};
use orchestra_protocol::command::Answer;
use orchestra_store::{Store, StoreError};
use std::collections::BTreeMap;

pub(crate) struct Recovered {
    pub(crate) state: State,
    pub(crate) last_seq: u64,
    pub(crate) answers: Vec<(String, Answer)>,
    /// Runs whose journal is damaged, and how.
    pub(crate) frozen: BTreeMap<RunId, String>,
}

/// Folds every run that has not ended. A run whose journal cannot be folded is frozen; the others go
/// on.
pub(crate) fn load(store: &Store, limits: Limits) -> Result<Recovered, StoreError> {
    let loaded = store.load()?;
    let mut state = State::new(limits, loaded.next_run);
    let mut frozen: BTreeMap<RunId, String> = loaded
        .frozen
        .into_iter()
        .map(|frozen| (frozen.run, format!("event {}: {}", frozen.seq, frozen.reason)))
        .collect();
    for (run, events) in loaded.runs {
        let mut alone = State::new(limits, 1);
        // A state of its own first: half a run must not stay behind in the real one.
        let fold = |state: &mut State| -> Result<(), (u64, ApplyError)> {
            events
                .iter()
                .try_for_each(|(seq, event)| apply(state, event).map_err(|error| (*seq, error)))
        };
        match fold(&mut alone).and_then(|()| fold(&mut state)) {
            Ok(()) => {}
            Err((seq, error)) => {
                tracing::error!(%run, seq, %error, "a run cannot be folded and is frozen");
                frozen.insert(run, format!("event {seq}: {error}"));
            }
        }
    }
    let answers = loaded
        .answers
        .into_iter()
        .filter_map(|(key, answer)| Some((key, serde_json::from_str(&answer).ok()?)))
        .collect();
    Ok(Recovered { state, last_seq: loaded.last_seq, answers, frozen })
}

/// The rows of one run, from its events: what a rebuild writes.
pub(crate) fn views(events: &[(u64, Event)]) -> Result<(RunView, Vec<TaskView>), String> {
    let mut state = State::new(Limits::NONE, 1);
    for (_, event) in events {
        apply(&mut state, event).map_err(|error| error.to_string())?;
    }
    let run = state.runs().next().ok_or_else(|| ApplyError::Empty.to_string())?;
    let tasks = run.tasks.iter().filter_map(|task| run.task_view(task.id)).collect();
    Ok((run.view(), tasks))
}
