//! Reviews and operations in random histories: what happens to them, and what the journals must then say.

use crate::support::{
    Simulator, applied, apply, conflict, hunk, in_client, no_snapshot, on_disk, result, reviewed,
};
use orchestra_core::{
    decide::{Apply, InputKind},
    event::EventBody,
    ids::{OperationId, RunId},
    operation::{
        Favor, FilePlan, FileResult, FileState, OperationEnd, OperationKind, Owner, Target,
    },
    review::{Selection, Verdict},
    state::OperationPhase,
};
use proptest::{prelude::*, sample::Index};
use std::collections::BTreeSet;

#[derive(Debug, Clone)]
pub(super) enum Command {
    EndReview {
        which: Index,
        fails: bool,
    },
    /// One bit for each of the first hunks; none: all.
    Judge {
        hunks: u8,
        verdict: u8,
    },
    Apply {
        target: u8,
        favor: u8,
        all: bool,
    },
    Undo {
        number: u32,
        favor: u8,
    },
    Discard,
    Clean,
    SendBack,
    /// What is under way goes one step on, well or not.
    GoOn {
        how: u8,
        bits: u8,
        twice: bool,
    },
    Confirm {
        bits: u8,
    },
}

pub(super) fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        4 => (any::<Index>(), prop::bool::weighted(0.2))
            .prop_map(|(which, fails)| Command::EndReview { which, fails }),
        2 => (any::<u8>(), 0..3u8).prop_map(|(hunks, verdict)| Command::Judge { hunks, verdict }),
        4 => (0..6u8, 0..4u8, any::<bool>())
            .prop_map(|(target, favor, all)| Command::Apply { target, favor, all }),
        4 => (1..8u32, 0..4u8).prop_map(|(number, favor)| Command::Undo { number, favor }),
        1 => Just(Command::Discard),
        1 => Just(Command::Clean),
        1 => Just(Command::SendBack),
        10 => (0..12u8, any::<u8>(), prop::bool::weighted(0.2))
            .prop_map(|(how, bits, twice)| Command::GoOn { how, bits, twice }),
        2 => any::<u8>().prop_map(|bits| Command::Confirm { bits }),
    ]
}

fn favor(number: u8) -> Favor {
    match number {
        0 => Favor::Ours,
        1 => Favor::Theirs,
        _ => Favor::Neither,
    }
}

/// The simulator checks what must hold after each step, and that a refused request changes nothing.
pub(super) fn carry_out(sim: &mut Simulator, run: RunId, command: &Command) {
    match command {
        Command::EndReview { which, fails } => end_review(sim, *which, *fails),
        Command::Judge { hunks, verdict } => {
            let verdict =
                [Some(Verdict::Accepted), Some(Verdict::Rejected), None][usize::from(*verdict)];
            let chosen = (0..8).filter(|bit| hunks & (1 << bit) != 0).map(|bit| hunk(bit + 1));
            let selection = match hunks {
                0..64 => Selection::All,
                _ => Selection::Hunks { hunks: chosen.take(2).collect() },
            };
            let _ = sim.send(InputKind::Judge { run, selection, verdict });
        }
        Command::Apply { target, favor: number, all } => {
            let target = match target {
                0 => Target::Branch { name: Target::branch_of(run) },
                1 => Target::Commit,
                _ => Target::Files,
            };
            let _ = sim.apply(Apply { target, favor: favor(*number), all: *all, ..apply(run) });
        }
        Command::Undo { number, favor: side } => {
            let operation = OperationId::new(run, *number).unwrap();
            let (favor, unsaved) = (favor(*side), vec![]);
            let _ = sim.send(InputKind::Undo { operation, favor, unsaved });
        }
        Command::Discard => drop(sim.send(InputKind::Discard { run })),
        Command::Clean => drop(sim.send(InputKind::Clean { run })),
        Command::SendBack => drop(sim.send_back(run, "{{ once more }}", &[])),
        Command::GoOn { how, bits, twice } => {
            for _ in 0..=u8::from(*twice) {
                go_on(sim, *how, *bits);
            }
        }
        Command::Confirm { bits } => {
            if let Some(operation) = sim.operation_under_way() {
                let files = files(sim, operation, *bits);
                let files: Vec<FileResult> = files.iter().map(|file| applied(&file.path)).collect();
                let _ = sim.confirm(operation, &files);
            }
        }
    }
}

