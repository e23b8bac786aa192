//! Attempts that are found again: after a crash of the shim, of the daemon, or of both.

use super::{
    Scenario,
    bench::{Bench, PATIENCE, is_running, pid, wait_readable},
};
use orchestra_runtimes::attempt::{End, Found, end_leftovers, probe};
use rustix::process::{PidfdFlags, pidfd_open};
use std::{fs, time::Duration};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("a_result_is_found", result_is_found),
    ("a_running_attempt_is_adopted", adopted),
    ("an_attempt_that_is_ending_is_never_lost", ending),
    ("an_attempt_that_nobody_started_never_will_be", never_started),
    ("an_attempt_without_a_folder_never_started", no_folder),
    ("of_two_shims_one_runs_the_agent", two_shims),
    ("a_killed_shim_takes_the_agent_with_it", shim_killed),
    ("what_a_killed_shim_leaves_is_found_and_ended", leftovers),
    ("what_does_not_want_to_end_is_killed", stubborn_leftovers),
    ("leftovers_of_others_are_not_touched", leftovers_of_others),
    ("nothing_survives_a_boot", another_boot),
    ("a_shim_is_gone_from_its_starters_session", own_session),
    #[cfg(feature = "failpoints")]
    ("a_crash_at_each_point_is_told_apart", failpoints),
    #[cfg(feature = "failpoints")]
    ("a_shim_that_ends_while_it_is_looked_for_is_not_lost", ends_meanwhile),
];

fn result_is_found() {
    let mut bench = Bench::new("exit 0");
    let result = bench.run();
    assert_eq!(bench.result(), result);
    assert_eq!(bench.attempt.result().unwrap(), Some(result));
}

fn adopted() {
    let mut bench = Bench::new("echo up > $ready; read line < $go; exit 5");
    let go = bench.pipe("go");
    bench.start_until("up");
    let Found::Alive { pidfd, claim } = probe(&bench.attempt).unwrap() else { panic!() };
    assert!(is_running(claim.agent.unwrap().pid));
    fs::write(go, "1\n").unwrap();
    wait_readable(&pidfd, "the end of the adopted shim");
    assert_eq!(bench.result().end, End::Exited { code: 5 });
}

fn ending() {
    let mut bench = Bench::new("echo up > $ready; exit 7");
    bench.start_until("up");
    // Again and again, so that some look falls between the agent's end and its result.
    let result = loop {
        match probe(&bench.attempt).unwrap() {
            Found::Alive { .. } => {}
            Found::Ended(result) => break *result,
            found => panic!("{found:?}"),
        }
    };
    assert_eq!(result.end, End::Exited { code: 7 });
    bench.wait_for_shims();
}

fn never_started() {
    let mut bench = Bench::new("echo must not run");
    bench.create();
    assert!(matches!(probe(&bench.attempt).unwrap(), Found::NeverStarted));
    // The late shim: its daemon had died after the spawn.
    bench.spawn();
    bench.wait_for_shims();
    assert!(matches!(probe(&bench.attempt).unwrap(), Found::NeverStarted));
    assert!(!bench.attempt.log_path().exists());
}

fn no_folder() {
    let bench = Bench::new("true");
    assert!(matches!(probe(&bench.attempt).unwrap(), Found::NeverStarted));
    assert!(!bench.attempt.path().exists());
}

fn two_shims() {
    let mut bench = Bench::new("echo ran >> $ORCHESTRA_DIR/effects");
    bench.create();
    for _ in 0..4 {
        bench.spawn();
    }
    let result = bench.result();
    assert_eq!(result.end, End::Exited { code: 0 });
    assert_eq!(fs::read_to_string(bench.spec.out().join("effects")).unwrap(), "ran\n");
}

