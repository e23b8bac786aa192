//! The time of runs and of attempts, and changing it.

use crate::support::{Simulator, cancelled, failed, limits, plan, succeeded};
use orchestra_core::{
    decide::Target,
    event::EventBody,
    outcome::StopReason,
    pending::{Effect, next_wake},
    time::Millis,
};

#[test]
fn a_run_whose_time_is_up_stops_and_keeps_what_it_has() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().run_timeout(10_000).step("a").step("b").step("c").needs(&["b"]));
    sim.finish(run, "a", succeeded());
    assert!(sim.pass_until_woken());
    assert_eq!(sim.now, sim.view(run).created.after(Millis(10_000)));
    assert_eq!(sim.line(run), "stopping: a succeeded, b stopping, c cancelled");
    let attempt = sim.attempt(run, "b");
    assert!(sim.has(Effect::Stop { attempt, reason: StopReason::Timeout }));
    sim.end(attempt, cancelled());
    assert_eq!(sim.line(run), "timed-out: a succeeded, b timed-out, c cancelled");
    assert_eq!(sim.task_view(run, "b").detail, "timed out after 10.0s", "the run's limit");
}

#[test]
fn a_run_that_had_done_everything_when_its_time_was_up_has_succeeded() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().run_timeout(10_000).step("a"));
    sim.pass_until_woken();
    sim.finish(run, "a", succeeded());
    assert_eq!(sim.line(run), "succeeded: a succeeded");
}

#[test]
fn the_clock_stands_still_while_only_a_person_is_waited_for() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(
        plan().approve_plan().run_timeout(10_000).step("a").step("b").needs(&["a"]).approve(),
    );
    sim.pass(60_000);
    sim.approve(Target::Run(run)).unwrap();
    sim.pass(6_000);
    sim.finish(run, "a", succeeded());
    assert_eq!(next_wake(&sim.state, sim.now), None);
    sim.pass(60_000);
    assert_eq!(sim.line(run), "running: a succeeded, b awaiting-approval");
    sim.approve(Target::Run(run)).unwrap();
    sim.pass(3_999);
    assert_eq!(sim.line(run), "running: a succeeded, b running");
    sim.pass(1);
    assert_eq!(sim.line(run), "stopping: a succeeded, b stopping");
}

#[test]
fn the_clock_goes_on_while_a_person_and_something_else_are_waited_for() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().run_timeout(10_000).step("a").step("b").approve());
    sim.pass(10_000);
    assert_eq!(sim.line(run), "stopping: a stopping, b cancelled");
}

#[test]
fn a_pause_stops_the_clock_and_a_back_off_does_not() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().run_timeout(10_000).step("a").retry(1, 8_000));
    sim.pass(4_000);
    sim.pause(run).unwrap();
    sim.pass(100_000);
    sim.resume(run).unwrap();
    sim.finish(run, "a", failed());
    sim.pass(5_999);
    assert_eq!(sim.line(run), "running: a delayed");
    sim.pass(1);
    assert_eq!(sim.line(run), "timed-out: a cancelled");
}

#[test]
fn a_retried_run_has_its_whole_time_again() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().run_timeout(10_000).step("a"));
    sim.pass(10_000);
    sim.finish(run, "a", cancelled());
    assert_eq!(sim.line(run), "timed-out: a timed-out");
    sim.pass(50_000);
    sim.retry(Target::Run(run)).unwrap();
    sim.pass(9_999);
    assert_eq!(sim.line(run), "running: a running");
    sim.pass(1);
    assert_eq!(sim.line(run), "stopping: a stopping");
}

#[test]
fn a_run_can_be_given_more_time_or_less() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().run_timeout(10_000).step("a"));
    sim.set_timeout(Target::Run(run), 20_000).unwrap();
    sim.pass(15_000);
    assert_eq!(sim.line(run), "running: a running");
    sim.set_timeout(Target::Run(run), 15_000).unwrap();
    assert_eq!(sim.line(run), "stopping: a stopping", "less than it has used up");
    sim.finish(run, "a", cancelled());
    let refusal = sim.set_timeout(Target::Run(run), 20_000).unwrap_err();
    assert_eq!(refusal.message, "r1 has ended already");
}

