//! Runs for which something is done to the user's files, or asked about it, after their end.

use crate::support::*;
use orchestra_core::{
    decision::{About, Asker, Choice, DecisionStatus},
    ids::{OperationId, RunId},
    operation::{OperationEnd, OperationKind, Target},
    time::Timestamp,
    view::{DecisionView, OperationView, RunStatus, RunView},
};
use orchestra_store::{Batch, Reader, RunFilter};

fn operation(run: u32, number: u32, started: i64) -> OperationView {
    OperationView {
        id: OperationId::new(run_id(run), number).unwrap(),
        kind: OperationKind::Apply { target: Target::Files, hunks: vec![] },
        by_person: true,
        started: Timestamp(started),
        ended: None,
        end: None,
        before: None,
        after: None,
        files: vec![],
        undone_by: None,
        in_effect: false,
        decision: None,
    }
}

fn ended_run(run: u32, operations: Vec<OperationView>) -> RunView {
    RunView { operations, ..run_view(run, RunStatus::Succeeded) }
}

/// A run that is asked about, and its question.
fn asked(run: u32) -> (RunView, DecisionView) {
    let mut operation = operation(run, 1, 7);
    let decision = DecisionView {
        id: format!("r{run}/d1").parse().unwrap(),
        about: About::Operation(operation.id),
        asker: Asker::Orchestra,
        step: None,
        question: "Applying r1 to your files does not fit.".to_owned(),
        choices: vec![Choice { id: "mine".to_owned(), label: "keep what I have".to_owned() }],
        default: Some("mine".to_owned()),
        asked: Timestamp(1_790_000_002_000),
        until: Some(Timestamp(1_790_000_003_000)),
        status: DecisionStatus::Open,
    };
    operation.end = Some(OperationEnd::Conflict { conflicts: vec![] });
    operation.decision = Some(decision.clone());
    let decisions = vec![decision.clone()];
    (RunView { busy: true, decisions, ..ended_run(run, vec![operation]) }, decision)
}

fn open(reader: &Reader) -> Vec<RunId> {
    let filter = RunFilter { open: true, ..RunFilter::default() };
    reader.runs(&filter).unwrap().into_iter().map(|run| run.id).collect()
}

fn operated(reader: &Reader, limit: u32) -> Vec<RunId> {
    reader.operated(limit).unwrap().into_iter().map(|run| run.id).collect()
}

#[test]
fn a_run_that_is_busy_after_its_end_is_open_and_folded_at_start_until_it_is_not() {
    let workspace = Workspace::new();
    let store = workspace.open();
    record(&store, creation(1, 1, 1)).unwrap();
    let mut batch = events(vec![(2, run_ended(1))]);
    batch.runs.push(RunView { busy: true, ..ended_run(1, vec![operation(1, 1, 5)]) });
    record(&store, batch).unwrap();
    drop(store);

    let store = workspace.open();
    let reader = Reader::open(&workspace.dir()).unwrap();
    assert_eq!(open(&reader), [run_id(1)]);
    let loaded = store.load().unwrap();
    assert_eq!(loaded.runs, [(run_id(1), vec![(1, created(1, 1)), (2, run_ended(1))])]);

    record(&store, rows(vec![ended_run(1, vec![operation(1, 1, 5)])], vec![])).unwrap();
    assert_eq!(open(&reader), []);
    assert_eq!(store.load().unwrap().runs, []);
}

#[test]
fn runs_are_listed_by_when_something_was_last_done_for_them() {
    let workspace = Workspace::new();
    let store = workspace.open();
    for run in 1..=4 {
        record(&store, creation(run.into(), run, 1)).unwrap();
    }
    let reader = Reader::open(&workspace.dir()).unwrap();
    assert_eq!(operated(&reader, 10), []);
    let first = ended_run(1, vec![operation(1, 1, 30), operation(1, 2, 50)]);
    let second = ended_run(2, vec![operation(2, 1, 40)]);
    let third = ended_run(3, vec![operation(3, 1, 40)]);
    record(&store, rows(vec![first.clone(), second, third, ended_run(4, vec![])], vec![])).unwrap();
    assert_eq!(operated(&reader, 10), [run_id(1), run_id(3), run_id(2)]);
    assert_eq!(operated(&reader, 1), [run_id(1)]);
    assert_eq!(reader.operated(1).unwrap(), [first]);
}

