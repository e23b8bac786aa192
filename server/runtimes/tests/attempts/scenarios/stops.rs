//! Agents that are told to stop, and agents whose time is up.

use super::{
    Scenario,
    bench::{Bench, is_running},
};
use orchestra_core::{
    outcome::{AttemptOutcome, Output, StopReason},
    time::Millis,
};
use orchestra_runtimes::attempt::{
    AttemptResult, End, Found, Holder, InboxMessage, Sent, ShimEvent, StopCause, outcome, probe,
    send,
};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("a_cancel_ends_an_agent_that_obeys", cancel_running),
    ("an_agent_that_ignores_the_request_is_killed", ignores_the_request),
    ("a_cancel_reaches_every_session", cancel_reaches_everybody),
    ("a_stopped_process_hears_of_the_end", stopped_process),
    ("the_group_is_asked_once", asked_once),
    ("a_cancel_before_the_shim_means_that_it_never_starts", cancel_before_the_claim),
    ("a_cancel_that_waits_in_the_inbox_keeps_the_agent_from_starting", cancel_before_the_agent),
    ("a_cancel_sent_twice_is_one", cancel_twice),
    ("a_cancel_after_the_end_changes_nothing", cancel_after_the_end),
    ("time_is_up", time_out),
    ("the_time_can_be_changed_while_it_runs", time_out_changed),
    ("more_time_lets_an_agent_finish", more_time),
    ("an_unreadable_message_keeps_no_other_back", unreadable_message),
];

const CANCEL: InboxMessage = InboxMessage::Cancel { reason: StopReason::Person };
const FOR_EVER: &str = "echo up > $ready; exec sleep 1000";

/// The output of an agent that has said nothing.
fn held_by(result: &AttemptResult) -> Output {
    Output { confined: result.confined, ..Output::default() }
}

fn cancel_running() {
    let mut bench = Bench::new(FOR_EVER);
    bench.start_until("up");
    assert_eq!(send(&bench.attempt, &CANCEL).unwrap(), Sent::Delivered { number: 1 });
    let result = bench.result();
    let cause = StopCause::Asked { reason: StopReason::Person };
    assert_eq!(result.end, End::Signalled { signal: 15 });
    assert_eq!((result.stopped, result.leftovers), (Some(cause), 0));
    let cancelled = AttemptOutcome::Cancelled { output: held_by(&result) };
    assert_eq!(outcome(&result, &bench.spec), cancelled);
    let events = bench.events();
    let expected = [
        ShimEvent::Stopping { cause },
        ShimEvent::Acknowledged { number: 1, decision: None },
        ShimEvent::Ended,
    ];
    assert!(matches!(events[0], ShimEvent::Started { .. }));
    assert_eq!(events[1..], expected);
}

fn ignores_the_request() {
    let mut bench = Bench::new("trap '' TERM; echo up > $ready; while :; do sleep 1000; done");
    bench.spec.grace = Millis(20);
    bench.start_until("up");
    send(&bench.attempt, &InboxMessage::Cancel { reason: StopReason::Timeout }).unwrap();
    let result = bench.result();
    assert_eq!(result.end, End::Signalled { signal: 9 });
    let limit = bench.spec.timeout;
    let timed_out = AttemptOutcome::TimedOut { limit, output: held_by(&result) };
    assert_eq!(outcome(&result, &bench.spec), timed_out);
}

fn cancel_reaches_everybody() {
    let mut bench = Bench::new(
        "setsid env -i PATH=$PATH ready=$ready sh -c 'cd /; printf %10d\\\\n $$ > $ready; exec sleep 1000' &
         (setsid sh -c 'printf %10d\\\\n $$ > $ready; exec sleep 1000' &)
         exec sleep 1000",
    );
    bench.start();
    let children = [bench.heard_pid(), bench.heard_pid()];
    send(&bench.attempt, &CANCEL).unwrap();
    let result = bench.result();
    assert_eq!(result.end, End::Signalled { signal: 15 });
    assert!(children.iter().all(|&pid| !is_running(pid)), "{children:?}");
}

fn stopped_process() {
    let mut bench =
        Bench::new("setsid sh -c 'printf %10d\\\\n $$ > $ready; kill -STOP $$' & exec sleep 1000");
    bench.start();
    let child = bench.heard_pid();
    send(&bench.attempt, &CANCEL).unwrap();
    bench.result();
    assert!(!is_running(child));
}

fn asked_once() {
    // A shell takes note of each request, and waits for a second one that must not come.
    let mut bench = Bench::new(
        "trap 'echo asked; echo asked > $ready' TERM; echo up > $ready; \
         until [ \"$line\" = 1 ]; do { read line < $go; } 2> /dev/null; done",
    );
    let go = bench.pipe("go");
    bench.start_until("up");
    send(&bench.attempt, &CANCEL).unwrap();
    bench.wait_for("asked");
    std::fs::write(&go, "1\n").unwrap();
    let result = bench.result();
    assert!(matches!(result.end, End::Exited { .. }), "{result:?}");
    assert_eq!(bench.log(), "asked\n");
}

