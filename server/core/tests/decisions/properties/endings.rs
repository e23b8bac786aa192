//! How histories end, and what their journals must then say.

use crate::support::{Simulator, cancelled, succeeded};
use orchestra_core::{
    decide::Target,
    event::EventBody,
    ids::{AttemptId, RunId, TaskId},
    view::RunStatus,
};
use std::collections::{BTreeMap, BTreeSet};

/// People answer and attempts end well, until nothing is left to do.
pub(super) fn bring_to_an_end(sim: &mut Simulator) {
    let runs: Vec<RunId> = sim.state.runs().map(|run| run.id).collect();
    // A step of a run can need an approval only once: this ends.
    for _ in 0..100 {
        sim.play(|_| succeeded());
        let mut asked = false;
        for &run in &runs {
            let view = sim.view(run);
            if view.status.has_ended() {
                continue;
            }
            asked |= view.status == RunStatus::Paused && sim.resume(run).is_ok();
            asked |= sim.approve(Target::Run(run)).is_ok();
            if let Some(attempt) = sim.first_under_way().filter(|id| sim.is_told_to_stop(*id)) {
                sim.end(attempt, cancelled());
            }
        }
        if !asked {
            break;
        }
    }
    for run in sim.state.runs() {
        assert!(run.has_ended(), "{} is {:?}: {:?}", run.id, run.phase, run.tasks);
        assert!(run.is_at_rest(), "{}: {:?}", run.id, run.operations);
    }
    assert_eq!(sim.under_way(), []);
}

/// Each attempt started and ended once, each task ended once for each time it was opened, each run
/// once for each time it was; nothing started that a person had yet to approve.
pub(super) fn check(sim: &Simulator) {
    let mut attempts: BTreeMap<AttemptId, (u32, u32)> = BTreeMap::new();
    let mut tasks: BTreeMap<TaskId, i32> = BTreeMap::new();
    let mut runs: BTreeMap<RunId, bool> = BTreeMap::new();
    let (mut approved_runs, mut approved_tasks) = (BTreeSet::new(), BTreeSet::new());
    for event in sim.journal.iter().flatten() {
        let run = sim.state.run(event.run).unwrap();
        match &event.body {
            EventBody::RunCreated { plan } => {
                assert_eq!(runs.insert(event.run, true), None);
                let created = run.tasks.iter().take(plan.tasks.len());
                tasks.extend(created.map(|task| (task.id, 1)));
            }
            EventBody::TasksAdded { tasks: added } => {
                runs.insert(event.run, true);
                let known = tasks.keys().filter(|task| task.run() == event.run).count();
                let added = run.tasks.iter().skip(known).take(added.len());
                let added: Vec<TaskId> = added.map(|task| task.id).collect();
                tasks.extend(added.into_iter().map(|task| (task, 1)));
            }
            EventBody::TasksReopened { tasks: reopened } => {
                runs.insert(event.run, true);
                reopened.iter().for_each(|task| *tasks.entry(*task).or_default() += 1);
            }
            EventBody::RunEnded { .. } => assert_eq!(runs.insert(event.run, false), Some(true)),
            EventBody::TaskEnded { task, .. } => {
                *tasks.entry(*task).or_default() -= 1;
                assert_eq!(tasks[task], 0, "{task} ended twice");
            }
            EventBody::AttemptStarted(started) => {
                attempts.entry(started.attempt).or_default().0 += 1;
                let id = started.attempt.task();
                let planned = &run.plan.tasks[run.position(id).unwrap()];
                assert!(!run.plan.approve || approved_runs.contains(&event.run), "{id} started");
                assert!(!planned.approve || approved_tasks.contains(&id), "{id} started");
            }
            EventBody::AttemptEnded { attempt, .. } => {
                attempts.entry(*attempt).or_default().1 += 1;
            }
            EventBody::RunApproved => {
                approved_runs.insert(event.run);
            }
            EventBody::TaskApproved { task } => {
                approved_tasks.insert(*task);
            }
            _ => {}
        }
    }
    for (attempt, counts) in attempts {
        assert_eq!(counts, (1, 1), "{attempt}: starts and ends");
    }
    assert!(tasks.values().all(|open| *open == 0), "{tasks:?}");
    assert!(runs.values().all(|open| !open), "{runs:?}");
}
