//! Evidence: what the daemon itself saw of an attempt's work, and what follows from it.

mod judge;

pub use judge::{Facts, judge, needs_snapshot_run};

use crate::{
    confinement::Confinement,
    outcome::{Failure, FailureKind},
    time::Millis,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What was seen of one attempt's work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// In the order in which the step and the configuration name them.
    pub checks: Vec<Check>,
    pub verdict: Verdict,
}

/// One command, and how it ended on the result and, where that was needed, on the snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub kind: CheckKind,
    /// The program and its arguments, as they were asked for.
    pub command: Vec<String>,
    pub on_result: CheckRun,
    /// `None`: it did not have to run there, see [`needs_snapshot_run`].
    #[serde(default)]
    pub on_snapshot: Option<CheckRun>,
    /// The tests that fail on the result and did not on the snapshot, the first
    /// [`Check::MAX_NAMES`] of them; empty when one of the two runs had no tests to compare.
    #[serde(default)]
    pub newly_failing: Vec<String>,
    /// How many tests pass on the result and failed on the snapshot.
    #[serde(default)]
    pub newly_passing: u32,
    /// How many tests of the snapshot are gone.
    #[serde(default)]
    pub removed: u32,
}

impl Check {
    /// How many tests are listed by name.
    pub const MAX_NAMES: usize = 200;
}

/// What a command is run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckKind {
    /// What was fine stays fine.
    Verify,
    /// What is asked for is done: red before, green after.
    Accept,
}

/// One command, run once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRun {
    pub outcome: CheckOutcome,
    pub took: Millis,
    /// `None`: nothing in its output is a test that is known here.
    #[serde(default)]
    pub tests: Option<TestCounts>,
    /// Whether this is what an earlier run of the same command on the same files said.
    #[serde(default)]
    pub cached: bool,
    /// The attempt and its job whose log holds all that it wrote, such as `r12.3@2/verify-1-after`. Of another
    /// attempt than this one, when it said the same before; `None` when it was not started.
    #[serde(default)]
    pub log: Option<String>,
    /// The end of what it wrote, for messages.
    #[serde(default)]
    pub last_lines: Vec<String>,
    /// What held its processes; `None` when there were none.
    #[serde(default)]
    pub confined: Option<Confinement>,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum CheckOutcome {
    /// It exited with zero.
    Green,
    Red {
        code: i32,
    },
    Signalled {
        signal: i32,
    },
    TimedOut {
        limit: Millis,
    },
    /// The system would not start it, or the attempt was stopped before it could.
    NotStarted {
        message: String,
    },
    /// Something that it needs is not installed, so that it tested nothing: `program cargo`, `module
    /// requests`.
    Missing {
        what: String,
    },
}

impl CheckOutcome {
    pub fn is_green(&self) -> bool {
        *self == Self::Green
    }

    /// Whether it ended without looking at what it was to look at.
    pub fn did_not_run(&self) -> bool {
        matches!(self, Self::NotStarted { .. } | Self::Missing { .. })
    }
}

/// Reads after the command: "`cargo test` exited with code 101".
impl fmt::Display for CheckOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Green => f.write_str("is green"),
            Self::Red { code } => write!(f, "exited with code {code}"),
            Self::Signalled { signal } => write!(f, "was ended by signal {signal}"),
            Self::TimedOut { limit } => write!(f, "took longer than {limit}"),
            Self::NotStarted { message } => write!(f, "could not be started: {message}"),
            Self::Missing { what } => write!(f, "could not run: {what} is missing"),
        }
    }
}

/// The tests that a command ran, as its output tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestCounts {
    /// Whose output it is: `cargo test`, `pytest`, `junit`, ….
    pub runner: String,
    pub passed: u32,
    pub failed: u32,
    pub skipped: u32,
    /// The first [`Check::MAX_NAMES`] that failed, sorted.
    #[serde(default)]
    pub failures: Vec<String>,
    /// Whether there were more tests than can be seen: the log was cut, or the runner broke off.
    #[serde(default)]
    pub cut: bool,
}

/// What follows from what was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Verdict {
    Passed,
    /// These of the checks are red, and were no better before: shown, and never applied
    /// automatically.
    WasRedBefore {
        checks: Vec<usize>,
    },
    /// There was no command to check it with.
    Unchecked,
    /// The reason reads on its own.
    Failed {
        reason: String,
    },
}

impl Evidence {
    /// The failure of an attempt whose work does not hold; `None` when it does.
    pub fn failure(&self) -> Option<Failure> {
        let Verdict::Failed { reason } = &self.verdict else { return None };
        let never_ran = |check: &Check| {
            let before = check.on_snapshot.as_ref();
            check.on_result.outcome.did_not_run()
                && before.is_none_or(|run| run.outcome.did_not_run())
        };
        let (kind, hint) = match self.checks.iter().find(|check| never_ran(check)) {
            // Nothing that another try of the same work could mend.
            Some(check) => (
                FailureKind::Environment,
                format!(
                    "install what {} needs, prepare it with `[tree] setup`, or correct the command",
                    shown(&check.command)
                ),
            ),
            None => (FailureKind::Evidence, "see what the checks wrote".to_owned()),
        };
        Some(Failure { kind, message: reason.clone(), hint: Some(hint) })
    }
}

/// A command as people write it.
pub(crate) fn shown(command: &[String]) -> String {
    const LONGEST: usize = 80;
    let line = command.join(" ").replace(char::is_control, " ");
    let cut = line.char_indices().nth(LONGEST).map(|(at, _)| at);
    match cut {
        Some(at) => format!("`{}…`", &line[..at]),
        None => format!("`{line}`"),
    }
}
