//! What processes of an attempt may say to their shim, and what it does with those that say too much.

use super::{
    Scenario,
    bench::{Bench, wait_readable},
    daemon::STARTED,
};
use orchestra_core::{
    decision::AnsweredBy,
    outcome::{AttemptOutcome, FailureKind},
    time::Millis,
};
use orchestra_runtimes::attempt::{
    BrokerSpec, DaemonContact, End, GivenAnswer, InboxMessage, Said, ShimEvent, Spec, StopCause,
    send,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Value, json};
use std::{
    env,
    ffi::OsString,
    io::{BufRead as _, BufReader, ErrorKind, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    process::ExitCode,
};

/// As an agent this program calls its shim without the MCP server between, see [`calls`].
pub(crate) const CALLS: &str = "__calls";

const TOKEN: &str = "0123456789abcdef";

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("a_caller_without_the_token_is_told_so_and_hung_up_on", without_token),
    ("a_call_that_is_too_long_is_refused_and_hung_up_on", too_long),
    ("one_that_says_too_much_is_heard_no_more", too_much),
    ("a_flood_that_reads_no_answers_keeps_nobody_else_waiting", flood),
    ("more_connections_than_allowed_wait_their_turn", many),
    ("what_is_no_call_is_answered_and_the_next_one_is_heard", no_call),
    ("an_answer_is_taken_up_and_acknowledged_while_the_daemon_hangs", answered),
    ("the_time_out_waits_with_the_agent_and_goes_on_afterwards", clock),
    ("finish_task_is_success_and_its_absence_is_not", finish),
];

/// A connection to the shim.
struct Caller {
    reader: BufReader<UnixStream>,
}

impl Caller {
    fn connect() -> Self {
        let socket = env::var(Spec::MCP_SOCKET).unwrap();
        Self { reader: BufReader::new(UnixStream::connect(socket).unwrap()) }
    }

    fn hello(token: &str) -> Self {
        let mut caller = Self::connect();
        caller.say(&json!({ "version": 1, "token": token }));
        caller
    }

    fn say(&mut self, line: &Value) {
        // A shim that has hung up is noticed when it is listened to.
        let _ = self.reader.get_mut().write_all(format!("{line}\n").as_bytes());
    }

    fn call(&mut self, id: u64, call: &Value) {
        self.say(&json!({ "id": id, "call": call }));
    }

    /// The next reply, `null` when the shim has hung up.
    fn hear(&mut self) -> Value {
        let mut line = String::new();
        match self.reader.read_line(&mut line) {
            Ok(1..) => serde_json::from_str(&line).unwrap(),
            _ => Value::Null,
        }
    }

    fn print(&mut self) {
        let heard = self.hear();
        let reply = &heard["reply"];
        let text = reply["message"].as_str().or(reply["type"].as_str()).unwrap_or("hung up");
        say(&format!(
            "{} {text}",
            heard["id"].as_u64().map_or("-".to_owned(), |id| id.to_string())
        ));
    }
}

/// Whether the shim takes so much of somebody who reads no answers.
fn pour(stream: &mut UnixStream, bytes: &[u8], amount: usize) -> bool {
    let mut poured = 0;
    while poured < amount {
        match stream.write(bytes) {
            Ok(size) => poured += size,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let soon = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };
                let fds = &mut [PollFd::new(stream, PollFlags::OUT)];
                if poll(fds, Some(&soon)).unwrap() == 0 {
                    return false;
                }
            }
            // It has hung up.
            Err(_) => return false,
        }
    }
    true
}

/// A line of the agent's log.
fn say(line: &str) {
    let mut stdout = std::io::stdout();
    stdout.write_all(format!("{line}\n").as_bytes()).unwrap();
    stdout.flush().unwrap();
}

fn ask() -> Value {
    json!({ "type": "ask", "question": "Which?", "choices": [], "default": null, "timeout": null })
}

