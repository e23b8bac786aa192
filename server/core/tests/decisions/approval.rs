//! Waiting for a person: for a whole plan, and for single steps.

use crate::support::{Simulator, limits, plan, succeeded};
use orchestra_core::decide::Target;

#[test]
fn nothing_starts_before_the_plan_is_approved() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().approve_plan().step("a").step("b").inline());
    assert_eq!(sim.line(run), "awaiting-approval: a ready, b ready");
    sim.pass(1_000_000);
    assert_eq!(sim.started, []);
    sim.approve(Target::Run(run)).unwrap();
    assert_eq!(sim.line(run), "running: a running, b running");
    let refusal = sim.approve(Target::Run(run)).unwrap_err();
    assert_eq!(refusal.message, "nothing in r1 waits for approval");
}

#[test]
fn conditions_are_known_before_a_person_is_asked() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().approve_plan().step("a").when("false").step("b").needs(&["a"]));
    assert_eq!(sim.line(run), "awaiting-approval: a skipped, b ready");
}

#[test]
fn a_step_waits_for_its_own_approval_once_its_needs_have_ended() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").step("b").needs(&["a"]).approve());
    let b = sim.task(run, "b");
    let refusal = sim.approve(Target::Task(b)).unwrap_err();
    assert_eq!(refusal.message, "r1.2 does not wait for approval");
    sim.finish(run, "a", succeeded());
    assert_eq!(sim.line(run), "running: a succeeded, b awaiting-approval");
    sim.approve(Target::Task(b)).unwrap();
    assert_eq!(sim.line(run), "running: a succeeded, b running");
}

#[test]
fn approving_a_running_run_approves_the_steps_that_wait() {
    let mut sim = Simulator::new(limits());
    let run = sim
        .create(plan().step("a").approve().step("b").approve().step("c").needs(&["a"]).approve());
    sim.approve(Target::Run(run)).unwrap();
    assert_eq!(sim.line(run), "running: a running, b running, c waiting");
    sim.finish(run, "a", succeeded());
    assert_eq!(sim.line(run), "running: a succeeded, b running, c awaiting-approval");
}

#[test]
fn the_plan_and_its_steps_are_approved_separately() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().approve_plan().step("a").approve());
    let a = sim.task(run, "a");
    sim.approve(Target::Task(a)).unwrap();
    assert_eq!(sim.line(run), "awaiting-approval: a ready");
    sim.approve(Target::Run(run)).unwrap();
    assert_eq!(sim.line(run), "running: a running");

    let other = sim.create(plan().approve_plan().step("a").approve());
    sim.approve(Target::Run(other)).unwrap();
    assert_eq!(sim.line(other), "running: a awaiting-approval");
}

#[test]
fn a_step_that_is_approved_while_paused_starts_when_resumed() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").approve());
    sim.pause(run).unwrap();
    sim.approve(Target::Run(run)).unwrap();
    assert_eq!(sim.line(run), "paused: a ready");
    sim.resume(run).unwrap();
    assert_eq!(sim.line(run), "running: a running");
}

#[test]
fn approved_once_a_step_is_not_asked_for_again() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").approve().retry(1, 1_000));
    sim.approve(Target::Run(run)).unwrap();
    sim.finish(run, "a", crate::support::failed());
    sim.pass_until_woken();
    sim.finish(run, "a", crate::support::failed());
    sim.retry(Target::Run(run)).unwrap();
    assert_eq!(sim.line(run), "running: a running");
}
