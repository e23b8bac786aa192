//! `kill -9`: of the daemon, of shims, of both, in the middle of running agents.

use super::crew::{Crew, LIMIT};
use orchestra_testkit::eventually;

#[test]
fn agents_work_on_while_the_daemon_is_killed_and_the_next_one_adopts_them() {
    let crew = Crew::at_gates();
    crew.start_run();
    let at_work = crew.both_at_work();

    crew.kill("daemon __serve");
    crew.sandbox.orchestra(["daemon", "start"]).run().success();
    drop(at_work);

    crew.wait_for_end("r1").success();
    crew.check("r1");
    assert_eq!(crew.ids("left"), ["r1.2@1"]);
    assert_eq!(crew.ids("right"), ["r1.3@1"]);
}

#[test]
fn a_run_ends_without_anybody_asking_after_its_daemon_was_killed() {
    let crew = Crew::at_gates();
    crew.start_run();
    let at_work = crew.both_at_work();

    crew.kill("daemon __serve");
    // The shim of whoever ends first finds no daemon, and starts one.
    drop(at_work);

    crew.sandbox.wait_for_status("r1", "succeeded");
    crew.check("r1");
    assert_eq!(crew.ids("left"), ["r1.2@1"]);
}

#[test]
fn what_a_killed_shim_leaves_is_ended_and_its_task_tried_again() {
    let crew = Crew::that(|sandbox, agent| match agent {
        // Out of its session and without the variables by which it would be known at once.
        "left" => format!("setsid env -i sleep 1000 &\n{}", sandbox.gate(agent)),
        _ => String::new(),
    });
    crew.start_run();
    let first = crew.gate("left").wait();

    crew.kill_shims();
    drop(first);
    crew.gate("left").open();

    crew.wait_for_end("r1").success();
    crew.check("r1");
    let attempts = crew.attempts("left");
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
    let crew = Crew::at_gates();
    crew.start_run();
    let first = crew.both_at_work();

    crew.kill("daemon __serve");
    crew.kill_shims();
    drop(first);
    crew.sandbox.orchestra(["daemon", "start"]).run().success();
    drop(crew.both_at_work());

    crew.wait_for_end("r1").success();
    crew.check("r1");
    assert_eq!(crew.ids("left"), ["r1.2@1", "r1.2@2"]);
    assert_eq!(crew.ids("right"), ["r1.3@1", "r1.3@2"]);
}

#[test]
fn a_task_whose_shim_is_killed_three_times_in_a_row_fails_and_says_why() {
    let crew = Crew::that(|sandbox, agent| match agent {
        "left" => sandbox.gate(agent).to_string(),
        _ => String::new(),
    });
    let run = crew.sandbox.orchestra(["run", "crew"]).spawn();
    for _ in 0..3 {
        let at_work = crew.gate("left").wait();
        crew.kill_shims();
        drop(at_work);
    }

    let outcome = run.wait(LIMIT).code(1);
    let outcome = outcome.stdout_has("r1.2 left: 3 attempts in a row vanished: its shim died");
    outcome.stdout_has("hint: look for what kills processes");
    crew.check("r1");
    assert_eq!(crew.ids("left"), ["r1.2@1", "r1.2@2", "r1.2@3"]);
}

#[test]
fn who_follows_a_run_is_not_disturbed_by_the_death_of_the_daemon() {
    let crew = Crew::at_gates();
    let run = crew.sandbox.orchestra(["run", "crew"]).spawn();
    let at_work = crew.both_at_work();

    let killed = crew.daemon();
    crew.kill("daemon __serve");
    let successor = crew.wait_for_daemon();
    assert_ne!(successor, killed);
    drop(at_work);

    let outcome = run.wait(LIMIT).success();
    // Every change once, although two daemons have told of them.
    for line in ["r1.2 left running: left", "r1.4 join running: join", "r1.5 report succeeded"] {
        assert_eq!(outcome.stdout.matches(line).count(), 1, "{line} in {outcome}");
    }
    crew.check("r1");
}

#[test]
fn who_follows_a_run_does_not_start_daemons_for_ever_that_die_at_once() {
    let crew = Crew::at_gates();
    crew.sandbox.orchestra(["daemon", "start"]).run().success();
    let armed = crew.sandbox.orchestra(["run", "crew"]).failpoints("store::commit::before=return");
    let run = armed.spawn();
    let at_work = crew.both_at_work();

    // Each that the client starts dies of the first thing that it records.
    crew.kill("daemon __serve");

    let outcome = run.wait(LIMIT).code(3).stderr_has("5 daemons in a row have died at once");
    outcome.stderr_has("then go on with `orchestra watch r1`");
    // The shims of the agents start one that is whole.
    drop(at_work);
    crew.wait_for_end("r1").success();
    crew.check("r1");
}
