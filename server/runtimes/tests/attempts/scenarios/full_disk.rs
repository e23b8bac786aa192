//! A disk that takes no more.

use super::{Scenario, bench::Bench};
use orchestra_core::outcome::AttemptOutcome;
use orchestra_runtimes::attempt::{AttemptDir, End, outcome};
use std::{
    env,
    ffi::OsString,
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, ExitCode},
};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("a_log_that_the_disk_refuses_costs_no_work", refused_log),
    ("a_full_disk_keeps_the_result", full_disk),
];

/// As this the program runs an attempt in a folder on a tiny disk, see [`on_tiny_disk`].
pub(crate) const TINY_DISK: &str = "__on-tiny-disk";

const FLOOD: &str = "head -c 700000 /dev/zero | tr '\\0' x; echo; echo the work is done";

fn refused_log() {
    let mut bench = Bench::new(FLOOD);
    bench.create();
    for name in ["log", "log.tail", "events.jsonl"] {
        symlink("/dev/full", bench.attempt.path().join(name)).unwrap();
    }
    bench.spawn();
    let result = bench.result();
    assert_eq!(result.end, End::Exited { code: 0 });
    assert_eq!(result.log.bytes, 700_018);
    assert_eq!(result.log.cut, result.log.bytes);
    let problem = result.log.problem.clone().unwrap();
    assert!(problem.contains("No space left on device"), "{problem}");
    assert!(matches!(outcome(&result, &bench.spec), AttemptOutcome::Succeeded { .. }));
}

fn full_disk() {
    let folder = tempfile::tempdir().unwrap();
    let inside = "mount -t tmpfs -o size=256k tiny \"$1\" && exec \"$2\" \"$3\" \"$1\"";
    let may =
        Command::new("unshare").args(["--user", "--map-root-user", "--mount", "true"]).status();
    if !may.is_ok_and(|status| status.success()) {
        // The other scenario has the disk refuse all but the result.
        println!("mounting a small disk is refused here: only `refused_log` was tested");
        return refused_log();
    }
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", inside, "sh"])
        .arg(folder.path())
        .arg(env::current_exe().unwrap())
        .arg(TINY_DISK)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The disk is full when the agent ends, and the result finds room all the same.
pub(crate) fn on_tiny_disk(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let disk = arguments.next().unwrap();
    let mut bench = Bench::new(FLOOD);
    bench.attempt = AttemptDir::at(&Path::new(&disk).join("attempts/r1.2-1"));
    let result = bench.run();
    assert_eq!(result.end, End::Exited { code: 0 });
    assert!(result.log.cut > 400_000, "{result:?}");
    let problem = result.log.problem.unwrap();
    assert_eq!(problem, "the disk is full, and half of it had to make room");
    assert!(fs::metadata(bench.attempt.log_path()).unwrap().len() > 50_000);
    ExitCode::SUCCESS
}
