//! What the agents of a run get to see: one snapshot, taken when the run starts.

use crate::support::{
    Simulator, cancelled, failed, limits, no_snapshot, plan, snapshot, succeeded, wrote,
};
use orchestra_core::{
    decide::{InputKind, Target},
    event::EventBody,
    ids::RunId,
    state::SnapshotState,
};

fn fails(sim: &mut Simulator, run: RunId) {
    sim.send(InputKind::SnapshotEnded { run, result: Err(no_snapshot()) }).unwrap();
}

/// The commit that the last attempt was given.
fn base_of_last(sim: &Simulator) -> Option<String> {
    let last = sim.journal.iter().flatten().rev().find_map(|event| match &event.body {
        EventBody::AttemptStarted(started) => Some(started.base.clone()),
        _ => None,
    });
    last.expect("an attempt has started")
}

#[test]
fn agents_wait_for_the_snapshot_and_natives_do_not() {
    let mut sim = Simulator::new(limits());
    let plan = plan().step("scan").step("write").agent("coder");
    let run = sim.create_without_snapshot(plan);
    assert_eq!(sim.snapshots(), [run]);
    assert_eq!(sim.line(run), "running: scan running, write ready");
    assert_eq!(base_of_last(&sim), None);
    sim.take_snapshot(run);
    assert_eq!(sim.line(run), "running: scan running, write running");
    assert_eq!(base_of_last(&sim), Some(snapshot(run).commit));
    assert_eq!(sim.view(run).snapshot, Some(snapshot(run)));
}

#[test]
fn an_agent_starts_from_the_work_that_it_needs() {
    let mut sim = Simulator::new(limits());
    let plan = plan()
        .step("write")
        .agent("coder")
        .step("look")
        .agent("reader")
        .needs(&["write"])
        .step("review")
        .agent("reviewer")
        .needs(&["write", "look"])
        .step("other")
        .agent("writer")
        .step("join")
        .agent("joiner")
        .needs(&["review", "other"]);
    let run = sim.create(plan);
    sim.finish(run, "write", wrote("aa"));
    assert_eq!(base_of_last(&sim).as_deref(), Some("aa"));
    sim.finish(run, "look", succeeded());
    assert_eq!(base_of_last(&sim).as_deref(), Some("aa"), "also by way of one that only read");
    sim.finish(run, "review", succeeded());
    sim.finish(run, "other", wrote("bb"));
    let base = base_of_last(&sim);
    assert_eq!(
        base,
        Some(snapshot(run).commit),
        "a plan without a merge prefers none of two works"
    );
}

#[test]
fn a_run_without_agents_takes_none() {
    let mut sim = Simulator::new(limits());
    let run = sim.create_without_snapshot(plan().step("scan"));
    assert_eq!(sim.snapshots(), []);
    assert_eq!(sim.state.run(run).unwrap().snapshot, SnapshotState::NotNeeded);
}

#[test]
fn it_is_taken_while_a_plan_waits_for_approval() {
    let mut sim = Simulator::new(limits());
    let run = sim.create_without_snapshot(plan().approve_plan().step("write").agent("coder"));
    assert_eq!(sim.snapshots(), [run]);
    sim.take_snapshot(run);
    assert_eq!(sim.line(run), "awaiting-approval: write ready");
    sim.approve(Target::Run(run)).unwrap();
    assert_eq!(sim.line(run), "running: write running");
}

#[test]
fn without_one_attempts_of_agents_start_with_no_base_and_a_retry_takes_it_anew() {
    let mut sim = Simulator::new(limits());
    let run = sim.create_without_snapshot(plan().step("write").agent("coder"));
    fails(&mut sim, run);
    assert_eq!(base_of_last(&sim), None);
    assert_eq!(sim.state.run(run).unwrap().snapshot, SnapshotState::Failed(no_snapshot()));
    sim.finish(run, "write", failed());
    assert_eq!(sim.snapshots(), []);
    sim.retry(Target::Run(run)).unwrap();
    assert_eq!(sim.snapshots(), [run]);
    sim.take_snapshot(run);
    assert_eq!(base_of_last(&sim), Some(snapshot(run).commit));
    sim.finish(run, "write", failed());
    sim.retry(Target::Run(run)).unwrap();
    assert_eq!(sim.snapshots(), [], "one that was taken is what the run is about");
    sim.finish(run, "write", succeeded());
    assert_eq!(sim.line(run), "succeeded: write succeeded");
}

#[test]
fn a_run_that_ends_before_it_needs_none_and_when_retried_takes_it_after_all() {
    let mut sim = Simulator::new(limits());
    let run = sim.create_without_snapshot(plan().step("write").agent("coder"));
    sim.cancel(Target::Run(run)).unwrap();
    assert_eq!(sim.line(run), "cancelled: write cancelled");
    assert_eq!(sim.snapshots(), []);
    assert_eq!(sim.take_snapshot(run), [], "it comes too late");
    sim.retry(Target::Run(run)).unwrap();
    assert_eq!(sim.snapshots(), [run]);
    sim.take_snapshot(run);
    sim.finish(run, "write", cancelled());
    assert_eq!(sim.line(run), "cancelled: write cancelled");
}