/// The agent of these scenarios.
pub(crate) fn calls(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let what = arguments.next().unwrap().into_string().unwrap();
    let token = || env::var(Spec::MCP_TOKEN).unwrap();
    match what.as_str() {
        "without-token" => {
            let mut caller = Caller::hello("wrong");
            caller.print();
            caller.print();
        }
        "too-long" => {
            let mut caller = Caller::hello(&token());
            caller.print();
            caller.say(&json!("x".repeat(3_000)));
            caller.print();
            caller.print();
        }
        "too-much" => {
            let mut caller = Caller::hello(&token());
            caller.print();
            for id in 1..=6 {
                caller.call(id, &json!({ "type": "progress", "message": "x".repeat(900) }));
                caller.print();
            }
        }
        "flood" => {
            let mut flood = Caller::hello(&token());
            flood.reader.get_ref().set_nonblocking(true).unwrap();
            let line = json!({ "id": 1, "call": { "type": "recall", "private": 1 } }).to_string();
            let whole = format!("{line}\n").repeat(1_000);
            say(match pour(flood.reader.get_mut(), whole.as_bytes(), 32 << 20) {
                true => "everything was swallowed",
                false => "held back",
            });
            Caller::hello(&token()).print();
        }
        "many" => {
            let first = Caller::hello(&token());
            let mut second = Caller::hello(&token());
            second.print();
            let mut third = Caller::hello(&token());
            drop((first, second));
            third.print();
        }
        "no-call" => {
            let mut caller = Caller::hello(&token());
            caller.print();
            caller.say(&json!("noise"));
            caller.print();
            caller.call(7, &json!({ "type": "fly" }));
            caller.print();
            caller.call(8, &json!({ "type": "decision", "key": "q9" }));
            caller.print();
        }
        "ask" => {
            let mut caller = Caller::hello(&token());
            caller.call(1, &ask());
            caller.print();
            caller.print();
            // Where it was told to wait on, it does.
            if arguments.next().is_some() {
                std::fs::write(env::var("ready").unwrap(), "pending\n").unwrap();
                caller.call(2, &json!({ "type": "decision", "key": "q1" }));
                caller.print();
            }
            if arguments.next().is_some() {
                loop {
                    std::thread::park();
                }
            }
        }
        "finish" => {
            let mut caller = Caller::hello(&token());
            caller.call(1, &json!({ "type": "finish", "summary": "done" }));
            caller.call(2, &json!({ "type": "finish", "summary": "again" }));
            caller.print();
            caller.print();
            caller.print();
        }
        other => panic!("{other}"),
    }
    ExitCode::SUCCESS
}

fn bench(words: &[&str]) -> Bench {
    let program = env::current_exe().unwrap();
    let arguments: Vec<&str> = std::iter::once(CALLS).chain(words.iter().copied()).collect();
    let mut bench = Bench::of_program(&program, &arguments);
    let socket = bench.path().join("s");
    bench.spec.broker = Some(BrokerSpec {
        socket: socket.clone(),
        wait: Millis(20_000),
        decision_timeout: Millis::minutes(10),
        max_line: 2_000,
        max_said: 4_000,
        max_connections: 2,
    });
    bench.set(Spec::MCP_SOCKET, socket.to_str().unwrap());
    bench.set(Spec::MCP_TOKEN, TOKEN);
    bench
}

fn broker(bench: &mut Bench) -> &mut BrokerSpec {
    bench.spec.broker.as_mut().unwrap()
}

/// What the agent has printed, a line each.
fn printed(mut bench: Bench) -> Vec<String> {
    let result = bench.run();
    assert_eq!(result.end, End::Exited { code: 0 });
    assert!(!bench.path().join("s").exists(), "the socket is removed");
    bench.log().lines().map(str::to_owned).collect()
}

fn without_token() {
    let lines = printed(bench(&["without-token"]));
    assert_eq!(lines, ["0 the token is not the one of r1.2@1", "- hung up"]);
}

