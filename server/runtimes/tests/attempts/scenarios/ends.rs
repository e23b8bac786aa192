//! How agents end by themselves.

use super::{
    Scenario,
    bench::{Bench, is_running},
};
use orchestra_core::{
    outcome::{AttemptOutcome, Failure, FailureKind},
    time::Millis,
};
use orchestra_runtimes::attempt::{AttemptDir, End, Holder, ShimEvent, StopCause, outcome};
use rustix::fs::{Mode, OFlags};
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("an_agent_that_exits_with_zero_has_succeeded", exits_with_zero),
    ("an_agent_that_exits_with_three_has_failed", exits_with_three),
    ("an_agent_killed_by_a_signal_has_failed", killed_by_a_signal),
    ("a_missing_program_is_named", missing_program),
    ("a_program_that_is_not_executable_is_named", not_executable),
    ("a_script_whose_interpreter_is_missing_says_so", missing_interpreter),
    ("a_missing_folder_is_named", missing_folder),
    ("arguments_that_are_too_long_say_so", too_long),
    ("an_agent_has_its_own_group_and_nothing_else_open", surroundings),
    ("what_an_agent_leaves_behind_is_ended_and_counted", leaves_children),
    ("a_double_fork_with_an_empty_environment_does_not_escape", double_fork),
    ("a_fork_storm_converges", fork_storm),
    ("an_attempt_is_created_once", created_once),
];

fn failure(bench: &mut Bench) -> Failure {
    match bench.outcome() {
        AttemptOutcome::Failed { failure, .. } => failure,
        outcome => panic!("{outcome:?}"),
    }
}

