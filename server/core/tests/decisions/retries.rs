//! Failures: another try, the next executor, or the end.

use crate::support::{
    Simulator, failed, failed_as, limits, lost, never_started, plan, succeeded, timed_out,
};
use orchestra_core::{
    decide::Target, event::EventBody, outcome::FailureKind, plan::Retry, time::Millis,
    view::TaskStatus,
};

/// The waits between the attempts of a task that always fails.
fn waits(seed: u64, max: u32, backoff: u64) -> Vec<u64> {
    let mut sim = Simulator::new(limits()).with_seed(seed);
    let run = sim.create(plan().step("a").retry(max, backoff));
    let mut waits = Vec::new();
    for _ in 0..max {
        let failed_at = sim.now;
        sim.finish(run, "a", failed());
        assert_eq!(sim.task_view(run, "a").status, TaskStatus::Delayed);
        assert!(sim.pass_until_woken());
        waits.push(sim.now.since(failed_at).0);
    }
    sim.finish(run, "a", failed());
    assert_eq!(sim.line(run), "failed: a failed");
    waits
}

#[test]
fn waits_double_with_up_to_a_fifth_of_jitter() {
    for seed in 0..50 {
        for (wait, base) in waits(seed * 1_000, 4, 2_000).into_iter().zip([2_000, 4_000, 8_000]) {
            assert!((base..base + base / 5).contains(&wait), "{wait} for {base}");
        }
    }
    assert_ne!(
        waits(1, 3, 2_000),
        waits(100, 3, 2_000),
        "what failed together comes back together"
    );
}

#[test]
fn no_wait_is_longer_than_the_longest_and_its_jitter() {
    let longest = Retry::LONGEST_BACKOFF.0;
    for wait in waits(3, 70, longest / 2).into_iter().skip(1) {
        assert!((longest..longest + longest / 5).contains(&wait), "{wait}");
    }
}

#[test]
fn without_a_backoff_the_retry_comes_at_once() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").retry(1, 0));
    sim.finish(run, "a", failed());
    assert_eq!(sim.line(run), "running: a running");
    sim.finish(run, "a", succeeded());
    assert_eq!(sim.line(run), "succeeded: a succeeded");
}

#[test]
fn each_executor_has_its_retries_and_then_the_next_takes_over() {
    let mut sim = Simulator::new(limits());
    let run = sim
        .create(plan().step("a").agent("first").agent("second").fallback("last").retry(1, 1_000));
    sim.play(|_| failed());
    let tries: Vec<(String, String)> =
        sim.attempts(run, "a").into_iter().map(|attempt| (attempt.executor, attempt.why)).collect();
    let expected = [
        ("first", "first by name of first, second"),
        ("first", "retry 1 of 1"),
        ("second", "the only candidate, after first failed: exit code 3"),
        ("second", "retry 1 of 1"),
        ("last", "fallback, after second failed: exit code 3"),
        ("last", "retry 1 of 1"),
    ];
    assert_eq!(tries, expected.map(|(who, why)| (who.to_owned(), why.to_owned())));
    assert_eq!(sim.line(run), "failed: a failed");
    assert_eq!(sim.task_view(run, "a").output.unwrap().summary, "half", "partial work is kept");
}

#[test]
fn a_retry_goes_to_who_failed_even_when_another_is_idle() {
    let mut sim = Simulator::new(limits());
    let agents = |builder: crate::support::PlanBuilder| {
        builder.agent("first").agent("second").retry(1, 1_000)
    };
    let run = sim.create(agents(agents(plan().step("a")).step("b")));
    assert_eq!(sim.attempts(run, "b")[0].executor, "second");
    sim.finish(run, "b", failed());
    sim.finish(run, "a", succeeded());
    sim.pass_until_woken();
    assert_eq!(sim.attempts(run, "b")[1].executor, "second");
}

#[test]
fn what_cannot_be_started_goes_to_the_next_at_once() {
    for kind in [FailureKind::NotStarted, FailureKind::Environment, FailureKind::Template] {
        let mut sim = Simulator::new(limits());
        let run = sim.create(plan().step("a").agent("first").fallback("second").retry(5, 60_000));
        sim.finish(run, "a", failed_as(kind));
        let attempts = sim.attempts(run, "a");
        assert_eq!(attempts.len(), 2, "{kind:?}");
        assert_eq!(attempts[1].executor, "second");
        sim.finish(run, "a", failed_as(kind));
        assert_eq!(sim.line(run), "failed: a failed");
    }
}