#[test]
fn a_tasks_new_time_out_reaches_its_attempt_once() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").timeout(1_000).retry(1, 0));
    let task = Target::Task(sim.task(run, "a"));
    let attempt = sim.attempt(run, "a");
    let change = |ms| Effect::ChangeTimeout { attempt, timeout: Millis(ms) };

    sim.set_timeout(task, 5_000).unwrap();
    assert!(sim.has(change(5_000)));
    assert_eq!(sim.set_timeout(task, 5_000), Ok(Vec::new()), "said twice");
    sim.crash();
    assert!(sim.has(change(5_000)), "and again after a crash");

    sim.finish(run, "a", failed());
    let attempts = sim.attempts(run, "a");
    assert_eq!(attempts.iter().map(|attempt| attempt.timeout.0).collect::<Vec<_>>(), [5_000; 2]);
    assert!(!sim.is_told_a_timeout(run, "a"));
}

#[test]
fn a_time_out_that_is_changed_back_is_changed_back() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").timeout(1_000));
    let task = Target::Task(sim.task(run, "a"));
    sim.set_timeout(task, 5_000).unwrap();
    sim.set_timeout(task, 1_000).unwrap();
    let attempt = sim.attempt(run, "a");
    let back = Effect::ChangeTimeout { attempt, timeout: Millis(1_000) };
    assert!(sim.has(back));
    assert_eq!(sim.attempts(run, "a")[0].timeout, Millis(1_000));
}

#[test]
fn a_waiting_tasks_new_time_out_holds_from_its_start() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").step("b").needs(&["a"]).agent("coder"));
    let b = sim.task(run, "b");
    sim.set_timeout(Target::Task(b), 5_000).unwrap();
    let events = sim.finish(run, "a", succeeded());
    let timeout = events.iter().find_map(|event| match &event.body {
        EventBody::AttemptStarted(started) => Some(started.timeout),
        _ => None,
    });
    assert_eq!(timeout, Some(Millis(5_000)));
    assert!(!sim.is_told_a_timeout(run, "b"));
}

#[test]
fn a_time_out_comes_from_the_step_else_from_its_agent() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(
        plan()
            .step("own")
            .agent("coder")
            .timeout(1_000)
            .step("agents")
            .agent("tester")
            .step("default")
            .agent_profile("tester", |agent| agent.timeout = Millis(2_000)),
    );
    let timeout = |step| sim.attempts(run, step)[0].timeout;
    assert_eq!(
        ["own", "agents", "default"].map(timeout),
        [Millis(1_000), Millis(2_000), Millis::minutes(30),]
    );
}

#[test]
fn what_came_due_while_nobody_looked_is_due_now() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").retry(1, 1_000));
    sim.finish(run, "a", failed());
    sim.crash();
    sim.now = sim.now.after(Millis(60_000));
    assert_eq!(next_wake(&sim.state, sim.now), Some(sim.now));
    sim.pass(0);
    assert_eq!(sim.line(run), "running: a running");
}

#[test]
fn no_time_at_all_is_refused() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a"));
    let refusal = sim.set_timeout(Target::Run(run), 0).unwrap_err();
    assert_eq!(refusal.hint, "to end it now, use `orchestra cancel r1`");
}

#[test]
fn a_clock_that_was_set_back_uses_up_no_time() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().run_timeout(10_000).step("a").step("b").needs(&["a"]).approve());
    sim.pass(5_000);
    sim.now.0 -= 100_000;
    sim.finish(run, "a", succeeded());
    sim.approve(Target::Run(run)).unwrap();
    sim.pass(9_999);
    assert_eq!(sim.line(run), "running: a succeeded, b running");
}
