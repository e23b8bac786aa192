//! What is done to the user's files, step by step: apply, undo, redo, discard, clean, and the questions when
//! something does not fit.

use crate::support::{
    Simulator, applied, apply, conflict, failed, hunk, in_client, limits, on_disk, plan, result,
    succeeded, wrote,
};
use orchestra_core::{
    decide::{Apply, InputKind, Refusal, RefusalKind, Target},
    decision::{About, AnsweredBy, Asker, DecisionStatus, Question, WithdrawReason},
    event::{Event, EventBody},
    ids::{DecisionId, HunkId, OperationId, RunId},
    operation::{Favor, FileResult, FileState, OperationEnd, OperationKind, Target as Place},
    outcome::Artifact,
    pending::{Effect, next_wake, pending},
    plan::ApplyPolicy,
    review::Verdict,
    time::Millis,
    view::{OperationView, ReviewStatus},
};
use std::collections::BTreeSet;

/// A run with work in `a.txt` (hunk 1) and `b.txt` (hunk 2), ready to be applied.
fn reviewed() -> (Simulator, RunId) {
    let mut sim = Simulator::new(limits());
    let run = another(&mut sim);
    (sim, run)
}

fn another(sim: &mut Simulator) -> RunId {
    let steps = plan().step("a").agent("coder").step("b").needs(&["a"]).agent("writer");
    let run = sim.create(steps);
    sim.finish(run, "a", wrote("aa"));
    sim.finish(run, "b", wrote("bb"));
    run
}

fn accept(sim: &mut Simulator, run: RunId, numbers: &[u8]) {
    let hunks: Vec<HunkId> = numbers.iter().copied().map(hunk).collect();
    sim.judge(run, &hunks, Some(Verdict::Accepted)).unwrap();
}

fn view(sim: &Simulator, id: OperationId) -> OperationView {
    let views = sim.view(id.run()).operations;
    views.into_iter().find(|view| view.id == id).unwrap()
}

fn end(sim: &Simulator, id: OperationId) -> OperationEnd {
    view(sim, id).end.unwrap()
}

/// The numbers of the hunks that the user's files have.
fn in_files(sim: &Simulator, run: RunId) -> Vec<u8> {
    let applied = sim.view(run).review.unwrap().applied;
    (1..10).filter(|&number| applied.contains(&hunk(number))).collect()
}

fn status(sim: &Simulator, run: RunId) -> ReviewStatus {
    sim.view(run).review.unwrap().status
}

/// The numbers of the hunks that an operation was to apply.
fn hunks_of(sim: &Simulator, id: OperationId) -> Vec<u8> {
    let OperationKind::Apply { hunks, .. } = view(sim, id).kind else { panic!("{id} applies") };
    (1..10).filter(|&number| hunks.contains(&hunk(number))).collect()
}

fn partly(sim: &mut Simulator, id: OperationId, done: &str, open: &str) {
    sim.prepare(id, &[on_disk(done), on_disk(open)]);
    let problem = "no space".to_owned();
    sim.write(id, &[applied(done), result(open, FileState::Failed { problem })]);
}

fn conflicts(sim: &mut Simulator, id: OperationId) -> Option<DecisionId> {
    let end = OperationEnd::Conflict { conflicts: vec![conflict("a.txt")] };
    sim.end_early(id, end);
    view(sim, id).decision.map(|decision| decision.id)
}

fn message(result: Result<impl std::fmt::Debug, Refusal>) -> String {
    result.unwrap_err().message
}

mod applying {
    use super::*;

    #[test]
    fn where_nobody_has_judged_anything_the_whole_is_applied() {
        let (mut sim, run) = reviewed();
        let operation = sim.apply(apply(run)).unwrap();
        assert_eq!(hunks_of(&sim, operation), [1, 2]);
        assert!(sim.view(run).busy);
        assert_eq!(pending(&sim.state), [Effect::Prepare { operation }]);
        sim.crash();
        sim.prepare(operation, &[on_disk("a.txt"), on_disk("b.txt")]);
        assert_eq!(pending(&sim.state), [Effect::Write { operation }]);
        sim.crash();
        assert_eq!(in_files(&sim, run), [0u8; 0]);
        sim.write(operation, &[applied("a.txt"), applied("b.txt")]);
        sim.crash();
        assert_eq!(end(&sim, operation), OperationEnd::Applied);
        assert_eq!(in_files(&sim, run), [1, 2]);
        assert_eq!(status(&sim, run), ReviewStatus::Applied);
        assert!(!sim.view(run).busy);
        assert_eq!(pending(&sim.state), []);
        let again = message(sim.apply(apply(run)));
        assert_eq!(again, "what is accepted of r1 is in your files already");
    }