#[test]
fn a_timed_out_attempt_is_tried_again_and_ends_as_timed_out() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").timeout(500).retry(1, 0));
    sim.finish(run, "a", timed_out(500));
    assert_eq!(sim.line(run), "running: a running");
    sim.finish(run, "a", timed_out(500));
    assert_eq!(sim.line(run), "failed: a timed-out");
    assert_eq!(sim.task_view(run, "a").detail, "timed out after 500ms");
}

#[test]
fn vanished_attempts_are_tried_again_at_once_and_use_up_no_retry() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").retry(1, 1_000));
    sim.finish(run, "a", lost());
    sim.finish(run, "a", never_started());
    sim.finish(run, "a", failed());
    assert_eq!(sim.task_view(run, "a").status, TaskStatus::Delayed, "the retry is still there");
    sim.pass_until_woken();
    sim.finish(run, "a", lost());
    sim.finish(run, "a", never_started());
    sim.finish(run, "a", succeeded());
    assert_eq!(sim.line(run), "succeeded: a succeeded");
    assert_eq!(sim.attempts(run, "a").len(), 6);
}

#[test]
fn three_vanished_in_a_row_fail_the_task() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").retry(9, 0));
    sim.finish(run, "a", lost());
    sim.finish(run, "a", never_started());
    sim.finish(run, "a", lost());
    assert_eq!(sim.line(run), "failed: a failed");
    let failure = sim.task_view(run, "a").failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Environment);
    assert_eq!(failure.message, "3 attempts in a row vanished: its shim died");
}

#[test]
fn a_task_that_failed_by_vanishing_may_vanish_again_when_retried() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a"));
    for _ in 0..3 {
        sim.finish(run, "a", lost());
    }
    sim.retry(Target::Run(run)).unwrap();
    sim.finish(run, "a", lost());
    sim.finish(run, "a", lost());
    assert_eq!(sim.line(run), "running: a running");
}

#[test]
fn a_vanished_fallback_is_still_said_to_stand_in_for_who_failed() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").agent("first").fallback("second"));
    sim.finish(run, "a", failed());
    sim.finish(run, "a", lost());
    assert_eq!(sim.attempts(run, "a")[2].why, "fallback, after first failed: exit code 3");
}

#[test]
fn an_executor_that_is_listed_twice_is_given_up_once() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").agent("first").agent("first").agent("second"));
    sim.play(|_| failed());
    let tried: Vec<String> =
        sim.attempts(run, "a").into_iter().map(|attempt| attempt.executor).collect();
    assert_eq!(tried, ["first", "second"]);
}

#[test]
fn the_end_of_an_attempt_counts_once() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").retry(3, 1_000));
    let attempt = sim.attempt(run, "a");
    sim.end(attempt, failed());
    assert_eq!(sim.end(attempt, failed()), []);
    assert_eq!(sim.end(attempt, succeeded()), []);
    sim.pass_until_woken();
    assert_eq!(sim.end(attempt, succeeded()), [], "it belongs to the attempt before");
    assert_eq!(sim.line(run), "running: a running");
}

#[test]
fn a_clock_that_was_set_back_does_not_hold_a_retry_for_ever() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").retry(1, 1_000));
    sim.finish(run, "a", failed());
    sim.now.0 -= Millis::minutes(60 * 24).0 as i64;
    sim.pass(0);
    assert_eq!(sim.line(run), "running: a running");
}

#[test]
fn a_retried_task_starts_with_a_clean_slate() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").agent("first").fallback("second").retry(1, 0));
    sim.play(|_| failed());
    let task = sim.task(run, "a");
    sim.retry(Target::Task(task)).unwrap();
    sim.play(|_| failed());
    let tried: Vec<String> =
        sim.attempts(run, "a").into_iter().map(|attempt| attempt.executor).collect();
    let once = ["first", "first", "second", "second"];
    assert_eq!(tried, [once, once].concat());
    let ends = sim
        .journal
        .iter()
        .flatten()
        .filter(|event| matches!(event.body, EventBody::TaskEnded { .. }));
    assert_eq!(ends.count(), 2);
}
