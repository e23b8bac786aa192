//! Who carries a task out: natives and agents, by mode, load and preference.

use crate::support::{Simulator, failed, limits, plan, succeeded};
use orchestra_core::{outcome::FailureKind, plan::Mode};

#[test]
fn where_the_native_action_fails_an_agent_takes_over() {
    let mut sim = Simulator::new(limits());
    let run =
        sim.create(plan().step("a").mode(Mode::Intelligent).native("deps.list").agent("coder"));
    assert_eq!(sim.attempts(run, "a")[0].why, "native action, mode intelligent");
    sim.finish(run, "a", failed());
    let attempts = sim.attempts(run, "a");
    assert_eq!(attempts[1].executor, "coder");
    assert_eq!(attempts[1].why, "the only candidate, after deps.list failed");
    sim.finish(run, "a", succeeded());
    assert_eq!(sim.line(run), "succeeded: a succeeded");
}

#[test]
fn where_no_agent_can_be_started_the_native_action_takes_over() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").agent("coder").native("deps.list").retry(3, 1_000));
    sim.finish(run, "a", crate::support::failed_as(FailureKind::NotStarted));
    let last = sim.attempts(run, "a").pop().unwrap();
    assert_eq!(last.executor, "deps.list");
    assert_eq!(last.why, "native action, mode intelligent, after coder failed");
}

#[test]
fn the_least_loaded_of_equals_is_chosen_and_the_preferred_one_of_those() {
    let mut sim = Simulator::new(limits());
    let mut builder = plan();
    for step in ["a", "b", "c", "d"] {
        builder = builder.step(step).agent("first").agent("second");
    }
    let builder = builder.agent_profile("first", |agent| agent.max_load = 3);
    let run = sim.create(builder.agent_profile("second", |agent| agent.max_load = 3));
    let who = |step: &str| sim.attempts(run, step)[0].executor.clone();
    assert_eq!(["a", "b", "c", "d"].map(who), ["first", "second", "first", "second"]);
    assert_eq!(sim.attempts(run, "c")[0].why, "least loaded of 2 candidates (1 under way)");
}

#[test]
fn a_fallback_is_not_asked_while_a_candidate_is_merely_busy() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(
        plan()
            .step("a")
            .agent("coder")
            .fallback("spare")
            .step("b")
            .agent("coder")
            .fallback("spare"),
    );
    assert_eq!(sim.line(run), "running: a running, b ready");
    sim.finish(run, "a", succeeded());
    assert_eq!(sim.attempts(run, "b")[0].executor, "coder");
}

#[test]
fn fallbacks_follow_in_their_order() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").agent("coder").fallback("one").fallback("two"));
    sim.play(|_| failed());
    let tried: Vec<String> =
        sim.attempts(run, "a").into_iter().map(|attempt| attempt.executor).collect();
    assert_eq!(tried, ["coder", "one", "two"]);
}
