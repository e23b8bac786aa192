//! `checks.run`: what is decided before and after the project's own checks are run. Running them is the
//! affair of who has trees and shims.

use super::detect;
use crate::{
    checks::{PlacedFinding, Ran},
    native::{
        Stop,
        arguments::{self, WrittenCommand, check_arguments},
        contract::{Argument, ArgumentKind, DefaultValue, Info, OutputFile, Report},
        listing::{counted, to_result},
    },
};
use orchestra_core::{
    catalog::COMMANDS_ARGUMENT,
    command,
    evidence::{CheckOutcome, TestCounts},
    outcome::{Failure, FailureKind},
    time::Millis,
};
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{path::Path, sync::atomic::AtomicBool};

const COMMANDS: Argument = Argument {
    name: COMMANDS_ARGUMENT,
    kind: ArgumentKind::Commands,
    default: DefaultValue::Absent,
    description: "What to run, written as `verify` is; else `verify.commands`, else what \
                  `checks.detect` proposes.",
};

/// The action as planning knows it.
pub const RUN_INFO: Info = Info {
    name: "checks.run",
    description: "Runs the project's own tests and linters, and says which of them fail.",
    capabilities: &["checks.run"],
    inline: false,
    arguments: &[COMMANDS],
};

/// One command that was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RanCheck {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// `green`, `red`, `signalled`, `timed-out`, `not-started` or `missing`.
    pub outcome: String,
    /// The same for people, behind the command.
    pub detail: String,
    /// Milliseconds.
    pub took: u64,
    /// Whose output it is, such as `pytest`; empty when no tests were seen.
    pub runner: String,
    pub passed: u32,
    pub failed: u32,
    pub skipped: u32,
    /// The tests that failed, 200 at most.
    pub failures: Vec<String>,
    /// What linters found, 1,000 at most.
    pub findings: Vec<RanFinding>,
    /// The end of what it wrote.
    pub last_lines: Vec<String>,
    /// The attempt and its job whose log holds all that it wrote, such as `r12.3@1/check-1`; empty when it
    /// was not started.
    pub log: String,
}

/// What a linter found at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RanFinding {
    pub rule: String,
    pub path: String,
    /// From one; zero when the linter names none.
    pub line: u32,
    pub column: u32,
    pub message: String,
}

/// What `checks.run` hands over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChecksRunResult {
    /// In the order in which they were run.
    pub checks: Vec<RanCheck>,
    /// How many of them are green.
    pub green: u64,
    /// How many are not, although they ran.
    pub red: u64,
    /// How many could not run: what is not installed is no failing test.
    pub not_run: u64,
}

/// The shape of the result, with the words that document it.
pub fn run_schema() -> Schema {
    schema_for!(ChecksRunResult)
}

/// The commands of a step: its own, else those that are configured, else what `checks.detect` proposes for
/// the files in `root`, the workspace's folder in a tree. Never none.
pub fn commands_to_run(
    with: &Map<String, Value>,
    configured: &[Vec<String>],
    root: &Path,
    cancelled: &AtomicBool,
) -> Result<Vec<Vec<String>>, Stop> {
    check_arguments(&RUN_INFO, with).map_err(Stop::Failed)?;
    let own = with.get(COMMANDS.name).and_then(arguments::commands).unwrap_or_default();
    if !own.is_empty() {
        return own.into_iter().map(words).collect();
    }
    if !configured.is_empty() {
        return Ok(configured.to_vec());
    }
    let proposed = detect::propose(root, cancelled)?;
    if proposed.verify.is_empty() {
        return Err(Stop::environment(
            "no tests or linters were found in the project",
            "name some in `[verify] commands` of .orchestra/config.toml, or as `commands` of the step",
        ));
    }
    Ok(proposed.verify)
}

fn words(written: WrittenCommand) -> Result<Vec<String>, Stop> {
    let words = match written {
        WrittenCommand::Text(text) => command::split(&text),
        WrittenCommand::Arguments(words) => command::from_arguments(words),
    };
    words.map_err(|error| Stop::work(format!("`commands` of checks.run: {error}"), error.hint()))
}

