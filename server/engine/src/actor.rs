//! The actor: the one owner of a workspace's state.
//!
//! It does no I/O. A turn takes what has come in, decides and applies it in memory, and hands the
//! events to the store; answers, publications and effects of a turn leave when it is durable.

mod commands;
mod halted;
mod message;
mod told;

pub(crate) use message::{Info, Message, Outcome, Parts, Request};

use crate::{
    batch::{Outstanding, Reply, Told, Turn},
    clock,
    effects::{Effects, inline},
    hub::Hub,
    memory, recovery,
};
use commands::store_error;
use halted::Halted;
use orchestra_core::{
    decide::{Input, InputKind, step},
    event::Event,
    ids::RunId,
    pending::{added, next_wake, pending},
    state::{Limits, Run, State},
    time::Timestamp,
};
use orchestra_protocol::command::{Answer, WorkspaceInfo};
use orchestra_store::{Store, StoreError};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::mpsc, time::Instant};

/// How many inline actions one turn carries out before it is recorded.
const RUN_AHEAD: usize = 20_000;
/// A run of so many tasks leaves enough memory behind to be worth giving it back.
const LARGE_RUN: usize = 1_000;
/// How long after its end: the writer and the projection still work on it.
const GIVE_BACK_AFTER: Duration = Duration::from_secs(1);
/// How many messages one turn takes in.
const MESSAGES_PER_TURN: usize = 1_024;
/// How long the end of the daemon waits for the projection.
const FLUSH_WITHIN: Duration = Duration::from_secs(2);
/// How long a rebuild may take to write all files anew.
const REBUILD_WITHIN: Duration = Duration::from_secs(600);

pub(crate) struct Actor {
    state: State,
    limits: Limits,
    /// After a commit failed: how long until it is tried again without anybody asking.
    try_again_after: Duration,
    store: Arc<Store>,
    seq: u64,
    /// How many turns the store has been given.
    turns: u64,
    hub: Arc<Hub>,
    effects: Effects,
    outstanding: VecDeque<Outstanding>,
    /// Set after a commit has failed, until one may be tried again.
    halted: Option<Halted>,
    /// Outcomes that could not be recorded yet.
    deferred: Vec<Outcome>,
    answers: BTreeMap<String, Answer>,
    answered: VecDeque<String>,
    /// Keys whose command is being recorded, with those who asked again.
    in_doubt: HashMap<String, Vec<Reply>>,
    frozen: BTreeMap<RunId, String>,
    /// When the memory of a large run is given back.
    give_back_at: Option<Instant>,
    info: WorkspaceInfo,
    messages: mpsc::UnboundedReceiver<Message>,
    sender: mpsc::UnboundedSender<Message>,
}

impl Actor {
    pub(crate) fn new(parts: Parts) -> Self {
        let recovered = parts.recovered;
        let answers: BTreeMap<String, Answer> = recovered.answers.into_iter().collect();
        Self {
            state: recovered.state,
            limits: parts.limits,
            try_again_after: parts.try_again_after,
            store: parts.store,
            seq: recovered.last_seq,
            turns: 0,
            hub: parts.hub,
            effects: parts.effects,
            outstanding: VecDeque::new(),
            halted: None,
            deferred: Vec::new(),
            answered: answers.keys().cloned().collect(),
            answers,
            in_doubt: HashMap::new(),
            frozen: recovered.frozen,
            give_back_at: None,
            info: parts.info,
            messages: parts.messages,
            sender: parts.sender,
        }
    }

    /// Works until it is told to close.
    pub(crate) async fn run(mut self) {
        let mut turn = Turn::default();
        self.take_up(&mut turn);
        self.pause_without_environment(&mut turn);
        self.settle(&mut turn);
        self.finish(turn);
        loop {
            let wake = self.next_wake();
            let message = tokio::select! {
                biased;
                message = self.messages.recv() => message,
                () = sleep_until(wake) => None,
            };
            let mut turn = Turn::default();
            let mut next = message;
            let mut taken = 0;
            while let Some(message) = next.take() {
                if let Message::Close(done) = message {
                    self.finish(turn);
                    self.close().await;
                    let _ = done.send(());
                    return;
                }
                self.take(message, &mut turn);
                taken += 1;
                if taken < MESSAGES_PER_TURN {
                    next = self.messages.try_recv().ok();
                }
            }
            if self.halted.as_ref().is_some_and(|halted| halted.try_again <= Instant::now())
                && self.try_to_go_on()
            {
                self.take_up(&mut turn);
                self.record_deferred(&mut turn);
            }
            if self.halted.is_none() {
                self.settle(&mut turn);
            }
            self.finish(turn);
            self.forget_ended();
            if self.give_back_at.take_if(|at| *at <= Instant::now()).is_some() {
                memory::give_back();
            }
        }
    }