#[test]
fn a_question_about_an_operation_is_found_and_has_its_file_before_and_after_it_is_answered() {
    let workspace = Workspace::new();
    let store = workspace.open();
    record(&store, creation(1, 1, 1)).unwrap();
    let (run, decision) = asked(1);
    record(&store, rows(vec![run.clone()], vec![])).unwrap();
    settle(&store);
    let reader = Reader::open(&workspace.dir()).unwrap();
    assert_eq!(open(&reader), [run_id(1)]);
    assert_eq!(reader.decision(decision.id).unwrap(), Some(decision.clone()));
    assert_eq!(reader.decision("r1/d2".parse().unwrap()).unwrap(), None);
    let file = workspace.projected("workspace/decisions/r1-d1.md").unwrap();
    let begin = "# r1/d1: Orchestra asks about r1/o1\n\nr1/o1, 2026-";
    assert!(file.starts_with(begin), "{file}");
    assert!(file.contains("orchestra decide r1/d1 mine"), "{file}");

    let (choice, at) = ("mine".to_owned(), Timestamp(1_790_000_002_500));
    let by = orchestra_core::decision::AnsweredBy::Person;
    let answered = DecisionView { status: DecisionStatus::Answered { choice, by, at }, ..decision };
    let mut run = RunView { busy: false, decisions: vec![], ..run };
    run.operations[0].decision = Some(answered.clone());
    record(&store, rows(vec![run], vec![])).unwrap();
    settle(&store);
    assert_eq!(open(&reader), []);
    assert_eq!(reader.decision(answered.id).unwrap(), Some(answered));
    let file = workspace.projected("workspace/decisions/r1-d1.md").unwrap();
    assert!(file.contains("Answered by a person"), "{file}");
}

/// Makes the database one of the first version, as a build from before there were reviews has left it.
fn make_old(workspace: &Workspace) {
    let conn = rusqlite::Connection::open(workspace.db()).unwrap();
    conn.execute_batch(
        "DROP INDEX run_open; DROP INDEX run_operated;
         ALTER TABLE run DROP COLUMN open; ALTER TABLE run DROP COLUMN operated;
         UPDATE run SET view = json_remove(view, '$.busy', '$.review', '$.operations', '$.foreseen');
         PRAGMA user_version = 1;",
    )
    .unwrap();
    let made: Vec<String> = schema(&conn);
    let first = rusqlite::Connection::open_in_memory().unwrap();
    first.execute_batch(include_str!("../../src/schema/1.sql")).unwrap();
    assert_eq!(made, schema(&first), "this is no database of the first version");
}

fn schema(conn: &rusqlite::Connection) -> Vec<String> {
    let sql =
        "SELECT type || ' ' || name || ' ' || coalesce((SELECT group_concat(name || ' ' || type)
               FROM pragma_table_info(sqlite_schema.name)), '') FROM sqlite_schema ORDER BY 1";
    let mut statement = conn.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_database_of_the_first_version_keeps_its_open_runs_open_and_its_ended_ones_ended() {
    let workspace = Workspace::new();
    let store = workspace.open();
    let all = [
        RunStatus::AwaitingApproval,
        RunStatus::Running,
        RunStatus::Paused,
        RunStatus::Stopping,
        RunStatus::Succeeded,
        RunStatus::Failed,
        RunStatus::Cancelled,
        RunStatus::TimedOut,
    ];
    for (run, status) in (1..).zip(all) {
        record(&store, creation(run.into(), run, 1)).unwrap();
        record(&store, rows(vec![run_view(run, status)], vec![])).unwrap();
    }
    drop(store);
    make_old(&workspace);

    let store = workspace.open();
    let loaded: Vec<RunId> = store.load().unwrap().runs.into_iter().map(|(run, _)| run).collect();
    assert_eq!(loaded, [run_id(1), run_id(2), run_id(3), run_id(4)]);
    let reader = Reader::open(&workspace.dir()).unwrap();
    assert_eq!(open(&reader), [run_id(4), run_id(3), run_id(2), run_id(1)]);
    assert_eq!(operated(&reader, 10), []);
    assert_eq!(reader.run(run_id(5)).unwrap(), Some(run_view(5, RunStatus::Succeeded)));
    assert_eq!(names(&workspace.dir().join("backups")).len(), 1, "the old one is kept");
    // It is one of this version from now on.
    let mut batch = Batch::default();
    batch.runs.push(ended_run(5, vec![operation(5, 1, 9)]));
    record(&store, batch).unwrap();
    assert_eq!(operated(&reader, 10), [run_id(5)]);
}
