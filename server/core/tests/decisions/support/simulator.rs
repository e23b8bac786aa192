//! The shell in memory: a clock, a journal, and attempts that end when the scenario says so.

use super::{PlanBuilder, invariants};
use orchestra_core::{
    apply::apply,
    decide::{Input, InputKind, Refusal, Reviewed, StepError, Target, step},
    decision::{AskLimits, Asker, Choice, Question},
    event::{self, Event, EventBody},
    ids::{AttemptId, DecisionId, OperationId, RunId, TaskId},
    memory::{MemoryLimits, Remember},
    outcome::{AttemptOutcome, Failure},
    pending::{Effect, added, next_wake, pending},
    state::{Limits, Operation, State},
    time::{Millis, Timestamp},
    view::{AttemptView, RunView, TaskView},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) fn limits() -> Limits {
    Limits {
        processes: 100,
        natives: 100,
        ageing: Millis::minutes(1),
        ask: AskLimits { open: 2, total: 4, timeout: Millis::minutes(1) },
        memory: MemoryLimits { entries: 3, bytes: 100 },
    }
}

pub(crate) struct Simulator {
    pub(crate) state: State,
    pub(crate) now: Timestamp,
    /// The events of each step, which are recorded together or not at all.
    pub(crate) journal: Vec<Vec<Event>>,
    /// What a shell has under way.
    effects: BTreeMap<AttemptId, BTreeSet<Effect>>,
    /// Runs whose snapshot it is taking.
    snapshots: BTreeSet<RunId>,
    /// Reviews that it is making, and operations that it is carrying out.
    reviews: BTreeSet<Effect>,
    /// Whether it makes reviews at once, or when a scenario says so.
    reviews_by_itself: bool,
    /// Every attempt, in the order in which they started.
    pub(crate) started: Vec<AttemptId>,
    limits: Limits,
    seed: u64,
    /// The journal, folded event by event from its text; `None` in very large scenarios.
    shadow: Option<State>,
}

impl Simulator {
    pub(crate) fn new(limits: Limits) -> Self {
        let state = State::new(limits, 1);
        Self {
            shadow: Some(state.clone()),
            state,
            now: Timestamp(1_000_000),
            journal: Vec::new(),
            effects: BTreeMap::new(),
            snapshots: BTreeSet::new(),
            reviews: BTreeSet::new(),
            reviews_by_itself: true,
            started: Vec::new(),
            limits,
            seed: 7,
        }
    }

    /// Without the checks after each step that look through everything.
    pub(crate) fn unchecked(limits: Limits) -> Self {
        Self { shadow: None, ..Self::new(limits) }
    }

    pub(crate) fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Whether reviews are made at once, or when the scenario says so.
    pub(crate) fn make_reviews(&mut self, by_itself: bool) {
        self.reviews_by_itself = by_itself;
    }

    /// One step, and the reviews that it wants.
    pub(crate) fn send(&mut self, kind: InputKind) -> Result<Vec<Event>, Refusal> {
        let mut events = self.send_alone(kind)?;
        while self.reviews_by_itself
            && let Some(&run) = self.wanted_reviews().first()
        {
            events.extend(self.review(run));
        }
        Ok(events)
    }

    /// One step, recorded and carried out, with everything checked that must hold at any moment.
    fn send_alone(&mut self, kind: InputKind) -> Result<Vec<Event>, Refusal> {
        let before = self.shadow.is_some().then(|| self.state.clone());
        self.seed = self.seed.wrapping_add(1);
        let input = Input { now: self.now, seed: self.seed, kind };
        let events = match step(&mut self.state, &input) {
            Ok(events) => events,
            Err(StepError::Refused(refusal)) => {
                assert_eq!(before.as_ref().unwrap_or(&self.state), &self.state, "{refusal}");
                assert!(!refusal.hint.is_empty(), "{refusal} says no next step");
                return Err(refusal);
            }
            Err(StepError::Apply(error)) => panic!("{error}"),
        };
        self.take_up(&events);
        if let (Some(before), Some(shadow)) = (before, &mut self.shadow) {
            for event in &events {
                let text = event::encode(&event.body).unwrap();
                let body = event::decode(event::VERSION, &text).unwrap();
                apply(shadow, &Event { body, ..event.clone() }).unwrap();
            }
            assert_eq!(*shadow, self.state, "folding the journal gives another state");
            invariants::check(&before, &self.state, &self.limits, &events, self.now);
        }
        self.journal.push(events.clone());
        Ok(events)
    }

