//! What a run has made, judged hunk by hunk, sent back, and applied by itself where the policy says so.

use crate::support::{
    Simulator, applied, apply, cancelled, confined, conflict, failed, file, hunk, limits,
    no_snapshot, on_disk, plan, reviewed, succeeded, verified, wrote,
};
use orchestra_core::{
    change::{Flag, FlagKind, Held, HeldReason},
    confinement::Confinement,
    decide::{InputKind, RefusalKind, Reviewed, Target},
    event::EventBody,
    evidence::Verdict as Verified,
    ids::{AttemptId, RunId},
    operation::{OperationEnd, OperationKind, Target as Place},
    outcome::AttemptOutcome,
    pending::Effect,
    plan::{ApplyPolicy, Executor},
    review::{Selection, Verdict},
    state::{OperationPhase, ReviewPhase},
    view::{ReviewStatus, RunStatus},
};
use std::collections::{BTreeMap, BTreeSet};

const ACCEPTED: Option<Verdict> = Some(Verdict::Accepted);
const REJECTED: Option<Verdict> = Some(Verdict::Rejected);

/// A run whose two agents have each changed a file: `a.txt` with hunk 1, `b.txt` with hunk 2.
fn two_works() -> (Simulator, RunId) {
    let mut sim = Simulator::new(limits());
    let steps = plan().step("a").agent("coder").step("b").needs(&["a"]).agent("writer");
    let run = sim.create(steps);
    sim.finish(run, "a", wrote("aa"));
    sim.finish(run, "b", wrote("bb"));
    (sim, run)
}

fn verdicts(sim: &Simulator, run: RunId) -> BTreeMap<String, Verdict> {
    let review = sim.view(run).review.unwrap();
    review.verdicts.into_iter().map(|(hunk, verdict)| (hunk.to_string(), verdict)).collect()
}

fn doubts(sim: &Simulator, run: RunId) -> Vec<String> {
    sim.view(run).review.unwrap().doubts
}

/// What the last operation of a run applies, and where to; `None` when there is none.
fn last_apply(sim: &Simulator, run: RunId) -> Option<(OperationKind, bool)> {
    let operation = sim.state.run(run).unwrap().operations.last()?;
    Some((operation.started.kind.clone(), operation.started.by_person))
}

/// A run of this policy whose one agent has left verified work, as `change` has changed it.
fn under(policy: ApplyPolicy, change: impl FnOnce(&mut AttemptOutcome)) -> (Simulator, RunId) {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().apply(policy).step("a").agent("coder"));
    let mut outcome = confined(verified(wrote("aa"), Verified::Passed));
    change(&mut outcome);
    sim.finish(run, "a", outcome);
    (sim, run)
}

#[test]
fn a_run_ends_when_what_it_has_made_is_known() {
    let mut sim = Simulator::new(limits());
    sim.make_reviews(false);
    let run = sim.create(plan().step("a").agent("coder"));
    sim.finish(run, "a", wrote("aa"));
    assert_eq!(sim.line(run), "running: a succeeded");
    assert_eq!(sim.view(run).review.unwrap().status, ReviewStatus::Wanted);
    sim.crash();
    let refusal = sim.apply(apply(run)).unwrap_err();
    assert_eq!(refusal.message, "what r1 has made is being brought together");

    sim.review(run);
    assert_eq!(sim.line(run), "succeeded: a succeeded");
    let review = sim.view(run).review.unwrap();
    assert_eq!((review.status, review.files, review.hunks), (ReviewStatus::Open, 1, 1));
    assert!(!sim.view(run).is_open(), "it waits for a person, and not the other way round");
    assert_eq!(sim.end_review(run, Err(no_snapshot())), [], "said twice");
}

#[test]
fn a_run_that_has_changed_nothing_has_no_review() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").agent("coder"));
    sim.finish(run, "a", succeeded());
    assert_eq!(sim.view(run).review, None);
    for refusal in [sim.apply(apply(run)).unwrap_err(), sim.discard(run).unwrap_err()] {
        assert_eq!(refusal.message, "r1 has changed no file");
        assert_eq!(refusal.kind, RefusalKind::WrongState);
    }
    let refusal = sim.judge(run, &[], ACCEPTED).unwrap_err();
    assert_eq!(refusal.message, "r1 has changed no file");
}

