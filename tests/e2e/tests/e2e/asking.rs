//! Agents that ask a person, keep things for one another, and say when they are done, through their tools.

use orchestra_testkit::{Sandbox, eventually};
use serde_json::Value;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

/// A trusted repository with one agent that runs this, in which `$tool` calls tools.
fn sandbox(source: &str) -> Sandbox {
    with_front_matter("", source)
}

fn with_front_matter(front_matter: &str, source: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    agent(&sandbox, "coder", front_matter, source);
    sandbox.git_repo([("a", "b")]).trust();
    sandbox
}

fn agent(sandbox: &Sandbox, name: &str, front_matter: &str, source: &str) {
    let source = format!("tool='{}'\n{source}", sandbox.tool());
    sandbox.agent_script_with(name, front_matter, &source);
}

/// Waits until so many questions wait for an answer, and returns them.
#[track_caller]
fn open(sandbox: &Sandbox, count: usize) -> Vec<Value> {
    eventually(&format!("{count} questions are open"), LIMIT, || {
        let listed = sandbox.orchestra(["decide", "--json"]).run().success().json();
        let open = listed["decisions"].as_array().cloned().unwrap_or_default();
        (open.len() == count).then_some(open)
    })
}

#[track_caller]
fn log(sandbox: &Sandbox, task: &str) -> String {
    sandbox.orchestra(["logs", task]).run().success().stdout
}

const COLOUR: &str = r#"{"question": "Which colour?",
    "choices": [{"id": "red", "label": "as it was"}, {"id": "green"}], "default": "red"}"#;

fn asks_colour() -> String {
    format!("$tool ask_decision '{COLOUR}'")
}

#[test]
fn an_agent_asks_a_person_answers_and_the_agent_goes_on() {
    let sandbox = sandbox(&asks_colour());
    let following = sandbox.orchestra(["start", "coder", "go", "--follow"]).spawn();
    let asked = &open(&sandbox, 1)[0];
    assert_eq!(asked["id"], "r1/d1");
    assert_eq!(asked["question"], "Which colour?");
    sandbox
        .orchestra(["decide"])
        .run()
        .success()
        .stdout_has("r1/d1\tcoder\t")
        .stdout_has("red, green\tWhich colour?");
    let shown = sandbox.orchestra(["decide", "r1/d1"]).run().success().stdout;
    assert!(shown.contains("red  as it was (if nobody answers)"), "{shown}");
    assert!(shown.contains("answer with: orchestra decide r1/d1 red|green"), "{shown}");
    sandbox.orchestra(["status"]).run().success().stdout_has("a task is waiting for an answer");
    sandbox.orchestra(["show", "r1"]).run().success().stdout_has("r1/d1 coder asks: Which colour?");

    sandbox.orchestra(["decide", "r1/d1", "green"]).run().success();

    let followed = following.wait(LIMIT).success();
    assert!(followed.stderr.contains("orchestra decide r1/d1 red|green"), "{}", followed.stderr);
    assert_eq!(log(&sandbox, "r1.1"), "a person has answered: green\n");
    sandbox.orchestra(["decide"]).run().success().stdout_has("nothing waits for an answer");
    sandbox
        .orchestra(["show", "r1.1"])
        .run()
        .success()
        .stdout_has("answered by a person, ")
        .stdout_has(": green");
}

#[test]
fn an_answer_given_twice_counts_once() {
    let sandbox = sandbox(&asks_colour());
    sandbox.orchestra(["start", "coder", "go"]).run().success();
    open(&sandbox, 1);
    sandbox.orchestra(["decide", "r1/d1", "blue"]).run().code(2).stderr_has("no choice `blue`");
    sandbox.orchestra(["decide", "r1/d1", "green"]).run().success();
    let second = sandbox.orchestra(["decide", "r1/d1", "red"]).run();
    assert!(
        second.stderr.contains("r1/d1 was answered already: `green`, by a person"),
        "{second:?}"
    );
    sandbox.orchestra(["decide", "r1/d9", "red"]).run().code(2);
    sandbox.orchestra(["decide", "r7/d1", "red"]).run().code(2);
    sandbox.wait_for_status("r1", "succeeded");
    assert_eq!(log(&sandbox, "r1.1"), "a person has answered: green\n");
}

#[test]
fn a_question_survives_the_daemon_and_is_answered_through_the_next_one() {
    let sandbox = sandbox(&asks_colour());
    sandbox.orchestra(["start", "coder", "go"]).run().success();
    open(&sandbox, 1);
    for process in sandbox.processes() {
        if process.command_line.contains("daemon __serve") {
            sandbox.command("kill").args(["-9", &process.pid.to_string()]).run().success();
        }
    }
    assert_eq!(open(&sandbox, 1)[0]["id"], "r1/d1", "no daemon is needed to see it");
    sandbox.orchestra(["decide", "r1/d1", "green"]).run().success();
    sandbox.wait_for_status("r1", "succeeded");
    assert_eq!(log(&sandbox, "r1.1"), "a person has answered: green\n");
    let asked =
        sandbox.events("r1").iter().filter(|e| e["body"]["type"] == "decision-asked").count();
    assert_eq!(asked, 1);
}

