//! Random plans: acyclic, small, with every feature now and then.

use crate::support::{PlanBuilder, plan};
use orchestra_core::plan::{ApplyPolicy, Plan};
use proptest::{collection::vec, option, prelude::*};

#[derive(Debug, Clone)]
struct Step {
    /// Which of the steps before it needs, one bit each.
    needs: u16,
    executors: u8,
    retry: (u32, u64),
    priority: i32,
    when: Option<u8>,
    approve: bool,
    bad_prompt: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let rarely = || prop::bool::weighted(0.1);
    (
        prop_oneof![Just(0u16), any::<u16>(), (0..12u16).prop_map(|bit| 1 << bit)],
        0..6u8,
        (0..3u32, prop_oneof![Just(0u64), 1..20_000u64]),
        -2..3i32,
        option::weighted(0.25, 0..4u8),
        rarely(),
        rarely(),
    )
        .prop_map(|(needs, executors, retry, priority, when, approve, bad_prompt)| Step {
            needs,
            executors,
            retry,
            priority,
            when,
            approve,
            bad_prompt,
        })
}

pub(super) fn random_plan() -> impl Strategy<Value = Plan> {
    (
        vec(step(), 0..9),
        option::weighted(0.3, 1..3u32),
        option::weighted(0.3, 1..60_000u64),
        prop::bool::weighted(0.2),
        any::<bool>(),
        0..3u8,
    )
        .prop_map(|(steps, max_parallel, timeout, approve, backwards, policy)| {
            let policy = match policy {
                0 => ApplyPolicy::Review,
                1 => ApplyPolicy::Auto,
                _ => ApplyPolicy::Branch,
            };
            let mut builder = plan().apply(policy).agent_profile("two", |agent| agent.max_load = 2);
            if let Some(max) = max_parallel {
                builder = builder.max_parallel(max);
            }
            if let Some(timeout) = timeout {
                builder = builder.run_timeout(timeout);
            }
            if approve {
                builder = builder.approve_plan();
            }
            let mut steps: Vec<(usize, Step)> = steps.into_iter().enumerate().collect();
            // Needs may as well come later in the file.
            if backwards {
                steps.reverse();
            }
            steps.iter().fold(builder, |builder, (at, step)| add(builder, *at, step)).build()
        })
}

fn add(builder: PlanBuilder, at: usize, step: &Step) -> PlanBuilder {
    let needs: Vec<String> =
        (0..at).filter(|bit| step.needs & (1 << bit) != 0).map(|bit| format!("s{bit}")).collect();
    let builder = builder
        .step(&format!("s{at}"))
        .needs(&needs.iter().map(String::as_str).collect::<Vec<_>>())
        .retry(step.retry.0, step.retry.1)
        .priority(step.priority);
    let builder = match step.executors {
        0 => builder.inline(),
        1 => builder.native("todo.scan"),
        2 => builder.agent("one").agent("two").fallback("three"),
        3 => builder.native("todo.scan").agent("one"),
        4 => builder.agent("two").native("todo.scan").agent("one"),
        _ => builder.inline().agent("two"),
    };
    let builder = match (step.when, needs.first()) {
        (Some(0), _) => builder.when("false"),
        (Some(1), Some(need)) => builder.when(&format!("steps.{need}.status == 'succeeded'")),
        (Some(2), _) => builder.when("params.nothing"),
        (Some(_), _) => builder.when("true"),
        (None, _) => builder,
    };
    let builder = if step.approve { builder.approve() } else { builder };
    if step.bad_prompt { builder.prompt("{{ params.nothing }}") } else { builder }
}
