//! What the time and the state alone lead to: skip, start and end what can be.

use super::requests::stop_run;
use crate::{
    context,
    event::{AttemptStarted, Event, EventBody},
    ids::{AttemptId, RunId, TaskId},
    outcome::{Failure, Output, RunOutcome, SkipReason, StopReason, TaskOutcome},
    plan::{Executor, Lane, PlannedTask},
    state::{ReadyKey, Run, RunPhase, State, Task, TaskPhase},
    template,
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// The next events that nobody has to ask for; empty when there are none. What they lead to in turn
/// is found by asking again once they are applied.
pub(super) fn settle(state: &State, now: Timestamp) -> Vec<Event> {
    let event = |run, body| Event { run, at: now, body };
    let decided: Vec<Event> = state
        .arrived
        .iter()
        .filter_map(|&id| Some(event(id.run(), on_arrival(state, id)?)))
        .collect();
    if !decided.is_empty() {
        return decided;
    }
    let late = state.runs.values().find(|run| {
        run.phase == RunPhase::Running && run.deadline().is_some_and(|deadline| deadline <= now)
    });
    if let Some(run) = late {
        return stop_run(run, StopReason::Timeout, now);
    }
    let ended: Vec<Event> = state
        .finished
        .iter()
        .filter_map(|id| state.run(*id))
        .map(|run| event(run.id, EventBody::RunEnded { outcome: outcome_of(run) }))
        .collect();
    if !ended.is_empty() {
        return ended;
    }
    let mut starts = Starts::new(state, now);
    [Lane::Inline, Lane::Native, Lane::Process].into_iter().for_each(|lane| starts.fill(lane));
    starts.events
}

/// Whether a task whose needs have ended runs.
fn on_arrival(state: &State, id: TaskId) -> Option<EventBody> {
    let (run, task, planned) = state.planned(id)?;
    let end = |outcome| EventBody::TaskEnded { task: id, outcome: Box::new(outcome) };
    if let Some(need) = task.failed_need {
        let step = run.plan.tasks.get(need as usize)?.step.to_string();
        return Some(end(TaskOutcome::Skipped { reason: SkipReason::NeedFailed { step } }));
    }
    let when = planned.when.as_deref()?;
    Some(match template::condition(when, &context::of_task(run, id, &[when])) {
        Ok(true) => EventBody::TaskReady { task: id },
        Ok(false) => end(TaskOutcome::Skipped { reason: SkipReason::WhenFalse }),
        Err(failure) => end(TaskOutcome::Failed { failure, output: Output::default() }),
    })
}

/// How a run whose tasks have all ended has ended itself.
fn outcome_of(run: &Run) -> RunOutcome {
    if let RunPhase::Stopping { reason: StopReason::Timeout } = run.phase {
        return RunOutcome::TimedOut;
    }
    let outcomes = || {
        run.tasks.iter().filter_map(|task| match &task.phase {
            TaskPhase::Ended { outcome, .. } => Some(&**outcome),
            _ => None,
        })
    };
    let failed = |outcome: &TaskOutcome| {
        matches!(outcome, TaskOutcome::Failed { .. } | TaskOutcome::TimedOut { .. })
    };
    let cancelled = |outcome: &TaskOutcome| matches!(outcome, TaskOutcome::Cancelled { .. });
    match run.phase {
        // Everything was done before the word to stop arrived.
        RunPhase::Stopping { .. } if outcomes().all(TaskOutcome::satisfies_needs) => {
            RunOutcome::Succeeded
        }
        RunPhase::Stopping { .. } => RunOutcome::Cancelled,
        _ if outcomes().any(failed) => RunOutcome::Failed,
        _ if outcomes().any(cancelled) => RunOutcome::Cancelled,
        _ => RunOutcome::Succeeded,
    }
}

/// Collects what is started in one go, counting the workers that it takes up.
struct Starts<'a> {
    state: &'a State,
    now: Timestamp,
    events: Vec<Event>,
    workers: BTreeMap<RunId, u32>,
    load: BTreeMap<&'a str, u32>,
}

impl<'a> Starts<'a> {
    fn new(state: &'a State, now: Timestamp) -> Self {
        Self { state, now, events: Vec::new(), workers: BTreeMap::new(), load: BTreeMap::new() }
    }

    fn fill(&mut self, lane: Lane) {
        let busy = self.state.busy.get(&lane).copied().unwrap_or(0);
        let mut free = self.state.limits.of(lane).saturating_sub(busy);
        let empty = BTreeSet::new();
        let ready = self.state.ready.get(&lane).unwrap_or(&empty);
        let due = self.due(lane);
        for key in ready.union(&due) {
            if free == 0 {
                break;
            }
            if let Some((run, task, planned)) = self.state.planned(key.task)
                && let Some(body) = self.start(run, task, planned, lane)
            {
                free -= u32::from(matches!(body, EventBody::AttemptStarted(_)));
                self.events.push(Event { run: run.id, at: self.now, body });
            }
        }
    }