#[test]
fn work_that_takes_itself_back_leaves_nothing_to_apply() {
    let mut sim = Simulator::new(limits());
    sim.make_reviews(false);
    let run = sim.create(plan().apply(ApplyPolicy::Branch).step("a").agent("coder"));
    sim.finish(run, "a", wrote("aa"));
    let nothing = Reviewed { files: vec![], ..reviewed(sim.state.run(run).unwrap()) };
    sim.end_review(run, Ok(nothing));
    assert_eq!(last_apply(&sim, run), None);
    let refusal = sim.apply(apply(run)).unwrap_err();
    assert_eq!(refusal.message, "what r1 has made changes nothing in the end");
    sim.clean(run).unwrap();
}

#[test]
fn hunks_are_judged_one_by_one_by_file_and_all_at_once() {
    let (mut sim, run) = two_works();
    let judge = |sim: &mut Simulator, selection, verdict| {
        sim.send(InputKind::Judge { run, selection, verdict }).map(|events| events.len())
    };
    assert_eq!(sim.judge(run, &[hunk(2), hunk(2)], ACCEPTED).unwrap().len(), 1);
    let of = |pairs: &[(u8, Verdict)]| -> BTreeMap<String, Verdict> {
        pairs.iter().map(|&(number, verdict)| (hunk(number).to_string(), verdict)).collect()
    };
    assert_eq!(verdicts(&sim, run), of(&[(2, Verdict::Accepted)]));
    let file = |path: &str| Selection::File { path: path.to_owned() };
    assert_eq!(judge(&mut sim, file("a.txt"), REJECTED), Ok(1));
    assert_eq!(judge(&mut sim, file("a.txt"), REJECTED), Ok(0), "said twice");
    assert_eq!(verdicts(&sim, run), of(&[(1, Verdict::Rejected), (2, Verdict::Accepted)]));
    sim.crash();
    assert_eq!(judge(&mut sim, Selection::All, None), Ok(1));
    assert_eq!(verdicts(&sim, run), of(&[]));
    assert_eq!(judge(&mut sim, Selection::All, ACCEPTED), Ok(1));
    assert_eq!(verdicts(&sim, run), of(&[(1, Verdict::Accepted), (2, Verdict::Accepted)]));
}

#[test]
fn what_the_review_does_not_have_cannot_be_judged() {
    let (mut sim, run) = two_works();
    let refusal = sim.judge(run, &[hunk(1), hunk(9)], ACCEPTED).unwrap_err();
    assert_eq!(refusal.message, "the review of r1 has no hunk 0000000009");
    assert_eq!(refusal.kind, RefusalKind::NotFound);
    let selection = Selection::File { path: "../a.txt".to_owned() };
    let refusal = sim.send(InputKind::Judge { run, selection, verdict: ACCEPTED }).unwrap_err();
    assert_eq!(refusal.message, "the review of r1 has no file \"../a.txt\"");
    let nowhere = "r7".parse().unwrap();
    let refusal = sim.judge(nowhere, &[], ACCEPTED).unwrap_err();
    assert_eq!(refusal.message, "there is no run r7 in this workspace");
}

#[test]
fn what_is_in_the_files_or_on_its_way_there_is_not_rejected() {
    let (mut sim, run) = two_works();
    sim.judge(run, &[hunk(1)], ACCEPTED).unwrap();
    let first = sim.apply(apply(run)).unwrap();
    let refusal = sim.judge(run, &[hunk(1)], REJECTED).unwrap_err();
    assert_eq!(refusal.message, "hunk 0000000001 is being applied");
    sim.judge(run, &[hunk(2)], REJECTED).unwrap();
    sim.carry_out(first);
    let refusal = sim.judge(run, &[hunk(1)], REJECTED).unwrap_err();
    assert_eq!(refusal.message, "hunk 0000000001 is in your files already");
    assert_eq!(refusal.hint, "take it back with `orchestra undo r1/o1` first");
    sim.judge(run, &[hunk(1)], None).unwrap();

    let undone = sim.undo(first).unwrap();
    sim.carry_out(undone);
    sim.judge(run, &[hunk(1)], REJECTED).unwrap();
    // Brought in again by the undo of the undo, it is wanted after all.
    let again = sim.undo(undone).unwrap();
    sim.carry_out(again);
    assert_eq!(sim.view(run).review.unwrap().applied, BTreeSet::from([hunk(1)]));
    assert_eq!(verdicts(&sim, run), BTreeMap::from([(hunk(2).to_string(), Verdict::Rejected)]));
}

