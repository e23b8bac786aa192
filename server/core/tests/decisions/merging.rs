//! Works that come together: from what a merge starts, who takes over when it fails, and with what.

use crate::support::{
    PlanBuilder, Simulator, failed, failed_as, limits, plan, snapshot, succeeded, wrote,
};
use orchestra_core::{
    decide::Target,
    event::{AttemptStarted, EventBody},
    ids::{RunId, TaskId},
    merge::{Conflict, ConflictKind, Side, Span, Unmerged},
    outcome::{AttemptOutcome, Failure, FailureKind, Output},
    plan::Executor,
};

/// Two that write, their merge, and one who needs it.
fn two_writers() -> PlanBuilder {
    plan()
        .step("left")
        .agent("coder")
        .prompt("turn left")
        .step("right")
        .agent("painter")
        .prompt("turn right in {{ run.id }}")
        .step("merge-check")
        .merge()
        .needs(&["left", "right"])
        .step("check")
        .agent("reader")
        .needs(&["left", "right", "merge-check"])
}

/// The last attempt that started.
fn last(sim: &Simulator) -> AttemptStarted {
    let last = sim.journal.iter().flatten().rev().find_map(|event| match &event.body {
        EventBody::AttemptStarted(started) => Some((**started).clone()),
        _ => None,
    });
    last.expect("an attempt has started")
}

fn base(sim: &Simulator) -> String {
    last(sim).base.expect("a base")
}

/// The works that the task is given, as tasks and commits.
fn works(sim: &Simulator, run: RunId, step: &str) -> Vec<(String, String)> {
    let task = sim.task(run, step);
    let works = sim.state.run(run).unwrap().works_for(task);
    works.iter().map(|work| (work.task.to_string(), work.commit.to_owned())).collect()
}

fn pair(task: &str, commit: &str) -> (String, String) {
    (task.to_owned(), commit.to_owned())
}

fn unmerged(works: &[TaskId], left: &[TaskId], commit: &str) -> Unmerged {
    let side = |first| Side { lines: vec![Span { first, count: 2 }], excerpt: None };
    Unmerged {
        works: works.to_vec(),
        left: left.to_vec(),
        commit: commit.to_owned(),
        conflicts: vec![Conflict {
            path: "src/a.rs".to_owned(),
            kind: ConflictKind::Lines,
            ours: side(3),
            theirs: side(4),
        }],
        more: 2,
    }
}

fn conflict(left: Unmerged) -> AttemptOutcome {
    let message = "left and right do not fit together".to_owned();
    let failure = Failure { kind: FailureKind::Conflict, message, hint: None };
    let output = Output { unmerged: Some(Box::new(left)), ..Output::default() };
    AttemptOutcome::Failed { failure, output }
}

#[test]
fn what_needs_several_works_starts_from_their_merge() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(two_writers());
    sim.finish(run, "left", wrote("aa"));
    sim.finish(run, "right", wrote("bb"));
    assert_eq!(last(&sim).executor.name(), Executor::MERGE);
    assert_eq!(base(&sim), snapshot(run).commit);
    assert_eq!(works(&sim, run, "merge-check"), [pair("r1.1", "aa"), pair("r1.2", "bb")]);
    sim.finish(run, "merge-check", wrote("cc"));
    assert_eq!(base(&sim), "cc");
    assert_eq!(works(&sim, run, "check"), [pair("r1.3", "cc")]);
    sim.finish(run, "check", succeeded());
    assert_eq!(
        sim.line(run),
        "succeeded: left succeeded, right succeeded, merge-check succeeded, check succeeded"
    );
}

#[test]
fn who_has_changed_nothing_hands_on_what_it_was_given() {
    let mut sim = Simulator::new(limits());
    let plan = plan()
        .step("first")
        .agent("coder")
        .step("left")
        .agent("coder")
        .needs(&["first"])
        .step("right")
        .agent("painter")
        .step("merge")
        .merge()
        .needs(&["left", "right"]);
    let run = sim.create(plan);
    sim.finish(run, "right", wrote("bb"));
    sim.finish(run, "first", wrote("aa"));
    sim.finish(run, "left", succeeded());
    assert_eq!(works(&sim, run, "merge"), [pair("r1.1", "aa"), pair("r1.3", "bb")]);
}

#[test]
fn of_two_works_one_of_which_is_on_top_of_the_other_only_that_one_counts() {
    let mut sim = Simulator::new(limits());
    let plan = plan()
        .step("first")
        .agent("coder")
        .step("second")
        .agent("coder")
        .needs(&["first"])
        .step("look")
        .agent("reader")
        .needs(&["first", "second"]);
    let run = sim.create(plan);
    sim.finish(run, "first", wrote("aa"));
    assert_eq!(base(&sim), "aa");
    sim.finish(run, "second", wrote("bb"));
    assert_eq!(base(&sim), "bb");
}

