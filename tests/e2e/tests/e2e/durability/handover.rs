//! Builds that follow one another: the newer one takes over, and nothing that runs notices.

use super::crew::{Crew, LIMIT};
use orchestra_testkit::Cmd;
use std::{
    fs::{self, File},
    path::PathBuf,
    time::{Duration, SystemTime},
};

/// A copy of the program under test, built so many seconds before now.
fn build(crew: &Crew, name: &str, age: u64) -> PathBuf {
    let path = crew.sandbox.outside().join(name);
    fs::copy(orchestra_testkit::orchestra(), &path).expect("copy the program");
    let written = SystemTime::now() - Duration::from_secs(age);
    let file = File::options().append(true).open(&path).expect("open the copy");
    file.set_modified(written).expect("set the time of its build");
    path
}

fn run(crew: &Crew, program: &PathBuf, arguments: &[&str]) -> Cmd {
    crew.sandbox.command(program).args(arguments)
}

#[test]
fn a_newer_build_takes_over_while_agents_work() {
    let crew = Crew::at_gates();
    let (old, new) = (build(&crew, "old", 60), build(&crew, "new", 30));
    let following = run(&crew, &old, &["run", "crew"]).spawn();
    let at_work = crew.both_at_work();
    let before = crew.daemon();

    let started = run(&crew, &new, &["daemon", "start", "--json"]).run().success().json();
    assert_ne!(started["pid"].as_u64(), Some(before), "the old daemon has not made way");
    // An older client is served by the newer daemon, and asks nobody to leave.
    let asked = run(&crew, &old, &["daemon", "start", "--json"]).run().success().json();
    assert_eq!(asked["pid"], started["pid"]);
    drop(at_work);

    let outcome = following.wait(LIMIT).success();
    assert_eq!(outcome.stdout.matches("r1.2 left succeeded").count(), 1, "{outcome}");
    crew.check("r1");
    assert_eq!(
        (crew.ids("left"), crew.ids("right")),
        (vec!["r1.2@1".into()], vec!["r1.3@1".into()])
    );
}

#[test]
fn a_command_of_a_newer_build_is_recorded_once_although_the_daemon_changes() {
    let crew = Crew::new();
    let (old, new) = (build(&crew, "old", 60), build(&crew, "new", 30));
    run(&crew, &old, &["daemon", "start"]).run().success();

    run(&crew, &new, &["run", "crew"]).run().success();

    crew.check("r1");
    assert_eq!(crew.sandbox.orchestra(["show", "r2"]).run().exit_code(), Some(2));
}

#[test]
fn daemon_and_shims_go_on_when_the_binary_is_rebuilt_or_deleted() {
    let crew = Crew::at_gates();
    let program = build(&crew, "orchestra", 60);
    run(&crew, &program, &["run", "crew", "--detach"]).run().success();
    let at_work = crew.both_at_work();

    // As a compiler does it: the old file goes, and a new one that is not whole yet takes its name.
    fs::remove_file(&program).expect("remove the program");
    fs::write(&program, "not a program yet").expect("begin a new one");
    // Also whoever finds the daemon dead has to be able to start it.
    crew.kill("daemon __serve");
    drop(at_work);

    crew.sandbox.wait_for_status("r1", "succeeded");
    crew.check("r1");
    assert_eq!(
        (crew.ids("left"), crew.ids("join")),
        (vec!["r1.2@1".into()], vec!["r1.4@1".into()])
    );
}