    #[test]
    fn what_is_accepted_is_applied_and_the_undecided_only_when_that_is_said() {
        let (mut sim, run) = reviewed();
        accept(&mut sim, run, &[2]);
        let operation = sim.apply(apply(run)).unwrap();
        assert_eq!(hunks_of(&sim, operation), [2]);
        sim.prepare(operation, &[on_disk("b.txt")]);
        sim.write(operation, &[applied("b.txt")]);
        assert_eq!((in_files(&sim, run), status(&sim, run)), (vec![2], ReviewStatus::Open));
        let all = sim.apply(Apply { all: true, ..apply(run) }).unwrap();
        assert_eq!(hunks_of(&sim, all), [1, 2]);
    }

    #[test]
    fn what_is_rejected_is_never_applied() {
        let (mut sim, run) = reviewed();
        sim.judge(run, &[hunk(1)], Some(Verdict::Rejected)).unwrap();
        assert_eq!(message(sim.apply(apply(run))), "nothing of the review of r1 is accepted");
        let operation = sim.apply(Apply { all: true, ..apply(run) }).unwrap();
        assert_eq!(hunks_of(&sim, operation), [2]);
        sim.carry_out(operation);
        assert_eq!(status(&sim, run), ReviewStatus::Applied, "nothing of it is left");
    }

    #[test]
    fn verdicts_of_an_earlier_result_do_not_make_a_new_one_judged() {
        let mut sim = Simulator::new(limits());
        sim.make_reviews(false);
        let run = sim.create(plan().step("a").agent("coder"));
        sim.finish(run, "a", wrote("aa"));
        sim.review(run);
        accept(&mut sim, run, &[1]);
        sim.send_back(run, "Otherwise", &[]).unwrap();
        sim.finish(run, "follow-up-1", wrote("ab"));
        let mut made = crate::support::reviewed(sim.state.run(run).unwrap());
        made.files = vec![crate::support::file("a.txt", &[hunk(7), hunk(8)])];
        sim.end_review(run, Ok(made));
        let operation = sim.apply(apply(run)).unwrap();
        assert_eq!(hunks_of(&sim, operation), [7, 8]);
    }

    #[test]
    fn one_operation_at_a_time_whatever_the_run() {
        let (mut sim, run) = reviewed();
        let other = another(&mut sim);
        let operation = sim.apply(apply(run)).unwrap();
        for refusal in [
            sim.apply(apply(run)).unwrap_err(),
            sim.apply(apply(other)).unwrap_err(),
            sim.discard(other).unwrap_err(),
            sim.clean(other).unwrap_err(),
        ] {
            assert!(refusal.message.contains("under way") || refusal.message.contains("neither"));
            assert_eq!(refusal.kind, RefusalKind::WrongState);
        }
        assert_eq!(message(sim.undo(operation)), "r1/o1 is still under way");
        sim.carry_out(operation);
        sim.apply(apply(other)).unwrap();
    }

    #[test]
    fn a_run_that_goes_on_is_not_applied() {
        let (mut sim, run) = reviewed();
        let first = sim.apply(apply(run)).unwrap();
        sim.carry_out(first);
        sim.send_back(run, "Once more", &[]).unwrap();
        assert_eq!(
            message(sim.apply(Apply { all: true, ..apply(run) })),
            "what is accepted of r1 is in your files already"
        );
        assert_eq!(message(sim.undo(first)), "r1 goes on");
        let branch = Place::Branch { name: "x".to_owned() };
        assert_eq!(message(sim.apply(Apply { target: branch, ..apply(run) })), "r1 goes on");
    }

    #[test]
    fn an_end_before_anything_is_written_changes_nothing() {
        let (mut sim, run) = reviewed();
        let (message, hint) = ("a.txt is read-only".to_owned(), "make it writable".to_owned());
        let refused = OperationEnd::Refused { message, hint };
        let operation = sim.apply(apply(run)).unwrap();
        assert_eq!(sim.end_early(operation, refused.clone()).len(), 1);
        assert_eq!(sim.end_early(operation, OperationEnd::Applied), [], "said twice");
        assert_eq!(sim.prepare(operation, &[on_disk("a.txt")]), [], "and too late");
        assert_eq!((end(&sim, operation), in_files(&sim, run)), (refused, vec![]));
        assert!(!view(&sim, operation).in_effect);
        let refusal = sim.undo(operation).unwrap_err();
        assert_eq!(refusal.message, "r1/o1 has changed nothing that is still so");
        assert_eq!(view(&sim, sim_last(&sim, run)).decision, None, "nothing is asked");
    }

    fn sim_last(sim: &Simulator, run: RunId) -> OperationId {
        sim.state.run(run).unwrap().operations.last().unwrap().id()
    }

