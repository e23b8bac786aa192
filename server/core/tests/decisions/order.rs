//! In which order ready tasks start: priority, then first in first out, with ageing.

use crate::support::{Simulator, limits, plan, succeeded};
use orchestra_core::{state::Limits, time::Millis};

fn one_at_a_time(ageing: u64) -> Simulator {
    Simulator::new(Limits { natives: 1, processes: 1, ageing: Millis(ageing), ..limits() })
}

#[test]
fn higher_priority_goes_first_and_equals_in_the_order_of_the_plan() {
    let mut sim = one_at_a_time(60_000);
    sim.create(
        plan().step("low").priority(-1).step("b").step("high").priority(5).step("c").step("d"),
    );
    sim.play(|_| succeeded());
    assert_eq!(sim.order(), ["high", "b", "c", "d", "low"]);
}

#[test]
fn among_equals_the_first_to_be_ready_goes_first_whatever_its_run() {
    let mut sim = one_at_a_time(60_000);
    let first = sim.create(plan().step("a").step("late").needs(&["a"]));
    sim.pass(10);
    sim.create(plan().step("b").step("c"));
    sim.pass(10);
    sim.finish(first, "a", succeeded());
    sim.play(|_| succeeded());
    assert_eq!(sim.order(), ["a", "b", "c", "late"]);
}

#[test]
fn one_step_of_ageing_is_worth_one_priority() {
    for (waited, first) in [(9_999, "urgent"), (10_001, "old")] {
        let mut sim = one_at_a_time(10_000);
        let busy = sim.create(plan().step("busy").step("old").priority(-1));
        sim.pass(waited);
        sim.create(plan().step("urgent"));
        sim.finish(busy, "busy", succeeded());
        assert_eq!(sim.order()[1], first, "after {waited} ms");
    }
}

#[test]
fn a_low_priority_starts_although_higher_ones_keep_coming() {
    let mut sim = one_at_a_time(10_000);
    let low = sim.create(plan().step("busy").priority(1).step("low").priority(-5));
    let mut rounds = 0;
    while !sim.order().contains(&"low".to_owned()) {
        rounds += 1;
        assert!(rounds < 1_000, "low waits for ever");
        sim.create(plan().step("high").priority(5));
        sim.pass(1_000);
        let attempt = sim.first_under_way().unwrap();
        sim.end(attempt, succeeded());
    }
    // Ten priorities apart, and one made up for every ten seconds.
    assert_eq!(rounds, 101);
    assert_eq!(sim.line(low), "running: busy succeeded, low running");
}

#[test]
fn without_ageing_time_only_the_time_of_arrival_counts() {
    let mut sim = one_at_a_time(0);
    let busy = sim.create(plan().step("busy").step("old").priority(-9));
    sim.pass(1);
    sim.create(plan().step("urgent").priority(9));
    sim.finish(busy, "busy", succeeded());
    assert_eq!(sim.order(), ["busy", "old"]);
}

#[test]
fn a_task_that_is_tried_again_stands_in_line_from_when_it_came_due() {
    let mut sim = one_at_a_time(60_000);
    let run = sim.create(plan().step("a").retry(1, 1_000).step("b").step("c"));
    sim.finish(run, "a", crate::support::failed());
    sim.pass(2_000);
    sim.play(|_| succeeded());
    assert_eq!(sim.order(), ["a", "b", "c", "a"]);
}