#[test]
fn a_review_that_cannot_be_made_is_made_when_that_is_asked_for_again() {
    let mut sim = Simulator::new(limits());
    sim.make_reviews(false);
    let run = sim.create(plan().apply(ApplyPolicy::Branch).step("a").agent("coder"));
    sim.finish(run, "a", wrote("aa"));
    sim.end_review(run, Err(no_snapshot()));
    assert_eq!(sim.line(run), "succeeded: a succeeded");
    let review = sim.view(run).review.unwrap();
    assert_eq!((review.status, review.failure), (ReviewStatus::Failed, Some(no_snapshot())));
    let refusal = sim.apply(apply(run)).unwrap_err();
    assert_eq!(refusal.message, "r1 cannot be reviewed: a.txt is unmerged");
    assert_eq!(refusal.hint, "resolve it");

    sim.retry(Target::Run(run)).unwrap();
    assert!(sim.view(run).is_open(), "the daemon keeps it until it is reviewed");
    sim.crash();
    assert_eq!(sim.wanted_reviews(), [run]);
    sim.review(run);
    assert_eq!(sim.view(run).review.unwrap().status, ReviewStatus::Open);
    assert!(!sim.view(run).is_open());
    let refusal = sim.retry(Target::Run(run)).unwrap_err();
    assert_eq!(refusal.message, "nothing in r1 has failed");
}

#[test]
fn nothing_is_tried_again_while_the_work_is_brought_together() {
    let mut sim = Simulator::new(limits());
    sim.make_reviews(false);
    let run = sim.create(plan().step("a").agent("coder").step("b"));
    sim.finish(run, "a", wrote("aa"));
    sim.finish(run, "b", failed());
    let refusal = sim.retry(Target::Run(run)).unwrap_err();
    assert_eq!(refusal.message, "what r1 has made is being brought together");
    sim.review(run);
    assert_eq!(doubts(&sim, run)[0], "not every task succeeded");
    sim.retry(Target::Run(run)).unwrap();
    sim.finish(run, "b", succeeded());
    assert_eq!(sim.wanted_reviews(), [run], "what is known of it is not the last word any more");
    sim.review(run);
    assert_eq!(sim.line(run), "succeeded: a succeeded, b succeeded");
    assert!(!doubts(&sim, run).contains(&"not every task succeeded".to_owned()));
}

#[test]
fn a_retry_after_a_review_keeps_what_was_judged_and_opens_what_was_discarded() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").agent("coder").step("b").agent("writer"));
    sim.finish(run, "a", wrote("aa"));
    sim.finish(run, "b", failed());
    sim.judge(run, &[hunk(1)], ACCEPTED).unwrap();
    let discarded = sim.discard(run).unwrap();
    sim.retry(Target::Run(run)).unwrap();
    let refusal = sim.apply(apply(run)).unwrap_err();
    assert_eq!(refusal.message, "the review of r1 is discarded");
    sim.finish(run, "b", wrote("bb"));
    let review = sim.view(run).review.unwrap();
    assert_eq!((review.status, review.hunks), (ReviewStatus::Open, 2));
    assert_eq!(review.verdicts, BTreeMap::from([(hunk(1), Verdict::Accepted)]));
    let refusal = sim.undo(discarded).unwrap_err();
    assert_eq!(refusal.message, "r1/o1 has changed nothing that is still so");
}

#[test]
fn what_was_stopped_is_reviewed_as_far_as_it_got() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().apply(ApplyPolicy::Branch).step("a").agent("coder").step("b"));
    sim.finish(run, "a", confined(verified(wrote("aa"), Verified::Passed)));
    sim.cancel(Target::Run(run)).unwrap();
    sim.finish(run, "b", cancelled());
    assert_eq!(sim.line(run), "cancelled: a succeeded, b cancelled");
    assert_eq!(doubts(&sim, run), ["not every task succeeded"]);
    assert_eq!(last_apply(&sim, run), None, "who cancels wants nothing applied");
}

