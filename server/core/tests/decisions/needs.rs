//! What needs what: order, failures down the line, conditions, retries of a part.

use crate::support::{Simulator, failed, limits, plan, succeeded, succeeded_with};
use orchestra_core::{
    decide::{RefusalKind, Target},
    pending::inputs,
    view::TaskStatus,
};
use serde_json::json;

#[test]
fn a_step_starts_when_all_its_needs_have_succeeded() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").step("b").step("join").needs(&["a", "b"]));
    sim.finish(run, "b", succeeded());
    assert_eq!(sim.line(run), "running: a running, b succeeded, join waiting");
    sim.finish(run, "a", succeeded());
    assert_eq!(sim.line(run), "running: a succeeded, b succeeded, join running");
    sim.finish(run, "join", succeeded());
    assert_eq!(sim.line(run), "succeeded: a succeeded, b succeeded, join succeeded");
}

#[test]
fn a_failure_skips_what_follows_and_the_other_branch_goes_on() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(
        plan()
            .step("bad")
            .step("after")
            .needs(&["bad"])
            .step("later")
            .needs(&["after"])
            .step("good")
            .step("beside")
            .needs(&["good"])
            .step("join")
            .needs(&["beside", "later"]),
    );
    sim.finish(run, "bad", failed());
    assert_eq!(
        sim.line(run),
        "running: bad failed, after skipped, later skipped, good running, beside waiting, \
         join skipped"
    );
    assert_eq!(sim.task_view(run, "after").detail, "bad did not succeed");
    assert_eq!(sim.task_view(run, "later").detail, "after did not succeed");
    sim.play(|_| succeeded());
    let view = sim.view(run);
    assert_eq!(view.status.as_str(), "failed");
    assert_eq!((view.tasks, view.tasks_ended, view.tasks_failed), (6, 6, 1));
    assert_eq!(sim.task_view(run, "beside").output.unwrap().summary, "done", "it is kept");
}

#[test]
fn a_false_condition_satisfies_what_follows() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(
        plan()
            .step("scan")
            .step("fix")
            .needs(&["scan"])
            .when("steps.scan.result.total > 0")
            .step("report")
            .needs(&["fix"]),
    );
    sim.finish(run, "scan", succeeded_with(json!({ "total": 0 })));
    assert_eq!(sim.line(run), "running: scan succeeded, fix skipped, report running");
    assert_eq!(sim.task_view(run, "fix").detail, "`when` is false");
    sim.finish(run, "report", succeeded());
    assert_eq!(sim.view(run).status.as_str(), "succeeded");
}

#[test]
fn a_true_condition_lets_the_step_run() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(
        plan().step("scan").step("fix").needs(&["scan"]).when("steps.scan.result.total > 0"),
    );
    sim.finish(run, "scan", succeeded_with(json!({ "total": 2 })));
    assert_eq!(sim.line(run), "running: scan succeeded, fix running");
}

#[test]
fn a_condition_that_cannot_be_evaluated_fails_its_step_alone() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(
        plan().step("scan").step("fix").needs(&["scan"]).when("params.nothing > 1").step("other"),
    );
    sim.play(|_| succeeded());
    assert_eq!(sim.line(run), "failed: scan succeeded, fix failed, other succeeded");
    assert!(sim.task_view(run, "fix").detail.contains("params.nothing"));
}

#[test]
fn a_failed_need_is_named_even_when_there_is_a_condition() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").step("b").needs(&["a"]).when("true"));
    sim.finish(run, "a", failed());
    assert_eq!(sim.task_view(run, "b").detail, "a did not succeed");
}

#[test]
fn retrying_a_task_brings_back_what_was_skipped_for_it() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(
        plan()
            .step("a")
            .step("b")
            .needs(&["a"])
            .step("c")
            .needs(&["b"])
            .step("other")
            .step("d")
            .needs(&["other", "c"]),
    );
    sim.finish(run, "a", failed());
    sim.finish(run, "other", failed());
    assert_eq!(sim.view(run).status.as_str(), "failed");
    let a = sim.task(run, "a");
    sim.retry(Target::Task(a)).unwrap();
    assert_eq!(sim.line(run), "running: a running, b waiting, c waiting, other failed, d skipped");
    assert_eq!(sim.task_view(run, "d").detail, "other did not succeed");
    sim.play(|_| succeeded());
    assert_eq!(
        sim.line(run),
        "failed: a succeeded, b succeeded, c succeeded, other failed, d skipped"
    );
    let other = sim.task(run, "other");
    sim.retry(Target::Task(other)).unwrap();
    sim.play(|_| succeeded());
    assert_eq!(sim.view(run).status.as_str(), "succeeded");
}