/// Why a step has not done what it was asked for: none of its commands could run. `None`: one could, or a
/// verdict on the project is there.
pub fn none_ran(runs: &[(Vec<String>, Ran)]) -> Option<Failure> {
    let (command, first) = runs.first()?;
    let nothing = runs.iter().all(|(_, ran)| ran.run.outcome.did_not_run());
    nothing.then(|| Failure {
        kind: FailureKind::Environment,
        message: format!("no check could run: `{}` {}", command.join(" "), first.run.outcome),
        hint: Some(
            "install what it needs, prepare it with `[tree] setup`, or correct the command"
                .to_owned(),
        ),
    })
}

/// What the step hands over. Checks that fail are what it was asked for, not its own failure. `output`
/// is where the step's main output goes, if it says so.
pub fn run_report(runs: &[(Vec<String>, Ran)], output: Option<&str>) -> Result<Report, Failure> {
    let checks: Vec<RanCheck> = runs.iter().map(|(command, ran)| ran_check(command, ran)).collect();
    let count = |fits: &dyn Fn(&CheckOutcome) -> bool| {
        runs.iter().filter(|(_, ran)| fits(&ran.run.outcome)).count() as u64
    };
    let green = count(&CheckOutcome::is_green);
    let not_run = count(&CheckOutcome::did_not_run);
    let lacking = runs.iter().find_map(|(_, ran)| match &ran.run.outcome {
        CheckOutcome::Missing { what } => Some(what.as_str()),
        _ => None,
    });
    let red = runs.len() as u64 - green - not_run;
    let result = ChecksRunResult { checks, green, red, not_run };
    let mut content = serde_json::to_vec_pretty(&result).map_err(defect)?;
    content.push(b'\n');
    let path = output.unwrap_or("tests/checks.json").to_owned();
    let summary = summary(&result, lacking);
    let result = to_result(result, |result| {
        for check in &mut result.checks {
            check.findings.truncate(check.findings.len() / 2);
            check.failures.truncate(check.failures.len() / 2);
        }
    });
    match result {
        Ok(result) => Ok(Report { summary, result, files: vec![OutputFile { path, content }] }),
        Err(Stop::Failed(failure)) => Err(failure),
        Err(Stop::Cancelled) => Err(defect("it was stopped")),
    }
}

fn ran_check(command: &[String], ran: &Ran) -> RanCheck {
    let run = &ran.run;
    let none = TestCounts {
        runner: String::new(),
        passed: 0,
        failed: 0,
        skipped: 0,
        failures: Vec::new(),
        cut: false,
    };
    let tests = run.tests.clone().unwrap_or(none);
    let found = ran.report.as_ref().map(|report| report.findings.as_slice()).unwrap_or_default();
    let Millis(took) = run.took;
    RanCheck {
        command: command.to_vec(),
        outcome: word(&run.outcome).to_owned(),
        detail: run.outcome.to_string(),
        took,
        runner: tests.runner,
        passed: tests.passed,
        failed: tests.failed,
        skipped: tests.skipped,
        failures: tests.failures,
        findings: found.iter().map(finding).collect(),
        last_lines: run.last_lines.clone(),
        log: run.log.clone().unwrap_or_default(),
    }
}

fn finding(found: &PlacedFinding) -> RanFinding {
    let PlacedFinding { rule, path, line, column, message } = found.clone();
    RanFinding { rule, path, line, column, message }
}

fn word(outcome: &CheckOutcome) -> &'static str {
    match outcome {
        CheckOutcome::Green => "green",
        CheckOutcome::Red { .. } => "red",
        CheckOutcome::Signalled { .. } => "signalled",
        CheckOutcome::TimedOut { .. } => "timed-out",
        CheckOutcome::NotStarted { .. } => "not-started",
        CheckOutcome::Missing { .. } => "missing",
    }
}

fn summary(result: &ChecksRunResult, lacking: Option<&str>) -> String {
    let all = counted(result.checks.len() as u64, "check", "checks");
    let mut text = format!("{all}: {} green", result.green);
    for (count, word) in [(result.red, "red"), (result.not_run, "not run")] {
        if count > 0 {
            text.push_str(&format!(", {count} {word}"));
        }
    }
    if let Some(what) = lacking {
        text.push_str(&format!(" ({what} is missing)"));
    }
    text
}

