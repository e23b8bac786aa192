//! `--json`: what programs read, as docs/command-line.md describes it.

use orchestra_testkit::Sandbox;
use serde_json::Value;

/// The keys of an object, sorted.
fn keys(value: &Value) -> Vec<&str> {
    let object = value.as_object().unwrap_or_else(|| panic!("no object: {value}"));
    let mut keys: Vec<&str> = object.keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[track_caller]
fn json(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let outcome = sandbox.orchestra(arguments.iter().chain(&["--json"])).run().success();
    assert_eq!(outcome.stdout.lines().count(), 1, "more than one value: {outcome}");
    outcome.json()
}

const RUN: [&str; 17] = [
    "busy",
    "created",
    "decisions",
    "description",
    "detail",
    "ended",
    "foreseen",
    "id",
    "name",
    "operations",
    "review",
    "snapshot",
    "source",
    "status",
    "tasks",
    "tasks_ended",
    "tasks_failed",
];
const TASK: [&str; 9] =
    ["attempts", "decisions", "detail", "failure", "id", "needs", "output", "status", "step"];
const ATTEMPT: [&str; 9] =
    ["ended", "executor", "id", "jobs", "lane", "outcome", "started", "timeout", "why"];

/// A workspace with an agent that succeeds, and a workflow of two steps.
fn workspace() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.agent_script("coder", "echo wrote it");
    sandbox.workflow(
        "w",
        "steps:\n  - { id: first, action: value.set, with: { value: 1 } }\n  \
         - { id: second, agent: coder, prompt: go, needs: [first] }\n",
    );
    sandbox.git_repo([("a", "b")]).trust();
    sandbox
}