    fn take(&mut self, message: Message, turn: &mut Turn) {
        match message {
            Message::Command { key, request, reply } => self.command(key, request, reply, turn),
            Message::Loaded { run, events, key, request, reply } => {
                match self.insert(run, events) {
                    Ok(()) => self.command_on_known(key, request, reply, turn),
                    Err(error) => drop(reply.send(Err(error))),
                }
            }
            Message::Ended(outcome) => self.ended(outcome, turn),
            Message::Came(kind) => self.came(kind, turn),
            Message::Poked(attempt) => self.effects.poked(attempt),
            // Not answered, it is told again.
            Message::Told { .. } if self.halted.is_some() => {}
            Message::Told { attempt, lines, next, recorded } => {
                self.told(attempt, lines, turn);
                turn.told.push(Told { attempt, next, recorded });
            }
            Message::AgentEnded(_) | Message::Ask { .. } if self.halted.is_some() => {}
            Message::AgentEnded(attempt) => self.agent_ended(attempt, turn),
            Message::Ask { attempt, question, timeout, asked } => {
                self.ask_about(attempt, question, timeout, asked, turn);
            }
            Message::Committed { turn, result } => self.committed(turn, result),
            Message::Info(reply) => {
                let _ = reply.send(self.info());
            }
            Message::Rebuild(reply) => {
                let store = Arc::clone(&self.store);
                tokio::task::spawn_blocking(move || {
                    let rebuilt = store
                        .rebuild_rows(Box::new(recovery::views))
                        .and_then(|rebuilt| store.flush(REBUILD_WITHIN).map(|()| rebuilt));
                    let _ = reply.send(rebuilt);
                });
            }
            Message::Project(reply) => {
                let store = Arc::clone(&self.store);
                tokio::task::spawn_blocking(move || {
                    let _ = reply.send(store.flush(REBUILD_WITHIN));
                });
            }
            // Taken out by the loop.
            Message::Close(_) => {}
        }
    }

    fn ended(&mut self, outcome: Outcome, turn: &mut Turn) {
        self.hub.forget_progress(outcome.attempt);
        if self.halted.is_some() {
            self.deferred.push(outcome);
            return;
        }
        let input = Input {
            now: clock::now(),
            seed: clock::seed(),
            kind: InputKind::AttemptEnded {
                attempt: outcome.attempt,
                outcome: Box::new(outcome.outcome.clone()),
            },
        };
        match step(&mut self.state, &input) {
            Ok(events) => {
                self.record(events, turn);
                turn.outcomes.push(outcome);
            }
            Err(error) => {
                tracing::error!(attempt = %outcome.attempt, %error, "an outcome was not applied");
                self.reload();
            }
        }
    }

    /// What could not be recorded is begun anew, once the journal goes on: see `take_up`.
    fn came(&mut self, kind: InputKind, turn: &mut Turn) {
        if self.halted.is_some() {
            return;
        }
        match step(&mut self.state, &Input { now: clock::now(), seed: clock::seed(), kind }) {
            Ok(events) => self.record(events, turn),
            Err(error) => {
                tracing::error!(%error, "what an effect has come to was not applied");
                self.reload();
            }
        }
    }

    /// Lets time do its work, and inline actions run ahead of the journal.
    fn settle(&mut self, turn: &mut Turn) {
        let input = Input { now: clock::now(), seed: clock::seed(), kind: InputKind::Settle };
        match step(&mut self.state, &input) {
            Ok(events) => self.record(events, turn),
            Err(error) => {
                tracing::error!(%error, "the state could not be settled");
                return;
            }
        }
        while let Some(attempt) = turn.next_inline(RUN_AHEAD) {
            let outcome = inline::carry_out(&self.state, attempt, clock::now());
            self.ended(Outcome { attempt, outcome }, turn);
        }
    }

    fn record(&mut self, events: Vec<Event>, turn: &mut Turn) {
        turn.add_effects(added(&self.state, &events));
        for event in events {
            self.seq += 1;
            turn.events.push((self.seq, event));
        }
    }

    /// Hands the turn to the store.
    fn finish(&mut self, turn: Turn) {
        if turn.is_empty() {
            return;
        }
        self.keep_environments(&turn);
        let batch = turn.to_batch(&self.state);
        self.turns += 1;
        let number = self.turns;
        self.outstanding.push_back(Outstanding::new(number, turn));
        fail::fail_point!("engine::intent::before", |_| std::process::abort());
        let sender = self.sender.clone();
        self.store.submit(
            batch,
            Box::new(move |result| {
                // An actor that is gone needs no answer.
                let _ = sender.send(Message::Committed { turn: number, result });
            }),
        );
    }

    /// Before it is recorded that a run goes on: a daemon that finds it recorded finds its environment.
    fn keep_environments(&self, turn: &Turn) {
        for (_, answer, _) in &turn.answers {
            if self.state.run(answer.run).is_some_and(Run::will_start_processes) {
                self.effects.keep_environment(answer.run);
            }
        }
    }

