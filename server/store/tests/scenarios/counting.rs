//! Whatever is recorded, the counts are those of the rows, and the rows those that were given.

use crate::support::*;
use orchestra_core::view::{RunStatus, TaskStatus};
use orchestra_store::{Batch, Reader, RunFilter, TaskFilter, check};
use proptest::prelude::*;
use std::collections::BTreeMap;

const RUNS: [RunStatus; 4] =
    [RunStatus::Running, RunStatus::Paused, RunStatus::Succeeded, RunStatus::Failed];
const TASKS: [TaskStatus; 4] =
    [TaskStatus::Ready, TaskStatus::Running, TaskStatus::Succeeded, TaskStatus::Failed];

#[derive(Debug, Clone)]
enum Change {
    Run(u32, RunStatus),
    Task(u32, u32, TaskStatus),
}

fn change() -> impl Strategy<Value = Change> {
    let run = (1..4_u32, prop::sample::select(&RUNS[..])).prop_map(|(r, s)| Change::Run(r, s));
    let task = (1..4_u32, 1..6_u32, prop::sample::select(&TASKS[..]))
        .prop_map(|(r, t, s)| Change::Task(r, t, s));
    prop_oneof![1 => run, 3 => task]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    #[test]
    fn counts_are_those_of_the_rows(batches in prop::collection::vec(prop::collection::vec(change(), 0..12), 1..12)) {
        let workspace = Workspace::new();
        let store = workspace.open();
        let (mut runs, mut tasks) = (BTreeMap::new(), BTreeMap::new());
        let mut seq = 0;
        for run in 1..4 {
            seq += 1;
            record(&store, creation(seq, run, 1)).unwrap();
            runs.insert(run_id(run), RunStatus::Running);
            tasks.insert(task_id(run, 1), TaskStatus::Ready);
        }
        for changes in batches {
            let mut batch = Batch::default();
            for change in changes {
                seq += 1;
                match change {
                    Change::Run(run, status) => {
                        batch.events.push((seq, run_ended(run)));
                        batch.runs.push(run_view(run, status));
                        runs.insert(run_id(run), status);
                    }
                    Change::Task(run, task, status) => {
                        batch.events.push((seq, ended(run, task)));
                        batch.tasks.push(task_view(run, task, status));
                        tasks.insert(task_id(run, task), status);
                    }
                }
            }
            record(&store, batch).unwrap();
        }
        settle(&store);
        let reader = Reader::open(&workspace.dir()).unwrap();
        let counts = reader.counts().unwrap();
        for status in RUNS {
            let expected = runs.values().filter(|other| **other == status).count();
            prop_assert_eq!(counts.runs.get(&status).copied().unwrap_or(0), expected as u64);
            let filter = RunFilter { status: Some(status), ..RunFilter::default() };
            prop_assert_eq!(reader.runs(&filter).unwrap().len(), expected);
        }
        for status in TASKS {
            let expected = tasks.values().filter(|other| **other == status).count();
            prop_assert_eq!(counts.tasks.get(&status).copied().unwrap_or(0), expected as u64);
        }
        for run in runs.keys() {
            for task in reader.tasks(*run, &TaskFilter::default()).unwrap() {
                prop_assert_eq!(Some(&task.status), tasks.get(&task.id));
                let name = format!("tasks/{}.json", task.id);
                let json: serde_json::Value =
                    serde_json::from_str(&workspace.projected(&name).unwrap()).unwrap();
                prop_assert_eq!(&json["status"], task.status.as_str());
            }
        }
        prop_assert_eq!(check(&workspace.dir()), []);
    }
}
