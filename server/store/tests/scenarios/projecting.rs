//! What people and scripts find below `.orchestra/`, and what is in its way.

use crate::support::*;
use orchestra_core::view::{RunStatus, TaskStatus};
use orchestra_store::{Reader, Store};
use std::{fs, os::unix::fs::symlink};

#[test]
fn a_run_appears_as_files() {
    let workspace = Workspace::new();
    let store = workspace.open();
    record(&store, creation(1, 12, 2)).unwrap();
    let artifact = store.artifacts().put(b"# Report\n", "documentation/audit/report.md").unwrap();
    let attempts = workspace.dir().join("attempts");
    for (attempt, text) in [("r12.1-1", "first try"), ("r12.1-2", "second try")] {
        fs::create_dir_all(attempts.join(attempt)).unwrap();
        fs::write(attempts.join(attempt).join("log"), text).unwrap();
    }
    let mut done = with_attempt(task_view(12, 1, TaskStatus::Succeeded), 2);
    done = with_artifact(done, artifact);
    done.detail = "3 findings\nin 2 files".to_owned();
    let mut batch = events(vec![(2, ended(12, 1))]);
    batch.tasks.push(done.clone());
    record(&store, batch).unwrap();
    settle(&store);

    assert_eq!(store.projection_problem(), None);
    assert_eq!(workspace.names(""), [".gitignore", "logs", "plans", "tasks", "workspace"]);
    assert_eq!(workspace.projected(".gitignore").unwrap(), "*\n");
    assert_eq!(workspace.names("tasks"), ["r12.1.done", "r12.1.json", "r12.2.json"]);
    assert_eq!(workspace.projected("tasks/r12.1.done").unwrap(), "3 findings in 2 files\n");
    let json = workspace.projected("tasks/r12.1.json").unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json.as_object_mut().unwrap().remove("seq"), Some(2.into()));
    assert_eq!(json, serde_json::json!(done));
    assert_eq!(workspace.projected("logs/r12.1.log").unwrap(), "second try");
    let report = workspace.projected("workspace/documentation/audit/report.md");
    assert_eq!(report.unwrap(), "# Report\n");
    assert_eq!(workspace.names("plans"), ["r12.md", "r12.status.md"]);
    let status = workspace.projected("plans/r12.status.md").unwrap();
    assert!(status.starts_with("# audit (r12): running\n"), "{status}");
    let row = "| r12.1 | s1 | succeeded (try 2) | 500ms | todo.scan | 3 findings in 2 files |";
    assert!(status.contains(row), "{status}");
}

#[test]
fn the_plan_is_readable_and_belongs_to_people_once_it_is_written() {
    let workspace = Workspace::new();
    let store = workspace.open();
    record(&store, creation(1, 1, 2)).unwrap();
    settle(&store);
    let expected = "\
# audit (r1)

Look at everything

- started for agent cso
- created 2026-09-21T14:13:20Z
- pattern dag
- at most 2 at once

## Tasks

| task | step | needs | who | when |
|---|---|---|---|---|
| r1.1 | s1 |  | todo.scan |  |
| r1.2 | s2 | r1.1 | todo.scan |  |

```mermaid
flowchart TD
  r1_1[\"r1.1 s1\"]
  r1_2[\"r1.2 s2\"]
  r1_1 --> r1_2
```

## r1.1 s1

- who: todo.scan
- mode: intelligent

```text
Look | here
```

## r1.2 s2

- who: todo.scan
- mode: intelligent

```text
Look | here
```

";
    assert_eq!(workspace.projected("plans/r1.md").unwrap(), expected);

    let file = workspace.root().join(".orchestra/plans/r1.md");
    fs::write(&file, "mine").unwrap();
    record(&store, rows(vec![run_view(1, RunStatus::Paused)], vec![])).unwrap();
    store.rebuild_projection().unwrap();
    settle(&store);
    assert_eq!(fs::read_to_string(file).unwrap(), "mine");
    let status = workspace.projected("plans/r1.status.md").unwrap();
    assert!(status.starts_with("# audit (r1): paused\n"), "{status}");
}