    #[test]
    fn what_the_user_has_already_counts_as_applied_and_can_still_be_rejected() {
        let (mut sim, run) = reviewed();
        let operation = sim.apply(apply(run)).unwrap();
        sim.end_early(operation, OperationEnd::Nothing);
        assert_eq!((in_files(&sim, run), status(&sim, run)), (vec![1, 2], ReviewStatus::Applied));
        assert!(!view(&sim, operation).in_effect, "there is nothing to take back");
        sim.judge(run, &[hunk(1)], Some(Verdict::Rejected)).unwrap();
        sim.clean(run).unwrap();
    }

    #[test]
    fn files_that_could_not_be_written_are_named_and_their_hunks_are_not_in_the_files() {
        let (mut sim, run) = reviewed();
        let operation = sim.apply(apply(run)).unwrap();
        partly(&mut sim, operation, "a.txt", "b.txt");
        let problem = "no space".to_owned();
        let open = vec![result("b.txt", FileState::Failed { problem })];
        assert_eq!(end(&sim, operation), OperationEnd::Partly { files: open });
        assert_eq!((in_files(&sim, run), status(&sim, run)), (vec![1], ReviewStatus::Open));
        assert!(message(sim.judge(run, &[hunk(1)], Some(Verdict::Rejected))).contains("already"));
        sim.judge(run, &[hunk(2)], Some(Verdict::Rejected)).unwrap();
        sim.judge(run, &[hunk(2)], None).unwrap();
        // The rest can be brought in by the next one, which is then taken back by itself.
        let rest = sim.apply(apply(run)).unwrap();
        assert_eq!(hunks_of(&sim, rest), [1, 2]);
        sim.prepare(rest, &[on_disk("b.txt")]);
        sim.write(rest, &[applied("b.txt")]);
        assert_eq!(in_files(&sim, run), [1, 2]);
        let undone = sim.undo(rest).unwrap();
        sim.carry_out(undone);
        assert_eq!(in_files(&sim, run), [1]);
    }

    #[test]
    fn a_file_of_which_nothing_is_known_afterwards_is_not_applied() {
        let (mut sim, run) = reviewed();
        let operation = sim.apply(apply(run)).unwrap();
        sim.prepare(operation, &[on_disk("a.txt"), on_disk("b.txt")]);
        sim.write(operation, &[applied("a.txt")]);
        let problem = "nothing is known of it".to_owned();
        let open = vec![result("b.txt", FileState::Failed { problem })];
        assert_eq!(end(&sim, operation), OperationEnd::Partly { files: open });
        assert_eq!(in_files(&sim, run), [1]);
    }

    #[test]
    fn a_branch_and_a_commit_leave_the_files_as_they_are() {
        let (mut sim, run) = reviewed();
        let branch = Place::Branch { name: Place::branch_of(run) };
        assert_eq!(message(sim.clean(run)), "r1 has changes that are neither applied nor rejected");
        let commit = sim.apply(Apply { target: Place::Commit, ..apply(run) }).unwrap();
        sim.prepare(commit, &[]);
        sim.write(commit, &[]);
        assert_eq!(end(&sim, commit), OperationEnd::Applied);
        assert!(sim.clean(run).is_err(), "a commit under no branch is kept by nobody");
        let branched = sim.apply(Apply { target: branch, ..apply(run) }).unwrap();
        sim.prepare(branched, &[]);
        sim.write(branched, &[]);
        assert_eq!((in_files(&sim, run), status(&sim, run)), (vec![], ReviewStatus::Open));
        sim.judge(run, &[hunk(1)], Some(Verdict::Rejected)).unwrap();
        let undone = sim.undo(branched).unwrap();
        sim.end_early(undone, OperationEnd::Applied);
        assert!(sim.clean(run).is_err(), "the branch is gone again");
        let again = sim.undo(undone).unwrap();
        sim.end_early(again, OperationEnd::Applied);
        sim.clean(run).unwrap();
    }

    #[test]
    fn what_nobody_knows_is_refused() {
        let (mut sim, run) = reviewed();
        let unknown = OperationId::new(run, 7).unwrap();
        assert_eq!(message(sim.undo(unknown)), "there is no operation r1/o7");
        assert_eq!(message(sim.confirm(unknown, &[])), "there is no operation r1/o7");
        let nowhere: RunId = "r9".parse().unwrap();
        assert_eq!(message(sim.apply(apply(nowhere))), "there is no run r9 in this workspace");
        assert_eq!(sim.write(unknown, &[]), []);
        assert_eq!(sim.end_early("r9/o1".parse().unwrap(), OperationEnd::Applied), []);
    }
}

mod clients {
    use super::*;

    /// An apply that waits for a client's `b.txt` and `c.txt`.
    fn waiting() -> (Simulator, RunId, OperationId) {
        let (mut sim, run) = reviewed();
        let operation = sim.apply(apply(run)).unwrap();
        sim.prepare(operation, &[on_disk("a.txt"), in_client("b.txt"), in_client("c.txt")]);
        sim.write(operation, &[applied("a.txt")]);
        (sim, run, operation)
    }

