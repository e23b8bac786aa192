//! Cancelling runs and tasks, wherever they stand.

use crate::support::{Simulator, cancelled, failed, limits, lost, plan, succeeded};
use orchestra_core::{
    decide::{RefusalKind, Target},
    event::EventBody,
    outcome::StopReason,
    pending::Effect,
};

#[test]
fn before_its_approval_a_run_ends_at_once() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().approve_plan().step("a").step("b").needs(&["a"]));
    sim.cancel(Target::Run(run)).unwrap();
    assert_eq!(sim.line(run), "cancelled: a cancelled, b cancelled");
    assert_eq!(sim.started, []);
}

#[test]
fn a_run_that_was_cancelled_before_its_approval_still_needs_it_when_retried() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().approve_plan().step("a"));
    sim.cancel(Target::Run(run)).unwrap();
    sim.retry(Target::Run(run)).unwrap();
    assert_eq!(sim.line(run), "awaiting-approval: a ready");
    sim.approve(Target::Run(run)).unwrap();
    assert_eq!(sim.line(run), "running: a running");
    sim.cancel(Target::Run(run)).unwrap();
    sim.finish(run, "a", cancelled());
    sim.retry(Target::Run(run)).unwrap();
    assert_eq!(sim.line(run), "running: a running", "approved once, it is approved");
}

#[test]
fn what_waits_ends_and_what_runs_is_told_to_stop() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(
        plan()
            .max_parallel(2)
            .step("runs")
            .step("delayed")
            .retry(1, 60_000)
            .step("ready")
            .priority(-1)
            .step("asks")
            .approve()
            .step("waits")
            .needs(&["runs"]),
    );
    sim.finish(run, "delayed", failed());
    sim.cancel(Target::Run(run)).unwrap();
    let runs = sim.attempt(run, "runs");
    assert_eq!(
        sim.line(run),
        "stopping: runs stopping, delayed cancelled, ready stopping, asks cancelled, \
         waits cancelled"
    );
    assert!(sim.has(Effect::Stop { attempt: runs, reason: StopReason::Person }));
    assert_eq!(sim.cancel(Target::Run(run)), Ok(Vec::new()), "twice is no more than once");
    sim.finish(run, "runs", cancelled());
    sim.finish(run, "ready", cancelled());
    assert_eq!(sim.view(run).status.as_str(), "cancelled");
    let refusal = sim.cancel(Target::Run(run)).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::WrongState);
    assert_eq!(refusal.message, "r1 has ended already");
    assert!(!sim.pass_until_woken(), "the retry is gone");
}

#[test]
fn a_stop_is_sent_again_after_a_crash() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a"));
    sim.cancel(Target::Run(run)).unwrap();
    sim.crash();
    let attempt = sim.attempt(run, "a");
    assert!(sim.is_told_to_stop(attempt));
    sim.end(attempt, lost());
    assert_eq!(sim.line(run), "cancelled: a cancelled", "lost while it was stopped");
}

#[test]
fn work_that_was_done_before_the_word_arrived_counts() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a"));
    sim.cancel(Target::Run(run)).unwrap();
    sim.finish(run, "a", succeeded());
    assert_eq!(sim.line(run), "succeeded: a succeeded");
}

#[test]
fn a_cancelled_task_is_not_retried_by_its_own_means() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").agent("first").fallback("second").retry(3, 0));
    let task = sim.task(run, "a");
    sim.cancel(Target::Task(task)).unwrap();
    assert_eq!(sim.line(run), "running: a stopping");
    assert_eq!(sim.cancel(Target::Task(task)), Ok(Vec::new()), "twice is no more than once");
    sim.finish(run, "a", failed());
    assert_eq!(sim.line(run), "cancelled: a cancelled");
    assert_eq!(sim.task_view(run, "a").output.unwrap().summary, "half", "partial work is kept");
}

#[test]
fn a_cancelled_task_takes_along_what_needs_it_and_nothing_else() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(
        plan()
            .step("first")
            .step("middle")
            .needs(&["first"])
            .step("last")
            .needs(&["middle"])
            .step("beside")
            .needs(&["first"]),
    );
    let middle = sim.task(run, "middle");
    sim.cancel(Target::Task(middle)).unwrap();
    assert_eq!(
        sim.line(run),
        "running: first running, middle cancelled, last skipped, beside waiting"
    );
    assert_eq!(sim.task_view(run, "last").detail, "middle did not succeed");
    sim.play(|_| succeeded());
    assert_eq!(
        sim.line(run),
        "cancelled: first succeeded, middle cancelled, last skipped, beside succeeded"
    );
}

#[test]
fn delayed_and_asking_tasks_can_be_cancelled() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("delayed").retry(1, 1_000).step("asks").approve());
    sim.finish(run, "delayed", failed());
    for step in ["delayed", "asks"] {
        let task = sim.task(run, step);
        sim.cancel(Target::Task(task)).unwrap();
    }
    assert_eq!(sim.line(run), "cancelled: delayed cancelled, asks cancelled");
}

#[test]
fn a_cancelled_waiting_task_is_not_woken_by_its_needs() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").step("b").needs(&["a"]));
    let b = sim.task(run, "b");
    sim.cancel(Target::Task(b)).unwrap();
    sim.finish(run, "a", succeeded());
    assert_eq!(sim.line(run), "cancelled: a succeeded, b cancelled");
    sim.retry(Target::Task(b)).unwrap();
    assert_eq!(sim.line(run), "running: a succeeded, b running");
}

#[test]
fn what_is_not_there_cannot_be_cancelled() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a"));
    for target in [Target::Run("r9".parse().unwrap()), Target::Task("r1.2".parse().unwrap())] {
        let refusal = sim.cancel(target).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::NotFound);
        assert!(refusal.message.contains(&target.to_string()), "{refusal}");
    }
    let child = Target::Task("r1.1.1".parse().unwrap());
    assert_eq!(sim.cancel(child).unwrap_err().kind, RefusalKind::NotFound);
    assert_eq!(sim.line(run), "running: a running");
}

#[test]
fn each_task_ends_once_even_when_dependents_come_first_in_the_plan() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().approve_plan().step("b").needs(&["a"]).step("a"));
    let events = sim.cancel(Target::Run(run)).unwrap();
    let ends = events.iter().filter(|event| matches!(event.body, EventBody::TaskEnded { .. }));
    assert_eq!(ends.count(), 2);
    assert_eq!(sim.line(run), "cancelled: b cancelled, a cancelled");
}
