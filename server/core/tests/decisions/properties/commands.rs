//! What can happen to a workspace, at random.

use super::operations;
use crate::support::{
    Simulator, cancelled, confined, failed, failed_as, lost, never_started, no_snapshot, snapshot,
    succeeded, timed_out, verified, wrote,
};
use orchestra_core::{
    decide::{InputKind, Target},
    evidence::Verdict,
    ids::{AttemptId, DecisionId, RunId, TaskId},
    outcome::{AttemptOutcome, FailureKind},
    plan::Plan,
};
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

#[derive(Debug, Clone)]
pub(super) enum Command {
    Create,
    Approve(AnyTarget),
    Cancel(AnyTarget),
    Retry(AnyTarget),
    SetTimeout(AnyTarget, u64),
    Pause(Index),
    Resume(Index),
    /// An attempt under way ends; told of it twice, that changes nothing.
    End {
        which: Index,
        how: u8,
        twice: bool,
    },
    /// What the agents of a run get to see becomes known, or that it cannot be.
    EndSnapshot {
        which: Index,
        fails: bool,
    },
    /// An attempt under way asks under one of a few keys.
    Ask {
        which: Index,
        key: u8,
        has_default: bool,
    },
    /// A person answers one of the first decisions of a run, there or not, with a choice or without.
    Answer {
        run: Index,
        number: u32,
        choice: u8,
    },
    Deliver {
        run: Index,
        number: u32,
    },
    Remember {
        which: Index,
        key: u8,
        value: u8,
    },
    /// Something ends that is long over, or never was.
    EndStale {
        number: u32,
        how: u8,
    },
    /// Something happens to the review of a run, or because of it.
    Review(Index, operations::Command),
    Pass(u64),
    PassUntilWoken,
    SetClockBack(u32),
    Crash,
}

#[derive(Debug, Clone)]
pub(super) struct AnyTarget {
    run: Index,
    /// `None`: the run as a whole.
    task: Option<u32>,
}

fn target() -> impl Strategy<Value = AnyTarget> {
    (any::<Index>(), prop::option::of(1..10u32)).prop_map(|(run, task)| AnyTarget { run, task })
}

pub(super) fn command() -> impl Strategy<Value = Command> {
    let end = (any::<Index>(), 0..12u8, prop::bool::weighted(0.2))
        .prop_map(|(which, how, twice)| Command::End { which, how, twice });
    prop_oneof![
        3 => Just(Command::Create),
        2 => target().prop_map(Command::Approve),
        1 => target().prop_map(Command::Cancel),
        3 => target().prop_map(Command::Retry),
        1 => (target(), 0..40_000u64).prop_map(|(target, ms)| Command::SetTimeout(target, ms)),
        1 => any::<Index>().prop_map(Command::Pause),
        2 => any::<Index>().prop_map(Command::Resume),
        20 => end,
        6 => (any::<Index>(), prop::bool::weighted(0.2))
            .prop_map(|(which, fails)| Command::EndSnapshot { which, fails }),
        4 => (any::<Index>(), 0..6u8, any::<bool>())
            .prop_map(|(which, key, has_default)| Command::Ask { which, key, has_default }),
        3 => (any::<Index>(), 1..6u32, 0..7u8)
            .prop_map(|(run, number, choice)| Command::Answer { run, number, choice }),
        3 => (any::<Index>(), 1..6u32)
            .prop_map(|(run, number)| Command::Deliver { run, number }),
        2 => (any::<Index>(), 0..5u8, 0..4u8)
            .prop_map(|(which, key, value)| Command::Remember { which, key, value }),
        1 => (1..4u32, 0..9u8).prop_map(|(number, how)| Command::EndStale { number, how }),
        20 => (any::<Index>(), operations::command())
            .prop_map(|(run, command)| Command::Review(run, command)),
        4 => (0..20_000u64).prop_map(Command::Pass),
        4 => Just(Command::PassUntilWoken),
        1 => (0..10_000_000u32).prop_map(Command::SetClockBack),
        1 => Just(Command::Crash),
    ]
}

/// What can happen once the work is done.
pub(super) fn about_results() -> impl Strategy<Value = Command> {
    prop_oneof![
        1 => target().prop_map(Command::Retry),
        2 => (any::<Index>(), 9..12u8)
            .prop_map(|(which, how)| Command::End { which, how, twice: false }),
        4 => (any::<Index>(), 1..5u32, 4..7u8)
            .prop_map(|(run, number, choice)| Command::Answer { run, number, choice }),
        40 => (any::<Index>(), operations::command())
            .prop_map(|(run, command)| Command::Review(run, command)),
        1 => Just(Command::PassUntilWoken),
        1 => Just(Command::Crash),
    ]
}

fn outcome(attempt: AttemptId, how: u8) -> AttemptOutcome {
    match how {
        0 => failed(),
        1 => failed_as(FailureKind::NotStarted),
        2 => timed_out(100),
        3 => lost(),
        4 => never_started(),
        5 => cancelled(),
        // As the only commits of their kind, as commits are.
        9 => wrote(&format!("{attempt}")),
        10 | 11 => confined(verified(wrote(&format!("{attempt}")), Verdict::Passed)),
        _ => succeeded(),
    }
}

