//! A disk without room: nothing half done, and what has happened meanwhile is recorded later.

use super::crew::{Crew, LIMIT};
use crate::surroundings::Surroundings;
use orchestra_testkit::{Outcome, eventually};

#[test]
fn a_full_disk_records_nothing_and_loses_nothing() {
    if let Err(refusals) = fill_the_disk(|_| {}) {
        println!("no small disk can be had here, the failpoint stands in for it: {refusals}");
    }
}

#[test]
fn a_daemon_that_dies_on_a_full_disk_loses_nothing_either() {
    if let Err(refusals) = fill_the_disk(|crew| crew.kill("daemon __serve")) {
        println!("no small disk can be had here: {refusals}");
    }
}

/// Fills the disk below the state folder while two agents work, does something more once both have
/// ended, and makes room. Fails with the machine's words where no small disk can be had.
fn fill_the_disk(meanwhile: impl Fn(&Crew)) -> Result<(), String> {
    let crew = Crew::at_gates();
    let state = crew.sandbox.state().parent().unwrap().display().to_string();
    // What was there, such as the trust in the workspace, moves along.
    let mounts = format!(
        "cp -a '{state}' '{state}.kept'; mount -t tmpfs -o size=4m,mode=700 none '{state}'; \
         cp -a '{state}.kept/.' '{state}'; rm -r '{state}.kept'"
    );
    let _disk = Surroundings::enter(&crew.sandbox, &mounts)?;
    crew.start_run();
    let at_work = crew.both_at_work();
    crew.sandbox.wait_for_status("r1/look", "succeeded");

    let shell = |script: &str| crew.sandbox.command("sh").args(["-c", script]).run();
    let full = shell(&format!("cat /dev/zero > '{state}/ballast'"));
    full.stderr_has("No space left on device");
    not_recorded(crew.sandbox.orchestra(["run", "crew", "--detach"]).run());
    not_recorded(crew.sandbox.orchestra(["pause", "r1"]).run());
    // Reading goes on.
    crew.sandbox.orchestra(["status"]).run().success().stdout_has("r1");
    drop(at_work);
    // Both have had their effect and cannot say so.
    eventually("both agents have ended", LIMIT, || {
        let processes = crew.sandbox.processes();
        let of_agents = |p: &&orchestra_testkit::Process| p.command_line.contains(".orchestra/bin");
        (processes.iter().filter(of_agents).count() == 0).then_some(())
    });
    meanwhile(&crew);
    assert_eq!(crew.sandbox.status("r1/left"), "running");
    not_recorded(crew.sandbox.orchestra(["run", "crew", "--detach"]).run());

    shell(&format!("rm '{state}/ballast'")).success();

    // By itself: nobody asks for it.
    crew.sandbox.wait_for_status("r1", "succeeded");
    crew.check("r1");
    assert_eq!(crew.ids("left"), ["r1.2@1"]);
    crew.sandbox.orchestra(["show", "r2"]).run().code(2);
    crew.start_run();
    drop(crew.both_at_work());
    crew.wait_for_end("r2").success();
    crew.check("r2");
    Ok(())
}

#[test]
fn a_start_on_a_full_disk_is_refused_and_the_next_one_is_the_first() {
    let crew = Crew::new();
    crew.start_daemon("store::commit::enospc=1*return->off");

    not_recorded(crew.sandbox.orchestra(["run", "crew"]).run());

    assert_eq!(crew.effects().len(), 0, "nothing has run");
    crew.sandbox.orchestra(["run", "crew"]).limit(LIMIT).run().success().stdout_has("r1 succeeded");
    crew.check("r1");
}

#[test]
fn outcomes_that_find_no_room_are_recorded_later() {
    let crew = Crew::new();
    // The start is recorded, what follows is not, for some tries.
    crew.start_daemon("store::commit::enospc=1*off->6*return->off");

    let outcome = crew.sandbox.orchestra(["run", "crew"]).limit(LIMIT).run().success();

    outcome.stderr_has("waiting: not recorded: no space left on");
    crew.check("r1");
    assert_eq!(crew.ids("left"), ["r1.2@1"]);
}

#[track_caller]
fn not_recorded(outcome: Outcome) {
    outcome
        .code(1)
        .stderr_has("not recorded: no space left on")
        .stderr_has("hint: free some space");
}
