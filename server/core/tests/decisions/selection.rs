//! Who carries a task out: natives and agents, by mode, load and preference.

use crate::support::{PlanBuilder, Simulator, failed, limits, plan, succeeded};
use orchestra_core::{outcome::FailureKind, plan::Mode, selection::Criterion};

#[test]
fn where_the_native_action_fails_an_agent_takes_over() {
    let mut sim = Simulator::new(limits());
    let run =
        sim.create(plan().step("a").mode(Mode::Intelligent).native("deps.list").agent("coder"));
    assert_eq!(sim.attempts(run, "a")[0].why, "native action, mode intelligent");
    sim.finish(run, "a", failed());
    let attempts = sim.attempts(run, "a");
    assert_eq!(attempts[1].executor, "coder");
    assert_eq!(attempts[1].why, "the only candidate, after deps.list failed: exit code 3");
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
    assert_eq!(last.why, "native action, mode intelligent, after coder failed: exit code 3");
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
    assert_eq!(sim.attempts(run, "b")[0].why, "least loaded of first (1 running), second (0)");
    assert_eq!(sim.attempts(run, "c")[0].why, "first by name of first, second");
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

/// Three agents for one step: `busy` has one attempt under way, `broad` a higher priority and more
/// capabilities, `narrow` neither.
fn three(order: &[Criterion]) -> PlanBuilder {
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    plan()
        .order(order)
        .step("first")
        .agent("busy")
        .step("a")
        .capability("testing")
        .agent("broad")
        .agent("busy")
        .agent("narrow")
        .agent_profile("busy", |agent| {
            (agent.max_load, agent.priority) = (2, 9);
            agent.capabilities = words(&["testing"]);
        })
        .agent_profile("broad", |agent| {
            agent.priority = 5;
            agent.capabilities = words(&["testing", "debugging"]);
        })
        .agent_profile("narrow", |agent| agent.capabilities = words(&["testing"]))
}

#[test]
fn the_reason_says_who_was_considered_and_what_decided() {
    let why = |order: &[Criterion]| {
        let mut sim = Simulator::new(limits());
        let run = sim.create(three(order));
        let chosen = sim.attempts(run, "a").remove(0);
        format!("{}: {}", chosen.executor, chosen.why)
    };
    assert_eq!(
        why(&[]),
        "broad: highest priority of broad (5), narrow (0); passed over: busy (1 running); needs testing"
    );
    assert_eq!(
        why(&[Criterion::Priority]),
        "busy: highest priority of broad (5), busy (9), narrow (0); needs testing"
    );
    assert_eq!(
        why(&[Criterion::Specialised]),
        "narrow: least loaded of busy (1 running), narrow (0); \
         passed over: broad (0 running); needs testing"
    );
    assert_eq!(
        why(&[Criterion::Name]),
        "broad: first by name of broad, busy, narrow; needs testing"
    );
}

#[test]
fn whoever_is_at_the_limit_is_passed_over_and_named() {
    let plan = plan().step("first").agent("busy").step("a").agent("busy").agent("free");
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan.capability("testing"));
    assert_eq!(
        sim.attempts(run, "a")[0].why,
        "the only one with a free place; passed over: busy (1 running, at its limit); needs testing"
    );
}

#[test]
fn the_next_candidate_is_told_how_the_one_before_failed() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(three(&[]));
    sim.finish(run, "a", failed());
    let attempts = sim.attempts(run, "a");
    assert_eq!(attempts[1].executor, "narrow");
    assert_eq!(
        attempts[1].why,
        "least loaded of busy (1 running), narrow (0); needs testing, after broad failed: exit code 3"
    );
}

#[test]
fn a_long_list_of_candidates_is_cut_and_counted() {
    let mut builder = plan().step("a");
    for number in 0..9 {
        builder = builder.agent(&format!("n{number}"));
    }
    let mut sim = Simulator::new(limits());
    let run = sim.create(builder);
    assert_eq!(sim.attempts(run, "a")[0].why, "first by name of n0, n1, n2, n3, n4, n5 and 3 more");
}