    #[test]
    fn it_ends_when_the_last_client_has_answered() {
        let (mut sim, run, operation) = waiting();
        assert_eq!(pending(&sim.state), []);
        assert!(sim.view(run).busy);
        assert_eq!(next_wake(&sim.state, sim.now), Some(sim.now.after(Millis::minutes(1))));
        sim.confirm(operation, &[applied("c.txt")]).unwrap();
        sim.crash();
        assert_eq!(view(&sim, operation).end, None);
        sim.confirm(operation, &[applied("b.txt")]).unwrap();
        assert_eq!(end(&sim, operation), OperationEnd::Applied);
        assert_eq!(next_wake(&sim.state, sim.now), None);
        assert_eq!(in_files(&sim, run), [1, 2]);
    }

    #[test]
    fn an_answer_counts_once_and_only_for_what_is_waited_for() {
        let (mut sim, _, operation) = waiting();
        for paths in [&["a.txt"][..], &["d.txt"], &["b.txt", "a.txt"], &["b.txt", "b.txt"]] {
            let files: Vec<FileResult> = paths.iter().map(|path| applied(path)).collect();
            let refusal = sim.confirm(operation, &files).unwrap_err();
            let wrong = paths.last().unwrap();
            assert_eq!(refusal.message, format!("r1/o1 does not wait for {wrong:?}"));
        }
        assert_eq!(sim.confirm(operation, &[]), Ok(vec![]));
        sim.confirm(operation, &[applied("b.txt")]).unwrap();
        let again = message(sim.confirm(operation, &[applied("b.txt")]));
        assert_eq!(again, "r1/o1 does not wait for \"b.txt\"");
    }

    #[test]
    fn who_does_not_answer_in_time_is_named() {
        let (mut sim, run, operation) = waiting();
        let state = FileState::ChangedMeanwhile;
        sim.confirm(operation, &[result("b.txt", state.clone())]).unwrap();
        sim.pass(59_999);
        assert_eq!(view(&sim, operation).end, None);
        assert!(sim.pass_until_woken());
        let open = vec![result("b.txt", state), result("c.txt", FileState::Unanswered)];
        assert_eq!(end(&sim, operation), OperationEnd::Partly { files: open });
        assert_eq!(in_files(&sim, run), [1]);
        let late = sim.confirm(operation, &[applied("c.txt")]).unwrap_err();
        assert_eq!(late.message, "r1/o1 waits for no client");
    }

    #[test]
    fn what_a_client_says_of_a_problem_is_cut_before_it_is_kept() {
        let (mut sim, _, operation) = waiting();
        let problem = "é".repeat(1_000);
        let state = FileState::Failed { problem };
        let events = sim.confirm(operation, &[result("b.txt", state)]).unwrap();
        let EventBody::FilesConfirmed { files, .. } = &events[0].body else { panic!("{events:?}") };
        let FileState::Failed { problem } = &files[0].state else { panic!("{files:?}") };
        assert_eq!(problem.len(), FileResult::MAX_PROBLEM);
    }

    #[test]
    fn what_the_shell_knows_of_a_clients_file_is_not_waited_for() {
        let (mut sim, _) = reviewed();
        let run = another(&mut sim);
        let operation = sim.apply(apply(run)).unwrap();
        sim.prepare(operation, &[in_client("a.txt")]);
        let gone = result("a.txt", FileState::ChangedMeanwhile);
        sim.write(operation, std::slice::from_ref(&gone));
        assert_eq!(end(&sim, operation), OperationEnd::Partly { files: vec![gone] });
    }
}

mod undoing {
    use super::*;

    #[test]
    fn an_undo_is_undone_by_an_undo_and_so_on() {
        let (mut sim, run) = reviewed();
        let mut last = sim.apply(apply(run)).unwrap();
        sim.carry_out(last);
        for turn in 0..4 {
            let next = sim.undo(last).unwrap();
            assert_eq!(view(&sim, next).kind, OperationKind::Undo { of: last });
            sim.crash();
            sim.carry_out(next);
            let expected: &[u8] = if turn % 2 == 0 { &[] } else { &[1, 2] };
            assert_eq!(in_files(&sim, run), expected, "after {turn}");
            assert_eq!(view(&sim, last).undone_by, Some(next));
            let refusal = sim.undo(last).unwrap_err();
            assert_eq!(refusal.message, format!("{last} was taken back already, by {next}"));
            assert_eq!(refusal.hint, format!("`orchestra undo {next}` does it again"));
            last = next;
        }
        let effects: Vec<bool> =
            sim.view(run).operations.iter().map(|operation| operation.in_effect).collect();
        assert_eq!(effects, [true, false, true, false, true]);
    }