#[test]
fn a_task_never_has_two_sentinels() {
    let workspace = Workspace::new();
    let store = workspace.open();
    record(&store, creation(1, 1, 1)).unwrap();
    let task = task_view(1, 1, TaskStatus::Waiting);
    for (status, expected) in [
        (TaskStatus::Failed, vec!["r1.1.error", "r1.1.json"]),
        (TaskStatus::Ready, vec!["r1.1.json"]),
        (TaskStatus::TimedOut, vec!["r1.1.json", "r1.1.timeout"]),
        (TaskStatus::Skipped, vec!["r1.1.cancelled", "r1.1.json"]),
        (TaskStatus::Succeeded, vec!["r1.1.done", "r1.1.json"]),
    ] {
        let task = match status {
            TaskStatus::Failed => failed(task.clone(), "exit 3"),
            status => orchestra_core::view::TaskView { status, ..task.clone() },
        };
        record(&store, rows(vec![], vec![task])).unwrap();
        settle(&store);
        assert_eq!(workspace.names("tasks"), expected);
    }
    assert_eq!(workspace.projected("tasks/r1.1.done").unwrap(), "succeeded\n");
}

#[test]
fn the_file_of_a_task_appears_when_it_is_its_turn() {
    let workspace = Workspace::new();
    let store = workspace.open();
    let mut batch = creation(1, 1, 2);
    batch.tasks[1].status = TaskStatus::Waiting;
    record(&store, batch.clone()).unwrap();
    settle(&store);
    assert_eq!(workspace.names("tasks"), ["r1.1.json"]);
    let status = workspace.projected("plans/r1.status.md").unwrap();
    assert!(status.contains("| r1.2 | s2 | waiting |"), "{status}");
    // Back from a later state it keeps its file, and the file is up to date.
    for status in [TaskStatus::Failed, TaskStatus::Waiting] {
        batch.tasks[1].status = status;
        record(&store, rows(vec![], vec![batch.tasks[1].clone()])).unwrap();
        settle(&store);
    }
    assert_eq!(workspace.names("tasks"), ["r1.1.json", "r1.2.json"]);
    let json = workspace.projected("tasks/r1.2.json").unwrap();
    assert!(json.contains("\"status\": \"waiting\""), "{json}");
}

#[test]
fn what_is_deleted_comes_back_with_the_next_change_and_all_of_it_with_a_rebuild() {
    let workspace = Workspace::new();
    let store = workspace.open();
    record(&store, creation(1, 1, 2)).unwrap();
    settle(&store);
    fs::remove_dir_all(workspace.root().join(".orchestra")).unwrap();
    record(&store, rows(vec![], vec![task_view(1, 2, TaskStatus::Running)])).unwrap();
    settle(&store);
    assert_eq!(workspace.names("tasks"), ["r1.2.json"]);
    assert_eq!(workspace.names("plans"), ["r1.md", "r1.status.md"]);
    store.rebuild_projection().unwrap();
    settle(&store);
    assert_eq!(workspace.names("tasks"), ["r1.1.json", "r1.2.json"]);
    assert_eq!(store.projection_problem(), None);
}

#[test]
fn an_ignore_file_of_the_user_stays() {
    let workspace = Workspace::new();
    fs::create_dir(workspace.root().join(".orchestra")).unwrap();
    fs::write(workspace.root().join(".orchestra/.gitignore"), "plans\n").unwrap();
    let store = workspace.open();
    record(&store, creation(1, 1, 1)).unwrap();
    settle(&store);
    assert_eq!(workspace.projected(".gitignore").unwrap(), "plans\n");
}

#[test]
fn an_output_that_somebody_edited_is_kept_beside_the_new_one() {
    let workspace = Workspace::new();
    let store = workspace.open();
    record(&store, creation(1, 1, 2)).unwrap();
    let put = |number, content: &[u8]| {
        let artifact = store.artifacts().put(content, "report.md").unwrap();
        let done = with_artifact(task_view(1, number, TaskStatus::Succeeded), artifact);
        record(&store, rows(vec![], vec![done])).unwrap();
        settle(&store);
    };
    put(1, b"one");
    put(2, b"two");
    assert_eq!(workspace.names("workspace"), ["report.md"]);
    fs::write(workspace.root().join(".orchestra/workspace/report.md"), "edited").unwrap();
    put(1, b"three");
    let names = workspace.names("workspace");
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(workspace.projected("workspace/report.md").unwrap(), "three");
    assert_eq!(workspace.projected(&format!("workspace/{}", names[1])).unwrap(), "edited");
}