#[test]
fn who_cancels_while_the_result_is_brought_together_wants_nothing_applied() {
    let mut sim = Simulator::new(limits());
    sim.make_reviews(false);
    let run = sim.create(plan().apply(ApplyPolicy::Auto).step("a").agent("coder"));
    sim.finish(run, "a", confined(verified(wrote("aa"), Verified::Passed)));
    sim.cancel(Target::Run(run)).unwrap();
    sim.review(run);
    assert_eq!(sim.view(run).status, RunStatus::Succeeded, "everything was done before");
    assert_eq!(doubts(&sim, run), [""; 0]);
    assert_eq!(last_apply(&sim, run), None);
}

#[test]
fn verified_confined_and_unflagged_work_is_applied_where_the_policy_says_so() {
    let (mut sim, run) = under(ApplyPolicy::Auto, |_| {});
    assert_eq!(doubts(&sim, run), [""; 0]);
    let kind = OperationKind::Apply { target: Place::Files, hunks: vec![hunk(1)] };
    assert_eq!(last_apply(&sim, run), Some((kind, false)));
    assert!(sim.view(run).busy);
    sim.crash();
    let operation = sim.state.run(run).unwrap().operations[0].id();
    sim.carry_out(operation);
    assert_eq!(sim.view(run).review.unwrap().status, ReviewStatus::Applied);
    assert!(!sim.view(run).busy);
}

#[test]
fn a_policy_of_a_branch_takes_doubtful_work_and_no_failed_task() {
    let (sim, run) = under(ApplyPolicy::Branch, |outcome| *outcome = wrote("aa"));
    let target = Place::Branch { name: "orchestra/r1".to_owned() };
    let kind = OperationKind::Apply { target, hunks: vec![hunk(1)] };
    assert_eq!(last_apply(&sim, run), Some((kind, false)));

    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().apply(ApplyPolicy::Branch).step("a").agent("coder").step("b"));
    sim.finish(run, "a", wrote("aa"));
    sim.finish(run, "b", failed());
    assert_eq!(last_apply(&sim, run), None);
    sim.retry(Target::Run(run)).unwrap();
    sim.finish(run, "b", succeeded());
    assert!(last_apply(&sim, run).is_some(), "once it has succeeded");
}

#[test]
fn a_policy_of_review_does_nothing_by_itself() {
    let (sim, run) = under(ApplyPolicy::Review, |_| {});
    assert_eq!(doubts(&sim, run), [""; 0]);
    assert_eq!(last_apply(&sim, run), None);
}

#[test]
fn each_doubt_leaves_the_result_to_a_person() {
    let change_of = |outcome: &mut AttemptOutcome,
                     change: fn(&mut orchestra_core::change::Change)| {
        let AttemptOutcome::Succeeded { output } = outcome else { panic!("it has succeeded") };
        change(output.change.as_mut().unwrap());
    };
    let check = |change: &dyn Fn(&mut AttemptOutcome), doubt: &str| {
        let (sim, run) = under(ApplyPolicy::Auto, |outcome| change(outcome));
        assert_eq!(doubts(&sim, run), [doubt]);
        assert_eq!(last_apply(&sim, run), None, "{doubt}");
    };
    check(&|outcome| *outcome = confined(wrote("aa")), "no check has verified it");
    check(
        &|outcome| *outcome = confined(verified(wrote("aa"), Verified::Unchecked)),
        "no check has verified it",
    );
    check(
        &|outcome| {
            let red = Verified::WasRedBefore { checks: vec![0] };
            *outcome = confined(verified(wrote("aa"), red));
        },
        "a check was red before as well",
    );
    check(
        &|outcome| *outcome = verified(wrote("aa"), Verified::Passed),
        "nothing held what r1.1 ran",
    );
    check(
        &|outcome| {
            let AttemptOutcome::Succeeded { output } = outcome else { panic!("it has succeeded") };
            output.confined = Some(Confinement::None);
        },
        "nothing held what r1.1 ran",
    );
    check(
        &|outcome| {
            change_of(outcome, |change| {
                let reason = HeldReason::TooLarge { bytes: 7 };
                change.held.push(Held { path: "b".to_owned(), reason });
            });
        },
        "something of r1.1 was held back",
    );
    check(
        &|outcome| {
            change_of(outcome, |change| {
                change.flags.push(Flag { path: "x\n.mcp.json".to_owned(), kind: FlagKind::Mcp });
            });
        },
        "x\u{fffd}.mcp.json is flagged",
    );
    check(
        &|outcome| {
            change_of(outcome, |change| {
                change.flags.push(Flag { path: String::new(), kind: FlagKind::EverythingDeleted });
            });
        },
        "every file is deleted",
    );
}

