//! Commands of people: what they are about, what they lead to, and how they are answered.

use super::{Actor, Message, Reply, Request, Turn};
use crate::{
    clock,
    environment::{self, Environment},
    targets::Pointer,
};
use orchestra_core::{
    apply::apply,
    decide::{Input, InputKind, Refusal, RefusalKind, StepError, step},
    event::Event,
    ids::RunId,
};
use orchestra_protocol::{
    command::Answer,
    error::{ErrorBody, ErrorKind},
};
use orchestra_store::StoreError;
use std::sync::Arc;

/// How many idempotency keys are remembered.
const REMEMBERED_KEYS: usize = 10_000;

impl Actor {
    pub(super) fn command(&mut self, key: String, request: Request, reply: Reply, turn: &mut Turn) {
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
        self.command_on_known(key, request, reply, turn);
    }

    /// For a command whose run, if it is about one, is in the state.
    pub(super) fn command_on_known(
        &mut self,
        key: String,
        request: Request,
        reply: Reply,
        turn: &mut Turn,
    ) {
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
                    InputKind::Answer { decision, .. } => Some(decision.run()),
                    InputKind::Judge { run, .. }
                    | InputKind::Discard { run }
                    | InputKind::Clean { run } => Some(*run),
                    InputKind::Confirm { operation, .. } => Some(operation.run()),
                    _ => events.first().map(|event| event.run),
                };
                self.record(events, turn);
                let Some(run) = run else { return };
                if let Some(environment) = environment {
                    self.effects.set_environment(run, environment);
                }
                let operation = turn.operation_since(first);
                let answer = Answer { run, seq: first, notes, operation };
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
            Request::Answer(decision, choice) => {
                let unsaved = Vec::new();
                (InputKind::Answer { decision, choice, unsaved }, None, Vec::new())
            }
            Request::Judge { run, selection, verdict } => {
                (InputKind::Judge { run, selection, verdict }, None, Vec::new())
            }
            Request::SendBack(back, client) => {
                let environment = self.environment_for(back.run, &client);
                (InputKind::SendBack(back), environment, Vec::new())
            }
            Request::Apply(apply) => (InputKind::Apply(apply), None, Vec::new()),
            Request::Confirm(operation, files) => {
                (InputKind::Confirm { operation, files }, None, Vec::new())
            }
            Request::Discard(run) => (InputKind::Discard { run }, None, Vec::new()),
            Request::Clean(run) => (InputKind::Clean { run }, None, Vec::new()),
            Request::Undo { operation, favor, unsaved } => {
                (InputKind::Undo { operation, favor, unsaved }, None, Vec::new())
            }
            Request::Resume(run, client) => {
                let environment = self.environment_for(run, &client);
                (InputKind::Resume { run }, environment, Vec::new())
            }
        })
    }

    fn environment_for(&self, run: RunId, client: &Environment) -> Option<Environment> {
        self.state.run(run).map(|run| environment::filter(client, &run.plan))
    }

    /// Takes a run that had ended into the state, for a command that is about it.
    pub(super) fn insert(
        &mut self,
        run: RunId,
        events: Result<Vec<(u64, Event)>, StoreError>,
    ) -> Result<(), ErrorBody> {
        let events = events.map_err(|error| store_error(&error))?;
        if self.state.run(run).is_none() {
            for (_, event) in &events {
                apply(&mut self.state, event).map_err(|error| internal(&error))?;
            }
        }
        Ok(())
    }

    pub(super) fn remember(&mut self, key: String, answer: Answer) {
        self.answered.push_back(key.clone());
        self.answers.insert(key, answer);
        if self.answered.len() > REMEMBERED_KEYS
            && let Some(oldest) = self.answered.pop_front()
        {
            self.answers.remove(&oldest);
        }
    }
}

fn refused(refusal: Refusal) -> ErrorBody {
    let kind = match refusal.kind {
        RefusalKind::NotFound => ErrorKind::NotFound,
        RefusalKind::WrongState => ErrorKind::WrongState,
        RefusalKind::Invalid => ErrorKind::Invalid,
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

pub(super) fn store_error(error: &StoreError) -> ErrorBody {
    ErrorBody::new(ErrorKind::NotRecorded, error.to_string(), error.hint())
}

fn internal(error: &dyn std::error::Error) -> ErrorBody {
    ErrorBody::new(
        ErrorKind::Internal,
        error.to_string(),
        "please report this, with the daemon's log",
    )
}
