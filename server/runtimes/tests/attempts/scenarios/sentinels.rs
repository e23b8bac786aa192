//! Agents that say how they ended by a file.

use super::{Scenario, bench::Bench};
use orchestra_core::{
    agent::Completion,
    outcome::{AttemptOutcome, FailureKind},
    time::Millis,
};
use orchestra_runtimes::attempt::{End, StopCause, outcome};
use serde_json::json;

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("a_done_sentinel_is_success_and_summary", done),
    ("a_done_sentinel_may_hold_a_result", done_with_result),
    ("an_error_sentinel_is_failure", error),
    ("an_error_wins_over_done", both),
    ("no_sentinel_breaks_the_promise", missing),
    ("no_sentinel_is_fine_for_an_agent_that_promised_none", not_promised),
    ("done_does_not_excuse_a_bad_exit", done_and_bad_exit),
    ("an_agent_that_runs_on_after_its_sentinel_is_ended", runs_on),
    ("an_agent_without_the_promise_may_run_on", may_run_on),
    ("without_a_watch_the_sentinel_is_found_all_the_same", without_watch),
];

const DONE: &str = "echo done > $ORCHESTRA_DIR/tasks/r1.2.done";

fn sentinel_bench(script: &str) -> Bench {
    let mut bench = Bench::new(script);
    bench.spec.completion = Completion::Sentinel;
    bench
}

fn failure_of(script: &str) -> (FailureKind, String) {
    match sentinel_bench(script).outcome() {
        AttemptOutcome::Failed { failure, .. } => (failure.kind, failure.message),
        outcome => panic!("{outcome:?}"),
    }
}

fn done() {
    let script =
        "echo noise; printf 'wrote the parser\\nin three files' > $ORCHESTRA_DIR/tasks/r1.2.done";
    let AttemptOutcome::Succeeded { output } = sentinel_bench(script).outcome() else { panic!() };
    assert_eq!((output.summary.as_str(), output.result), ("wrote the parser", json!(null)));
}

fn done_with_result() {
    let script = r#"echo '{"summary": "two bugs", "result": {"bugs": [1, 2]}}' > $ORCHESTRA_DIR/tasks/r1.2.done"#;
    let AttemptOutcome::Succeeded { output } = sentinel_bench(script).outcome() else { panic!() };
    assert_eq!((output.summary.as_str(), output.result), ("two bugs", json!({"bugs": [1, 2]})));
}

fn error() {
    let failure = failure_of("echo 'no network' > $ORCHESTRA_DIR/tasks/r1.2.error");
    let message = "agent `tester` reported an error: no network".to_owned();
    assert_eq!(failure, (FailureKind::Work, message));
    let (_, message) = failure_of(": > $ORCHESTRA_DIR/tasks/r1.2.error");
    assert_eq!(message, "agent `tester` reported an error: it did not say why");
}

fn both() {
    let (kind, message) =
        failure_of(&format!("{DONE}; echo bad > $ORCHESTRA_DIR/tasks/r1.2.error"));
    assert_eq!((kind, message.ends_with("an error: bad")), (FailureKind::Work, true));
}

fn missing() {
    let (kind, message) = failure_of("echo bye");
    assert_eq!(kind, FailureKind::Protocol);
    assert_eq!(
        message,
        "agent `tester` ended without writing `tasks/r1.2.done` or `tasks/r1.2.error`; last it wrote: bye"
    );
}

fn not_promised() {
    assert!(matches!(Bench::new("echo bye").outcome(), AttemptOutcome::Succeeded { .. }));
}

fn done_and_bad_exit() {
    let (kind, _) = failure_of(&format!("{DONE}; exit 3"));
    assert_eq!(kind, FailureKind::Exit);
}

fn runs_on() {
    let mut bench = sentinel_bench(&format!("{DONE}; exec sleep 1000"));
    bench.spec.sentinel_wait = Millis(20);
    let result = bench.run();
    assert_eq!(result.end, End::Signalled { signal: 15 });
    assert_eq!(result.stopped, Some(StopCause::SentinelWait));
    let AttemptOutcome::Succeeded { output } = outcome(&result, &bench.spec) else { panic!() };
    assert_eq!(output.summary, "done");
}

fn may_run_on() {
    let mut bench = Bench::new(&format!("{DONE}; echo up > $ready; read line < $go"));
    let go = bench.pipe("go");
    bench.spec.sentinel_wait = Millis(0);
    bench.start_until("up");
    std::fs::write(go, "1\n").unwrap();
    let result = bench.result();
    assert_eq!((result.end, result.stopped), (End::Exited { code: 0 }, None));
}

fn without_watch() {
    // There is nothing to watch until the agent has made the folder.
    let mut bench = sentinel_bench(&format!("mkdir $ORCHESTRA_DIR/tasks; {DONE}; exec sleep 1000"));
    std::fs::remove_dir(bench.spec.out().join("tasks")).unwrap();
    bench.spec.sentinel_wait = Millis(1);
    let result = bench.run();
    assert_eq!(result.stopped, Some(StopCause::SentinelWait));
}
