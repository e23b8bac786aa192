//! `orchestra __shim`: the process that starts one agent, watches it, and outlives the daemon.
//!
//! One thread and one loop over everything that can happen, because a thousand of these run at once and
//! because the parent-death signal of the agent follows the thread that forked it.

mod agent;
pub(crate) mod boot_time;
mod broker;
mod capped_log;
mod descriptors;
mod last_lines;
mod output;
mod poke;
mod sentinels;
mod settings;
mod supervisor;
mod transcript;
mod tree;

use crate::{
    attempt::{AttemptDir, AttemptResult, Claims, End, LogSummary, Told},
    clock,
    process::Identity,
};
use rustix::{
    process::{getpid, set_child_subreaper, setsid},
    thread::set_name,
};
use std::{ffi::OsString, fs::OpenOptions, io, path::Path, process::ExitCode, time::Duration};
use supervisor::Supervisor;

/// The environment variable of the crate `fail`.
#[cfg(feature = "failpoints")]
pub(crate) const FAILPOINTS: &str = "FAILPOINTS";

/// Exit codes. Nobody reads these but a person with a debugger: what counts is `result.json`.
pub(crate) mod exit {
    /// The result could not be written.
    pub(crate) const FAILED: u8 = 1;
    pub(crate) const USAGE: u8 = 2;
    pub(crate) const NOT_STARTED: u8 = 127;
}

/// How often a result that found no room on the disk is tried again. Nothing announces room.
const LOOK_FOR_ROOM_AGAIN: Duration = Duration::from_millis(250);

/// Runs the attempt whose folder is the first argument, to its end.
pub fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    #[cfg(feature = "failpoints")]
    let _failpoints = fail::FailScenario::setup();
    let Some(folder) = arguments.next() else { return exit::USAGE.into() };
    match run(Path::new(&folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => exit::FAILED.into(),
    }
}

fn run(folder: &Path) -> io::Result<()> {
    // Whoever ends the daemon's process group or session must not end us.
    setsid()?;
    set_name(c"orchestra-shim")?;
    descriptors::keep_from_children()?;
    // A folder that a process stands in cannot be unmounted.
    std::env::set_current_dir("/")?;
    let attempt = AttemptDir::at(folder);
    let me = Identity::of(std::process::id())?;
    fail::fail_point!("shim::claim::before", |_| std::process::abort());
    // Held until the result is there: a probe between the two would find the attempt lost.
    let Some(mut claim) = attempt.take_claim(me)? else { return Ok(()) };
    fail::fail_point!("shim::claim::after", |_| std::process::abort());
    // Whatever the agent's descendants do, they stay ours.
    set_child_subreaper(Some(getpid()))?;
    let spec = attempt.spec()?;
    let result = Supervisor::new(&attempt, &spec, &mut claim).and_then(Supervisor::run);
    write(&attempt, result.unwrap_or_else(|error| not_started(&error)))?;
    match &spec.daemon {
        Some(daemon) => poke::poke(daemon, &spec.workspace, spec.attempt),
        None => Ok(()),
    }
}

fn not_started(error: &io::Error) -> AttemptResult {
    AttemptResult {
        started_at: None,
        ended_at: clock::now(),
        end: End::NotStarted { errno: None, message: error.to_string(), hint: None },
        stopped: None,
        claims: Claims::default(),
        told: Told::default(),
        confined: None,
        confine_problem: None,
        settings: Vec::new(),
        leftovers: 0,
        log: LogSummary::default(),
    }
}

/// On a full disk, half of the log has to go: without a result all of the work would be lost. Where
/// that is not enough, the result waits for room.
fn write(attempt: &AttemptDir, mut result: AttemptResult) -> io::Result<()> {
    let mut halved = false;
    loop {
        match attempt.write_result(&result) {
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {}
            written => return written,
        }
        if halved {
            std::thread::sleep(LOOK_FOR_ROOM_AGAIN);
        } else {
            halved = true;
            result.log.cut += halve_log(attempt)?;
            result.log.problem =
                Some("the disk is full, and half of it had to make room".to_owned());
        }
    }
}

/// Answers how much has gone.
fn halve_log(attempt: &AttemptDir) -> io::Result<u64> {
    let log = match OpenOptions::new().write(true).open(attempt.log_path()) {
        // The agent has written nothing.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        log => log?,
    };
    let size = log.metadata()?.len();
    log.set_len(size / 2)?;
    Ok(size - size / 2)
}
