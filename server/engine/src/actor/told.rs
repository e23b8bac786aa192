//! What shims tell while their attempts run: what agents report, ask and want kept; and what is asked about
//! those that have ended.

use super::{Actor, Input, InputKind, Turn, clock, step};
use crate::batch::{AgentReply, Asked};
use orchestra_core::{
    decide::StepError,
    decision::{About, Asker, Question},
    ids::AttemptId,
    memory::Scope,
    outcome::Artifact,
    plan::Executor,
    state::{Attempt, Run, TaskPhase},
    time::Millis,
    view::TaskView,
};
use orchestra_protocol::stream::AttemptProgress;
use orchestra_runtimes::attempt::{EventLine, Reply, Said, SaidProgress, ShimEvent, TaskLine};

/// A list of tasks goes to an agent as one line.
const MOST_TASKS: usize = 500;

impl Actor {
    /// Takes in what a shim has told. When the turn cannot be recorded, it is told again.
    pub(super) fn told(&mut self, attempt: AttemptId, lines: Vec<EventLine>, turn: &mut Turn) {
        for EventLine { event, .. } in lines {
            match event {
                ShimEvent::Progress(progress) => self.progress(attempt, progress),
                ShimEvent::Said { number, said } => {
                    let reply = self.answer_agent(attempt, said, turn);
                    turn.replies.push((attempt, number, reply));
                }
                ShimEvent::Acknowledged { decision: Some(decision), .. } => {
                    if let Err(error) = self.carry_on(InputKind::Delivered { decision }, turn) {
                        tracing::error!(%attempt, %decision, %error, "not noted as delivered");
                    }
                }
                // What matters of these is in the result.
                ShimEvent::Acknowledged { decision: None, .. }
                | ShimEvent::Started { .. }
                | ShimEvent::Stopping { .. }
                | ShimEvent::Ended => {}
            }
        }
    }

    /// Nobody waits for what the agent has asked. Should this get lost, the end of the attempt says so.
    pub(super) fn agent_ended(&mut self, attempt: AttemptId, turn: &mut Turn) {
        if let Err(error) = self.carry_on(InputKind::AgentEnded { attempt }, turn) {
            tracing::error!(%attempt, %error, "its questions were not withdrawn");
        }
    }

    pub(super) fn ask_about(
        &mut self,
        attempt: AttemptId,
        question: Box<Question>,
        timeout: Millis,
        asked: Asked,
        turn: &mut Turn,
    ) {
        let (asker, timeout) = (Asker::Orchestra, Some(timeout));
        match self.carry_on(InputKind::Ask { attempt, asker, question, timeout }, turn) {
            Ok(()) => turn.asked.push(asked),
            Err(StepError::Refused(refusal)) => drop(asked.send(Err(refusal))),
            // Not recorded: it is asked again.
            Err(StepError::Apply(error)) => tracing::error!(%attempt, %error, "not asked"),
        }
    }

    fn progress(&self, attempt: AttemptId, said: SaidProgress) {
        if self.effects.is_running(attempt) {
            let SaidProgress { message, done, total } = said;
            self.hub.progress(AttemptProgress { attempt, done: done.unwrap_or(0), total, message });
        }
    }

    fn answer_agent(&mut self, attempt: AttemptId, said: Said, turn: &mut Turn) -> AgentReply {
        let given = match said {
            Said::Ask { question, timeout } => {
                let key = question.key.clone();
                let question = Box::new(question);
                let ask = InputKind::Ask { attempt, asker: Asker::Agent, question, timeout };
                match self.carry_on(ask, turn) {
                    Ok(()) => self.asked(attempt, &key),
                    Err(error) => refused(&error),
                }
            }
            Said::Remember(entry) => {
                let entry = Box::new(entry);
                match self.carry_on(InputKind::Remember { attempt, entry }, turn) {
                    Ok(()) => Reply::Noted,
                    Err(error) => refused(&error),
                }
            }
            Said::Recall { private, key } => self.recall(attempt, private, key.as_deref()),
            Said::ListTasks => self.list_tasks(attempt),
            Said::ReadArtifact { path, offset } => {
                let run = self.state.run(attempt.run());
                match run.and_then(|run| artifacts(run).find(|artifact| artifact.path == path)) {
                    Some(artifact) => {
                        return AgentReply::Artifact { artifact: artifact.clone(), offset };
                    }
                    None => Reply::failed(
                        format!("no task of this run has handed over {path:?}"),
                        "`list_tasks` names the artifacts that there are",
                    ),
                }
            }
        };
        AgentReply::Given(given)
    }

