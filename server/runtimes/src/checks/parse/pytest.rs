//! pytest: quiet, verbose, and its short summary.

use super::{LineParser, counted_words};
use crate::checks::report::{Collected, Summary, TestReport, TestStatus};

#[derive(Debug, Default)]
pub(super) struct Pytest {
    collected: Collected,
    part: Part,
    has_run: bool,
    /// How many lines of the short summary name a failure: one test may fail and not be torn down.
    failures: u32,
    summary: Option<Summary>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Progress,
    /// What tests wrote, and their tracebacks.
    Details,
    ShortSummary,
}

impl LineParser for Pytest {
    fn line(&mut self, line: &str) {
        if let Some(counts) = counts(line) {
            self.has_run = true;
            self.summary = Some(summary(counts));
            self.part = Part::Details;
            return;
        }
        if let Some(title) = title(line, '=') {
            self.has_run |= title == "test session starts";
            self.part = match title {
                "test session starts" => Part::Progress,
                "short test summary info" => Part::ShortSummary,
                _ => Part::Details,
            };
            return;
        }
        if let Some(title) = title(line, '!') {
            self.collected.stopped_early |=
                title.starts_with("stopping after") || title.starts_with("Interrupted");
            return;
        }
        match self.part {
            Part::Progress => {
                if let Some((name, status)) = progress(line) {
                    self.collected.note(name, status);
                }
            }
            Part::ShortSummary => {
                if let Some((name, status)) = short(line) {
                    self.failures += u32::from(status == TestStatus::Failed);
                    self.collected.note(name, status);
                }
            }
            Part::Details => {}
        }
    }

    fn finish(self: Box<Self>) -> Option<TestReport> {
        let mut summary = self.summary;
        if let Some(summary) = &mut summary
            && summary.failed == self.failures
        {
            summary.failed = self.collected.count(TestStatus::Failed);
        }
        self.has_run.then(|| self.collected.finish("pytest", summary))
    }
}

/// The text between two rows of the same character.
fn title(line: &str, of: char) -> Option<&str> {
    let inner = line.trim_matches(of);
    let is_title = line.starts_with(of) && line.ends_with(of) && inner.len() + 2 < line.len();
    is_title.then(|| inner.trim())
}

/// `2 failed, 4 passed, 1 error in 0.50s`, between `=` or not.
fn counts(line: &str) -> Option<&str> {
    let line = line.trim_matches('=').trim();
    let (counts, time) = line.rsplit_once(" in ")?;
    let seconds = time.split(' ').next()?.strip_suffix('s')?;
    seconds.parse::<f64>().ok()?;
    let is_count = |(_, word): (u32, &str)| {
        let known = ["failed", "passed", "skipped", "deselected", "xfailed", "xpassed", "error"];
        known.contains(&word) || ["errors", "warning", "warnings", "rerun"].contains(&word)
    };
    let parts = counts.split(", ").count();
    let fits = counted_words(counts).count() == parts && counted_words(counts).all(is_count);
    (fits || counts == "no tests ran").then_some(counts)
}

fn summary(counts: &str) -> Summary {
    let mut summary = Summary::default();
    for (number, word) in counted_words(counts) {
        let place = match word {
            "passed" | "xpassed" => &mut summary.passed,
            "failed" | "error" | "errors" => &mut summary.failed,
            "skipped" | "xfailed" => &mut summary.skipped,
            _ => continue,
        };
        *place = place.saturating_add(number);
    }
    summary
}

fn status(word: &str) -> Option<TestStatus> {
    match word {
        "PASSED" | "XPASS" => Some(TestStatus::Passed),
        "FAILED" | "ERROR" => Some(TestStatus::Failed),
        "SKIPPED" | "XFAIL" => Some(TestStatus::Skipped),
        _ => None,
    }
}

/// `tests/a.py::test_b PASSED   [ 11%]`, or with workers `[gw0] [ 11%] PASSED tests/a.py::test_b`.
fn progress(line: &str) -> Option<(&str, TestStatus)> {
    if let Some(rest) = line.strip_prefix("[gw") {
        let (_, rest) = rest.split_once("%] ")?;
        let (word, name) = rest.split_once(' ')?;
        return Some((name.trim(), status(word)?));
    }
    let (line, _) = line.strip_suffix("%]")?.rsplit_once('[')?;
    let line = line.trim_end();
    // The reason of a skip is in parentheses behind it, and the name itself may hold blanks.
    let (at, word) = line.match_indices(' ').rev().find_map(|(at, _)| {
        let word = line[at + 1..].split(' ').next()?;
        status(word).map(|_| (at, word))
    })?;
    let name = &line[..at];
    name.contains("::").then_some((name, status(word)?))
}

/// `FAILED tests/a.py::test_b - reason`. Skips are named by their place, not by their test.
fn short(line: &str) -> Option<(&str, TestStatus)> {
    let (word, rest) = line.split_once(' ')?;
    let status = status(word).filter(|_| word != "SKIPPED")?;
    let name = rest.split_once(" - ").map_or(rest, |(name, _)| name);
    Some((name, status))
}