    #[test]
    fn each_apply_takes_back_what_it_has_brought_itself() {
        let (mut sim, run) = reviewed();
        accept(&mut sim, run, &[1]);
        let first = sim.apply(apply(run)).unwrap();
        sim.carry_out(first);
        accept(&mut sim, run, &[2]);
        let second = sim.apply(apply(run)).unwrap();
        assert_eq!(hunks_of(&sim, second), [1, 2]);
        sim.carry_out(second);
        let undone = sim.undo(second).unwrap();
        sim.carry_out(undone);
        assert_eq!(in_files(&sim, run), [1]);
        let undone = sim.undo(first).unwrap();
        sim.carry_out(undone);
        assert_eq!(in_files(&sim, run), [0u8; 0]);
        assert_eq!(status(&sim, run), ReviewStatus::Open);
    }

    #[test]
    fn what_the_user_has_taken_back_by_hand_can_be_applied_again() {
        let (mut sim, run) = reviewed();
        let first = sim.apply(apply(run)).unwrap();
        sim.carry_out(first);
        let undone = sim.undo(first).unwrap();
        sim.end_early(undone, OperationEnd::Nothing);
        assert_eq!(in_files(&sim, run), [0u8; 0]);
        let refusal = sim.undo(first).unwrap_err();
        assert_eq!(refusal.message, "r1/o1 was taken back already, by r1/o2");
        assert_eq!(refusal.hint, "ask for the same again, if you want it");
        sim.apply(apply(run)).unwrap();
    }

    #[test]
    fn an_undo_in_part_can_be_completed_or_taken_back() {
        let (mut sim, run) = reviewed();
        let first = sim.apply(apply(run)).unwrap();
        sim.carry_out(first);
        let half = sim.undo(first).unwrap();
        partly(&mut sim, half, "b.txt", "a.txt");
        assert_eq!(in_files(&sim, run), [1]);
        assert!(view(&sim, first).in_effect && view(&sim, half).in_effect);

        let back = sim.undo(half).unwrap();
        sim.carry_out(back);
        assert_eq!(in_files(&sim, run), [1, 2]);
        let half = sim.undo(first).unwrap();
        partly(&mut sim, half, "b.txt", "a.txt");
        let whole = sim.undo(first).unwrap();
        sim.carry_out(whole);
        assert_eq!(in_files(&sim, run), [0u8; 0]);
        let refusal = sim.undo(half).unwrap_err();
        assert_eq!(refusal.message, "r1/o5 has taken r1/o1 back after r1/o4");
        let again = sim.undo(whole).unwrap();
        sim.carry_out(again);
        assert_eq!(in_files(&sim, run), [1, 2]);
    }

    #[test]
    fn an_undo_that_does_not_go_through_leaves_things_as_they_are() {
        let (mut sim, run) = reviewed();
        let first = sim.apply(apply(run)).unwrap();
        sim.carry_out(first);
        let undone = sim.undo(first).unwrap();
        let (message, hint) = ("a.txt is read-only".to_owned(), "make it writable".to_owned());
        sim.end_early(undone, OperationEnd::Refused { message, hint });
        assert_eq!(in_files(&sim, run), [1, 2]);
        assert!(view(&sim, first).in_effect);
        let again = sim.undo(first).unwrap();
        assert_eq!(
            message_of_second(&mut sim, first),
            "r1/o1 is still under way".replace("o1 is still", "o3 is")
        );
        sim.carry_out(again);
        assert_eq!(in_files(&sim, run), [0u8; 0]);
    }

    fn message_of_second(sim: &mut Simulator, of: OperationId) -> String {
        message(sim.undo(of))
    }

    #[test]
    fn a_discarded_review_is_open_again_after_the_undo() {
        let (mut sim, run) = reviewed();
        let discarded = sim.discard(run).unwrap();
        assert_eq!(status(&sim, run), ReviewStatus::Discarded);
        assert!(!sim.view(run).busy, "nothing but the journal has changed");
        for refusal in [
            sim.apply(apply(run)).unwrap_err(),
            sim.discard(run).unwrap_err(),
            sim.send_back(run, "Once more", &[]).unwrap_err(),
            sim.judge(run, &[hunk(1)], None).unwrap_err(),
        ] {
            assert_eq!(refusal.message, "the review of r1 is discarded");
            assert_eq!(refusal.hint, "take that back with `orchestra undo r1/o1`");
        }
        sim.crash();
        let undone = sim.undo(discarded).unwrap();
        assert_eq!(status(&sim, run), ReviewStatus::Open);
        sim.undo(undone).unwrap();
        assert_eq!(status(&sim, run), ReviewStatus::Discarded);
        sim.clean(run).unwrap();
    }