    fn carry_on(&mut self, kind: InputKind, turn: &mut Turn) -> Result<(), StepError> {
        let input = Input { now: clock::now(), seed: clock::seed(), kind };
        let events = step(&mut self.state, &input)?;
        self.record(events, turn);
        Ok(())
    }

    fn asked(&self, attempt: AttemptId, key: &str) -> Reply {
        let decisions = self.state.run(attempt.run()).map(|run| run.decisions.as_slice());
        let decision = decisions.unwrap_or_default().iter().find(|decision| {
            decision.asked.about == About::Attempt(attempt) && decision.asked.question.key == key
        });
        match decision {
            Some(decision) => Reply::Asked { decision: decision.asked.decision },
            None => ended(),
        }
    }

    fn recall(&self, attempt: AttemptId, private: bool, key: Option<&str>) -> Reply {
        let Some(run) = self.state.run(attempt.run()) else { return ended() };
        let scope = if private { own_scope(run, attempt) } else { Some(Scope::Shared) };
        let Some(scope) = scope else { return ended() };
        let now = clock::now();
        match key {
            Some(key) => Reply::Value {
                value: run.memory.get(&scope, key, now).cloned().unwrap_or_default(),
            },
            None => {
                let keys = run.memory.keys(&scope, now);
                Reply::Keys { keys: keys.into_iter().map(str::to_owned).collect() }
            }
        }
    }

    fn list_tasks(&self, attempt: AttemptId) -> Reply {
        let Some(run) = self.state.run(attempt.run()) else { return ended() };
        let views = run.tasks.iter().filter_map(|task| run.task_view(task.id)).take(MOST_TASKS);
        let line = |view: TaskView| TaskLine {
            id: view.id,
            step: view.step.to_string(),
            status: view.status.to_string(),
            detail: view.detail,
            artifacts: view.output.map_or_else(Vec::new, |output| {
                output.artifacts.into_iter().map(|artifact| artifact.path).collect()
            }),
        };
        Reply::Tasks { total: run.tasks.len(), tasks: views.map(line).collect() }
    }
}

/// What the tasks of a run have handed over: nothing else can be read.
fn artifacts(run: &Run) -> impl Iterator<Item = &Artifact> {
    run.tasks
        .iter()
        .filter_map(|task| match &task.phase {
            TaskPhase::Ended { outcome, .. } => outcome.output(),
            _ => None,
        })
        .flat_map(|output| &output.artifacts)
}

fn own_scope(run: &Run, attempt: AttemptId) -> Option<Scope> {
    let task = run.task(attempt.task())?;
    let is_it = |tried: &&Attempt| tried.started.attempt == attempt;
    match &task.attempts.iter().find(is_it)?.started.executor {
        Executor::Agent { name, .. } => Some(Scope::Private { agent: name.clone() }),
        Executor::Native { .. } => Some(Scope::Shared),
    }
}

fn ended() -> Reply {
    Reply::failed("the attempt has ended", "end your work now")
}

fn refused(error: &StepError) -> Reply {
    match error {
        StepError::Refused(refusal) => Reply::failed(&refusal.message, &refusal.hint),
        StepError::Apply(error) => Reply::failed(error.to_string(), "go on without it"),
    }
}