fn shim_killed() {
    let mut bench = Bench::new("printf %10d\\\\n $$ > $ready; exec sleep 1000");
    bench.start();
    let agent = bench.heard_pid();
    let pidfd = pidfd_open(pid(agent), PidfdFlags::empty()).unwrap();
    bench.kill_shim();
    assert!(matches!(probe(&bench.attempt).unwrap(), Found::Lost));
    wait_readable(&pidfd, "the end of the agent");
    assert!(matches!(probe(&bench.attempt).unwrap(), Found::Lost));
}

/// One by each way in which what is left is found: by its environment, its folder, an open file.
const LEAVES_THREE: &str = "setsid sh -c 'cd /; printf %10d\\\\n $$ > $ready; exec sleep 1000' &
     setsid env -i PATH=$PATH ready=$ready sh -c 'printf %10d\\\\n $$ > $ready; exec sleep 1000' &
     setsid env -i PATH=$PATH ready=$ready sh -c \
        'exec 3> held; cd /; printf %10d\\\\n $$ > $ready; exec sleep 1000' &
     exec sleep 1000";

fn leftovers() {
    let mut bench = Bench::new(LEAVES_THREE);
    bench.start();
    let left = [bench.heard_pid(), bench.heard_pid(), bench.heard_pid()];
    bench.kill_shim();
    assert!(left.iter().all(|&pid| is_running(pid)), "{left:?}");
    let ended = end_leftovers(std::slice::from_ref(&bench.attempt), PATIENCE, PATIENCE).unwrap();
    assert!(ended.ended >= 3, "{ended:?}");
    assert!(ended.remaining.is_empty(), "{ended:?}");
    assert!(left.iter().all(|&pid| !is_running(pid)), "{left:?}");
}

fn stubborn_leftovers() {
    let mut bench = Bench::new(
        "(trap '' TERM; printf %10d\\\\n $$ > $ready; while :; do sleep 1000; done) & exec sleep 1000",
    );
    bench.start();
    bench.heard_pid();
    bench.kill_shim();
    let grace = Duration::from_millis(20);
    let ended = end_leftovers(std::slice::from_ref(&bench.attempt), grace, PATIENCE).unwrap();
    assert!(ended.ended >= 1 && ended.remaining.is_empty(), "{ended:?}");
}

fn leftovers_of_others() {
    let mut dead = Bench::new(LEAVES_THREE);
    let mut alive = Bench::new("printf %10d\\\\n $$ > $ready; read line < $go; exit 4");
    let go = alive.pipe("go");
    // The same ids in another state folder: the nonce tells them apart.
    assert_eq!(dead.spec.attempt, alive.spec.attempt);
    alive.start();
    let untouched = alive.heard_pid();
    dead.start();
    dead.heard_pid();
    dead.heard_pid();
    dead.kill_shim();
    end_leftovers(std::slice::from_ref(&dead.attempt), PATIENCE, PATIENCE).unwrap();
    assert!(is_running(untouched));
    fs::write(go, "1\n").unwrap();
    assert_eq!(alive.result().end, End::Exited { code: 4 });
}

fn another_boot() {
    let mut bench = Bench::new(LEAVES_THREE);
    bench.start();
    let left = [bench.heard_pid(), bench.heard_pid()];
    bench.kill_shim();
    let path = bench.attempt.path().join("claim");
    let claim = fs::read_to_string(&path).unwrap();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    fs::write(&path, claim.replace(boot.trim_end(), "another-boot")).unwrap();
    let ended = end_leftovers(std::slice::from_ref(&bench.attempt), PATIENCE, PATIENCE).unwrap();
    assert_eq!((ended.ended, ended.remaining), (0, vec![]));
    assert!(left.iter().all(|&pid| is_running(pid)), "{left:?}");
    fs::write(&path, claim).unwrap();
    let ended = end_leftovers(std::slice::from_ref(&bench.attempt), PATIENCE, PATIENCE).unwrap();
    assert!(ended.ended >= 2, "{ended:?}");
}

