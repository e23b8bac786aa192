//! The daemon's life: one at a time, found or started, told to leave, and leaving by itself.

use super::crew::{Crew, LIMIT};
use orchestra_testkit::{Sandbox, eventually};
use std::fs;

#[test]
fn of_ten_that_start_at_once_one_serves_and_all_clients_reach_it() {
    let sandbox = Sandbox::new();
    let starting: Vec<_> =
        (0..10).map(|_| sandbox.orchestra(["daemon", "start", "--json"]).spawn()).collect();
    let mut pids: Vec<_> = starting
        .into_iter()
        .map(|start| start.wait(LIMIT).success().json()["pid"].clone())
        .collect();
    pids.dedup();
    let log = fs::read_to_string(sandbox.state().join("daemon.log")).unwrap_or_default();
    assert_eq!(pids.len(), 1, "{pids:?}\n{log}");
    // Those that came too late have said so, and may not have gone yet.
    eventually("one daemon is left", LIMIT, || (daemons(&sandbox) == 1).then_some(()));
    sandbox.orchestra(["daemon", "status"]).run().success();
}

#[test]
fn a_second_daemon_leaves_with_a_word() {
    let sandbox = Sandbox::new();
    sandbox.orchestra(["daemon", "start"]).run().success();
    let second = sandbox.orchestra(["daemon", "__serve"]).run().success();
    assert_eq!(second.stdout, "taken\n");
    assert_eq!(daemons(&sandbox), 1);
}

#[test]
fn it_is_started_looked_at_and_stopped() {
    let sandbox = Sandbox::new();
    let daemon = |command: &str| sandbox.orchestra(["daemon", command]).run();
    daemon("status").code(3).stderr_has("no daemon answers").stderr_has("hint: it is started by");
    daemon("stop").success().stdout_has("no daemon is running");

    daemon("start").success().stdout_has("daemon 0.1.0");
    daemon("status").success().stdout_has("with pid");
    daemon("log").success().stdout_has("the daemon listens");

    daemon("stop").success().stdout_has("the daemon has left");
    assert_eq!(daemons(&sandbox), 0, "it has gone when `stop` returns");
    daemon("status").code(3);
}

#[test]
fn it_leaves_when_nothing_is_left_to_do_and_not_before() {
    let crew = Crew::at_gates();
    crew.sandbox.configure("daemon.idle_exit = \"20ms\"\n");
    crew.start_run();
    let at_work = crew.both_at_work();
    // A client that comes and goes begins the idle time anew, many times over.
    let serving = crew.daemon();
    for _ in 0..10 {
        assert_eq!(crew.daemon(), serving);
    }
    drop(at_work);
    crew.sandbox.wait_for_status("r1", "succeeded");
    eventually("the daemon has left", LIMIT, || (daemons(&crew.sandbox) == 0).then_some(()));
    crew.check("r1");
}

#[test]
fn told_to_end_by_a_signal_it_leaves_and_agents_go_on() {
    let crew = Crew::at_gates();
    crew.start_run();
    let at_work = crew.both_at_work();

    let pid = crew.daemon().to_string();
    crew.sandbox.command("kill").args(["-TERM", &pid]).run().success();
    eventually("the daemon has left", LIMIT, || (daemons(&crew.sandbox) == 0).then_some(()));
    assert_eq!(crew.sandbox.daemon_socket(), None, "its socket is gone");
    drop(at_work);

    crew.sandbox.wait_for_status("r1", "succeeded");
    crew.check("r1");
    assert_eq!(crew.ids("left"), ["r1.2@1"]);
}

fn daemons(sandbox: &Sandbox) -> usize {
    let processes = sandbox.processes();
    processes.iter().filter(|process| process.command_line.contains("__serve")).count()
}
