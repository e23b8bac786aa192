//! Random histories: whatever people ask for, attempts do and machines suffer, the same things hold.
//!
//! After each step the simulator compares the state with a fold of the journal's text, the indices
//! with a look through all tasks, and checks every limit (`support/invariants.rs`). `PROPTEST_CASES` says
//! how many histories.

mod commands;
mod endings;
mod operations;
mod plans;

use crate::support::{Simulator, failed, limits, plan, wrote};
use commands::{Command, command};
use orchestra_core::{
    apply::apply,
    event::{Event, EventBody},
    ids::RunId,
    state::{Limits, State},
    time::Millis,
};
use plans::random_plan;
use proptest::{collection::vec, prelude::*};

fn random_limits() -> impl Strategy<Value = Limits> {
    (1..4u32, 1..4u32, prop_oneof![Just(0u64), 1..100_000u64]).prop_map(
        |(processes, natives, ageing)| Limits {
            processes,
            natives,
            ageing: Millis(ageing),
            ..limits()
        },
    )
}

fn history(
    seed: u64,
    limits: Limits,
    plans: Vec<orchestra_core::plan::Plan>,
    commands: &[Command],
) -> Simulator {
    let mut sim = Simulator::new(limits).with_seed(seed);
    sim.make_reviews(false);
    let mut plans = plans.into_iter();
    commands::carry_out(&mut sim, &Command::Create, &mut plans);
    for command in commands {
        commands::carry_out(&mut sim, command, &mut plans);
    }
    sim
}

proptest! {
    /// Everything that starts ends, each once, and nothing waits for ever: once people answer and
    /// attempts end, every run does.
    #[test]
    fn whatever_happens_every_history_can_be_brought_to_its_end(
        seed in any::<u64>(),
        limits in random_limits(),
        plans in vec(random_plan(), 1..4),
        commands in vec(command(), 1..60),
    ) {
        let mut sim = history(seed, limits, plans, &commands);
        sim.crash();
        endings::bring_to_an_end(&mut sim);
        endings::check(&sim);
        operations::check(&sim);
    }

    /// The same of a workspace in which all work is done, and people only judge, apply and take back.
    #[test]
    fn whatever_is_done_with_results_can_be_brought_to_its_end(
        seed in any::<u64>(),
        commands in vec(commands::about_results(), 1..80),
    ) {
        let mut sim = Simulator::new(limits()).with_seed(seed);
        for _ in 0..2 {
            let steps = plan().step("s0").agent("one").step("s1").agent("two").step("s2");
            let run = sim.create(steps);
            sim.finish(run, "s0", wrote("aa"));
            sim.finish(run, "s1", wrote("bb"));
            sim.finish(run, "s2", failed());
        }
        sim.make_reviews(false);
        for command in &commands {
            commands::carry_out(&mut sim, command, &mut std::iter::empty());
        }
        sim.crash();
        endings::bring_to_an_end(&mut sim);
        endings::check(&sim);
        operations::check(&sim);
    }

    /// State is per run: runs can be folded one after the other, however their events interleave,
    /// and one that has been forgotten can be folded again.
    #[test]
    fn runs_fold_by_themselves(
        seed in any::<u64>(),
        plans in vec(random_plan(), 2..4),
        commands in vec(command(), 1..60),
    ) {
        let sim = history(seed, limits(), plans, &commands);
        let runs: Vec<RunId> = sim.state.runs().map(|run| run.id).collect();
        let mut state = State::new(limits(), 1);
        for run in runs.iter().rev() {
            fold(&mut state, &sim, *run);
        }
        prop_assert_eq!(&state, &sim.state);
        for run in runs {
            state.forget(run);
            prop_assert!(state.audit().is_ok());
            if state.run(run).is_none() {
                fold(&mut state, &sim, run);
            }
        }
        prop_assert_eq!(&state, &sim.state);
    }

    /// A journal whose events are missing, doubled or out of order is refused where it goes wrong,
    /// and never leaves a state that contradicts itself.
    #[test]
    fn a_garbled_journal_is_refused_and_does_no_harm(
        seed in any::<u64>(),
        plans in vec(random_plan(), 1..3),
        commands in vec(command(), 1..40),
        picks in vec(any::<prop::sample::Index>(), 1..80),
    ) {
        let sim = history(seed, limits(), plans, &commands);
        let events: Vec<&Event> = sim.journal.iter().flatten().collect();
        let mut state = State::new(limits(), 1);
        let created = |event: &&&Event| matches!(event.body, EventBody::RunCreated { .. });
        for event in events.iter().filter(created) {
            apply(&mut state, event).unwrap();
        }
        for pick in picks {
            let before = state.clone();
            if let Err(error) = apply(&mut state, events[pick.index(events.len())]) {
                prop_assert_eq!(&state, &before, "{}", error);
            }
            prop_assert!(state.audit().is_ok());
        }
    }
}

fn fold(state: &mut State, sim: &Simulator, run: RunId) {
    for event in sim.journal.iter().flatten().filter(|event| event.run == run) {
        apply(state, event).unwrap();
    }
}
