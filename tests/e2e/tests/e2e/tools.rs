//! The other tools of agents: what they keep, report, finish and read, and who may not use them.

use orchestra_testkit::{Sandbox, eventually};
use serde_json::Value;
use std::{fs, time::Duration};

const LIMIT: Duration = Duration::from_secs(30);

fn agent(sandbox: &Sandbox, name: &str, front_matter: &str, source: &str) {
    let source = format!("tool='{}'\n{source}", sandbox.tool());
    sandbox.agent_script_with(name, front_matter, &source);
}

fn sandbox(front_matter: &str, source: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    agent(&sandbox, "coder", front_matter, source);
    sandbox.git_repo([("a", "b")]).trust();
    sandbox
}

#[track_caller]
fn log(sandbox: &Sandbox, task: &str) -> String {
    sandbox.orchestra(["logs", task]).run().success().stdout
}

const TWO_STEPS: &str = "steps:
  - { id: first, agent: first, prompt: go }
  - { id: second, agent: second, prompt: go, needs: [first] }
";

fn two_agents(first: &str, second: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    agent(&sandbox, "first", "", first);
    agent(&sandbox, "second", "", second);
    sandbox.workflow("w", TWO_STEPS);
    sandbox.git_repo([("a", "b")]).trust();
    sandbox
}

#[test]
fn what_one_agent_keeps_another_one_reads() {
    let sandbox = two_agents(
        r#"$tool set_memory '{"key": "api", "value": {"version": 2}}' \
            set_memory '{"key": "draft", "value": 1, "private": true}'"#,
        r#"$tool get_memory '{"key": "api"}' get_memory '{"key": "draft", "private": true}' \
            get_memory '{}'"#,
    );
    sandbox.orchestra(["run", "w"]).run().success();
    assert_eq!(log(&sandbox, "r1/first"), "noted\nnoted\n");
    assert_eq!(
        log(&sandbox, "r1/second"),
        "{\n  \"version\": 2\n}\nthere is nothing under this key\napi\n"
    );
}

#[test]
fn what_is_too_large_to_be_kept_is_refused_and_the_agent_is_told_why() {
    let source = r#"large=$(printf '%70000s' x)
$tool set_memory "{\"key\": \"k\", \"value\": \"$large\"}""#;
    let sandbox = sandbox("", source);
    sandbox.orchestra(["start", "coder", "go", "--follow"]).run().code(1);
    let log = log(&sandbox, "r1.1");
    assert!(
        log.starts_with("the value of `k` has 70002 bytes as JSON, and 65536 are allowed"),
        "{log}"
    );
}

#[test]
fn finish_task_ends_an_agent_that_promised_it_and_hands_over_its_result() {
    let source = r#"$tool finish_task '{"summary": "two bugs", "result": {"bugs": [1, 2]}}'
exec sleep 1000"#;
    let sandbox = sandbox("completion: tool", source);
    sandbox.configure("[attempt]\nsentinel_wait = \"100ms\"\n");
    sandbox.orchestra(["start", "coder", "go", "--follow"]).run().success();
    let task = sandbox.show("r1.1");
    assert_eq!(task["output"]["summary"], "two bugs");
    assert_eq!(task["output"]["result"], serde_json::json!({ "bugs": [1, 2] }));
}

#[test]
fn an_agent_that_promised_finish_task_and_does_not_call_it_has_failed() {
    let sandbox = sandbox("completion: tool", "echo done");
    sandbox.orchestra(["start", "coder", "go", "--follow"]).run().code(1);
    let failure = &sandbox.show("r1.1")["failure"];
    assert_eq!(failure["kind"], "protocol");
    let message = "agent `coder` ended without calling the tool `finish_task`; last it wrote: done";
    assert_eq!(failure["message"], message);
}