fn end_review(sim: &mut Simulator, which: Index, fails: bool) {
    let runs = sim.wanted_reviews();
    if runs.is_empty() {
        return;
    }
    let run = runs[which.index(runs.len())];
    let made = reviewed(sim.state.run(run).unwrap());
    assert!(!sim.end_review(run, if fails { Err(no_snapshot()) } else { Ok(made) }).is_empty());
    assert_eq!(sim.end_review(run, Err(no_snapshot())), [], "a review counts once");
}

/// The files of its hunks, some of them with a client.
fn files(sim: &Simulator, operation: OperationId, bits: u8) -> Vec<FilePlan> {
    let run = sim.state.run(operation.run()).unwrap();
    let mut first = run.operation(operation).unwrap();
    while let OperationKind::Undo { of } = first.started.kind {
        first = run.operation(of).unwrap();
    }
    let OperationKind::Apply { hunks, .. } = &first.started.kind else { return vec![] };
    let made = reviewed(run).files;
    let made = made.iter().filter(|file| file.hunks.iter().any(|hunk| hunks.contains(hunk)));
    (0..8u8)
        .zip(made)
        .map(|(bit, file)| match bits & (1 << bit) {
            0 => on_disk(&file.path),
            _ => in_client(&file.path),
        })
        .collect()
}

fn go_on(sim: &mut Simulator, how: u8, bits: u8) {
    let Some(operation) = sim.operation_under_way() else { return };
    let phase = sim.state.run(operation.run()).unwrap().operation(operation).unwrap().phase.clone();
    match (phase, how) {
        (OperationPhase::Preparing, 0) => drop(sim.end_early(operation, OperationEnd::Nothing)),
        (OperationPhase::Preparing, 1..=3) => {
            let conflicts = vec![conflict("a.txt")];
            sim.end_early(operation, OperationEnd::Conflict { conflicts });
        }
        (OperationPhase::Preparing, 4) => {
            let (message, hint) = ("it is locked".to_owned(), "unlock it".to_owned());
            sim.end_early(operation, OperationEnd::Refused { message, hint });
        }
        (OperationPhase::Preparing, 5) => drop(sim.end_early(operation, OperationEnd::Applied)),
        (OperationPhase::Preparing, _) => {
            let files = files(sim, operation, bits);
            sim.prepare(operation, &files);
        }
        (OperationPhase::Writing(prepared), _) => {
            let on_disk = prepared.files.iter().filter(|file| file.owner == Owner::Disk);
            let results = (0..8u8).zip(on_disk).filter_map(|(bit, file)| match how {
                0 if bits & (1 << bit) != 0 => None,
                1 if bits & (1 << bit) != 0 => {
                    Some(result(&file.path, FileState::ChangedMeanwhile))
                }
                _ => Some(applied(&file.path)),
            });
            let results: Vec<FileResult> = results.collect();
            sim.write(operation, &results);
        }
        // For clients, or nothing.
        (OperationPhase::Waiting { .. } | OperationPhase::Ended { .. }, _) => {
            assert_eq!(sim.write(operation, &[]), [], "it is written already");
        }
    }
}

/// One operation at a time, each ended once, and beside it nothing of its run is started.
pub(super) fn check(sim: &Simulator) {
    let mut under_way: Option<OperationId> = None;
    let mut ended: BTreeSet<OperationId> = BTreeSet::new();
    for event in sim.journal.iter().flatten() {
        match &event.body {
            EventBody::OperationStarted(started) => {
                assert_eq!(under_way.replace(started.operation), None);
            }
            EventBody::OperationEnded { operation, .. } => {
                assert_eq!(under_way.take(), Some(*operation));
                assert!(ended.insert(*operation), "{operation} ended twice");
            }
            EventBody::AttemptStarted(_)
            | EventBody::TasksAdded { .. }
            | EventBody::TasksReopened { .. }
            | EventBody::ReviewWanted { .. } => {
                assert_ne!(under_way.map(OperationId::run), Some(event.run), "{event:?}");
            }
            _ => {}
        }
    }
    assert_eq!(under_way, None);
}