    /// Delayed tasks whose time has come, in the order in which they stand among the ready ones.
    fn due(&self, lane: Lane) -> BTreeSet<ReadyKey> {
        self.state
            .delayed
            .iter()
            .take_while(|(not_before, _)| *not_before <= self.now)
            .filter_map(|&(not_before, id)| {
                let (_, task, planned) = self.state.planned(id)?;
                let (_, executor) = task.next_executor(planned)?;
                let ageing = self.state.limits.ageing;
                (executor.lane() == lane)
                    .then(|| ReadyKey::new(not_before, planned.priority, ageing, id))
            })
            .collect()
    }

    /// `None` while the run, or every agent that could take the task, is at its limit.
    fn start(
        &mut self,
        run: &'a Run,
        task: &Task,
        planned: &'a PlannedTask,
        lane: Lane,
    ) -> Option<EventBody> {
        if run.phase != RunPhase::Running {
            return None;
        }
        let started_now = self.workers.get(&run.id).copied().unwrap_or(0);
        let full = run.plan.max_parallel.is_some_and(|max| run.workers + started_now >= max);
        if full && lane != Lane::Inline {
            return None;
        }
        let (executor, why) = self.choose(run, task, planned)?;
        let number = u32::try_from(task.attempts.len()).ok()?.checked_add(1)?;
        let attempt = AttemptId::new(task.id, number)?;
        let rendered = match render(run, task, planned) {
            Ok(rendered) => rendered,
            Err(failure) => {
                let outcome = TaskOutcome::Failed { failure, output: Output::default() };
                return Some(EventBody::TaskEnded { task: task.id, outcome: Box::new(outcome) });
            }
        };
        let own = match executor {
            Executor::Agent { name, .. } => run.plan.agents.get(name).map(|agent| agent.timeout),
            Executor::Native { .. } => None,
        };
        let timeout = task.timeout.or(planned.timeout).or(own);
        if lane != Lane::Inline {
            *self.workers.entry(run.id).or_default() += 1;
        }
        if let Executor::Agent { name, .. } = executor {
            *self.load.entry(name).or_default() += 1;
        }
        Some(EventBody::AttemptStarted(Box::new(AttemptStarted {
            attempt,
            executor: executor.clone(),
            why,
            prompt: rendered.prompt,
            with: rendered.with,
            timeout: timeout.unwrap_or(crate::agent::AgentProfile::DEFAULT_TIMEOUT),
        })))
    }

    /// The first executor that has not failed; among agents that are equals, the least loaded one.
    fn choose(
        &self,
        run: &'a Run,
        task: &Task,
        planned: &'a PlannedTask,
    ) -> Option<(&'a Executor, String)> {
        let (_, first) = task.next_executor(planned)?;
        let Executor::Agent { fallback, .. } = first else {
            return Some((first, format!("native action, mode {}", planned.mode)));
        };
        if *fallback {
            let failed = task.attempts.last().map_or("", |last| last.started.executor.name());
            return self.free_load(run, first).map(|_| (first, format!("fallback for {failed}")));
        }
        let equals: Vec<&Executor> = (0u32..)
            .zip(&planned.executors)
            .filter(|(position, _)| !task.given_up.contains(position))
            .map(|(_, executor)| executor)
            .filter(|executor| matches!(executor, Executor::Agent { fallback: false, .. }))
            .collect();
        // `min_by_key` keeps the first of equals, and the plan has them in the order of preference.
        let (load, chosen) = equals
            .iter()
            .filter_map(|&executor| Some((self.free_load(run, executor)?, executor)))
            .min_by_key(|(load, _)| *load)?;
        let why = match equals.len() {
            1 => "the only candidate".to_owned(),
            count => format!("least loaded of {count} candidates ({load} under way)"),
        };
        Some((chosen, why))
    }

    /// How many attempts of this agent are under way; `None` when it takes no more.
    fn free_load(&self, run: &Run, executor: &Executor) -> Option<u32> {
        let name = executor.name();
        let load = self.state.load.get(name).copied().unwrap_or(0)
            + self.load.get(name).copied().unwrap_or(0);
        let max = run.plan.agents.get(name).map_or(1, |agent| agent.max_load);
        (load < max).then_some(load)
    }
}

struct Rendered {
    prompt: Option<String>,
    with: serde_json::Map<String, serde_json::Value>,
}

fn render(run: &Run, task: &Task, planned: &PlannedTask) -> Result<Rendered, Failure> {
    let with_text = if planned.with.is_empty() {
        String::new()
    } else {
        serde_json::Value::Object(planned.with.clone()).to_string()
    };
    let prompt = planned.prompt.as_deref().unwrap_or_default();
    if !template::is_template(prompt) && !template::is_template(&with_text) {
        return Ok(Rendered { prompt: planned.prompt.clone(), with: planned.with.clone() });
    }
    let context = context::of_task(run, task.id, &[prompt, &with_text]);
    Ok(Rendered {
        prompt: planned
            .prompt
            .as_deref()
            .map(|text| template::render(text, &context))
            .transpose()?,
        with: template::render_json(&planned.with, &context)?,
    })
}