    #[test]
    fn a_run_that_is_cleaned_up_is_left_alone_until_that_is_taken_back() {
        let (mut sim, run) = reviewed();
        sim.discard(run).unwrap();
        let cleaned = sim.clean(run).unwrap();
        assert_eq!(pending(&sim.state), [Effect::Prepare { operation: cleaned }]);
        sim.end_early(cleaned, OperationEnd::Applied);
        assert_eq!(status(&sim, run), ReviewStatus::Cleaned);
        for refusal in [
            sim.clean(run).unwrap_err(),
            sim.apply(apply(run)).unwrap_err(),
            sim.retry(Target::Run(run)).unwrap_err(),
        ] {
            assert!(refusal.message.starts_with("r1 is cleaned up"), "{refusal}");
        }
        let undone = sim.undo(cleaned).unwrap();
        assert_eq!(pending(&sim.state), [Effect::Prepare { operation: undone }]);
        sim.end_early(undone, OperationEnd::Nothing);
        assert_eq!(status(&sim, run), ReviewStatus::Discarded);
        sim.clean(run).unwrap();
    }

    #[test]
    fn a_run_that_has_not_ended_or_has_open_hunks_is_not_cleaned_up() {
        let mut sim = Simulator::new(limits());
        let run = sim.create(plan().step("a").agent("coder").step("b").agent("writer"));
        sim.finish(run, "a", wrote("aa"));
        assert_eq!(message(sim.clean(run)), "r1 has not ended");
        sim.finish(run, "b", failed());
        assert_eq!(message(sim.clean(run)), "r1 has changes that are neither applied nor rejected");
        accept(&mut sim, run, &[1]);
        assert_eq!(message(sim.clean(run)), "r1 has changes that are neither applied nor rejected");
        sim.judge(run, &[hunk(1)], Some(Verdict::Rejected)).unwrap();
        sim.clean(run).unwrap();
        let idle = sim.create(plan().step("a").agent("reader"));
        sim.finish(idle, "a", succeeded());
        assert_eq!(message(sim.clean(idle)), "r1/o1 is under way");
    }
}

mod asking {
    use super::*;

    /// An apply that has ended in a conflict, and the question.
    fn asked() -> (Simulator, RunId, DecisionId) {
        let (mut sim, run) = reviewed();
        let operation = sim.apply(apply(run)).unwrap();
        let decision = conflicts(&mut sim, operation).unwrap();
        (sim, run, decision)
    }

    fn status(sim: &Simulator, id: DecisionId) -> DecisionStatus {
        sim.state.run(id.run()).unwrap().decision_view(id).unwrap().status
    }

    fn started(events: &[Event]) -> Vec<(OperationId, OperationKind, Favor)> {
        let started = events.iter().filter_map(|event| match &event.body {
            EventBody::OperationStarted(started) => {
                Some((started.operation, started.kind.clone(), started.favor))
            }
            _ => None,
        });
        started.collect()
    }

    #[test]
    fn a_conflict_is_asked_about_and_the_run_stays_open_until_it_is_answered() {
        let (mut sim, run, decision) = asked();
        let view = sim.view(run);
        assert!(view.busy && view.is_open());
        assert_eq!(view.detail, "waits for an answer: r1/d1");
        let [open] = view.decisions.as_slice() else { panic!("{:?}", view.decisions) };
        assert_eq!((open.id, open.asker, open.step.clone()), (decision, Asker::Orchestra, None));
        assert_eq!(open.about, About::Operation("r1/o1".parse().unwrap()));
        assert_eq!(
            open.question,
            "Applying r1 to your files (r1/o1) does not fit what you have now. Nothing was changed.
a.txt: both changed the same lines
  you have, line 2:
    | what I have
  comes in, line 2:
    | what comes in
What counts where the two do not fit together?"
        );
        let choices: Vec<(&str, &str)> =
            open.choices.iter().map(|choice| (choice.id.as_str(), choice.label.as_str())).collect();
        assert_eq!(
            choices,
            [
                ("mine", "where they conflict, keep what I have; the rest is applied"),
                ("theirs", "where they conflict, take what comes in; the rest is applied"),
                ("leave", "nothing is done"),
            ]
        );
        assert_eq!(open.default.as_deref(), Some("leave"));
        assert_eq!(open.until, Some(sim.now.after(Millis::minutes(1))));
        assert_eq!(pending(&sim.state), [], "nobody has to be told");
        sim.crash();
        assert_eq!(sim.answer(decision, "perhaps").unwrap_err().kind, RefusalKind::Invalid);
        sim.answer(decision, "leave").unwrap();
        assert!(!sim.view(run).is_open());
        assert_eq!(view_of_decision(&sim, run), Some(decision), "what was asked is kept");
        assert_eq!(sim.deliver(decision), []);
    }