#[test]
fn no_link_leads_a_file_elsewhere() {
    for link in [".orchestra", ".orchestra/tasks", ".orchestra/plans", ".orchestra/workspace/docs"]
    {
        let workspace = Workspace::new();
        let elsewhere = workspace.root().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::create_dir_all(workspace.root().join(link).parent().unwrap()).unwrap();
        symlink(&elsewhere, workspace.root().join(link)).unwrap();
        let store = workspace.open();
        let artifact = store.artifacts().put(b"x", "docs/config").unwrap();
        let mut batch = creation(1, 1, 1);
        batch.tasks[0].status = TaskStatus::Succeeded;
        batch.tasks[0] = with_artifact(batch.tasks[0].clone(), artifact);
        record(&store, batch).unwrap();
        settle(&store);
        assert_eq!(names(&elsewhere), [""; 0], "{link}");
        let problem = store.projection_problem().unwrap();
        assert_eq!(problem.place, workspace.root().join(link).display().to_string());
        assert_eq!(problem.what, "is a symbolic link, which is not followed");
        let reader = Reader::open(&workspace.dir()).unwrap();
        assert_eq!(reader.projection_problem().unwrap(), Some(problem));

        fs::remove_file(workspace.root().join(link)).unwrap();
        record(&store, rows(vec![run_view(1, RunStatus::Paused)], vec![])).unwrap();
        settle(&store);
        assert_eq!(store.projection_problem(), None);
        assert_eq!(reader.projection_problem().unwrap(), None);
        assert_eq!(workspace.names("tasks"), ["r1.1.done", "r1.1.json"]);
        assert_eq!(workspace.projected("workspace/docs/config").unwrap(), "x");
    }
}

#[test]
fn a_link_in_the_place_of_a_file_is_replaced_and_its_target_stays() {
    let workspace = Workspace::new();
    let target = workspace.root().join("precious");
    fs::write(&target, "precious").unwrap();
    fs::create_dir_all(workspace.root().join(".orchestra/tasks")).unwrap();
    for name in ["r1.1.json", "r1.1.done", ".orchestra-writing"] {
        symlink(&target, workspace.root().join(".orchestra/tasks").join(name)).unwrap();
    }
    let store = workspace.open();
    let mut batch = creation(1, 1, 1);
    batch.tasks[0].status = TaskStatus::Succeeded;
    record(&store, batch).unwrap();
    settle(&store);
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    let tasks = workspace.root().join(".orchestra/tasks");
    assert_eq!(names(&tasks), ["r1.1.done", "r1.1.json"]);
    assert!(fs::symlink_metadata(tasks.join("r1.1.json")).unwrap().is_file());
}

#[test]
fn a_pipe_or_a_folder_in_the_place_of_a_file_holds_up_that_file_alone() {
    let workspace = Workspace::new();
    let tasks = workspace.root().join(".orchestra/tasks");
    fs::create_dir_all(tasks.join("r1.1.json")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(tasks.join("r1.2.json")).status();
    assert!(pipe.unwrap().success());
    let store = workspace.open();
    record(&store, creation(1, 1, 3)).unwrap();
    settle(&store);
    let problem = store.projection_problem().unwrap();
    assert_eq!(problem.place, tasks.join("r1.1.json").display().to_string());
    assert!(fs::symlink_metadata(tasks.join("r1.2.json")).unwrap().is_file());
    assert!(workspace.projected("tasks/r1.3.json").is_some());
}

#[test]
fn a_workspace_that_cannot_be_written_does_not_keep_anything_from_being_recorded() {
    let workspace = Workspace::new();
    let blocked = workspace.root().join(".orchestra");
    fs::write(&blocked, "a file").unwrap();
    let store = workspace.open();
    record(&store, creation(1, 1, 1)).unwrap();
    settle(&store);
    let problem = store.projection_problem().unwrap();
    assert_eq!(problem.place, blocked.display().to_string());
    assert_eq!(problem.what, "is not a folder");
    assert_eq!(fs::read_to_string(&blocked).unwrap(), "a file");
    drop(store);

    fs::remove_file(&blocked).unwrap();
    let store = workspace.open();
    settle(&store);
    assert_eq!(store.projection_problem(), None);
    assert_eq!(workspace.names("tasks"), ["r1.1.json"], "the next start tries again");
}

#[test]
fn a_workspace_that_is_gone_is_not_made_again() {
    let workspace = Workspace::new();
    let store = workspace.open();
    fs::remove_dir(workspace.root()).unwrap();
    record(&store, creation(1, 1, 1)).unwrap();
    settle(&store);
    assert!(store.projection_problem().is_some());
    assert!(!workspace.root().exists());
}

#[test]
fn what_was_not_projected_when_the_store_closed_is_projected_by_the_next() {
    let workspace = Workspace::new();
    let root = workspace.root();
    fs::write(root.join(".orchestra"), "in the way").unwrap();
    let store = workspace.open();
    record(&store, creation(1, 1, 50)).unwrap();
    drop(store);
    fs::remove_file(root.join(".orchestra")).unwrap();
    let store = Store::open(&workspace.dir(), &root, options()).unwrap();
    settle(&store);
    assert_eq!(workspace.names("tasks").len(), 50);
}
