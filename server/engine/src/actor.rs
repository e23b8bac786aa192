//! The actor: the one owner of a workspace's state.
//!
//! It does no I/O. A turn takes what has come in, decides and applies it in memory, and hands the
//! events to the store; answers, publications and effects of a turn leave when it is durable.

use crate::{
    batch::{Outstanding, Reply, Turn},
    clock,
    effects::{Effects, inline},
    environment::Environment,
    hub::Hub,
    memory, recovery,
    targets::Pointer,
};
use orchestra_core::{
    decide::{Input, InputKind, Refusal, RefusalKind, StepError, step},
    event::{Event, EventBody},
    ids::{AttemptId, RunId},
    outcome::AttemptOutcome,
    pending::{Effect, added, next_wake, pending},
    plan::Plan,
    state::{Limits, Run, State},
    time::{Millis, Timestamp},
};
use orchestra_protocol::{
    command::{Answer, WorkspaceInfo},
    error::{ErrorBody, ErrorKind},
};
use orchestra_store::{Rebuilt, Store, StoreError};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::mpsc, sync::oneshot, time::Instant};

/// How many inline actions one turn carries out before it is recorded.
const RUN_AHEAD: usize = 20_000;
/// A run of so many tasks leaves enough memory behind to be worth giving it back.
const LARGE_RUN: usize = 1_000;
/// How many messages one turn takes in.
const MESSAGES_PER_TURN: usize = 1_024;
/// How long the end of the daemon waits for the projection.
const FLUSH_WITHIN: Duration = Duration::from_secs(2);
/// How long a rebuild may take to write all files anew.
const REBUILD_WITHIN: Duration = Duration::from_secs(600);
/// How many idempotency keys are remembered.
const REMEMBERED_KEYS: usize = 10_000;

/// A commit has failed: nothing is recorded until the journal goes on.
struct Halted {
    error: StoreError,
    try_again: Instant,
}

/// What a command asks of the actor.
#[derive(Debug)]
pub(crate) enum Request {
    CreateRun { plan: Box<Plan>, environment: Environment, notes: Vec<String> },
    Approve(Pointer),
    Cancel(Pointer),
    Retry(Pointer, Environment),
    SetTimeout(Pointer, Millis),
    Pause(RunId),
    Resume(RunId, Environment),
}

impl Request {
    fn run(&self) -> Option<RunId> {
        match self {
            Self::CreateRun { .. } => None,
            Self::Approve(pointer)
            | Self::Cancel(pointer)
            | Self::Retry(pointer, _)
            | Self::SetTimeout(pointer, _) => Some(pointer.run()),
            Self::Pause(run) | Self::Resume(run, _) => Some(*run),
        }
    }
}

/// The end of an attempt, on its way into the journal.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) attempt: AttemptId,
    pub(crate) outcome: AttemptOutcome,
}

pub(crate) enum Message {
    Command {
        key: String,
        request: Request,
        reply: Reply,
    },
    /// A run that had ended and that a command is about.
    Loaded {
        run: RunId,
        events: Result<Vec<(u64, Event)>, StoreError>,
        key: String,
        request: Request,
        reply: Reply,
    },
    Ended(Outcome),
    Committed {
        turn: u64,
        result: Result<(), StoreError>,
    },
    Info(oneshot::Sender<Info>),
    /// Make rows and projection anew from the events.
    Rebuild(oneshot::Sender<Result<Rebuilt, StoreError>>),
    /// Answered when the projection is up to date.
    Project(oneshot::Sender<Result<(), StoreError>>),
    /// Record what is under way and let go of the store.
    Close(oneshot::Sender<()>),
}

/// What the daemon shows and decides its own end by.
#[derive(Debug, Clone)]
pub(crate) struct Info {
    pub(crate) workspace: WorkspaceInfo,
    /// Nothing is under way, and nothing will start by itself.
    pub(crate) idle: bool,
}

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
    info: WorkspaceInfo,
    messages: mpsc::UnboundedReceiver<Message>,
    sender: mpsc::UnboundedSender<Message>,
}