fn too_long() {
    let lines = printed(bench(&["too-long"]));
    assert_eq!(lines, ["0 welcome", "0 a call has more than 2000 bytes", "- hung up"]);
}

fn too_much() {
    let lines = printed(bench(&["too-much"]));
    let refused = "this attempt has said more than 4000 bytes";
    let expected = ["0 welcome", "1 noted", "2 noted", "3 noted", "4 noted"].map(str::to_owned);
    assert_eq!(lines[..5], expected);
    assert_eq!(lines[5..], [format!("5 {refused}"), format!("6 {refused}")]);
}

fn flood() {
    assert_eq!(printed(bench(&["flood"])), ["held back", "0 welcome"]);
}

fn many() {
    assert_eq!(printed(bench(&["many"])), ["0 welcome", "0 welcome"]);
}

fn no_call() {
    let lines = printed(bench(&["no-call"]));
    assert_eq!(lines[0], "0 welcome");
    assert!(lines[1].starts_with("0 no such call: "), "{lines:?}");
    assert!(lines[2].starts_with("7 no such call: unknown variant `fly`"), "{lines:?}");
    assert_eq!(lines[3], "8 nothing was asked under the id `q9`");
}

/// A daemon that takes connections and never answers: at least it is knocked at.
fn daemon(bench: &mut Bench) -> UnixListener {
    let socket = bench.path().join("daemon");
    bench.spec.daemon = Some(DaemonContact {
        socket: socket.clone(),
        arguments: vec![STARTED.to_owned(), "/dev/null".to_owned()],
        patience: Millis(1),
    });
    UnixListener::bind(socket).unwrap()
}

fn answer() -> InboxMessage {
    let answer = Some(GivenAnswer { choice: "green".to_owned(), by: AnsweredBy::Person });
    InboxMessage::Answer { decision: "r1/d1".parse().unwrap(), key: "q1".to_owned(), answer }
}

fn answered() {
    let mut bench = bench(&["ask"]);
    let daemon = daemon(&mut bench);
    bench.start();
    wait_readable(&daemon, "the knock");
    let asked = |event: &ShimEvent| {
        matches!(event, ShimEvent::Said { number: 1, said: Said::Ask { question, .. } }
            if question.key == "q1" && question.text == "Which?")
    };
    assert!(bench.events().iter().any(asked), "{:?}", bench.events());
    send(&bench.attempt, &answer()).unwrap();
    bench.result();
    assert_eq!(bench.log(), "0 welcome\n1 answered\n");
    let decision = "r1/d1".parse().ok();
    assert!(bench.events().contains(&ShimEvent::Acknowledged { number: 1, decision }));
}

fn clock() {
    for (words, expected) in [
        (&["ask", "and wait"][..], None),
        (&["ask", "and wait", "and stay"], Some(StopCause::TimedOut { limit: Millis(300) })),
    ] {
        let mut bench = bench(words);
        // Long after its time-out it hears that nobody has answered.
        broker(&mut bench).wait = Millis(600);
        bench.spec.timeout = Millis(300);
        bench.start();
        bench.wait_for("pending");
        send(&bench.attempt, &answer()).unwrap();
        assert_eq!(bench.result().stopped, expected);
        assert_eq!(bench.log(), "0 welcome\n1 pending\n2 answered\n");
    }
}

fn finish() {
    let tool = |words: &[&str]| {
        let mut bench = bench(words);
        bench.spec.completion = orchestra_core::agent::Completion::Tool;
        bench
    };
    let mut finished = tool(&["finish"]);
    let AttemptOutcome::Succeeded { output } = finished.outcome() else { panic!() };
    assert_eq!(output.summary, "done");
    assert_eq!(finished.log(), "0 welcome\n1 noted\n2 the task was finished already\n");
    let AttemptOutcome::Failed { failure, .. } = tool(&["no-call"]).outcome() else { panic!() };
    assert_eq!(failure.kind, FailureKind::Protocol);
}
