//! `kill -9`: of the daemon, of shims, of both, in the middle of running agents.

use super::crew::{Crew, LIMIT, list, text};
use orchestra_testkit::{Arrived, Gate, eventually};
use serde_json::Value;

/// Waits until both agents work.
fn both_at_work(crew: &Crew) -> (Arrived, Arrived) {
    (gate(crew, "left").wait(), gate(crew, "right").wait())
}

fn gate(crew: &Crew, agent: &str) -> Gate {
    Gate::at(crew.sandbox.root().join(format!("gate-{agent}")))
}

/// A crew whose first two agents wait at gates.
fn crew_at_gates() -> Crew {
    Crew::that(|sandbox, agent| match agent {
        "join" => String::new(),
        agent => sandbox.gate(agent).to_string(),
    })
}

fn start_run(crew: &Crew) {
    crew.sandbox.orchestra(["run", "crew", "--detach"]).run().success();
}

fn attempts(crew: &Crew, step: &str) -> Vec<(String, String)> {
    let task = crew.sandbox.show(&format!("r1/{step}"));
    let of = |attempt: Value| (text(&attempt["id"]), text(&attempt["outcome"]));
    list(&task["attempts"]).iter().cloned().map(of).collect()
}

fn ids(crew: &Crew, step: &str) -> Vec<String> {
    attempts(crew, step).into_iter().map(|(id, _)| id).collect()
}

#[test]
fn agents_work_on_while_the_daemon_is_killed_and_the_next_one_adopts_them() {
    let crew = crew_at_gates();
    start_run(&crew);
    let at_work = both_at_work(&crew);

    crew.kill("daemon __serve");
    crew.sandbox.orchestra(["daemon", "start"]).run().success();
    drop(at_work);

    crew.wait_for_end("r1").success();
    crew.check("r1");
    assert_eq!(ids(&crew, "left"), ["r1.2@1"]);
    assert_eq!(ids(&crew, "right"), ["r1.3@1"]);
}

#[test]
fn a_run_ends_without_anybody_asking_after_its_daemon_was_killed() {
    let crew = crew_at_gates();
    start_run(&crew);
    let at_work = both_at_work(&crew);

    crew.kill("daemon __serve");
    // The shim of whoever ends first finds no daemon, and starts one.
    drop(at_work);

    crew.sandbox.wait_for_status("r1", "succeeded");
    crew.check("r1");
    assert_eq!(ids(&crew, "left"), ["r1.2@1"]);
}

#[test]
fn what_a_killed_shim_leaves_is_ended_and_its_task_tried_again() {
    let crew = Crew::that(|sandbox, agent| match agent {
        // Out of its session and without the variables by which it would be known at once.
        "left" => format!("setsid env -i sleep 1000 &\n{}", sandbox.gate(agent)),
        _ => String::new(),
    });
    start_run(&crew);
    let first = gate(&crew, "left").wait();

    crew.kill("__shim");
    drop(first);
    gate(&crew, "left").open();

    crew.wait_for_end("r1").success();
    crew.check("r1");
    let attempts = attempts(&crew, "left");
    assert_eq!(attempts.len(), 2, "{attempts:?}");
    assert!(attempts[0].1.contains("shim died"), "{attempts:?}");
    // The workflow allows no retry: a try that vanished is none.
    assert_eq!(crew.effects()["r1.2@2"], 1);
    eventually("what the first try left has ended", LIMIT, || {
        let left = crew.sandbox.processes();
        left.iter().all(|process| !process.command_line.contains("sleep 1000")).then_some(())
    });
}

#[test]
fn daemon_and_shims_killed_at_once_cost_one_try_each() {
    let crew = crew_at_gates();
    start_run(&crew);
    let first = both_at_work(&crew);

    crew.kill("daemon __serve");
    crew.kill("__shim");
    drop(first);
    crew.sandbox.orchestra(["daemon", "start"]).run().success();
    drop(both_at_work(&crew));

    crew.wait_for_end("r1").success();
    crew.check("r1");
    assert_eq!(ids(&crew, "left"), ["r1.2@1", "r1.2@2"]);
    assert_eq!(ids(&crew, "right"), ["r1.3@1", "r1.3@2"]);
}

#[test]
fn a_task_whose_shim_is_killed_three_times_in_a_row_fails_and_says_why() {
    let crew = Crew::that(|sandbox, agent| match agent {
        "left" => sandbox.gate(agent).to_string(),
        _ => String::new(),
    });
    let run = crew.sandbox.orchestra(["run", "crew"]).spawn();
    for _ in 0..3 {
        let at_work = gate(&crew, "left").wait();
        crew.kill("__shim");
        drop(at_work);
    }

    let outcome = run.wait(LIMIT).code(1);
    let outcome = outcome.stdout_has("r1.2 left: 3 attempts in a row vanished: its shim died");
    outcome.stdout_has("hint: look for what kills processes");
    crew.check("r1");
    assert_eq!(ids(&crew, "left"), ["r1.2@1", "r1.2@2", "r1.2@3"]);
}

#[test]
fn who_follows_a_run_is_not_disturbed_by_the_death_of_the_daemon() {
    let crew = crew_at_gates();
    let run = crew.sandbox.orchestra(["run", "crew"]).spawn();
    let at_work = both_at_work(&crew);

    let killed = crew.daemon();
    crew.kill("daemon __serve");
    let successor = eventually("the client has started another daemon", LIMIT, || {
        let status = crew.sandbox.orchestra(["daemon", "status", "--json"]).run();
        (status.exit_code() == Some(0)).then(|| status.json()["pid"].as_u64())?
    });
    assert_ne!(successor, killed);
    drop(at_work);

    let outcome = run.wait(LIMIT).success();
    // Every change once, although two daemons have told of them.
    for line in ["r1.2 left running: left", "r1.4 join running: join", "r1.5 report succeeded"] {
        assert_eq!(outcome.stdout.matches(line).count(), 1, "{line} in {outcome}");
    }
    crew.check("r1");
}