#[test]
fn what_a_person_cancelled_stays_so_when_its_need_is_retried() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").step("b").needs(&["a"]).step("c").needs(&["b"]));
    let (a, b) = (sim.task(run, "a"), sim.task(run, "b"));
    sim.cancel(Target::Task(b)).unwrap();
    sim.finish(run, "a", failed());
    sim.retry(Target::Task(a)).unwrap();
    assert_eq!(sim.line(run), "running: a running, b cancelled, c skipped");
}

#[test]
fn retrying_a_run_tries_again_everything_that_did_not_succeed() {
    let mut sim = Simulator::new(limits());
    let run = sim
        .create(plan().step("ok").step("a").step("b").needs(&["a", "ok"]).step("c").needs(&["b"]));
    sim.finish(run, "ok", succeeded());
    sim.finish(run, "a", failed());
    sim.retry(Target::Run(run)).unwrap();
    assert_eq!(sim.line(run), "running: ok succeeded, a running, b waiting, c waiting");
    sim.play(|_| succeeded());
    assert_eq!(sim.view(run).status.as_str(), "succeeded");
    assert_eq!(sim.attempts(run, "ok").len(), 1, "what succeeded is kept");
    let refusal = sim.retry(Target::Run(run)).unwrap_err();
    assert_eq!(refusal.message, "nothing in r1 has failed");
}

#[test]
fn a_part_can_be_retried_while_the_rest_runs() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("slow").step("a").step("join").needs(&["slow", "a"]));
    sim.finish(run, "a", failed());
    assert_eq!(sim.line(run), "running: slow running, a failed, join skipped");
    sim.retry(Target::Run(run)).unwrap();
    assert_eq!(sim.line(run), "running: slow running, a running, join waiting");
    sim.play(|_| succeeded());
    assert_eq!(sim.view(run).status.as_str(), "succeeded");
}

#[test]
fn a_skipped_task_is_retried_by_retrying_its_cause() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").step("b").needs(&["a"]).step("c").needs(&["b"]));
    sim.finish(run, "a", failed());
    let c = sim.task(run, "c");
    let refusal = sim.retry(Target::Task(c)).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::WrongState);
    assert_eq!(refusal.message, "r1.3 was skipped because a (r1.1) did not succeed");
    assert_eq!(refusal.hint, "`orchestra retry r1.1` tries that again, and r1.3 with it");
}

#[test]
fn only_what_ended_badly_can_be_retried() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").step("b").when("false"));
    let (a, b) = (sim.task(run, "a"), sim.task(run, "b"));
    let refused = |sim: &mut Simulator, task| sim.retry(Target::Task(task)).unwrap_err().message;
    assert_eq!(refused(&mut sim, a), "r1.1 has not ended");
    sim.finish(run, "a", succeeded());
    assert_eq!(refused(&mut sim, a), "r1.1 has succeeded");
    assert_eq!(refused(&mut sim, b), "r1.2 was skipped because its `when` is false");
}

#[test]
fn a_step_gets_what_its_needs_hand_over() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(
        plan().step("a").native("todo.scan").step("b").when("false").step("c").needs(&["a", "b"]),
    );
    sim.finish(run, "a", succeeded_with(json!([1, 2])));
    let given = inputs(sim.state.run(run).unwrap(), sim.task(run, "c"));
    let of = |at: usize| (given[at].step.as_str(), given[at].executor.as_str(), given[at].status);
    assert_eq!(of(0), ("a", "todo.scan", TaskStatus::Succeeded));
    assert_eq!(of(1), ("b", "", TaskStatus::Skipped));
    assert_eq!((given[0].detail.as_str(), &given[0].output.result), ("", &json!([1, 2])));
    assert_eq!(given[1].detail, "`when` is false");
}

#[test]
fn a_plan_without_steps_has_succeeded() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan());
    assert_eq!(sim.line(run), "succeeded: ");
}