    fn take_up(&mut self, events: &[Event]) {
        for event in events {
            match &event.body {
                EventBody::AttemptStarted(started) => self.started.push(started.attempt),
                EventBody::AttemptEnded { attempt, .. } => {
                    self.effects.remove(attempt);
                }
                EventBody::TaskTimeoutChanged { task, .. } => {
                    let of_task = self.effects.iter_mut().find(|(id, _)| id.task() == *task);
                    if let Some((_, effects)) = of_task {
                        effects.retain(|effect| !matches!(effect, Effect::ChangeTimeout { .. }));
                    }
                }
                EventBody::DecisionDelivered { decision, attempt } => {
                    if let Some(effects) = self.effects.get_mut(attempt) {
                        let effect = Effect::Deliver { attempt: *attempt, decision: *decision };
                        assert!(effects.remove(&effect), "{decision} was not to be delivered");
                    }
                }
                EventBody::SnapshotTaken { .. }
                | EventBody::SnapshotFailed { .. }
                | EventBody::RunEnded { .. } => {
                    self.snapshots.remove(&event.run);
                }
                EventBody::ReviewOpened(_) | EventBody::ReviewFailed { .. } => {
                    self.reviews.remove(&Effect::Review { run: event.run });
                }
                EventBody::OperationPrepared { operation, .. }
                | EventBody::OperationWritten { operation, .. }
                | EventBody::OperationEnded { operation, .. } => {
                    let operation = *operation;
                    self.reviews.remove(&Effect::Prepare { operation });
                    self.reviews.remove(&Effect::Write { operation });
                }
                _ => {}
            }
        }
        for effect in added(&self.state, events) {
            match effect {
                Effect::TakeSnapshot { run } => {
                    self.snapshots.insert(run);
                }
                effect
                @ (Effect::Review { .. } | Effect::Prepare { .. } | Effect::Write { .. }) => {
                    self.reviews.insert(effect);
                }
                effect => {
                    let attempt = effect.attempt().unwrap();
                    self.effects.entry(attempt).or_default().insert(effect);
                }
            }
        }
    }

    /// A run that starts; if it has agents, with a snapshot for them.
    pub(crate) fn create(&mut self, plan: PlanBuilder) -> RunId {
        let run = self.create_without_snapshot(plan);
        if self.snapshots.contains(&run) {
            self.take_snapshot(run);
        }
        run
    }

    pub(crate) fn create_without_snapshot(&mut self, plan: PlanBuilder) -> RunId {
        let plan = Box::new(plan.build());
        self.send(InputKind::CreateRun { plan }).unwrap()[0].run
    }

    pub(crate) fn take_snapshot(&mut self, run: RunId) -> Vec<Event> {
        let result = Ok(Box::new(super::snapshot(run)));
        self.send(InputKind::SnapshotEnded { run, result }).unwrap()
    }

    /// Runs whose snapshot is being taken.
    pub(crate) fn snapshots(&self) -> Vec<RunId> {
        self.snapshots.iter().copied().collect()
    }

    /// What the run has made becomes known, hunk by hunk.
    pub(crate) fn review(&mut self, run: RunId) -> Vec<Event> {
        let reviewed = super::reviewed(self.state.run(run).unwrap());
        self.end_review(run, Ok(reviewed))
    }

    pub(crate) fn end_review(
        &mut self,
        run: RunId,
        result: Result<Reviewed, Failure>,
    ) -> Vec<Event> {
        let result = result.map(Box::new);
        self.send_alone(InputKind::ReviewEnded { run, result }).unwrap()
    }

    /// Runs whose review is being made.
    pub(crate) fn wanted_reviews(&self) -> Vec<RunId> {
        let run = |effect: &Effect| match effect {
            Effect::Review { run } => Some(*run),
            _ => None,
        };
        self.reviews.iter().filter_map(run).collect()
    }

    /// What is being done to the user's files.
    pub(crate) fn operation_under_way(&self) -> Option<OperationId> {
        let last = self.state.runs().filter_map(|run| run.operations.last());
        last.filter(|operation| !operation.has_ended()).map(Operation::id).next()
    }

    pub(crate) fn approve(&mut self, target: Target) -> Result<Vec<Event>, Refusal> {
        self.send(InputKind::Approve { target })
    }