fn defect(error: impl std::fmt::Display) -> Failure {
    Failure {
        kind: FailureKind::Work,
        message: format!("the result of checks.run cannot be written: {error}"),
        hint: Some("this is a defect of Orchestra; please report it".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::{TestCase, TestReport, TestStatus};
    use serde_json::json;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    fn chosen_in(
        root: &Path,
        with: Value,
        configured: &[Vec<String>],
    ) -> Result<Vec<String>, String> {
        let with = with.as_object().cloned().unwrap_or_default();
        commands_to_run(&with, configured, root, &AtomicBool::new(false))
            .map(|commands| commands.iter().map(|command| command.join(" ")).collect())
            .map_err(|stop| match stop {
                Stop::Failed(failure) => failure.message,
                Stop::Cancelled => "cancelled".to_owned(),
            })
    }

    fn chosen(with: Value, configured: &[Vec<String>]) -> Result<Vec<String>, String> {
        chosen_in(tempfile::tempdir().unwrap().path(), with, configured)
    }

    #[test]
    fn a_step_runs_its_own_commands_else_the_configured_ones() {
        let configured = [words("make test")];
        assert_eq!(
            chosen(json!({ "commands": ["cargo test", "npm test"] }), &configured).unwrap(),
            ["cargo test", "npm test"]
        );
        let arguments = json!({ "commands": [["sh", "-c", "a && b"], "make"] });
        assert_eq!(chosen(arguments, &configured).unwrap(), ["sh -c a && b", "make"]);
        assert_eq!(chosen(json!({}), &configured).unwrap(), ["make test"]);
        assert_eq!(
            chosen(json!({}), &[]).unwrap_err(),
            "no tests or linters were found in the project"
        );
        let project = tempfile::tempdir().unwrap();
        std::fs::write(project.path().join("Makefile"), "test:\n\ttrue\n").unwrap();
        assert_eq!(chosen_in(project.path(), json!({}), &[]).unwrap(), ["make test"]);
        let shell = chosen(json!({ "commands": "a && b" }), &configured).unwrap_err();
        assert!(shell.starts_with("`commands` of checks.run: `&&` means"), "{shell}");
        assert!(chosen(json!({ "command": "a" }), &configured).is_err());
    }

    #[test]
    fn red_checks_are_the_result_and_what_is_missing_is_told_apart() {
        let report = TestReport {
            runner: "ruff".to_owned(),
            tests: vec![TestCase { name: "F401 a.py".to_owned(), status: TestStatus::Failed }],
            unnamed_passed: 0,
            unnamed_skipped: 0,
            lists_passed: true,
            complete: true,
            stopped_early: false,
            findings: vec![PlacedFinding {
                rule: "F401".to_owned(),
                path: "a.py".to_owned(),
                line: 3,
                column: 8,
                message: "unused".to_owned(),
            }],
        };
        let mut red = Ran::not_started(CheckOutcome::Red { code: 1 });
        red.run.tests = Some(report.counts());
        red.report = Some(report);
        let runs = [
            (words("cargo test"), Ran::not_started(CheckOutcome::Green)),
            (words("ruff check"), red),
            (
                words("mypy ."),
                Ran::not_started(CheckOutcome::Missing { what: "program mypy".to_owned() }),
            ),
        ];
        let report = run_report(&runs, None).unwrap();
        assert_eq!(report.summary, "3 checks: 1 green, 1 red, 1 not run (program mypy is missing)");
        assert_eq!(report.files[0].path, "tests/checks.json");
        let result: ChecksRunResult = serde_json::from_value(report.result).unwrap();
        assert_eq!((result.green, result.red, result.not_run), (1, 1, 1));
        assert_eq!(result.checks[1].findings[0].line, 3);
        assert_eq!(result.checks[1].failures, ["F401 a.py"]);
        assert_eq!(result.checks[2].detail, "could not run: program mypy is missing");
        assert_eq!(none_ran(&runs), None);
        let failure = none_ran(&runs[2..]).unwrap();
        assert_eq!(
            failure.message,
            "no check could run: `mypy .` could not run: program mypy is missing"
        );
    }
}
