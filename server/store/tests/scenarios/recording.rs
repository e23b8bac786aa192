//! What is recorded is there again, in order, whole, and next to nothing that was not.

use crate::support::*;
use orchestra_core::view::{RunStatus, TaskStatus};
use orchestra_store::{Batch, Reader, RunFilter, StoreError, TaskFilter};
use std::sync::mpsc;

#[test]
fn a_run_is_loaded_as_it_was_recorded() {
    let workspace = Workspace::new();
    let store = workspace.open();
    record(&store, creation(1, 1, 2)).unwrap();
    let mut batch = events(vec![(2, started(1, 1, 1)), (3, ended(1, 1))]);
    batch.answers.push(("key".to_owned(), "{\"run\":\"r1\"}".to_owned()));
    batch.ingested.push((attempt_id(1, 1, 1), 512));
    record(&store, batch).unwrap();
    drop(store);

    let store = workspace.open();
    let loaded = store.load().unwrap();
    let all = vec![(1, created(1, 2)), (2, started(1, 1, 1)), (3, ended(1, 1))];
    assert_eq!(loaded.runs, [(run_id(1), all.clone())]);
    assert_eq!((loaded.next_run, loaded.last_seq), (2, 3));
    assert_eq!(loaded.frozen, []);
    assert_eq!(loaded.answers, [("key".to_owned(), "{\"run\":\"r1\"}".to_owned())]);
    assert_eq!(store.load_run(run_id(1)).unwrap(), all);
    assert_eq!(store.ingested(attempt_id(1, 1, 1)), Ok(512));
    assert_eq!(store.ingested(attempt_id(1, 1, 2)), Ok(0));
}

#[test]
fn runs_that_have_ended_are_not_folded_at_start_but_stay_readable() {
    let workspace = Workspace::new();
    let store = workspace.open();
    record(&store, creation(1, 1, 1)).unwrap();
    let mut batch = events(vec![(2, run_ended(1))]);
    batch.runs.push(run_view(1, RunStatus::Succeeded));
    record(&store, batch).unwrap();
    record(&store, creation(3, 7, 1)).unwrap();

    let loaded = store.load().unwrap();
    assert_eq!(loaded.runs, [(run_id(7), vec![(3, created(7, 1))])]);
    assert_eq!(loaded.next_run, 8);
    assert_eq!(store.load_run(run_id(1)).unwrap(), [(1, created(1, 1)), (2, run_ended(1))]);
}

#[test]
fn batches_are_reported_in_order_and_only_when_a_reader_sees_them() {
    const BATCHES: u64 = 500;
    let workspace = Workspace::new();
    let store = workspace.open();
    record(&store, creation(1, 1, 1)).unwrap();
    let (send, receive) = mpsc::channel();
    for seq in 2..BATCHES {
        let (send, dir) = (send.clone(), workspace.dir());
        let done = move |result| {
            let reader = Reader::open(&dir).unwrap();
            let visible = reader.events_since(seq - 1, 1).unwrap();
            send.send((seq, result, visible.first().map(|(seq, _)| *seq))).unwrap();
        };
        store.submit(events(vec![(seq, ended(1, 1))]), Box::new(done));
    }
    for seq in 2..BATCHES {
        assert_eq!(receive.recv_timeout(PATIENCE), Ok((seq, Ok(()), Some(seq))));
    }
}

#[test]
fn a_batch_that_does_not_follow_stops_the_journal_until_it_is_reloaded() {
    let workspace = Workspace::new();
    let store = workspace.open();
    record(&store, creation(5, 1, 1)).unwrap();
    let refused = record(&store, events(vec![(5, ended(1, 1))]));
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
    assert_eq!(record(&store, events(vec![(6, ended(1, 1))])), Err(StoreError::Halted));

    store.recover().unwrap();
    assert_eq!(store.load().unwrap().last_seq, 5);
    record(&store, events(vec![(6, ended(1, 1))])).unwrap();
    assert_eq!(store.load_run(run_id(1)).unwrap().len(), 2);
}