#[test]
fn an_agent_may_finish_with_the_reason_why_it_could_not() {
    let source = r#"$tool finish_task '{"summary": "", "error": "no network"}'"#;
    let sandbox = sandbox("completion: tool", source);
    sandbox.orchestra(["start", "coder", "go", "--follow"]).run().code(1);
    let message = "agent `coder` reported an error: no network";
    assert_eq!(sandbox.show("r1.1")["failure"]["message"], message);
}

#[test]
fn an_agent_reads_what_others_have_handed_over_and_nothing_else() {
    let sandbox = Sandbox::new();
    agent(
        &sandbox,
        "first",
        "",
        "mkdir -p $ORCHESTRA_DIR/notes; echo hello > $ORCHESTRA_DIR/notes/a.txt",
    );
    agent(
        &sandbox,
        "second",
        "",
        r#"$tool list_tasks '{}' read_artifact '{"path": "notes/a.txt"}' \
            read_artifact '{"path": "../../../../etc/passwd"}' \
            read_artifact '{"path": "/etc/passwd"}'; true"#,
    );
    sandbox.workflow(
        "w",
        "steps:\n  - { id: first, agent: first, prompt: go, output: notes/a.txt }\n  \
         - { id: second, agent: second, prompt: go, needs: [first] }\n",
    );
    sandbox.git_repo([("a", "b")]).trust();
    sandbox.orchestra(["run", "w"]).run().success();
    let log = log(&sandbox, "r1/second");
    assert!(log.contains("r1.1 first succeeded: "), "{log}");
    assert!(log.contains("[notes/a.txt]\n"), "{log}");
    assert!(log.contains("\nhello\n"), "{log}");
    assert!(
        log.contains("no task of this run has handed over \"../../../../etc/passwd\""),
        "{log}"
    );
    assert!(log.contains("no task of this run has handed over \"/etc/passwd\""), "{log}");
}

#[test]
fn progress_is_seen_by_whoever_watches() {
    let sandbox = Sandbox::new();
    let gate = sandbox.gate("coder");
    let source = format!(
        "$tool report_progress '{{\"message\": \"reading\", \"done\": 2, \"total\": 5}}'\n{gate}"
    );
    agent(&sandbox, "coder", "", &source);
    sandbox.git_repo([("a", "b")]).trust();
    sandbox.orchestra(["start", "coder", "go"]).run().success();
    let arrived = gate.wait();
    let watching = sandbox.orchestra(["watch", "--json"]).spawn();
    watching.wait_for_stdout(r#""done":2,"message":"reading","total":5"#, LIMIT);
    drop(arrived);
    sandbox.wait_for_status("r1", "succeeded");
}

#[test]
fn every_tool_explains_itself() {
    let sandbox = sandbox("", "$tool --list");
    sandbox.orchestra(["start", "coder", "go", "--follow"]).run().success();
    let listed: Value = serde_json::from_str(&log(&sandbox, "r1.1")).unwrap();
    let tools = listed["tools"].as_array().unwrap();
    let mut names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "ask_decision",
            "finish_task",
            "get_decision",
            "get_memory",
            "list_tasks",
            "read_artifact",
            "report_progress",
            "set_memory"
        ]
    );
    for tool in tools {
        assert!(tool["description"].as_str().is_some_and(|text| text.len() > 40), "{tool}");
        for (name, argument) in tool["inputSchema"]["properties"].as_object().into_iter().flatten()
        {
            assert!(argument["description"].is_string(), "{} of {}", name, tool["name"]);
        }
    }
}

#[test]
fn wrong_arguments_are_named() {
    let source = r#"$tool ask_decision '{"questions": "Which?"}'
$tool ask_decision '{"question": " "}'
$tool ask_decision '{"question": "Which?", "choices": [{"id": "a"}], "default": "b"}'
$tool no_such_tool '{}'
$tool get_decision '{"id": "q7"}'; true"#;
    let sandbox = sandbox("", source);
    sandbox.orchestra(["start", "coder", "go", "--follow"]).run().success();
    let log = log(&sandbox, "r1.1");
    let lines: Vec<&str> = log.lines().collect();
    assert!(lines[0].contains("unknown field `questions`"), "{log}");
    assert!(lines[1].starts_with("the question is empty; say in one or two sentences"), "{log}");
    assert!(lines[2].starts_with("the default is none of the choices; "), "{log}");
    assert!(lines[3].starts_with("refused: "), "{log}");
    assert!(lines[4].starts_with("nothing was asked under the id `q7`; "), "{log}");
}