#[test]
fn a_reader_that_nothing_held_is_a_doubt_as_well() {
    let mut sim = Simulator::new(limits());
    let steps = plan().apply(ApplyPolicy::Auto).step("a").agent("coder").step("look").agent("eye");
    let run = sim.create(steps);
    sim.finish(run, "look", succeeded());
    sim.finish(run, "a", confined(verified(wrote("aa"), Verified::Passed)));
    assert_eq!(doubts(&sim, run), ["nothing held what r1.2 ran"]);
    assert_eq!(last_apply(&sim, run), None);
}

#[test]
fn many_flagged_files_are_counted_and_not_all_named() {
    let mut sim = Simulator::new(limits());
    sim.make_reviews(false);
    let run = sim.create(plan().apply(ApplyPolicy::Auto).step("a").agent("coder"));
    sim.finish(run, "a", confined(verified(wrote("aa"), Verified::Passed)));
    let flagged = (10..60).map(|number| format!("{number}.yml")).collect();
    sim.end_review(run, Ok(Reviewed { flagged, ..reviewed(sim.state.run(run).unwrap()) }));
    let doubts = doubts(&sim, run);
    assert_eq!(doubts.len(), 21);
    assert_eq!(
        (doubts[0].as_str(), doubts[20].as_str()),
        ("10.yml is flagged", "30 more files are flagged")
    );
}

#[test]
fn a_result_that_no_task_has_made_is_not_verified() {
    let mut sim = Simulator::new(limits());
    sim.make_reviews(false);
    let run = sim.create(plan().apply(ApplyPolicy::Auto).step("a").agent("coder"));
    sim.finish(run, "a", confined(verified(wrote("aa"), Verified::Passed)));
    let result = "merged".to_owned();
    sim.end_review(run, Ok(Reviewed { result, ..reviewed(sim.state.run(run).unwrap()) }));
    assert_eq!(doubts(&sim, run), ["no check has verified it"]);
    let refusal = sim.send_back(run, "Once more", &[]).unwrap_err();
    assert_eq!(refusal.message, "the result of r1 is no single task's work");
}

#[test]
fn two_results_are_applied_one_after_the_other() {
    let mut sim = Simulator::new(limits());
    let steps = || plan().apply(ApplyPolicy::Auto).step("a").agent("coder");
    let well = || confined(verified(wrote("aa"), Verified::Passed));
    let (first, second) = (sim.create(steps()), sim.create(steps()));
    let third = sim.create(steps());
    sim.finish(first, "a", well());
    sim.finish(second, "a", well());
    sim.finish(third, "a", well());
    assert!(last_apply(&sim, first).is_some());
    assert_eq!(last_apply(&sim, second), None, "it waits");
    assert!(sim.view(second).busy, "and is not forgotten meanwhile");
    sim.crash();
    // A person who looks at it first takes it over.
    sim.judge(third, &[hunk(1)], REJECTED).unwrap();
    assert!(!sim.view(third).busy);
    let operation = sim.state.run(first).unwrap().operations[0].id();
    sim.end_early(operation, OperationEnd::Conflict { conflicts: vec![conflict("a.txt")] });
    assert!(last_apply(&sim, second).is_some());
    let operation = sim.state.run(second).unwrap().operations[0].id();
    sim.carry_out(operation);
    assert_eq!(last_apply(&sim, third), None);
}

