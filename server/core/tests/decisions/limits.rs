//! What may be under way at once: by lane, by run, by agent.

use crate::support::{PlanBuilder, Simulator, limits, plan, succeeded};
use orchestra_core::state::Limits;

fn under_way(sim: &Simulator) -> usize {
    sim.under_way().len()
}

#[test]
fn each_lane_has_its_own_limit_and_inline_has_none() {
    let mut sim = Simulator::new(Limits { processes: 2, natives: 1, ..limits() });
    let mut builder = plan();
    for number in 0..4 {
        builder = builder.step(&format!("p{number}")).agent(&format!("agent-{number}"));
        builder = builder.step(&format!("n{number}")).native("todo.scan");
        builder = builder.step(&format!("i{number}")).inline();
    }
    sim.create(builder);
    assert_eq!(sim.order(), ["i0", "i1", "i2", "i3", "n0", "p0", "p1"]);
    sim.play(|_| succeeded());
    assert_eq!(sim.started.len(), 12);
}

#[test]
fn limits_count_all_runs_together() {
    let mut sim = Simulator::new(Limits { natives: 3, ..limits() });
    for _ in 0..4 {
        sim.create(plan().step("a").step("b"));
    }
    assert_eq!(under_way(&sim), 3);
}

#[test]
fn max_parallel_holds_for_its_run_alone_and_not_for_inline_steps() {
    let mut sim = Simulator::new(limits());
    let steps = |builder: PlanBuilder| {
        builder.step("a").step("b").agent("coder").step("c").step("i").inline()
    };
    let narrow = sim.create(steps(plan().max_parallel(1)));
    assert_eq!(sim.line(narrow), "running: a running, b ready, c ready, i running");
    let wide = sim.create(steps(plan()));
    assert_eq!(sim.line(wide), "running: a running, b running, c running, i running");
    sim.finish(narrow, "a", succeeded());
    assert_eq!(sim.line(narrow), "running: a succeeded, b ready, c running, i running");
}

#[test]
fn an_agent_takes_no_more_than_its_load_whichever_run_asks() {
    let mut sim = Simulator::new(limits());
    let two = || {
        let builder = plan().step("a").agent("coder").step("b").agent("coder").step("c").agent("x");
        builder.agent_profile("coder", |agent| agent.max_load = 3)
    };
    let (first, second) = (sim.create(two()), sim.create(two()));
    assert_eq!(sim.line(first), "running: a running, b running, c running");
    assert_eq!(sim.line(second), "running: a running, b ready, c ready");
    sim.finish(first, "b", succeeded());
    assert_eq!(sim.line(second), "running: a running, b running, c ready");
}

#[test]
fn a_native_action_that_is_named_like_an_agent_is_no_load_for_it() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").native("coder").step("b").agent("coder"));
    assert_eq!(sim.line(run), "running: a running, b running");
}

#[test]
fn who_cannot_start_does_not_hold_up_who_can() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(
        plan()
            .step("busy")
            .agent("coder")
            .step("stuck")
            .agent("coder")
            .priority(9)
            .step("also-stuck")
            .agent("coder")
            .step("free")
            .agent("tester")
            .priority(-9),
    );
    assert_eq!(sim.order(), ["stuck", "free"]);
    sim.finish(run, "stuck", succeeded());
    assert_eq!(sim.order(), ["stuck", "free", "busy"]);
}