#[test]
fn old_answers_are_forgotten_and_the_first_answer_to_a_key_stays() {
    let workspace = Workspace::new();
    let store = workspace.open();
    let answers = |range: std::ops::Range<u32>, answer: &str| Batch {
        answers: range.map(|key| (format!("key {key}"), answer.to_owned())).collect(),
        ..Batch::default()
    };
    record(&store, answers(0..10_005, "first")).unwrap();
    record(&store, answers(10_004..10_006, "second")).unwrap();
    let loaded = store.load().unwrap().answers;
    let pair = |key: u32, answer: &str| Some((format!("key {key}"), answer.to_owned()));
    assert!((9_990..=10_000).contains(&loaded.len()), "{}", loaded.len());
    assert_eq!(loaded.iter().rev().nth(1).cloned(), pair(10_004, "first"));
    assert_eq!(loaded.last().cloned(), pair(10_005, "second"));
}

#[test]
fn what_was_submitted_before_the_end_is_recorded() {
    let workspace = Workspace::new();
    let store = workspace.open();
    let (send, receive) = mpsc::channel();
    for run in 1..=50 {
        let send = send.clone();
        let done = move |result| send.send(result).unwrap();
        store.submit(creation(run.into(), run, 1), Box::new(done));
    }
    drop(store);
    assert_eq!(receive.try_iter().collect::<Vec<_>>(), vec![Ok(()); 50]);
    assert_eq!(workspace.open().load().unwrap().runs.len(), 50);
}

#[test]
fn a_reader_sees_runs_and_tasks_while_they_are_written_and_afterwards() {
    let workspace = Workspace::new();
    let store = workspace.open();
    record(&store, creation(1, 1, 3)).unwrap();
    record(&store, creation(2, 2, 1)).unwrap();
    let reader = Reader::open(&workspace.dir()).unwrap();
    let done = with_attempt(task_view(1, 2, TaskStatus::Succeeded), 2);
    let ended = run_view(2, RunStatus::Failed);
    record(&store, rows(vec![ended.clone()], vec![done.clone()])).unwrap();

    let check = |reader: &Reader| {
        let counts = reader.counts().unwrap();
        assert_eq!(
            counts.runs.into_iter().collect::<Vec<_>>(),
            [(RunStatus::Running, 1), (RunStatus::Failed, 1)]
        );
        assert_eq!(
            counts.tasks.into_iter().collect::<Vec<_>>(),
            [(TaskStatus::Ready, 3), (TaskStatus::Succeeded, 1)]
        );
        let all = RunFilter::default();
        let running = run_view(1, RunStatus::Running);
        assert_eq!(reader.runs(&all).unwrap(), [ended.clone(), running.clone()]);
        let open = RunFilter { open: true, ..all };
        assert_eq!(reader.runs(&open).unwrap(), std::slice::from_ref(&running));
        let failed = RunFilter { status: Some(RunStatus::Failed), ..all };
        assert_eq!(reader.runs(&failed).unwrap(), std::slice::from_ref(&ended));
        let page = RunFilter { before: Some(run_id(2)), limit: 5, ..all };
        assert_eq!(reader.runs(&page).unwrap(), std::slice::from_ref(&running));
        assert_eq!(reader.run(run_id(1)).unwrap(), Some(running.clone()));
        assert_eq!(reader.run(run_id(3)).unwrap(), None);

        let page = TaskFilter { offset: 1, limit: 1, ..TaskFilter::default() };
        assert_eq!(reader.tasks(run_id(1), &page).unwrap(), std::slice::from_ref(&done));
        let succeeded = TaskFilter { status: Some(TaskStatus::Succeeded), ..Default::default() };
        assert_eq!(reader.tasks(run_id(1), &succeeded).unwrap(), std::slice::from_ref(&done));
        assert_eq!(reader.task(task_id(1, 2)).unwrap(), Some(done.clone()));
        let by_step = reader.task_by_step(run_id(1), &"s2".parse().unwrap()).unwrap();
        assert_eq!(by_step, Some(done.clone()));
        assert_eq!(reader.task(task_id(9, 1)).unwrap(), None);

        assert_eq!(reader.plan(run_id(1)).unwrap(), Some(plan(3)));
        assert_eq!(reader.events(run_id(2), 0, 10).unwrap(), [(2, created(2, 1))]);
        assert_eq!(reader.events_since(1, 10).unwrap(), [(2, created(2, 1))]);
    };
    check(&reader);
    drop(store);
    check(&reader);
    drop(reader);
    check(&Reader::open(&workspace.dir()).unwrap());
}