    fn view_of_decision(sim: &Simulator, run: RunId) -> Option<DecisionId> {
        sim.view(run).operations[0].decision.as_ref().map(|decision| decision.id)
    }

    #[test]
    fn an_answer_that_names_a_side_begins_the_operation_again() {
        for (choice, favor) in [("mine", Favor::Ours), ("theirs", Favor::Theirs)] {
            let (mut sim, run, decision) = asked();
            let unsaved =
                vec![Artifact { path: "a.txt".to_owned(), bytes: 1, sha256: "ee".repeat(32) }];
            let events = sim
                .send(InputKind::Answer {
                    decision,
                    choice: choice.to_owned(),
                    unsaved: unsaved.clone(),
                })
                .unwrap();
            let again: OperationId = "r1/o2".parse().unwrap();
            let hunks = vec![hunk(1), hunk(2)];
            let kind = OperationKind::Apply { target: Place::Files, hunks };
            assert_eq!(started(&events), [(again, kind, favor)]);
            let operation = &sim.state.run(run).unwrap().operations[1];
            assert_eq!((operation.started.by_person, &operation.started.unsaved), (true, &unsaved));
            sim.crash();
            sim.carry_out(again);
            assert_eq!(in_files(&sim, run), [1, 2]);
            assert!(!sim.view(run).is_open());
            assert!(message(sim.answer(decision, "leave")).contains("was answered already"));
        }
    }

    #[test]
    fn who_has_chosen_a_side_is_not_asked_for_it() {
        let (mut sim, run, decision) = asked();
        sim.answer(decision, "mine").unwrap();
        assert_eq!(conflicts(&mut sim, "r1/o2".parse().unwrap()), None);
        assert!(!sim.view(run).is_open());
        let theirs = sim.apply(Apply { favor: Favor::Theirs, ..apply(run) }).unwrap();
        assert_eq!(conflicts(&mut sim, theirs), None);
    }

    #[test]
    fn when_nobody_answers_nothing_is_done() {
        let (mut sim, run, decision) = asked();
        sim.pass(59_999);
        assert!(status(&sim, decision).is_open());
        assert!(sim.pass_until_woken());
        let (choice, by, at) = ("leave".to_owned(), AnsweredBy::Timeout, sim.now);
        assert_eq!(status(&sim, decision), DecisionStatus::Answered { choice, by, at });
        assert_eq!(sim.state.run(run).unwrap().operations.len(), 1);
        assert!(!sim.view(run).is_open());
        assert_eq!(next_wake(&sim.state, sim.now), None);
    }

    #[test]
    fn whatever_else_is_asked_for_withdraws_the_question() {
        type Ask = fn(&mut Simulator, RunId);
        let all: [Ask; 6] = [
            |sim, run| {
                sim.apply(apply(run)).unwrap();
            },
            |sim, run| {
                sim.discard(run).unwrap();
            },
            |sim, run| {
                sim.send_back(run, "Otherwise", &[]).unwrap();
            },
            |sim, run| {
                sim.judge(run, &[hunk(1), hunk(2)], Some(Verdict::Rejected)).unwrap();
                sim.clean(run).unwrap();
            },
            |sim, run| {
                let favor = Favor::Theirs;
                sim.apply(Apply { favor, ..apply(run) }).unwrap();
            },
            |sim, run| {
                let target = Place::Commit;
                sim.apply(Apply { target, ..apply(run) }).unwrap();
            },
        ];
        for ask in all {
            let (mut sim, run, decision) = asked();
            ask(&mut sim, run);
            sim.crash();
            let (reason, at) = (WithdrawReason::Superseded, sim.now);
            assert_eq!(status(&sim, decision), DecisionStatus::Withdrawn { reason, at });
            let late = message(sim.answer(decision, "mine"));
            assert!(late.contains("needs no answer any more: something else was asked for"));
        }
    }

    #[test]
    fn a_retry_withdraws_the_question() {
        let mut sim = Simulator::new(limits());
        let run = sim.create(plan().step("a").agent("coder").step("b"));
        sim.finish(run, "a", wrote("aa"));
        sim.finish(run, "b", failed());
        let operation = sim.apply(apply(run)).unwrap();
        let decision = conflicts(&mut sim, operation).unwrap();
        sim.retry(Target::Run(run)).unwrap();
        assert!(!status(&sim, decision).is_open());
    }

    #[test]
    fn an_operation_of_another_run_leaves_the_question_open_and_its_answer_waits() {
        let (mut sim, run, decision) = asked();
        let other = another(&mut sim);
        let operation = sim.apply(apply(other)).unwrap();
        let refusal = sim.answer(decision, "mine").unwrap_err();
        assert_eq!(refusal.message, "r2/o1 is under way");
        assert!(status(&sim, decision).is_open());
        sim.carry_out(operation);
        sim.answer(decision, "mine").unwrap();
        assert_eq!(sim.state.run(run).unwrap().operations.len(), 2);
    }