#[test]
fn a_run_that_goes_on_is_not_applied_meanwhile() {
    let mut sim = Simulator::new(limits());
    let other = sim.create(plan().step("x").agent("coder"));
    sim.finish(other, "x", wrote("xx"));
    let blocking = sim.apply(apply(other)).unwrap();
    let steps = plan().apply(ApplyPolicy::Branch).step("a").agent("coder");
    let run = sim.create(steps);
    sim.finish(run, "a", wrote("aa"));
    assert!(sim.view(run).busy, "its branch waits for the other operation");
    sim.send_back(run, "Once more", &[]).unwrap();
    sim.carry_out(blocking);
    assert_eq!(last_apply(&sim, run), None);
    sim.finish(run, "follow-up-1", wrote("ab"));
    assert_eq!(last_apply(&sim, run), None, "who has sent it back looks at it again");
}

#[test]
fn work_that_is_sent_back_goes_on_from_the_result_with_the_agent_that_made_it() {
    let mut sim = Simulator::new(limits());
    let steps = plan()
        .agent_profile("coder", |agent| agent.writes = true)
        .step("a")
        .agent("other")
        .agent("coder")
        .fallback("spare")
        .verify(&["cargo", "test"])
        .step("b")
        .needs(&["a"])
        .agent("writer")
        .verify(&["cargo", "check"]);
    let run = sim.create(steps);
    // `other` is busy elsewhere, so `coder` is chosen.
    sim.finish(run, "a", failed());
    let first = sim.attempt(run, "a");
    sim.finish(run, "a", wrote("aa"));
    sim.finish(run, "b", wrote("bb"));
    sim.judge(run, &[hunk(1)], ACCEPTED).unwrap();
    let made_by = {
        let task = sim.state.run(run).unwrap().task(first.task()).unwrap();
        task.attempts.last().unwrap().started.executor.name().to_owned()
    };

    sim.send_back(run, "Use {{ braces }} and \"quotes\"\n{% raw %}", &[first]).unwrap();
    assert_eq!(sim.line(run), "running: a succeeded, b succeeded, follow-up-1 running");
    let task = sim.state.run(run).unwrap().plan.tasks[2].clone();
    assert_eq!(task.executors[0], Executor::Agent { name: made_by.clone(), fallback: false });
    let is_fallback =
        |executor: &Executor| matches!(executor, Executor::Agent { fallback: true, .. });
    assert!(task.executors[1..].iter().all(is_fallback), "{:?}", task.executors);
    assert_eq!(task.verify, [["cargo", "check"]], "the result is verified as it was");
    let started = sim.journal.iter().flatten().rev().find_map(|event| match &event.body {
        EventBody::AttemptStarted(started) => Some(started.clone()),
        _ => None,
    });
    let started = started.unwrap();
    assert_eq!(started.executor.name(), made_by);
    assert_eq!(started.base.as_deref(), Some("bb"));
    assert_eq!(
        started.prompt.as_deref(),
        Some("Use {{ braces }} and \"quotes\"\n{% raw %}"),
        "what a person writes is no template"
    );

    for refusal in [
        sim.send_back(run, "And this", &[]).unwrap_err(),
        sim.apply(apply(run)).unwrap_err(),
        sim.clean(run).unwrap_err(),
    ] {
        assert!(refusal.message.starts_with("r1 "), "{refusal}");
        assert_eq!(refusal.kind, RefusalKind::WrongState);
    }
    sim.crash();
    sim.finish(run, "follow-up-1", wrote("cc"));
    let review = sim.view(run).review.unwrap();
    assert_eq!((review.status, review.hunks), (ReviewStatus::Open, 3));
    assert_eq!(review.verdicts, BTreeMap::from([(hunk(1), Verdict::Accepted)]));
    sim.send_back(run, "And this", &[]).unwrap();
    assert_eq!(sim.state.run(run).unwrap().plan.tasks[3].step.as_str(), "follow-up-2");
}