/// The simulator checks what must hold after each step, and that a refused request changes nothing.
pub(super) fn carry_out(
    sim: &mut Simulator,
    command: &Command,
    plans: &mut impl Iterator<Item = Plan>,
) {
    match command {
        Command::Create => {
            if let Some(plan) = plans.next() {
                sim.send(InputKind::CreateRun { plan: Box::new(plan) }).unwrap();
            }
        }
        Command::Approve(any) => with_target(sim, any, |sim, target| sim.approve(target).is_ok()),
        Command::Cancel(any) => with_target(sim, any, |sim, target| sim.cancel(target).is_ok()),
        Command::Retry(any) => with_target(sim, any, |sim, target| sim.retry(target).is_ok()),
        Command::SetTimeout(any, ms) => {
            with_target(sim, any, |sim, target| sim.set_timeout(target, *ms).is_ok());
        }
        Command::Pause(index) => with_run(sim, *index, |sim, run| sim.pause(run).is_ok()),
        Command::Resume(index) => with_run(sim, *index, |sim, run| sim.resume(run).is_ok()),
        Command::End { which, how, twice } => end(sim, *which, *how, *twice),
        Command::EndSnapshot { which, fails } => end_snapshot(sim, *which, *fails),
        Command::Ask { which, key, has_default } => {
            with_attempt(sim, *which, |sim, attempt| {
                let default = has_default.then_some("yes");
                let _ = sim.ask(attempt, &format!("q{key}"), &["yes", "no"], default);
            });
        }
        Command::Answer { run, number, choice } => with_run(sim, *run, |sim, run| {
            let choice =
                ["yes", "no", "maybe", "", "mine", "theirs", "leave"][usize::from(*choice)];
            sim.answer(DecisionId::new(run, *number).unwrap(), choice).is_ok()
        }),
        Command::Deliver { run, number } => with_run(sim, *run, |sim, run| {
            !sim.deliver(DecisionId::new(run, *number).unwrap()).is_empty()
        }),
        Command::Remember { which, key, value } => {
            with_attempt(sim, *which, |sim, attempt| {
                let text = json!("x".repeat(usize::from(*value) * 15));
                let value = if *value == 0 { Value::Null } else { text };
                let ttl = key.is_multiple_of(2).then_some(5_000);
                let _ = sim.remember(attempt, *key == 1, &format!("k{key}"), value, ttl);
            });
        }
        Command::EndStale { number, how } => end_stale(sim, *number, *how),
        Command::Review(run, command) => with_run(sim, *run, |sim, run| {
            operations::carry_out(sim, run, command);
            true
        }),
        Command::Pass(ms) => {
            sim.pass(*ms);
        }
        Command::PassUntilWoken => {
            sim.pass_until_woken();
        }
        Command::SetClockBack(ms) => {
            sim.now.0 -= i64::from(*ms);
            sim.pass(0);
        }
        Command::Crash => sim.crash(),
    }
}

fn with_run(sim: &mut Simulator, index: Index, ask: impl FnOnce(&mut Simulator, RunId) -> bool) {
    let runs: Vec<RunId> = sim.state.runs().map(|run| run.id).collect();
    if !runs.is_empty() {
        ask(sim, runs[index.index(runs.len())]);
    }
}

fn with_target(
    sim: &mut Simulator,
    any: &AnyTarget,
    ask: impl FnOnce(&mut Simulator, Target) -> bool,
) {
    with_run(sim, any.run, |sim, run| {
        let task = any.task.and_then(|number| TaskId::new(run, number));
        ask(sim, task.map_or(Target::Run(run), Target::Task))
    });
}

fn with_attempt(sim: &mut Simulator, which: Index, change: impl FnOnce(&mut Simulator, AttemptId)) {
    let under_way = sim.under_way();
    if !under_way.is_empty() {
        change(sim, under_way[which.index(under_way.len())]);
    }
}

fn end(sim: &mut Simulator, which: Index, how: u8, twice: bool) {
    with_attempt(sim, which, |sim, attempt| {
        sim.end(attempt, outcome(attempt, how));
        if twice {
            assert_eq!(sim.end(attempt, outcome(attempt, how / 2)), []);
        }
    });
}

fn end_snapshot(sim: &mut Simulator, which: Index, fails: bool) {
    let runs = sim.snapshots();
    if runs.is_empty() {
        return;
    }
    let run = runs[which.index(runs.len())];
    let result = if fails { Err(no_snapshot()) } else { Ok(Box::new(snapshot(run))) };
    assert!(
        !sim.send(InputKind::SnapshotEnded { run, result: result.clone() }).unwrap().is_empty()
    );
    let again = sim.send(InputKind::SnapshotEnded { run, result }).unwrap();
    assert_eq!(again, [], "a snapshot counts once");
}

fn end_stale(sim: &mut Simulator, number: u32, how: u8) {
    let task = "r1.1".parse().unwrap();
    let stale = AttemptId::new(task, number).unwrap();
    if !sim.under_way().contains(&stale) {
        assert_eq!(sim.end(stale, outcome(stale, how)), []);
    }
}