fn cancel_before_the_claim() {
    let mut bench = Bench::new("echo must not run");
    bench.create();
    assert_eq!(send(&bench.attempt, &CANCEL).unwrap(), Sent::NeverStarts);
    assert_eq!(bench.attempt.claim().unwrap().unwrap().holder, Holder::Tombstone);
    bench.spawn();
    bench.wait_for_shims();
    assert!(matches!(probe(&bench.attempt).unwrap(), Found::NeverStarted));
    assert!(!bench.attempt.log_path().exists());
}

fn cancel_before_the_agent() {
    let mut bench = Bench::new("echo must not run");
    bench.create();
    // As a daemon leaves it that dies before it takes the tombstone: the message, and no claim.
    send(&bench.attempt, &InboxMessage::Timeout { timeout: Millis(1) }).unwrap();
    std::fs::write(
        bench.attempt.path().join("inbox/000002.json"),
        r#"{"version":1,"body":{"type":"cancel","reason":"person"}}"#,
    )
    .unwrap();
    bench.spawn();
    let result = bench.result();
    assert_eq!((result.end.clone(), result.started_at), (End::NotRun, None));
    assert!(matches!(outcome(&result, &bench.spec), AttemptOutcome::Cancelled { .. }));
    assert!(!bench.attempt.log_path().exists());
}

fn cancel_twice() {
    let mut bench = Bench::new(
        "trap 'echo asked > $ready; read line < $go; exit 0' TERM; echo up > $ready; while :; do read line < $never; done",
    );
    let go = bench.pipe("go");
    bench.pipe("never");
    bench.start_until("up");
    assert_eq!(send(&bench.attempt, &CANCEL).unwrap(), Sent::Delivered { number: 1 });
    bench.wait_for("asked");
    assert_eq!(send(&bench.attempt, &CANCEL).unwrap(), Sent::Delivered { number: 1 });
    std::fs::write(&go, "1\n").unwrap();
    let result = bench.result();
    assert!(matches!(outcome(&result, &bench.spec), AttemptOutcome::Cancelled { .. }));
    let acknowledged = |event: &&ShimEvent| matches!(event, ShimEvent::Acknowledged { .. });
    assert_eq!(bench.events().iter().filter(acknowledged).count(), 1);
}

fn cancel_after_the_end() {
    let mut bench = Bench::new("true");
    let result = bench.run();
    assert_eq!(send(&bench.attempt, &CANCEL).unwrap(), Sent::Delivered { number: 1 });
    assert_eq!(bench.result(), result);
}

fn time_out() {
    let mut bench = Bench::new("echo half of it; exec sleep 1000");
    bench.spec.timeout = Millis(30);
    let result = bench.run();
    assert_eq!(result.stopped, Some(StopCause::TimedOut { limit: Millis(30) }));
    let AttemptOutcome::TimedOut { limit, output } = outcome(&result, &bench.spec) else {
        panic!("{result:?}")
    };
    assert_eq!((limit, output.summary.as_str()), (Millis(30), "half of it"));
}

fn time_out_changed() {
    let mut bench = Bench::new(FOR_EVER);
    bench.start_until("up");
    let message = InboxMessage::Timeout { timeout: Millis(1) };
    assert_eq!(send(&bench.attempt, &message).unwrap(), Sent::Delivered { number: 1 });
    let result = bench.result();
    assert_eq!(result.stopped, Some(StopCause::TimedOut { limit: Millis(1) }));
}

fn more_time() {
    let mut bench = Bench::new("echo up > $ready; read line < $go; echo done");
    let go = bench.pipe("go");
    bench.spec.timeout = Millis(3_000);
    bench.start_until("up");
    send(&bench.attempt, &InboxMessage::Timeout { timeout: Millis::minutes(5) }).unwrap();
    // What is read next is read after it: messages are taken in order.
    send(&bench.attempt, &InboxMessage::Timeout { timeout: Millis::minutes(6) }).unwrap();
    std::fs::write(go, "1\n").unwrap();
    let result = bench.result();
    assert_eq!((result.end, result.stopped), (End::Exited { code: 0 }, None));
}

fn unreadable_message() {
    let mut bench = Bench::new(FOR_EVER);
    bench.start_until("up");
    let newer = r#"{"version":9,"body":{"type":"sing"}}"#;
    std::fs::write(bench.attempt.path().join("inbox/000001.json"), newer).unwrap();
    assert_eq!(send(&bench.attempt, &CANCEL).unwrap(), Sent::Delivered { number: 2 });
    let result = bench.result();
    assert!(result.stopped.is_some());
    assert!(result.log.problem.unwrap().contains("000001.json: has format 9"));
    assert!(!bench.events().contains(&ShimEvent::Acknowledged { number: 1, decision: None }));
    assert!(bench.events().contains(&ShimEvent::Acknowledged { number: 2, decision: None }));
}