pub(crate) struct Parts {
    pub(crate) recovered: recovery::Recovered,
    pub(crate) limits: Limits,
    pub(crate) try_again_after: Duration,
    pub(crate) store: Arc<Store>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) effects: Effects,
    pub(crate) info: WorkspaceInfo,
    pub(crate) messages: mpsc::UnboundedReceiver<Message>,
    pub(crate) sender: mpsc::UnboundedSender<Message>,
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
        }
    }

    fn take(&mut self, message: Message, turn: &mut Turn) {
        match message {
            Message::Command { key, request, reply } => self.command(key, request, reply, turn),
            Message::Loaded { run, events, key, request, reply } => {
                match events {
                    Ok(events) if self.state.run(run).is_none() => {
                        for (_, event) in &events {
                            if let Err(error) = orchestra_core::apply::apply(&mut self.state, event)
                            {
                                let _ = reply.send(Err(internal(&error)));
                                return;
                            }
                        }
                    }
                    Ok(_) => {}
                    Err(error) => {
                        let _ = reply.send(Err(store_error(&error)));
                        return;
                    }
                }
                self.carry_out(key, request, reply, turn);
                self.forget_ended();
            }
            Message::Ended(outcome) => self.ended(outcome, turn),
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

    fn command(&mut self, key: String, request: Request, reply: Reply, turn: &mut Turn) {
        if let Some(answer) = self.answers.get(&key) {
            let _ = reply.send(Ok(answer.clone()));
            return;
        }
        if let Some(waiting) = self.in_doubt.get_mut(&key) {
            waiting.push(reply);
            return;
        }
        if let Some(run) = request.run() {
            if let Some(reason) = self.frozen.get(&run) {
                let _ = reply.send(Err(ErrorBody::new(
                    ErrorKind::WrongState,
                    format!("{run} is frozen: {reason}"),
                    "see `orchestra doctor` for the damage and the backups",
                )));
                return;
            }
            if self.state.run(run).is_none() {
                self.load(run, key, request, reply);
                return;
            }
        }
        if let Some(halted) = &self.halted {
            let error = store_error(&halted.error);
            if !self.try_to_go_on() {
                let _ = reply.send(Err(error));
                return;
            }
            self.take_up(turn);
            self.record_deferred(turn);
        }
        self.carry_out(key, request, reply, turn);
    }

    /// Reads a run that has ended from the journal, off the actor, and takes the command up again.
    fn load(&self, run: RunId, key: String, request: Request, reply: Reply) {
        let (store, sender) = (Arc::clone(&self.store), self.sender.clone());
        tokio::task::spawn_blocking(move || {
            let events = store.load_run(run);
            let _ = sender.send(Message::Loaded { run, events, key, request, reply });
        });
    }

    fn carry_out(&mut self, key: String, request: Request, reply: Reply, turn: &mut Turn) {
        let now = clock::now();
        let (kind, environment, notes) = match self.to_input(request) {
            Ok(input) => input,
            Err(error) => {
                let _ = reply.send(Err(error));
                return;
            }
        };
        let first = self.seq + 1;
        let input = Input { now, seed: clock::seed(), kind };
        match step(&mut self.state, &input) {
            Ok(events) => {
                let run = match &input.kind {
                    InputKind::Approve { target }
                    | InputKind::Cancel { target }
                    | InputKind::Retry { target }
                    | InputKind::SetTimeout { target, .. } => Some(target.run()),
                    InputKind::Pause { run, .. } | InputKind::Resume { run } => Some(*run),
                    _ => events.first().map(|event| event.run),
                };
                self.record(events, turn);
                let Some(run) = run else { return };
                if let Some(environment) = environment {
                    self.effects.set_environment(run, environment);
                }
                let answer = Answer { run, seq: first, notes };
                self.in_doubt.insert(key.clone(), Vec::new());
                turn.answers.push((key, answer, reply));
            }
            Err(StepError::Refused(refusal)) => {
                let _ = reply.send(Err(refused(refusal)));
            }
            Err(StepError::Apply(error)) => {
                let _ = reply.send(Err(internal(&error)));
                self.reload();
            }
        }
    }

    fn to_input(
        &self,
        request: Request,
    ) -> Result<(InputKind, Option<Environment>, Vec<String>), ErrorBody> {
        let resolve = |pointer: &Pointer| {
            self.state
                .run(pointer.run())
                .map_or_else(|| Err(not_found(pointer.run())), |run| pointer.resolve(run))
        };
        Ok(match request {
            Request::CreateRun { plan, environment, notes } => {
                (InputKind::CreateRun { plan }, Some(environment), notes)
            }
            Request::Approve(pointer) => {
                (InputKind::Approve { target: resolve(&pointer)? }, None, Vec::new())
            }
            Request::Cancel(pointer) => {
                (InputKind::Cancel { target: resolve(&pointer)? }, None, Vec::new())
            }
            Request::Retry(pointer, client) => {
                let environment = self.environment_for(pointer.run(), &client);
                (InputKind::Retry { target: resolve(&pointer)? }, environment, Vec::new())
            }
            Request::SetTimeout(pointer, timeout) => {
                (InputKind::SetTimeout { target: resolve(&pointer)?, timeout }, None, Vec::new())
            }
            Request::Pause(run) => {
                let reason = "paused by a person".to_owned();
                (InputKind::Pause { run, reason }, None, Vec::new())
            }
            Request::Resume(run, client) => {
                let environment = self.environment_for(run, &client);
                (InputKind::Resume { run }, environment, Vec::new())
            }
        })
    }

    fn environment_for(&self, run: RunId, client: &Environment) -> Option<Environment> {
        self.state.run(run).map(|run| crate::environment::filter(client, &run.plan))
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

    /// After the state was read from the journal: what must be under way and is not.
    fn take_up(&self, turn: &mut Turn) {
        turn.add_effects(pending(&self.state).into_iter().filter(|effect| match effect {
            Effect::Execute { attempt, .. } => !self.effects.is_running(*attempt),
            Effect::Stop { .. } | Effect::ChangeTimeout { .. } => true,
        }));
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
                self.forget_ended();
            }
            Err(error) => {
                self.outstanding.push_front(done);
                self.not_recorded(&error);
            }
        }
    }

    /// Nothing of what is outstanding was recorded: forget it, and say so.
    fn not_recorded(&mut self, error: &StoreError) {
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
    fn try_to_go_on(&mut self) -> bool {
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
    fn reload(&mut self) {
        match recovery::load(&self.store, self.limits) {
            Ok(recovered) => self.take_over(recovered),
            Err(error) => tracing::error!(%error, "the journal could not be read again"),
        }
    }

    /// Tries again to record what could not be.
    fn record_deferred(&mut self, turn: &mut Turn) {
        for outcome in std::mem::take(&mut self.deferred) {
            self.ended(outcome, turn);
        }
    }

    fn remember(&mut self, key: String, answer: Answer) {
        self.answered.push_back(key.clone());
        self.answers.insert(key, answer);
        if self.answered.len() > REMEMBERED_KEYS
            && let Some(oldest) = self.answered.pop_front()
        {
            self.answers.remove(&oldest);
        }
    }

    /// Drops runs that have ended once the journal has all of them.
    fn forget_ended(&mut self) {
        if self.outstanding.is_empty() {
            let ended: Vec<(RunId, usize)> = self
                .state
                .runs()
                .filter(|run| run.has_ended())
                .map(|run| (run.id, run.tasks.len()))
                .collect();
            for &(run, _) in &ended {
                self.state.forget(run);
            }
            if ended.iter().any(|&(_, tasks)| tasks >= LARGE_RUN) {
                memory::give_back();
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
        [settle, try_again].into_iter().flatten().min()
    }

    fn info(&self) -> Info {
        let open = self.state.runs().filter(|run| !run.has_ended()).count();
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

fn refused(refusal: Refusal) -> ErrorBody {
    let kind = match refusal.kind {
        RefusalKind::NotFound => ErrorKind::NotFound,
        RefusalKind::WrongState => ErrorKind::WrongState,
    };
    ErrorBody::new(kind, refusal.message, refusal.hint)
}

fn not_found(run: RunId) -> ErrorBody {
    ErrorBody::new(
        ErrorKind::NotFound,
        format!("there is no run {run} in this workspace"),
        "list the runs with `orchestra status`",
    )
}

fn store_error(error: &StoreError) -> ErrorBody {
    ErrorBody::new(ErrorKind::NotRecorded, error.to_string(), error.hint())
}

fn internal(error: &dyn std::error::Error) -> ErrorBody {
    ErrorBody::new(
        ErrorKind::Internal,
        error.to_string(),
        "please report this, with the daemon's log",
    )
}