#[test]
fn what_cannot_be_sent_back_says_why() {
    let (mut sim, run) = two_works();
    let refusal = sim.send_back(run, " \n", &[]).unwrap_err();
    assert_eq!(refusal.message, "nothing is said of the work of r1");
    let strange: AttemptId = "r9.1@1".parse().unwrap();
    let refusal = sim.send_back(run, "Once more", &[strange]).unwrap_err();
    assert_eq!(refusal.message, "the review of r1 has no work of r9.1@1");
    let operation = sim.apply(apply(run)).unwrap();
    let refusal = sim.send_back(run, "Once more", &[]).unwrap_err();
    assert_eq!(refusal.message, "r1/o1 is under way");
    let refusal = sim.retry(Target::Run(run)).unwrap_err();
    assert_eq!(refusal.message, "r1/o1 is under way");
    sim.prepare(operation, &[on_disk("a.txt")]);
    sim.write(operation, &[applied("a.txt")]);
    sim.send_back(run, "Once more", &[]).unwrap();
}

#[test]
fn work_of_natives_alone_can_be_sent_back_to_nobody() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").agent("coder").step("b").native("format").needs(&["a"]));
    sim.finish(run, "a", succeeded());
    sim.finish(run, "b", wrote("bb"));
    let refusal = sim.send_back(run, "Once more", &[]).unwrap_err();
    assert_eq!(refusal.message, "no agent has worked on r1");
}

#[test]
fn a_merge_that_a_native_has_made_goes_back_to_who_worked_and_not_to_who_would_have_resolved_it() {
    let mut sim = Simulator::new(limits());
    let steps = plan()
        .step("a")
        .agent("coder")
        .step("merge")
        .native("changes.merge")
        .agent("resolver")
        .needs(&["a"]);
    let run = sim.create(steps);
    sim.finish(run, "a", wrote("aa"));
    sim.finish(run, "merge", wrote("mm"));
    sim.send_back(run, "Once more", &[]).unwrap();
    let task = sim.state.run(run).unwrap().plan.tasks[2].clone();
    assert_eq!(task.executors, [Executor::Agent { name: "coder".to_owned(), fallback: false }]);
    assert_eq!(sim.attempts(run, "follow-up-1")[0].executor, "coder");
}

#[test]
fn an_old_journal_that_knows_no_reviews_is_folded_and_goes_on() {
    // As the first build wrote it: its run has changed files and has ended without a review.
    let (sim, run) = two_works();
    let mut state = orchestra_core::state::State::new(limits(), 1);
    let is_old = |body: &EventBody| {
        !matches!(body, EventBody::ReviewWanted { .. } | EventBody::ReviewOpened(_))
    };
    for event in sim.journal.iter().flatten().filter(|event| is_old(&event.body)) {
        orchestra_core::apply::apply(&mut state, event).unwrap();
    }
    state.audit().unwrap();
    let view = state.run(run).unwrap().view();
    assert_eq!((view.review, view.busy), (None, false));
    assert_eq!(orchestra_core::pending::pending(&state), []);
    let input = orchestra_core::decide::Input {
        now: sim.now,
        seed: 0,
        kind: InputKind::Apply(Box::new(apply(run))),
    };
    let refusal = orchestra_core::decide::decide(&state, &input).unwrap_err();
    assert_eq!(refusal.message, "r1 has changed no file");
}

#[test]
fn the_review_is_pending_until_it_is_known_whatever_crashes() {
    let mut sim = Simulator::new(limits());
    sim.make_reviews(false);
    let run = sim.create(plan().step("a").agent("coder").step("b").agent("writer"));
    sim.finish(run, "a", wrote("aa"));
    assert_eq!(sim.wanted_reviews(), [], "not before the last task has ended");
    sim.finish(run, "b", wrote("bb"));
    assert!(orchestra_core::pending::pending(&sim.state).contains(&Effect::Review { run }));
    sim.crash();
    sim.review(run);
    assert!(matches!(sim.state.run(run).unwrap().review.phase, ReviewPhase::Open(_)));
    let opened = sim.state.run(run).unwrap();
    let ReviewPhase::Open(opened) = &opened.review.phase else { panic!("it is open") };
    assert_eq!(opened.files, [file("a.txt", &[hunk(1)]), file("b.txt", &[hunk(2)])]);
    assert!(!matches!(
        sim.state.run(run).unwrap().operations.last().map(|last| &last.phase),
        Some(OperationPhase::Preparing)
    ));
}