    fn committed(&mut self, turn: u64, result: Result<(), StoreError>) {
        // Turns that failed together were given up together: their answers come too late.
        if self.outstanding.front().is_none_or(|first| first.number != turn) {
            return;
        }
        let Some(mut done) = self.outstanding.pop_front() else { return };
        match result {
            Ok(()) => {
                fail::fail_point!("engine::intent::after", |_| std::process::abort());
                self.hub.publish(done.published());
                for (key, answer, reply) in done.turn.answers.drain(..) {
                    for waiting in self.in_doubt.remove(&key).unwrap_or_default() {
                        let _ = waiting.send(Ok(answer.clone()));
                    }
                    self.remember(key, answer.clone());
                    let _ = reply.send(Ok(answer));
                }
                for run in &done.ended {
                    self.effects.forget_environment(*run);
                }
                self.effects.start(&self.state, done.turn.take_effects());
                for (attempt, number, answer) in done.turn.replies.drain(..) {
                    self.effects.reply(attempt, number, answer);
                }
                for told in done.turn.told.drain(..) {
                    // Who told it may have been let go of.
                    let _ = told.recorded.send(());
                }
                for asked in done.turn.asked.drain(..) {
                    let _ = asked.send(Ok(()));
                }
            }
            Err(error) => {
                self.outstanding.push_front(done);
                self.not_recorded(&error);
            }
        }
    }

    /// Drops runs that have ended once the journal has all of them. Between turns only: a turn makes
    /// the rows of what it has changed when it is finished.
    fn forget_ended(&mut self) {
        if self.outstanding.is_empty() {
            let ended: Vec<(RunId, usize)> = self
                .state
                .runs()
                .filter(|run| run.is_at_rest())
                .map(|run| (run.id, run.tasks.len()))
                .collect();
            for &(run, _) in &ended {
                self.state.forget(run);
            }
            if ended.iter().any(|&(_, tasks)| tasks >= LARGE_RUN) {
                self.give_back_at = Some(Instant::now() + GIVE_BACK_AFTER);
            }
        }
    }

    /// Runs that need an environment which is gone wait for `orchestra resume`.
    fn pause_without_environment(&mut self, turn: &mut Turn) {
        let orphaned: Vec<RunId> = self
            .state
            .runs()
            .filter(|run| run.will_start_processes() && !self.effects.has_environment(run.id))
            .map(|run| run.id)
            .collect();
        for run in orphaned {
            let reason = format!(
                "the environment that it was started with is gone; \
                 `orchestra resume {run}` gives it yours"
            );
            let kind = InputKind::Pause { run, reason };
            let input = Input { now: clock::now(), seed: clock::seed(), kind };
            if let Ok(events) = step(&mut self.state, &input) {
                self.record(events, turn);
            }
        }
    }

    fn next_wake(&self) -> Option<Instant> {
        let now = clock::now();
        let wait = |at: Timestamp| Instant::now() + Duration::from(at.since(now));
        let settle = next_wake(&self.state, now).map(wait);
        let try_again = self.halted.as_ref().map(|halted| halted.try_again);
        let settle = settle.filter(|_| self.halted.is_none());
        [settle, try_again, self.give_back_at].into_iter().flatten().min()
    }

    fn info(&self) -> Info {
        let open = self.state.runs().filter(|run| !run.is_at_rest()).count();
        let under_way = pending(&self.state).len();
        let workspace = WorkspaceInfo {
            open_runs: u32::try_from(open).unwrap_or(u32::MAX),
            attempts_under_way: u32::try_from(under_way).unwrap_or(u32::MAX),
            ..self.info.clone()
        };
        let idle = under_way == 0 && self.outstanding.is_empty() && self.next_wake().is_none();
        Info { workspace, idle }
    }

    /// Waits for what is outstanding and lets go of the store. Processes live on under their shims;
    /// native actions are pure and run again.
    async fn close(&mut self) {
        while !self.outstanding.is_empty() {
            match self.messages.recv().await {
                Some(Message::Committed { result, .. }) => {
                    let Some(mut done) = self.outstanding.pop_front() else { break };
                    let recorded = result.map_err(|error| store_error(&error));
                    for (_, answer, reply) in done.turn.answers.drain(..) {
                        let _ = reply.send(recorded.clone().map(|()| answer));
                    }
                }
                Some(_) => {}
                None => break,
            }
        }
        self.effects.abandon();
        let store = Arc::clone(&self.store);
        let flushed = tokio::task::spawn_blocking(move || store.flush(FLUSH_WITHIN)).await;
        if let Ok(Err(error)) = flushed {
            tracing::warn!(%error, "what is not projected yet is projected after the next start");
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
