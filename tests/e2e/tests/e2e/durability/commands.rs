//! Commands that are sent twice, and those that need no daemon.

use super::crew::{Crew, LIMIT, text};
use orchestra_testkit::Sandbox;
use serde_json::{Value, json};
use std::{
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
};

#[test]
fn status_show_and_logs_need_no_daemon_and_start_none() {
    let crew = Crew::that(|_, agent| format!("echo 'the {agent} half'"));
    crew.sandbox.orchestra(["run", "crew"]).limit(LIMIT).run().success();
    crew.sandbox.orchestra(["daemon", "stop"]).run().success();

    crew.sandbox.orchestra(["status"]).run().success().stdout_has("r1");
    crew.sandbox.orchestra(["show", "r1"]).run().success().stdout_has("r1.4");
    crew.sandbox.orchestra(["show", "r1/join"]).run().success().stdout_has("notes/join.md");
    crew.sandbox.orchestra(["logs", "r1/left"]).run().success().stdout_has("the left half");
    crew.sandbox.orchestra(["logs", "r1/left", "--follow"]).run().success();

    assert_eq!(crew.sandbox.processes(), [], "one of them has started a daemon");
}

#[test]
fn a_command_that_is_sent_twice_is_carried_out_once() {
    let crew = Crew::at_gates();
    crew.sandbox.orchestra(["daemon", "start"]).run().success();
    let request = run_with_key(&crew.sandbox, "the key of an editor");

    // At once, later, and to another daemon, which knows only what the journal says.
    let sending: Vec<UnixStream> = (0..4).map(|_| send(&crew.sandbox, &request)).collect();
    let mut answers: Vec<Value> = sending.into_iter().map(answer).collect();
    let at_work = crew.both_at_work();
    answers.push(answer(send(&crew.sandbox, &request)));
    crew.kill("daemon __serve");
    crew.sandbox.orchestra(["daemon", "start"]).run().success();
    answers.push(answer(send(&crew.sandbox, &request)));
    drop(at_work);

    assert_eq!(text(&answers[0]["run"]), "r1", "{answers:?}");
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    crew.wait_for_end("r1").success();
    crew.check("r1");
    crew.sandbox.orchestra(["show", "r2"]).run().code(2);
    // Another key is another command.
    let other = answer(send(&crew.sandbox, &run_with_key(&crew.sandbox, "another key")));
    assert_eq!(text(&other["run"]), "r2");
    drop(crew.both_at_work());
    crew.wait_for_end("r2").success();
}

/// The request of an editor that has the crew run.
fn run_with_key(sandbox: &Sandbox, key: &str) -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let home = sandbox.home();
    let request = json!({
        "key": key,
        "root": sandbox.workspace(),
        "environment": { "PATH": path, "HOME": home },
        "command": { "type": "run", "workflow": "crew" },
    });
    request.to_string()
}

/// Sends a command as any HTTP client would.
fn send(sandbox: &Sandbox, body: &str) -> UnixStream {
    let socket = sandbox.daemon_socket().expect("a daemon serves");
    let mut stream = UnixStream::connect(socket).expect("connect");
    write!(
        stream,
        "POST /v1/commands HTTP/1.1\r\nhost: orchestra\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .expect("send the request");
    stream
}

fn answer(mut stream: UnixStream) -> Value {
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("read the answer");
    let (head, body) = response.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.starts_with("HTTP/1.1 200"), "{response}");
    serde_json::from_str(body).expect("a JSON body")
}
