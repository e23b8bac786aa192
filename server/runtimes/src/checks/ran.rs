//! What a command that ran under a shim amounts to.

use super::{compare, lines, missing, parse, report::TestReport};
use crate::attempt::{AttemptDir, AttemptResult, End, StopCause};
use orchestra_core::{
    evidence::{Check, CheckKind, CheckOutcome, CheckRun},
    time::{Millis, Timestamp},
};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::{
    collections::VecDeque,
    io,
    path::Path,
    time::{Duration, SystemTime},
};

/// How many lines at the end of an output are searched for what is missing.
const SEARCHED_LINES: usize = 300;
/// How much earlier than the clock the times of files may be: kernels take them from the last tick.
const TICK: Duration = Duration::from_millis(100);

/// One command, run once, with every test that it named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran {
    pub run: CheckRun,
    #[serde(default)]
    pub report: Option<TestReport>,
}

impl Ran {
    /// One that was not even started.
    pub fn not_started(outcome: CheckOutcome) -> Self {
        let run = CheckRun {
            outcome,
            took: Millis(0),
            tests: None,
            cached: false,
            log: None,
            last_lines: Vec::new(),
            confined: None,
        };
        Self { run, report: None }
    }

    /// What the shim in this folder has left; `None` while it has not ended, and when it died.
    ///
    /// The log's name stays open: who keeps the log names it.
    pub fn read(attempt: &AttemptDir) -> io::Result<Option<Self>> {
        let Some(result) = attempt.result()? else { return Ok(None) };
        let spec = attempt.spec()?;
        let log = attempt.log_path();
        let mut command = vec![spec.program.to_string_lossy().into_owned()];
        command.extend(spec.arguments.iter().cloned());
        let since = result.started_at.map_or(SystemTime::UNIX_EPOCH, since);
        let mut report = parse(&command, &log, &spec.directory, since);
        if let Some(report) = &mut report
            && result.log.cut > 0
        {
            report.complete = false;
        }
        let outcome = outcome(&result, &command, report.as_ref(), &log);
        let run = CheckRun {
            outcome,
            took: result.started_at.map_or(Millis(0), |start| result.ended_at.since(start)),
            tests: report.as_ref().map(TestReport::counts),
            cached: false,
            log: None,
            last_lines: result.log.last_lines,
            confined: result.confined,
        };
        Ok(Some(Self { run, report }))
    }
}

/// A check of what a command said on the result and, where it had to be asked, on the snapshot.
pub fn check(
    kind: CheckKind,
    command: &[String],
    on_result: Ran,
    on_snapshot: Option<Ran>,
) -> Check {
    let before = on_snapshot.as_ref().and_then(|ran| ran.report.as_ref());
    let mut compared = match (before, &on_result.report) {
        (Some(before), Some(after)) => compare(before, after),
        _ => compare::Comparison::default(),
    };
    compared.newly_failing.truncate(Check::MAX_NAMES);
    Check {
        kind,
        command: command.to_vec(),
        on_result: on_result.run,
        on_snapshot: on_snapshot.map(|ran| ran.run),
        newly_failing: compared.newly_failing,
        newly_passing: compared.newly_passing,
        removed: compared.removed,
    }
}

fn since(start: Timestamp) -> SystemTime {
    let since_epoch = Duration::from_millis(u64::try_from(start.0).unwrap_or(0));
    SystemTime::UNIX_EPOCH + since_epoch.saturating_sub(TICK)
}

fn outcome(
    result: &AttemptResult,
    command: &[String],
    report: Option<&TestReport>,
    log: &Path,
) -> CheckOutcome {
    match result.stopped {
        Some(StopCause::TimedOut { limit }) => return CheckOutcome::TimedOut { limit },
        Some(StopCause::Asked { .. }) => {
            let message = "it was told to stop".to_owned();
            return CheckOutcome::NotStarted { message };
        }
        Some(StopCause::SentinelWait | StopCause::Leftovers) | None => {}
    }
    match &result.end {
        End::Exited { code: 0 } => CheckOutcome::Green,
        &End::Exited { code } => match missing::what(command, code, report, &last_lines(log)) {
            Some(what) => CheckOutcome::Missing { what },
            None => CheckOutcome::Red { code },
        },
        &End::Signalled { signal } => CheckOutcome::Signalled { signal },
        End::NotStarted { errno, .. }
            if errno.map(Errno::from_raw_os_error) == Some(Errno::NOENT) =>
        {
            let program = command.first().map(String::as_str).unwrap_or_default();
            CheckOutcome::Missing { what: format!("program {program}, or its interpreter,") }
        }
        End::NotStarted { message, .. } => CheckOutcome::NotStarted { message: message.clone() },
        End::NotRun => CheckOutcome::NotStarted { message: "it was told to stop".to_owned() },
    }
}

fn last_lines(log: &Path) -> Vec<String> {
    let mut last = VecDeque::new();
    // Without a log nothing can be found in it, and the exit code speaks for itself.
    let _ = lines::each(log, |line| {
        if last.len() == SEARCHED_LINES {
            last.pop_front();
        }
        last.push_back(line.to_owned());
    });
    last.into()
}