#[test]
fn a_question_that_nobody_answers_takes_its_default_and_does_not_use_up_the_agents_time() {
    // Its time-out is shorter than the wait for the person.
    let sandbox = with_front_matter("timeout: 2s", &asks_colour());
    sandbox.configure("[decision]\ntimeout = \"3s\"\n");
    sandbox.orchestra(["start", "coder", "go", "--follow"]).run().success();
    let expected = "nobody answered in time, so the default counts: red\n";
    assert_eq!(log(&sandbox, "r1.1"), expected);
}

#[test]
fn an_agent_that_waits_in_vain_is_told_to_ask_again_and_hears_the_answer_then() {
    let source = format!("{}\n$tool get_decision '{{\"id\": \"q1\"}}'", asks_colour());
    let sandbox = sandbox(&source);
    sandbox.configure("[decision]\nwait = \"500ms\"\n");
    sandbox.orchestra(["start", "coder", "go"]).run().success();
    open(&sandbox, 1);
    eventually("it was told to ask again", LIMIT, || {
        let so_far = sandbox.orchestra(["logs", "r1.1"]).run().stdout;
        so_far.contains("pending: nobody has answered yet").then_some(())
    });
    sandbox.orchestra(["decide", "r1/d1", "green"]).run().success();
    sandbox.wait_for_status("r1", "succeeded");
    let log = log(&sandbox, "r1.1");
    assert!(log.contains("(a person sees it as r1/d1)"), "{log}");
}

#[test]
fn an_agent_that_asks_and_asks_is_refused_and_goes_on() {
    let source = "set --\nfor n in $(seq 1000); do\n\
        set -- \"$@\" ask_decision \"{\\\"question\\\": \\\"Number $n?\\\"}\"\ndone\n$tool \"$@\"; true";
    let sandbox = sandbox(source);
    sandbox.configure("[decision]\nwait = \"50ms\"\nmax_open = 3\n");
    sandbox.orchestra(["start", "coder", "go", "--follow"]).run().success();
    let log = log(&sandbox, "r1.1");
    let told = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    let refused = told("r1.1@1 has 3 open questions, and no more are allowed");
    assert_eq!(refused + told("pending: "), 1000, "{log}");
    assert!(refused > 900, "{log}");
    let events = sandbox.events("r1");
    let count = |kind: &str| events.iter().filter(|event| event["body"]["type"] == kind).count();
    assert_eq!((count("decision-asked"), count("decision-withdrawn")), (3, 3));
}

#[test]
fn a_question_of_a_killed_shim_is_withdrawn_and_the_next_try_asks_anew() {
    let sandbox = sandbox(&asks_colour());
    sandbox.orchestra(["start", "coder", "go"]).run().success();
    open(&sandbox, 1);
    for process in sandbox.processes() {
        if process.command_line.contains("__shim") {
            sandbox.command("kill").args(["-9", &process.pid.to_string()]).run().success();
        }
    }
    let asked = eventually("the next try asks", LIMIT, || {
        let open = open(&sandbox, 1);
        (open[0]["id"] == "r1/d2").then_some(open)
    });
    assert_eq!(asked[0]["attempt"], "r1.1@2");
    let late = sandbox.orchestra(["decide", "r1/d1", "green"]).run();
    assert!(late.stderr.contains("r1/d1 needs no answer any more: whoever asked has ended"));
    sandbox.orchestra(["decide", "r1/d2", "green"]).run().success();
    sandbox.wait_for_status("r1", "succeeded");
}

#[test]
fn a_decision_has_a_file_that_says_how_it_stands() {
    let sandbox = sandbox(&asks_colour());
    sandbox.orchestra(["start", "coder", "go"]).run().success();
    open(&sandbox, 1);
    let path = ".orchestra/workspace/decisions/r1-d1.md";
    eventually("the file is there", LIMIT, || {
        sandbox.workspace().join(path).is_file().then_some(())
    });
    let text = sandbox.read(path);
    assert!(
        text.contains("Which colour?") && text.contains("orchestra decide r1/d1 red|green"),
        "{text}"
    );
    sandbox.orchestra(["decide", "r1/d1", "green"]).run().success();
    eventually("the file says how it was answered", LIMIT, || {
        sandbox.read(path).contains("Answered by a person").then_some(())
    });
    sandbox.wait_for_status("r1", "succeeded");
}