#[test]
fn only_the_attempt_with_its_own_token_reaches_its_shim() {
    let sandbox = Sandbox::new();
    let gate = sandbox.gate("coder");
    let secrets = sandbox.outside().join("variables");
    let source = format!(
        "env | grep ^ORCHESTRA_MCP > '{}'\n\
         ORCHESTRA_MCP_TOKEN=wrong $tool list_tasks '{{}}'\n\
         ORCHESTRA_MCP_SOCKET=/nowhere $tool list_tasks '{{}}'\n\
         env -u ORCHESTRA_MCP_TOKEN -u ORCHESTRA_MCP_SOCKET $tool set_memory \
         '{{\"key\": \"k\", \"value\": 1}}'\n\
         echo $ORCHESTRA_MCP_TOKEN\n{gate}",
        secrets.display()
    );
    agent(&sandbox, "coder", "", &source);
    sandbox.git_repo([("a", "b")]).trust();
    sandbox.orchestra(["start", "coder", "go"]).run().success();
    let arrived = gate.wait();

    // Everything that the agent knows, and yet no process of it.
    let mut outsider = sandbox.command(sandbox.tool()).args(["list_tasks", "{}"]);
    for line in fs::read_to_string(&secrets).unwrap().lines() {
        let (name, value) = line.split_once('=').unwrap();
        outsider = outsider.env(name, value);
    }
    let outsider = outsider.run().code(1);
    assert!(outsider.stdout.contains("the shim of this task"), "{outsider:?}");

    drop(arrived);
    sandbox.wait_for_status("r1", "succeeded");
    let log = log(&sandbox, "r1.1");
    let lines: Vec<&str> = log.lines().collect();
    assert!(lines[0].starts_with("the token is not the one of r1.1@1"), "{log}");
    assert!(lines[1].starts_with("the shim of this task does not answer at /nowhere"), "{log}");
    assert_eq!(lines[2..], ["noted", "***"], "found through its ancestors, and masked: {log}");
}

#[test]
fn outside_of_a_task_every_tool_says_so() {
    let sandbox = Sandbox::new();
    let command = format!("{} __mcp", sandbox.program().display());
    let called = sandbox
        .command(sandbox.tool())
        .args(["list_tasks", "{}"])
        .env("ORCHESTRA_MCP", command)
        .run()
        .code(1);
    assert!(called.stdout.starts_with("this is not within a task of Orchestra"), "{called:?}");
}

#[test]
fn the_configuration_for_agents_names_the_server_and_no_token() {
    let sandbox = Sandbox::new();
    sandbox.write(
        ".orchestra/agents/coder.md",
        "---\nname: coder\ncommand: [sh, -c, 'cat \"$1\"; test -x \"$2\"', sh, '{mcp_config}', \
         '{mcp_command}', '{prompt_file}']\n---\nYou.\n",
    );
    sandbox.git_repo([("a", "b")]).trust();
    sandbox.orchestra(["start", "coder", "go", "--follow"]).run().success();
    let config: Value = serde_json::from_str(&log(&sandbox, "r1.1")).unwrap();
    let server = &config["mcpServers"]["orchestra"];
    assert_eq!(server["command"], sandbox.program().canonicalize().unwrap().to_str().unwrap());
    assert_eq!(server["args"], serde_json::json!(["__mcp"]));
    let names: Vec<&String> = server["env"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["ORCHESTRA_MCP_SOCKET"]);
    eventually("the socket is gone", LIMIT, || {
        let folder = sandbox.runtime().join("s");
        fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none()).then_some(())
    });
}