fn own_session() {
    let mut bench = Bench::new("echo up > $ready; read line < $go");
    let go = bench.pipe("go");
    bench.start_until("up");
    let shim = bench.shim_pid();
    assert_eq!(rustix::process::getsid(Some(pid(shim))).unwrap(), pid(shim));
    let name = fs::read_to_string(format!("/proc/{shim}/comm")).unwrap();
    assert_eq!(name, "orchestra-shim\n");
    assert_eq!(fs::read_link(format!("/proc/{shim}/cwd")).unwrap().to_str().unwrap(), "/");
    fs::write(go, "1\n").unwrap();
    bench.result();
}

/// Each point in the shim at which it can die, and what is found then.
#[cfg(feature = "failpoints")]
fn failpoints() {
    use orchestra_runtimes::attempt::spawn_shim;
    type IsExpected = fn(&Found) -> bool;
    let points: [(&str, IsExpected, bool); 6] = [
        ("shim::claim::before", |found| matches!(found, Found::NeverStarted), false),
        ("shim::claim::after", |found| matches!(found, Found::Lost), false),
        ("shim::agent::before", |found| matches!(found, Found::Lost), false),
        // The agent may or may not have run: that is what lost means.
        ("shim::agent::after", |found| matches!(found, Found::Lost), true),
        ("shim::result::before_rename", |found| matches!(found, Found::Lost), true),
        ("shim::result::after_rename", |found| matches!(found, Found::Ended(_)), true),
    ];
    for (point, is_expected, may_run) in points {
        let mut bench = Bench::new("echo ran >> $ORCHESTRA_DIR/effects");
        bench.create();
        bench.set("FAILPOINTS", &format!("{point}=return"));
        let mut shim = spawn_shim(&bench.attempt, &bench.environment).unwrap();
        wait_readable(&shim.pidfd, "the crash of the shim");
        let status = shim.child.wait().unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(6), "{point}");
        let found = probe(&bench.attempt).unwrap();
        assert!(is_expected(&found), "{point}: {found:?}");
        // An agent that was about to start may be gone only now.
        end_leftovers(std::slice::from_ref(&bench.attempt), Duration::ZERO, PATIENCE).unwrap();
        let effects = fs::read_to_string(bench.spec.out().join("effects")).unwrap_or_default();
        assert!(effects.is_empty() || (may_run && effects == "ran\n"), "{point}: {effects}");
        // A second shim for the same attempt never runs anything.
        bench.environment.remove("FAILPOINTS");
        bench.spawn();
        bench.wait_for_shims();
        let after = fs::read_to_string(bench.spec.out().join("effects")).unwrap_or_default();
        assert_eq!(after, effects, "{point}");
    }
}

/// The shim writes its result and ends between the first look at the result and the look at its lock.
#[cfg(feature = "failpoints")]
fn ends_meanwhile() {
    use std::{cell::Cell, os::fd::OwnedFd, path::PathBuf};
    thread_local! {
        /// Other scenarios go on as if there were no failpoint.
        static MEANWHILE: Cell<Option<(PathBuf, OwnedFd)>> = const { Cell::new(None) };
    }
    fail::cfg_callback("attempt::probe::looked", || {
        if let Some((go, pidfd)) = MEANWHILE.take() {
            fs::write(go, "1\n").unwrap();
            wait_readable(pidfd, "the end of the shim");
        }
    })
    .unwrap();
    let mut bench = Bench::new("echo up > $ready; read line < $go; exit 6");
    let go = bench.pipe("go");
    bench.start_until("up");
    let pidfd = pidfd_open(pid(bench.shim_pid()), PidfdFlags::empty()).unwrap();
    MEANWHILE.set(Some((go, pidfd)));
    let Found::Ended(result) = probe(&bench.attempt).unwrap() else { panic!() };
    assert_eq!(result.end, End::Exited { code: 6 });
    bench.wait_for_shims();
}