    pub(crate) fn cancel(&mut self, target: Target) -> Result<Vec<Event>, Refusal> {
        self.send(InputKind::Cancel { target })
    }

    pub(crate) fn retry(&mut self, target: Target) -> Result<Vec<Event>, Refusal> {
        self.send(InputKind::Retry { target })
    }

    pub(crate) fn set_timeout(&mut self, target: Target, ms: u64) -> Result<Vec<Event>, Refusal> {
        self.send(InputKind::SetTimeout { target, timeout: Millis(ms) })
    }

    /// An agent asks under a key, and takes a minute's silence for `default`.
    pub(crate) fn ask(
        &mut self,
        attempt: AttemptId,
        key: &str,
        choices: &[&str],
        default: Option<&str>,
    ) -> Result<Option<DecisionId>, Refusal> {
        self.ask_as(Asker::Agent, attempt, key, choices, default)
    }

    /// The same, whoever asks.
    pub(crate) fn ask_as(
        &mut self,
        asker: Asker,
        attempt: AttemptId,
        key: &str,
        choices: &[&str],
        default: Option<&str>,
    ) -> Result<Option<DecisionId>, Refusal> {
        let choice = |id: &&str| Choice { id: (*id).to_owned(), label: format!("{id}, please") };
        let question = Box::new(Question {
            key: key.to_owned(),
            text: format!("{key}?"),
            choices: choices.iter().map(choice).collect(),
            default: default.map(str::to_owned),
        });
        let timeout = Some(Millis::minutes(1));
        let events = self.send(InputKind::Ask { attempt, asker, question, timeout })?;
        Ok(events.iter().find_map(|event| match &event.body {
            EventBody::DecisionAsked(asked) => Some(asked.decision),
            _ => None,
        }))
    }

    pub(crate) fn answer(&mut self, id: DecisionId, choice: &str) -> Result<Vec<Event>, Refusal> {
        let (choice, unsaved) = (choice.to_owned(), vec![]);
        self.send(InputKind::Answer { decision: id, choice, unsaved })
    }

    pub(crate) fn deliver(&mut self, decision: DecisionId) -> Vec<Event> {
        self.send(InputKind::Delivered { decision }).unwrap()
    }

    pub(crate) fn remember(
        &mut self,
        attempt: AttemptId,
        private: bool,
        key: &str,
        value: Value,
        ttl: Option<u64>,
    ) -> Result<Vec<Event>, Refusal> {
        let entry = Remember { private, key: key.to_owned(), value, ttl: ttl.map(Millis) };
        self.send(InputKind::Remember { attempt, entry: Box::new(entry) })
    }

    pub(crate) fn pause(&mut self, run: RunId) -> Result<Vec<Event>, Refusal> {
        self.send(InputKind::Pause { run, reason: "asked".to_owned() })
    }

    pub(crate) fn resume(&mut self, run: RunId) -> Result<Vec<Event>, Refusal> {
        self.send(InputKind::Resume { run })
    }

    pub(crate) fn end(&mut self, attempt: AttemptId, outcome: AttemptOutcome) -> Vec<Event> {
        self.send(InputKind::AttemptEnded { attempt, outcome: Box::new(outcome) }).unwrap()
    }

    /// Ends the attempt under way of a step.
    pub(crate) fn finish(&mut self, run: RunId, step: &str, outcome: AttemptOutcome) -> Vec<Event> {
        let attempt = self.attempt(run, step);
        self.end(attempt, outcome)
    }

    pub(crate) fn pass(&mut self, ms: u64) -> Vec<Event> {
        self.now = self.now.after(Millis(ms));
        self.send(InputKind::Settle).unwrap()
    }

    /// Lets time pass until something has to be settled; false when nothing has.
    pub(crate) fn pass_until_woken(&mut self) -> bool {
        let Some(wake) = next_wake(&self.state, self.now) else { return false };
        assert!(wake > self.now, "settled, and yet to be settled at once");
        self.now = wake;
        self.send(InputKind::Settle).unwrap();
        true
    }