    #[test]
    fn what_was_rejected_since_is_not_applied_by_the_answer() {
        let (mut sim, run, decision) = asked();
        sim.judge(run, &[hunk(1)], Some(Verdict::Rejected)).unwrap();
        sim.judge(run, &[hunk(2)], Some(Verdict::Rejected)).unwrap();
        let refusal = sim.answer(decision, "theirs").unwrap_err();
        assert_eq!(refusal.message, "all that r1/o1 was to apply is rejected by now");
        sim.judge(run, &[hunk(2)], None).unwrap();
        sim.answer(decision, "theirs").unwrap();
        assert_eq!(hunks_of(&sim, "r1/o2".parse().unwrap()), [2]);
    }

    #[test]
    fn an_undo_that_does_not_fit_asks_as_well() {
        let (mut sim, run) = reviewed();
        let first = sim.apply(apply(run)).unwrap();
        sim.carry_out(first);
        let undone = sim.undo(first).unwrap();
        let decision = conflicts(&mut sim, undone).unwrap();
        let asked = sim.view(run).decisions[0].clone();
        let begin = "Taking r1/o1 back (r1/o2) does not fit what you have now.";
        assert!(asked.question.starts_with(begin), "{}", asked.question);
        assert_eq!(
            asked.choices[1].label,
            "where they conflict, take what was there before it; the rest is taken back"
        );
        let events = sim.answer(decision, "theirs").unwrap();
        let again: OperationId = "r1/o3".parse().unwrap();
        let kind = OperationKind::Undo { of: first };
        assert_eq!(started(&events), [(again, kind, Favor::Theirs)]);
        sim.carry_out(again);
        assert_eq!(in_files(&sim, run), [0u8; 0]);
        assert_eq!(view(&sim, first).undone_by, Some(again));
    }

    #[test]
    fn a_conflict_of_what_the_policy_applies_is_asked_about() {
        let mut sim = Simulator::new(limits());
        let run = sim.create(plan().apply(ApplyPolicy::Branch).step("a").agent("coder"));
        sim.finish(run, "a", wrote("aa"));
        let operation: OperationId = "r1/o1".parse().unwrap();
        let decision = conflicts(&mut sim, operation).unwrap();
        let asked = sim.view(run).decisions[0].clone();
        let begin = "Making branch orchestra/r1 of r1 (r1/o1) does not fit what you have now.";
        assert!(asked.question.starts_with(begin), "{}", asked.question);
        sim.answer(decision, "mine").unwrap();
        assert!(view(&sim, "r1/o2".parse().unwrap()).by_person);
    }

    #[test]
    fn a_clean_that_does_not_go_through_asks_nothing() {
        let (mut sim, run) = reviewed();
        sim.discard(run).unwrap();
        let cleaned = sim.clean(run).unwrap();
        assert_eq!(conflicts(&mut sim, cleaned), None);
        assert!(!sim.view(run).is_open());
    }

    #[test]
    fn the_question_about_a_thousand_hostile_files_can_be_asked() {
        let (mut sim, run) = reviewed();
        let operation = sim.apply(apply(run)).unwrap();
        let mut hostile = conflict("\u{1b}]0;x\u{7}\n/\u{9b}");
        hostile.ours.excerpt = Some("\u{1b}[2J".repeat(500));
        let conflicts = vec![hostile; 1_000];
        sim.end_early(operation, OperationEnd::Conflict { conflicts });
        let asked = sim.state.run(run).unwrap().decisions[0].asked.clone();
        assert_eq!(asked.question.check(), Ok(()));
        assert!(asked.question.text.len() <= Question::MAX_TEXT);
        assert!(asked.question.text.contains("\nand "), "{}", asked.question.text);
        assert!(asked.question.text.ends_with("What counts where the two do not fit together?"));
    }

    #[test]
    fn questions_of_an_agent_and_about_an_operation_count_together() {
        let mut sim = Simulator::new(limits());
        let run = sim.create(plan().step("a").agent("coder"));
        let attempt = sim.attempt(run, "a");
        let of_agent = sim.ask(attempt, "colour", &["red"], None).unwrap().unwrap();
        sim.finish(run, "a", wrote("aa"));
        let operation = sim.apply(apply(run)).unwrap();
        let decision = conflicts(&mut sim, operation).unwrap();
        assert_eq!((of_agent.number(), decision.number()), (1, 2));
        assert_eq!(sim.task_view(run, "a").decisions.len(), 1);
        let open: BTreeSet<DecisionId> =
            sim.view(run).decisions.iter().map(|decision| decision.id).collect();
        assert_eq!(open, BTreeSet::from([decision]));
    }
}
