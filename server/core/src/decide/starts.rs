//! Which ready tasks start now, in which order, and who carries them out.

use super::{choice::choose, resolving};
use crate::{
    agent::AgentProfile,
    context,
    event::{AttemptStarted, Event, EventBody},
    ids::{AttemptId, RunId},
    outcome::{Failure, Output, TaskOutcome},
    plan::{Executor, Lane, PlannedTask},
    state::{ReadyKey, Run, RunPhase, SnapshotState, State, Task},
    template,
    time::Timestamp,
};
use serde_json::{Map, Value};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, btree_set},
};

/// Everything that can start at once.
pub(super) fn starts(state: &State, now: Timestamp) -> Vec<Event> {
    let mut starts =
        Starts { state, now, events: Vec::new(), workers: BTreeMap::new(), load: BTreeMap::new() };
    [Lane::Inline, Lane::Native, Lane::Process].into_iter().for_each(|lane| starts.fill(lane));
    starts.events
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
    fn fill(&mut self, lane: Lane) {
        let indices = &self.state.indices;
        let busy = indices.busy.get(&lane).copied().unwrap_or(0);
        let mut free = self.state.limits.of(lane).saturating_sub(busy);
        if free == 0 {
            return;
        }
        let mut queues: Vec<btree_set::Iter<'_, ReadyKey>> = Vec::new();
        let mut heads = BinaryHeap::new();
        for (queue, tasks) in &indices.ready {
            let may_start = |run: &Run| {
                run.phase == RunPhase::Running
                    && (lane != Lane::Process || run.snapshot != SnapshotState::Wanted)
            };
            if queue.lane == lane && self.state.run(queue.run).is_some_and(may_start) {
                let mut tasks = tasks.iter();
                heads.extend(tasks.next().map(|head| Reverse((head, queues.len()))));
                queues.push(tasks);
            }
        }
        while free > 0
            && let Some(Reverse((key, queue))) = heads.pop()
        {
            let Some((run, task, planned)) = self.state.planned(key.task) else { continue };
            // When one cannot start, the others in its queue cannot either.
            let Some(body) = self.start(run, task, planned, lane) else { continue };
            free -= u32::from(matches!(body, EventBody::AttemptStarted(_)));
            self.events.push(Event { run: run.id, at: self.now, body });
            heads.extend(queues[queue].next().map(|head| Reverse((head, queue))));
        }
    }

    /// `None` while the run, or every agent that could take the task, is at its limit.
    fn start(
        &mut self,
        run: &'a Run,
        task: &Task,
        planned: &'a PlannedTask,
        lane: Lane,
    ) -> Option<EventBody> {
        let started_now = self.workers.get(&run.id).copied().unwrap_or(0);
        let workers = run.counts.workers + started_now;
        let full = run.plan.max_parallel.is_some_and(|max| workers >= max);
        if full && lane != Lane::Inline {
            return None;
        }
        let load = |name: &str| {
            let started_now = self.load.get(name).copied().unwrap_or(0);
            self.state.indices.load.get(name).copied().unwrap_or(0) + started_now
        };
        let (executor, why) = choose(run, task, planned, load)?;
        let number = u32::try_from(task.attempts.len()).ok()?.checked_add(1)?;
        let attempt = AttemptId::new(task.id, number)?;
        let (prompt, with) = match render(run, task, planned) {
            Ok(rendered) => rendered,
            Err(failure) => {
                let outcome = TaskOutcome::Failed { failure, output: Output::default() };
                return Some(EventBody::TaskEnded { task: task.id, outcome: Box::new(outcome) });
            }
        };
        let mut prompt = prompt;
        let mut own_timeout = None;
        if let Executor::Agent { name, .. } = executor {
            if let Some(left) = &task.unmerged {
                prompt = Some(resolving::prompt(run, left));
            }
            *self.load.entry(name).or_default() += 1;
            own_timeout = run.plan.agents.get(name).map(|agent| agent.timeout);
        }
        if lane != Lane::Inline {
            *self.workers.entry(run.id).or_default() += 1;
        }
        let timeout = task.timeout.or(planned.timeout).or(own_timeout);
        Some(EventBody::AttemptStarted(Box::new(AttemptStarted {
            attempt,
            executor: executor.clone(),
            why,
            prompt,
            with,
            timeout: timeout.unwrap_or(AgentProfile::DEFAULT_TIMEOUT),
            base: if lane == Lane::Process { run.base(task.id, executor) } else { None },
        })))
    }
}

/// The prompt and the arguments as the attempt gets them.
pub(super) fn render(
    run: &Run,
    task: &Task,
    planned: &PlannedTask,
) -> Result<(Option<String>, Map<String, Value>), Failure> {
    let mut texts: Vec<&str> = planned.prompt.as_deref().into_iter().collect();
    planned.with.values().for_each(|value| collect_texts(value, &mut texts));
    texts.retain(|text| template::is_template(text));
    if texts.is_empty() {
        return Ok((planned.prompt.clone(), planned.with.clone()));
    }
    let references = texts.iter().flat_map(|text| template::check_template(text).references);
    let context = context::of_task(run, task.id, references.collect());
    let prompt = planned.prompt.as_deref().map(|text| template::render(text, &context));
    Ok((prompt.transpose()?, template::render_json(&planned.with, &context)?))
}

fn collect_texts<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(items) => items.iter().for_each(|item| collect_texts(item, texts)),
        Value::Object(map) => map.values().for_each(|item| collect_texts(item, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