    /// Lets everything under way end as `outcome` says, until nothing is under way and no time
    /// changes that. An attempt that was told to stop obeys.
    pub(crate) fn play(&mut self, mut outcome: impl FnMut(AttemptId) -> AttemptOutcome) {
        for _ in 0..1_000 {
            if let Some(&run) = self.snapshots.first() {
                self.take_snapshot(run);
            } else if let Some(&run) = self.wanted_reviews().first() {
                self.review(run);
            } else if let Some(operation) = self.operation_under_way()
                && self.reviews.contains(&Effect::Prepare { operation })
            {
                self.carry_out(operation);
            } else if let Some(operation) = self.operation_under_way()
                && self.reviews.contains(&Effect::Write { operation })
            {
                self.write(operation, &[]);
            } else if let Some(attempt) = self.first_under_way() {
                let told = self.is_told_to_stop(attempt);
                self.end(attempt, if told { super::cancelled() } else { outcome(attempt) });
            } else if !self.pass_until_woken() {
                return;
            }
        }
        panic!("this goes on for ever");
    }

    /// The daemon dies, and the next one folds the journal.
    pub(crate) fn crash(&mut self) {
        let mut state = State::new(self.limits, 1);
        for event in self.journal.iter().flatten() {
            apply(&mut state, event).unwrap();
        }
        assert_eq!(state, self.state, "folding the journal gives another state");
        self.state = state;
        let recovered: BTreeSet<Effect> = pending(&self.state).into_iter().collect();
        let snapshots = self.snapshots.iter().map(|&run| Effect::TakeSnapshot { run });
        let reviews = self.reviews.iter().copied();
        let under_way =
            self.effects.values().flatten().copied().chain(snapshots).chain(reviews).collect();
        assert_eq!(recovered, under_way, "recovery finds other work than was under way");
    }

    pub(crate) fn under_way(&self) -> Vec<AttemptId> {
        self.effects.keys().copied().collect()
    }

    pub(crate) fn first_under_way(&self) -> Option<AttemptId> {
        self.effects.keys().next().copied()
    }

    pub(crate) fn has(&self, effect: Effect) -> bool {
        self.effects
            .get(&effect.attempt().unwrap())
            .is_some_and(|effects| effects.contains(&effect))
    }

    pub(crate) fn is_told_to_stop(&self, attempt: AttemptId) -> bool {
        self.effects[&attempt].iter().any(|effect| matches!(effect, Effect::Stop { .. }))
    }

    /// Whether an attempt of the step is to be told a new time-out.
    pub(crate) fn is_told_a_timeout(&self, run: RunId, step: &str) -> bool {
        let effects = &self.effects[&self.attempt(run, step)];
        effects.iter().any(|effect| matches!(effect, Effect::ChangeTimeout { .. }))
    }

    pub(crate) fn task(&self, run: RunId, step: &str) -> TaskId {
        let run = self.state.run(run).unwrap();
        let at = run.plan.tasks.iter().position(|task| task.step.as_str() == step);
        run.tasks[at.unwrap_or_else(|| panic!("no step {step}"))].id
    }

    /// The attempt of a step that is under way.
    pub(crate) fn attempt(&self, run: RunId, step: &str) -> AttemptId {
        let task = self.task(run, step);
        let of_task = |attempt: &AttemptId| attempt.task() == task;
        self.under_way().into_iter().find(of_task).unwrap_or_else(|| panic!("{step} is idle"))
    }

    pub(crate) fn view(&self, run: RunId) -> RunView {
        self.state.run(run).unwrap().view()
    }

    pub(crate) fn task_view(&self, run: RunId, step: &str) -> TaskView {
        self.state.run(run).unwrap().task_view(self.task(run, step)).unwrap()
    }

    pub(crate) fn attempts(&self, run: RunId, step: &str) -> Vec<AttemptView> {
        self.task_view(run, step).attempts
    }

    /// The run and its steps in one line: `failed: a failed, b skipped`.
    pub(crate) fn line(&self, run: RunId) -> String {
        let steps: Vec<String> = self
            .state
            .run(run)
            .unwrap()
            .tasks
            .iter()
            .map(|task| {
                let view = self.state.run(run).unwrap().task_view(task.id).unwrap();
                format!("{} {}", view.step, view.status)
            })
            .collect();
        format!("{}: {}", self.view(run).status, steps.join(", "))
    }

    /// The steps of a run in the order in which their attempts started.
    pub(crate) fn order(&self) -> Vec<String> {
        let step = |attempt: &AttemptId| {
            let run = self.state.run(attempt.run()).unwrap();
            run.task_view(attempt.task()).unwrap().step.to_string()
        };
        self.started.iter().map(step).collect()
    }
}
