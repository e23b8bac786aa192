//! What prompts, arguments and conditions see, and what is recorded of them.

use crate::support::{Simulator, failed, limits, plan, succeeded, succeeded_with};
use orchestra_core::{
    event::{AttemptStarted, EventBody},
    ids::RunId,
    outcome::FailureKind,
};
use serde_json::{Value, json};

/// What was recorded at the start of a step's last attempt.
fn started(sim: &Simulator, run: RunId, step: &str) -> AttemptStarted {
    let task = sim.task(run, step);
    let of_task = sim.journal.iter().flatten().rev().find_map(|event| match &event.body {
        EventBody::AttemptStarted(started) if started.attempt.task() == task => Some(started),
        _ => None,
    });
    of_task.map(|started| (**started).clone()).unwrap()
}

#[test]
fn prompts_and_arguments_are_recorded_as_rendered() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(
        plan()
            .param("scope", json!("full"))
            .step("my-scan")
            .step("fix")
            .needs(&["my-scan"])
            .agent("coder")
            .prompt(
                "{{ params.scope }}: {{ steps['my-scan'].summary }} in {{ run.id }} {{ task.id }}",
            )
            .with("deep", json!({ "list": ["{{ steps['my-scan'].result.total }}", 7] })),
    );
    sim.finish(run, "my-scan", succeeded_with(json!({ "total": 3 })));
    let started = started(&sim, run, "fix");
    assert_eq!(started.prompt.as_deref(), Some("full: done in r1 r1.2"));
    assert_eq!(Value::Object(started.with), json!({ "deep": { "list": [3, 7] } }));
}

#[test]
fn prompt_and_arguments_leave_the_state_when_the_attempt_has_ended() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").agent("coder").prompt("long").with("key", json!(1)));
    let prompt = |sim: &Simulator| {
        let started = &sim.state.run(run).unwrap().tasks[0].attempts[0].started;
        (started.prompt.clone(), started.with.len())
    };
    assert_eq!(prompt(&sim), (Some("long".to_owned()), 1));
    sim.finish(run, "a", succeeded());
    assert_eq!(prompt(&sim), (None, 0));
}

#[test]
fn a_template_that_cannot_be_rendered_fails_its_task_alone() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(
        plan()
            .step("bad")
            .agent("coder")
            .prompt("{{ params.nothing }}")
            .retry(5, 1_000)
            .step("after")
            .needs(&["bad"])
            .step("good")
            .agent("coder"),
    );
    assert_eq!(sim.line(run), "running: bad failed, after skipped, good running");
    assert_eq!(sim.task_view(run, "bad").failure.unwrap().kind, FailureKind::Template);
    assert_eq!(sim.attempts(run, "bad"), []);
    sim.finish(run, "good", succeeded());
    assert_eq!(sim.view(run).status.as_str(), "failed");
}

#[test]
fn steps_far_before_and_skipped_ones_can_be_seen() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(
        plan()
            .step("first")
            .step("skipped")
            .needs(&["first"])
            .when("false")
            .step("between")
            .needs(&["skipped"])
            .step("last")
            .needs(&["between"])
            .prompt("{{ steps.first.result }} {{ steps.skipped.status }} {{ steps|length }}"),
    );
    sim.finish(run, "first", succeeded_with(json!("x")));
    sim.finish(run, "between", succeeded());
    assert_eq!(started(&sim, run, "last").prompt.as_deref(), Some("x skipped 3"));
}

#[test]
fn a_step_that_is_not_needed_cannot_be_seen() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(
        plan().step("a").step("b").needs(&["a"]).prompt("{{ steps.other.status }}").step("other"),
    );
    sim.finish(run, "other", succeeded());
    sim.finish(run, "a", succeeded());
    assert_eq!(sim.line(run), "failed: a succeeded, b failed, other succeeded");
}

#[test]
fn a_retry_sees_what_was_handed_over_since() {
    let mut sim = Simulator::new(limits());
    let run =
        sim.create(
            plan().step("a").step("b").needs(&["a"]).retry(1, 0).prompt(
                "{{ task.id }} {% for step in ['a'] %}{{ steps[step].status }}{% endfor %}",
            ),
        );
    sim.finish(run, "a", succeeded());
    sim.finish(run, "b", failed());
    assert_eq!(started(&sim, run, "b").prompt.as_deref(), Some("r1.2 succeeded"));
    assert_eq!(sim.attempts(run, "b").len(), 2);
}