fn exits_with_zero() {
    let mut bench = Bench::new("echo first; echo; pwd");
    let result = bench.run();
    assert_eq!(result.end, End::Exited { code: 0 });
    assert_eq!((result.stopped, result.leftovers), (None, 0));
    assert_eq!(result.log.bytes, bench.log().len() as u64);
    assert!(result.started_at.unwrap() <= result.ended_at);
    let directory = bench.spec.directory.canonicalize().unwrap();
    let directory = directory.to_str().unwrap();
    assert_eq!(bench.log(), format!("first\n\n{directory}\n"));
    let AttemptOutcome::Succeeded { output } = outcome(&result, &bench.spec) else { panic!() };
    assert_eq!(output.summary, directory);
    let events = bench.events();
    assert!(matches!(events[..], [ShimEvent::Started { .. }, ShimEvent::Ended]), "{events:?}");
    let claim = bench.attempt.claim().unwrap().unwrap();
    let Holder::Shim(shim) = claim.holder else { panic!() };
    assert_eq!(shim.pid, bench.shim_pid());
    assert_eq!(ShimEvent::Started { pid: claim.agent.unwrap().pid }, events[0]);
    let mode = fs::metadata(bench.attempt.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

fn exits_with_three() {
    let failure = failure(&mut Bench::new("exec >&2; echo one; echo no such model; exit 3"));
    assert_eq!(
        failure,
        Failure {
            kind: FailureKind::Exit,
            message: "agent `tester` exited with code 3; last it wrote: one ⏎ no such model"
                .to_owned(),
            hint: Some("see `orchestra logs r1.2`".to_owned()),
        }
    );
}

fn killed_by_a_signal() {
    let failure = failure(&mut Bench::new("kill -SEGV $$"));
    assert_eq!(failure.kind, FailureKind::Signal);
    assert_eq!(failure.message, "agent `tester` was ended by signal 11 (SIGSEGV)");
}

fn missing_program() {
    let mut bench = Bench::of_program(Path::new("/no/such/agent"), &[]);
    assert_eq!(
        failure(&mut bench),
        Failure {
            kind: FailureKind::NotStarted,
            message: "agent `tester` could not be started: /no/such/agent: no such file".to_owned(),
            hint: Some("install it, or correct `command` in the agent file".to_owned()),
        }
    );
    assert_eq!(bench.events(), [ShimEvent::Ended]);
}

fn not_executable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent");
    fs::write(&path, "#!/bin/sh\n").unwrap();
    let failure = failure(&mut Bench::of_program(&path, &[]));
    assert_eq!(failure.kind, FailureKind::NotStarted);
    assert!(failure.message.ends_with("/agent: permission denied"), "{failure:?}");
    assert_eq!(failure.hint.unwrap(), format!("make it executable: chmod +x {}", path.display()));
}

fn missing_interpreter() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent");
    fs::write(&path, "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let failure = failure(&mut Bench::of_program(&path, &[]));
    assert_eq!(failure.kind, FailureKind::NotStarted);
    assert!(failure.hint.as_deref().unwrap().starts_with("the interpreter"), "{failure:?}");
}

fn missing_folder() {
    let mut bench = Bench::new("true");
    fs::remove_dir(&bench.spec.directory).unwrap();
    let failure = failure(&mut bench);
    assert_eq!(failure.kind, FailureKind::Environment);
    let folder = bench.spec.directory.display();
    assert!(failure.message.ends_with(&format!("no folder {folder}")), "{failure:?}");
}

fn too_long() {
    let long = "x".repeat(200_000);
    let failure = failure(&mut Bench::of_program(Path::new("/bin/echo"), &[&long]));
    assert_eq!(failure.kind, FailureKind::NotStarted);
    assert!(failure.hint.as_deref().unwrap().contains("{prompt_file}"), "{failure:?}");
}

fn surroundings() {
    // The fields after the name: state, parent, group, session, terminal.
    let mut bench = Bench::new(
        "set -- $(sed 's/.*) //' /proc/$$/stat); echo $$ $2 $3 $4 $5; ls /proc/$$/fd; readlink /proc/$$/fd/0",
    );
    // As an editor leaves it that starts the daemon.
    let left_open = rustix::fs::open("/dev/null", OFlags::RDONLY, Mode::empty()).unwrap();
    let result = bench.run();
    drop(left_open);
    assert_eq!(result.end, End::Exited { code: 0 });
    let shim = bench.shim_pid();
    let log = bench.log();
    let mut lines = log.lines();
    let numbers: Vec<i64> =
        lines.next().unwrap().split(' ').map(|number| number.parse().unwrap()).collect();
    let agent = numbers[0];
    assert_eq!(numbers, [agent, shim.into(), agent, shim.into(), 0]);
    // The session is the shim's own, and so it differs from ours.
    assert_eq!(lines.collect::<Vec<_>>(), ["0", "1", "2", "/dev/null"]);
}

fn leaves_children() {
    let mut bench = Bench::new(
        "setsid sh -c 'printf %10d\\\\n $$ > $ready; exec sleep 1000' &
         (trap '' TERM; printf %10d\\\\n $$ > $ready; exec sleep 1000) &
         read line < $go; exit 0",
    );
    bench.spec.grace = Millis(50);
    let go = bench.pipe("go");
    bench.start();
    let left = [bench.heard_pid(), bench.heard_pid()];
    fs::write(go, "go\n").unwrap();
    let result = bench.result();
    assert_eq!(result.end, End::Exited { code: 0 });
    assert_eq!(result.leftovers, 2);
    assert_eq!(result.stopped, Some(StopCause::Leftovers));
    assert!(left.iter().all(|&pid| !is_running(pid)), "{left:?}");
    assert!(matches!(outcome(&result, &bench.spec), AttemptOutcome::Succeeded { .. }));
}

fn double_fork() {
    let mut bench = Bench::new(
        "( setsid env -i sh -c 'cd /; trap \"\" TERM HUP; sleep 1000 & wait' & ) & wait; exit 0",
    );
    bench.spec.grace = Millis(1);
    let result = bench.run();
    assert_eq!(result.end, End::Exited { code: 0 });
    assert!(result.leftovers >= 1, "{result:?}");
}

fn fork_storm() {
    // It goes on forking while it is being ended, up to a number that a machine can bear.
    let mut bench = Bench::new(
        "storm() { trap '' TERM; n=0; while [ $n -lt 200 ]; do
           setsid sleep 1000 & n=$((n+1)); done; wait; }
         storm & storm & storm & echo up > $ready",
    );
    bench.spec.grace = Millis(1);
    bench.start_until("up");
    let result = bench.result();
    assert_eq!(result.end, End::Exited { code: 0 });
    assert!(result.leftovers >= 3, "{result:?}");
}

fn created_once() {
    let mut bench = Bench::new("true");
    bench.create();
    let error = AttemptDir::create(bench.attempt.path(), &bench.spec).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    assert!(error.to_string().contains("attempts/r1.2-1"), "{error}");
    assert_eq!(bench.attempt.spec().unwrap(), bench.spec);
}
