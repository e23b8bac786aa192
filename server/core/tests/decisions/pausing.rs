//! Pausing: nothing new starts, what is under way goes on.

use crate::support::{Simulator, failed, limits, plan, succeeded};
use orchestra_core::decide::Target;

#[test]
fn what_is_under_way_goes_on_and_nothing_new_starts() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").step("b").needs(&["a"]));
    sim.pause(run).unwrap();
    assert_eq!(sim.pause(run), Ok(Vec::new()), "twice is no more than once");
    assert_eq!(sim.view(run).detail, "asked");
    sim.finish(run, "a", succeeded());
    sim.pass(1_000_000);
    assert_eq!(sim.line(run), "paused: a succeeded, b ready");
    sim.resume(run).unwrap();
    assert_eq!(sim.line(run), "running: a succeeded, b running");
    assert_eq!(sim.resume(run), Ok(Vec::new()), "twice is no more than once");
}

#[test]
fn a_retry_that_comes_due_while_paused_waits_for_the_resume() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").retry(1, 1_000));
    sim.finish(run, "a", failed());
    sim.pause(run).unwrap();
    sim.pass(5_000);
    assert_eq!(sim.line(run), "paused: a ready");
    assert!(!sim.pass_until_woken());
    sim.resume(run).unwrap();
    assert_eq!(sim.line(run), "running: a running");
}

#[test]
fn a_paused_run_ends_with_its_last_task_and_skips_what_has_no_hope() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").step("b").needs(&["a"]));
    sim.pause(run).unwrap();
    sim.finish(run, "a", failed());
    assert_eq!(sim.line(run), "failed: a failed, b skipped");
    let refusal = sim.resume(run).unwrap_err();
    assert_eq!(refusal.hint, "to try again what failed, use `orchestra retry r1`");
}

#[test]
fn a_paused_run_can_be_cancelled_and_retried() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().max_parallel(1).step("a").step("b"));
    sim.finish(run, "a", failed());
    sim.pause(run).unwrap();
    sim.retry(Target::Run(run)).unwrap();
    assert_eq!(sim.line(run), "paused: a ready, b running");
    sim.cancel(Target::Run(run)).unwrap();
    sim.finish(run, "b", crate::support::cancelled());
    assert_eq!(sim.line(run), "cancelled: a cancelled, b cancelled");
}

#[test]
fn only_a_running_run_is_paused_and_only_a_paused_one_resumed() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().approve_plan().step("a"));
    assert_eq!(sim.pause(run).unwrap_err().message, "r1 is not running");
    assert_eq!(sim.resume(run).unwrap_err().message, "r1 waits for approval");
    sim.approve(Target::Run(run)).unwrap();
    sim.cancel(Target::Run(run)).unwrap();
    assert_eq!(sim.pause(run).unwrap_err().message, "r1 is not running");
    assert_eq!(sim.resume(run).unwrap_err().message, "r1 is being stopped");
    assert_eq!(sim.retry(Target::Run(run)).unwrap_err().message, "r1 is being stopped");
}

#[test]
fn one_paused_run_does_not_hold_another() {
    let mut sim = Simulator::new(limits());
    let paused = sim.create(plan().approve_plan().step("a").priority(9));
    sim.approve(Target::Run(paused)).unwrap();
    sim.pause(paused).unwrap();
    let other = sim.create(plan().step("a"));
    assert_eq!(sim.line(other), "running: a running");
}