#[test]
fn runs_and_tasks_have_the_documented_keys() {
    let sandbox = workspace();
    let begun = json(&sandbox, &["run", "w", "--detach"]);
    assert_eq!(keys(&begun), ["notes", "operation", "run", "seq"]);
    assert_eq!(begun["run"], "r1");
    sandbox.orchestra(["watch", "r1"]).run().success();

    let status = json(&sandbox, &["status"]);
    assert_eq!(keys(&status), ["counts", "problem", "root", "runs"]);
    assert_eq!(keys(&status["counts"]), ["runs", "tasks"]);
    assert_eq!(status["counts"]["runs"]["succeeded"], 1);
    assert_eq!(status["counts"]["tasks"]["succeeded"], 2);
    assert_eq!(keys(&status["runs"][0]), RUN);
    let of_status = json(&sandbox, &["status", "--status", "failed"]);
    assert_eq!(of_status["runs"], serde_json::json!([]));

    let shown = json(&sandbox, &["show", "r1"]);
    assert_eq!(keys(&shown), ["run", "tasks"]);
    assert_eq!(shown["run"], status["runs"][0]);
    let task = json(&sandbox, &["show", "r1.2"]);
    assert_eq!(shown["tasks"][1], task);
    assert_eq!(json(&sandbox, &["show", "r1/second"]), task);
    assert_eq!(json(&sandbox, &["show", "r1.2@1"]), task);
    assert_eq!(keys(&task), TASK);
    assert_eq!(keys(&task["attempts"][0]), ATTEMPT);
    assert_eq!(
        keys(&task["output"]),
        [
            "artifacts",
            "change",
            "confine_problem",
            "confined",
            "evidence",
            "result",
            "settings",
            "summary",
            "tree"
        ]
    );
    assert_eq!(json(&sandbox, &["show", "r1", "-n1"])["tasks"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_followed_run_is_a_stream_of_events_without_gaps() {
    let sandbox = workspace();
    let outcome = sandbox.orchestra(["run", "w", "--json"]).run().success();
    let lines = outcome.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    let lines: Vec<Value> = lines.collect();
    let types: Vec<&str> =
        lines.iter().map(|line| line["body"]["type"].as_str().expect("a type")).collect();
    assert_eq!(types.first(), Some(&"run-created"));
    assert_eq!(types.last(), Some(&"run-ended"));
    for (line, seq) in lines.iter().zip(1..) {
        assert_eq!(keys(line), ["at", "body", "run", "seq", "type"]);
        assert_eq!((line["type"].as_str(), line["seq"].as_u64()), (Some("event"), Some(seq)));
    }
    assert_eq!(sandbox.events("r1"), lines, "watch tells another story");
}

#[test]
fn while_it_waits_for_a_person_only_events_are_printed() {
    let sandbox = workspace();
    let outcome = sandbox.orchestra(["run", "w", "--approve", "--json"]).run().success();
    let outcome = outcome.stderr_has("r1 waits for approval: `orchestra approve r1`");
    let events: Vec<Value> =
        outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!events.is_empty());
    for event in events {
        assert_eq!(keys(&event), ["at", "body", "run", "seq", "type"]);
        assert_ne!(event["body"]["type"], "attempt-started");
    }
}

#[test]
fn commands_answer_with_the_run_and_the_first_event() {
    let sandbox = Sandbox::new();
    sandbox.workflow(
        "w",
        "approve: true\nsteps:\n  - { id: a, action: value.set, with: { value: 1 }, approve: true }\n",
    );
    json(&sandbox, &["run", "w", "--detach"]);
    for command in
        ["approve r1", "pause r1", "resume r1", "timeout r1/a 1h", "cancel r1", "retry r1"]
    {
        let command: Vec<&str> = command.split(' ').collect();
        let answer = json(&sandbox, &command);
        assert_eq!(keys(&answer), ["run", "seq"], "{command:?}");
        assert_eq!(answer["run"], "r1");
        assert!(answer["seq"].as_u64().is_some_and(|seq| seq > 1));
    }
}

#[test]
fn the_workspace_is_described() {
    let sandbox = workspace();
    let agents = json(&sandbox, &["agents"]);
    assert_eq!(keys(&agents), ["agents", "mcp_servers", "natives"]);
    let agent = json(&sandbox, &["agents", "show", "coder"]);
    assert_eq!(agents["agents"][0], agent);
    let expected = [
        "availability",
        "diagnostics",
        "file",
        "name",
        "origin",
        "profile",
        "shadowed",
        "shadowed_by",
    ];
    assert_eq!(keys(&agent), expected);
    assert_eq!(keys(&json(&sandbox, &["agents", "check"])), ["checked", "diagnostics"]);

    let workflows = json(&sandbox, &["workflows", "list"]);
    let names = workflows["workflows"].as_array().expect("a list").iter();
    let names: Vec<&str> = names.map(|one| one["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["audit", "code-review", "develop", "document", "fix", "w"]);
    assert_eq!(keys(&workflows["workflows"][0]), ["errors", "file", "name", "origin"]);
    let shown = json(&sandbox, &["workflows", "show", "w"]);
    assert_eq!(keys(&shown), ["file", "name", "origin", "text"]);
    assert_eq!(shown["text"], sandbox.read(".orchestra/workflows/w.yaml"));
    assert_eq!(keys(&json(&sandbox, &["workflows", "check", "w"])), ["diagnostics", "plan"]);
    assert_eq!(keys(&json(&sandbox, &["workflows", "check"])), ["checked", "diagnostics"]);

    let config = json(&sandbox, &["config"]);
    assert_eq!(keys(&config), ["diagnostics", "settings"]);
    assert_eq!(keys(&config["settings"][0]), ["key", "origin", "value"]);

    let trust = json(&sandbox, &["trust", "--yes"]);
    assert_eq!((keys(&trust), &trust["trusted"]), (vec!["root", "trusted"], &Value::Bool(true)));
    assert_eq!(json(&sandbox, &["trust", "--revoke"])["trusted"], false);
    let refused = sandbox.orchestra(["trust", "--json"]).run().code(4);
    assert_eq!(refused.stdout, "");
    assert_eq!(keys(&json(&sandbox, &["init"])), ["created", "root"]);
}

#[test]
fn the_daemon_and_its_journal_are_described() {
    let sandbox = workspace();
    let daemon = json(&sandbox, &["daemon", "start"]);
    assert_eq!(keys(&daemon), ["build", "pid", "started", "workspaces"]);
    assert_eq!(keys(&daemon["build"]), ["version", "written"]);
    sandbox.orchestra(["run", "w"]).run().success();
    let workspaces = &json(&sandbox, &["daemon", "status"])["workspaces"];
    assert_eq!(keys(&workspaces[0]), ["attempts_under_way", "id", "open_runs", "root"]);
    assert_eq!(keys(&json(&sandbox, &["rebuild"])), ["frozen", "runs"]);
    let doctor = json(&sandbox, &["doctor"]);
    assert_eq!(keys(&doctor), ["facts", "problems"]);
    assert_eq!(json(&sandbox, &["daemon", "stop"]), serde_json::json!({ "stopped": true }));
    assert_eq!(json(&sandbox, &["daemon", "stop"]), serde_json::json!({ "stopped": false }));
}

#[test]
fn a_failed_task_says_why_and_errors_are_objects() {
    let sandbox = workspace();
    sandbox.agent_script("bad", "exit 9");
    sandbox.trust();
    sandbox.orchestra(["start", "bad", "go", "--follow", "--json"]).run().code(1);
    let failure = &sandbox.show("r1.1")["failure"];
    assert_eq!(keys(failure), ["hint", "kind", "message"]);
    let outcome = sandbox.orchestra(["show", "r9", "--json"]).run().code(2);
    assert_eq!(outcome.stdout, "");
    let error: Value = serde_json::from_str(&outcome.stderr).expect("JSON");
    assert_eq!(keys(&error["error"]), ["code", "diagnostics", "hint", "message"]);
    assert_eq!(error["error"]["code"], 2);
}
