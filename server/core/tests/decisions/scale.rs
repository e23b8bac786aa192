//! Large plans: every step is started and ended once, in time that grows with their number alone.

use crate::support::{PlanBuilder, Simulator, failed, limits, lost, plan, succeeded};
use orchestra_core::{pending::pending, state::Limits, view::RunStatus};
use std::time::Instant;

/// Plays the plan to its end and says how long that took.
fn play(name: &str, limits: Limits, builder: PlanBuilder) -> Simulator {
    let mut sim = Simulator::unchecked(limits);
    let begun = Instant::now();
    let run = sim.create(builder);
    while let Some(attempt) = sim.first_under_way() {
        sim.end(attempt, succeeded());
        // As a shell does after each step.
        sim.state.run(run).unwrap().view();
    }
    println!("{name}: {:?}", begun.elapsed());
    let view = sim.view(run);
    assert_eq!(view.status, RunStatus::Succeeded);
    assert_eq!(view.tasks_ended, view.tasks);
    assert_eq!(sim.started.len(), view.tasks as usize);
    sim.state.audit().unwrap();
    sim
}

fn chain(length: usize, each: impl Fn(PlanBuilder, usize) -> PlanBuilder) -> PlanBuilder {
    let mut builder = plan();
    for number in 0..length {
        builder = each(builder.step(&format!("s{number}")), number);
        if number > 0 {
            builder = builder.needs(&[&format!("s{}", number - 1)]);
        }
    }
    builder
}

#[test]
fn ten_thousand_steps_in_a_row() {
    play("10,000 in a row", limits(), chain(10_000, |builder, _| builder.inline()));
}

#[test]
fn two_thousand_steps_that_read_the_one_before() {
    let builder = chain(2_000, |builder, number| match number {
        0 => builder.inline(),
        _ => builder.inline().prompt(&format!("{{{{ steps.s{}.summary }}}}", number - 1)),
    });
    play("2,000 in a row with prompts", limits(), builder);
}

#[test]
fn a_thousand_steps_at_once_and_a_join() {
    let names: Vec<String> = (0..1_000).map(|number| format!("s{number}")).collect();
    let mut builder = plan();
    for name in &names {
        builder = builder.step(name).inline();
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let sim = play("1,000 at once", limits(), builder.step("join").inline().needs(&names));
    let batch = sim.journal[0].len();
    assert_eq!(batch, 1_001, "all start in the step that creates the run");
}

/// Many tasks that wait for one thing are not looked at one by one each time something ends.
#[test]
fn ten_thousand_steps_behind_one_busy_agent() {
    let mut builder = plan();
    for number in 0..10_000 {
        builder = builder.step(&format!("s{number}")).agent("coder");
    }
    play("10,000 for one agent", limits(), builder);
}

#[test]
fn ten_thousand_steps_one_at_a_time() {
    let mut builder = plan().max_parallel(1);
    for number in 0..10_000 {
        builder = builder.step(&format!("s{number}"));
    }
    play("10,000 with max_parallel 1", limits(), builder);
}

#[test]
fn ten_thousand_steps_that_came_due_together() {
    let mut sim = Simulator::unchecked(Limits { natives: 1_000_000, ..limits() });
    let mut builder = plan();
    for number in 0..10_000 {
        builder = builder.step(&format!("s{number}")).retry(1, 1_000);
    }
    let begun = Instant::now();
    let run = sim.create(builder);
    assert_eq!(pending(&sim.state).len(), 10_000);
    sim.pause(run).unwrap();
    for attempt in sim.under_way() {
        sim.end(attempt, if attempt.task().path()[0] % 2 == 0 { lost() } else { failed() });
    }
    sim.resume(run).unwrap();
    sim.pass(10_000);
    for attempt in sim.under_way() {
        sim.end(attempt, succeeded());
    }
    println!("10,000 retries: {:?}", begun.elapsed());
    assert_eq!(sim.view(run).status, RunStatus::Succeeded);
    assert_eq!(sim.started.len(), 20_000);
}
