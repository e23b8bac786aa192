//! Batches: what one turn of the actor changes, recorded in one transaction.

use orchestra_core::{
    decide::Refusal,
    event::{Event, EventBody},
    ids::{AttemptId, OperationId, RunId, TaskId},
    outcome::Artifact,
    pending::Effect,
    plan::Lane,
    state::State,
};
use orchestra_protocol::{command::Answer, error::ErrorBody, stream::Published};
use orchestra_runtimes::attempt;
use orchestra_store::Batch;
use std::collections::{BTreeSet, VecDeque};
use tokio::sync::oneshot;

pub(crate) type Reply = oneshot::Sender<Result<Answer, ErrorBody>>;

/// Told that a question is recorded, or why it is none; dropped when it could not be recorded.
pub(crate) type Asked = oneshot::Sender<Result<(), Refusal>>;

/// What one turn of the actor collects.
#[derive(Default)]
pub(crate) struct Turn {
    pub(crate) events: Vec<(u64, Event)>,
    /// Answers that leave when the turn is durable, by idempotency key.
    pub(crate) answers: Vec<(String, Answer, Reply)>,
    /// Outcomes that the turn records: if it cannot be recorded, they are recorded later.
    pub(crate) outcomes: Vec<crate::actor::Outcome>,
    /// Answers to agents that leave when the turn is durable, by the number of what they said.
    pub(crate) replies: Vec<(AttemptId, u32, AgentReply)>,
    /// What shims have told, of which the turn is the record.
    pub(crate) told: Vec<Told>,
    /// Who has asked a person something, and waits for the record of it.
    pub(crate) asked: Vec<Asked>,
    /// What starts when the turn is durable.
    effects: Vec<Effect>,
    /// Inline actions that the turn has led to and not carried out yet.
    inline: VecDeque<AttemptId>,
    /// How many inline actions the turn has carried out.
    carried_out: usize,
}

impl Turn {
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.answers.is_empty()
            && self.told.is_empty()
            && self.asked.is_empty()
            && self.effects.is_empty()
            && self.inline.is_empty()
    }

    pub(crate) fn add_effects(&mut self, effects: impl IntoIterator<Item = Effect>) {
        for effect in effects {
            match effect {
                Effect::Execute { attempt, lane: Lane::Inline } => self.inline.push_back(attempt),
                effect => self.effects.push(effect),
            }
        }
    }

    /// The next inline action that the turn has led to, as long as it has not done `most` of them.
    pub(crate) fn next_inline(&mut self, most: usize) -> Option<AttemptId> {
        let next = (self.carried_out < most).then(|| self.inline.pop_front()).flatten()?;
        self.carried_out += 1;
        Some(next)
    }

    /// What starts when the turn is durable, with the inline actions that it has not done itself.
    pub(crate) fn take_effects(&mut self) -> Vec<Effect> {
        let left = self.inline.drain(..);
        let left = left.map(|attempt| Effect::Execute { attempt, lane: Lane::Inline });
        self.effects.drain(..).chain(left).collect()
    }

    /// The operation that events from `seq` on have begun.
    pub(crate) fn operation_since(&self, seq: u64) -> Option<OperationId> {
        let since = self.events.iter().filter(|(at, _)| *at >= seq);
        since.into_iter().find_map(|(_, event)| match &event.body {
            EventBody::OperationStarted(started) => Some(started.operation),
            _ => None,
        })
    }

    /// How far the files of shims have been taken in. Nobody asks for that once their run has ended.
    fn ingested(&self, state: &State) -> Vec<(AttemptId, u64)> {
        let is_open =
            |told: &&Told| state.run(told.attempt.run()).is_some_and(|run| !run.has_ended());
        self.told.iter().filter(is_open).map(|told| (told.attempt, told.next)).collect()
    }

    /// What the store records: the events, and every run and task that they touched as it is now.
    pub(crate) fn to_batch(&self, state: &State) -> Batch {
        let mut runs = BTreeSet::new();
        let mut tasks = BTreeSet::new();
        for (_, event) in &self.events {
            runs.insert(event.run);
            match &event.body {
                EventBody::RunCreated { .. } => tasks.extend(all_tasks(state, event.run)),
                EventBody::TasksAdded { tasks: added } => {
                    let all: Vec<TaskId> = all_tasks(state, event.run).collect();
                    tasks.extend(all.into_iter().rev().take(added.len()));
                }
                EventBody::TasksReopened { tasks: reopened } => {
                    tasks.extend(reopened.iter().copied());
                }
                body => {
                    let Some(task) = body.task() else { continue };
                    tasks.insert(task);
                    // The end of a task changes what its dependents wait for.
                    if let Some(run) = state.run(event.run)
                        && matches!(body, EventBody::TaskEnded { .. })
                    {
                        tasks.extend(run.dependents(task));
                    }
                }
            }
        }
        let answers = self.answers.iter().filter_map(|(key, answer, _)| {
            Some((key.clone(), serde_json::to_string(answer).ok()?))
        });
        Batch {
            events: self.events.clone(),
            runs: runs.iter().filter_map(|run| Some(state.run(*run)?.view())).collect(),
            tasks: tasks
                .iter()
                .filter_map(|task| state.run(task.run())?.task_view(*task))
                .collect(),
            answers: answers.collect(),
            ingested: self.ingested(state),
        }
    }
}

/// What a shim has told: up to which byte, and who waits for the record of it.
pub(crate) struct Told {
    pub(crate) attempt: AttemptId,
    pub(crate) next: u64,
    pub(crate) recorded: oneshot::Sender<()>,
}

/// An answer to an agent, as far as the actor can give it.
pub(crate) enum AgentReply {
    Given(attempt::Reply),
    /// A part of a file, which is read where reading may take its time.
    Artifact {
        artifact: Artifact,
        offset: u64,
    },
}

fn all_tasks(state: &State, run: RunId) -> impl Iterator<Item = TaskId> {
    state.run(run).into_iter().flat_map(|run| run.tasks.iter().map(|task| task.id))
}

/// A turn that the store has been given and has not answered yet.
pub(crate) struct Outstanding {
    pub(crate) number: u64,
    pub(crate) turn: Turn,
    /// Runs that ended in it.
    pub(crate) ended: Vec<RunId>,
}

impl Outstanding {
    pub(crate) fn new(number: u64, turn: Turn) -> Self {
        let ended = turn
            .events
            .iter()
            .filter(|(_, event)| matches!(event.body, EventBody::RunEnded { .. }))
            .map(|(_, event)| event.run)
            .collect();
        Self { number, turn, ended }
    }

    /// What subscribers get to see.
    pub(crate) fn published(&mut self) -> Vec<Published> {
        std::mem::take(&mut self.turn.events)
            .into_iter()
            .map(|(seq, event)| Published::new(seq, event))
            .collect()
    }
}