#[test]
fn a_merge_whose_works_do_not_fit_fails_at_once_where_nobody_resolves() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(two_writers());
    sim.finish(run, "left", wrote("aa"));
    sim.finish(run, "right", wrote("bb"));
    let (left, right) = (sim.task(run, "left"), sim.task(run, "right"));
    sim.finish(run, "merge-check", conflict(unmerged(&[left, right], &[], "mm")));
    assert_eq!(
        sim.line(run),
        "failed: left succeeded, right succeeded, merge-check failed, check skipped"
    );
    sim.retry(Target::Run(run)).unwrap();
    assert_eq!(last(&sim).executor.name(), Executor::MERGE);
    assert_eq!(base(&sim), snapshot(run).commit);
}

fn with_resolver() -> PlanBuilder {
    plan()
        .step("left")
        .agent("coder")
        .prompt("turn left")
        .step("right")
        .agent("painter")
        .prompt("turn right in {{ run.id }}")
        .step("far")
        .agent("walker")
        .step("merge")
        .merge()
        .agent("mender")
        .retry(1, 0)
        .needs(&["left", "right", "far"])
}

#[test]
fn the_resolving_agent_starts_from_both_sides_and_is_told_what_each_was_asked() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(with_resolver());
    sim.finish(run, "left", wrote("aa"));
    sim.finish(run, "right", wrote("bb"));
    sim.finish(run, "far", wrote("cc"));
    let task = |step| sim.task(run, step);
    let (left, right, far) = (task("left"), task("right"), task("far"));
    sim.finish(run, "merge", conflict(unmerged(&[left, right], &[far], "m1")));
    sim.crash();
    let started = last(&sim);
    assert_eq!((started.executor.name(), started.base.as_deref()), ("mender", Some("m1")));
    assert_eq!(
        started.why,
        "the only candidate, after changes.merge failed: left and right do not fit together"
    );
    let prompt = started.prompt.unwrap();
    for part in [
        "- `src/a.rs`: both changed the same lines (lines 3-4 of one, lines 4-5 of the other)\n- and 2 more\n",
        "## What left (r1.1) was asked to do\n\nturn left\n\nIt says of its work: done\n",
        "## What right (r1.2) was asked to do\n\nturn right in r1\n",
    ] {
        assert!(prompt.contains(part), "no {part:?} in {prompt}");
    }
    assert!(!prompt.contains("r1.3"), "{prompt}");

    // Work that does not hold is tried again, from the same place.
    sim.finish(run, "merge", failed_as(FailureKind::Evidence));
    assert_eq!((last(&sim).executor.name(), base(&sim).as_str()), ("mender", "m1"));
    // What is put right does not fit to the third work: that is no failure of whoever did it.
    sim.finish(run, "merge", conflict(unmerged(&[left, right, far], &[], "m2")));
    assert_eq!((last(&sim).executor.name(), base(&sim).as_str()), ("mender", "m2"));
    assert!(last(&sim).prompt.unwrap().contains("## What far (r1.3) was asked to do"));
    sim.finish(run, "merge", failed_as(FailureKind::Evidence));
    sim.finish(run, "merge", wrote("dd"));
    assert_eq!(
        sim.line(run),
        "succeeded: left succeeded, right succeeded, far succeeded, merge succeeded"
    );
}

#[test]
fn works_that_fit_together_and_do_not_work_are_put_right_too() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(with_resolver());
    for (step, commit) in [("left", "aa"), ("right", "bb"), ("far", "cc")] {
        sim.finish(run, step, wrote(commit));
    }
    let works = ["left", "right", "far"].map(|step| sim.task(run, step));
    let left = Unmerged { conflicts: Vec::new(), more: 0, ..unmerged(&works, &[], "m1") };
    let AttemptOutcome::Failed { mut failure, output } = conflict(left) else { panic!() };
    failure.kind = FailureKind::Evidence;
    sim.finish(run, "merge", AttemptOutcome::Failed { failure, output });
    // The same merge again would be as red: the retry is for the agent.
    assert_eq!((last(&sim).executor.name(), base(&sim).as_str()), ("mender", "m1"));
    assert!(last(&sim).prompt.unwrap().contains("the checks say that the whole does not work"));
}

#[test]
fn a_merge_that_fails_for_another_reason_leaves_nothing_to_put_right() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(with_resolver());
    for (step, commit) in [("left", "aa"), ("right", "bb"), ("far", "cc")] {
        sim.finish(run, step, wrote(commit));
    }
    sim.finish(run, "merge", failed());
    assert_eq!(
        sim.line(run),
        "failed: left succeeded, right succeeded, far succeeded, merge failed"
    );
}
