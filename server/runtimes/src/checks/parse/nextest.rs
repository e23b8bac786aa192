//! `cargo nextest run`: one line for each test.

use super::{LineParser, counted_words};
use crate::checks::report::{Collected, Summary, TestReport, TestStatus};

#[derive(Debug, Default)]
pub(super) struct Nextest {
    collected: Collected,
    has_run: bool,
    summary: Option<Summary>,
}

impl LineParser for Nextest {
    fn line(&mut self, line: &str) {
        // What tests write is indented less or more, or not at all.
        let Some((word, rest)) = status_column(line) else {
            self.has_run |= line.starts_with(" Nextest run ID ");
            return;
        };
        match word {
            "Starting" => self.has_run = true,
            "Summary" => self.end(rest),
            _ => {
                if let (Some(status), Some(name)) = (status(word), name(rest)) {
                    self.collected.replace(name, status);
                }
            }
        }
    }

    fn finish(self: Box<Self>) -> Option<TestReport> {
        self.has_run.then(|| self.collected.finish("cargo nextest", self.summary))
    }
}

impl Nextest {
    /// `[   2.631s] 7 tests run: 4 passed (1 flaky), 3 failed, 1 skipped`
    fn end(&mut self, rest: &str) {
        let Some((_, counts)) = rest.split_once("] ") else { return };
        let Some((run, counts)) = counts.split_once(": ") else { return };
        // `3/7 tests run`
        self.collected.stopped_early |= run.contains('/');
        let mut summary = Summary::default();
        for (number, word) in counted_words(counts) {
            match word {
                "passed" => summary.passed = number,
                "skipped" => summary.skipped = number,
                _ => summary.failed = summary.failed.saturating_add(number),
            }
        }
        self.summary = Some(summary);
    }
}

/// The word that ends in the twelfth column, and what is behind it.
fn status_column(line: &str) -> Option<(&str, &str)> {
    let trimmed = line.trim_start();
    let indent = line.len() - trimmed.len();
    let (column, rest) = trimmed.split_once(" [").or_else(|| trimmed.split_once(' '))?;
    let column = if trimmed.starts_with("Starting ") { "Starting" } else { column };
    (indent + column.len() == 12).then_some((column, rest))
}

fn status(word: &str) -> Option<TestStatus> {
    // `TRY 2 PASS`, `FLAKY 2/3`, `SIGSEGV`.
    let word = match word.strip_prefix("TRY ") {
        Some(tried) => tried.split_once(' ').map_or(tried, |(_, word)| word),
        None => word,
    };
    match word.split(' ').next()? {
        "PASS" | "LEAK" | "FLAKY" | "SETUP" => Some(TestStatus::Passed),
        "SKIP" => Some(TestStatus::Skipped),
        "FAIL" | "ABORT" | "TIMEOUT" | "TMT" | "XFAIL" | "LEAK-FAIL" | "FLKY-FL" => {
            Some(TestStatus::Failed)
        }
        word if word.starts_with("SIG") => Some(TestStatus::Failed),
        _ => None,
    }
}

/// `   0.227s] (1/7) sample::more same_name`
fn name(rest: &str) -> Option<&str> {
    let (_, rest) = rest.split_once("] ")?;
    let rest = rest.trim_start();
    let name = match rest.strip_prefix('(') {
        Some(counted) => counted.split_once(") ")?.1,
        None => rest,
    };
    (!name.is_empty()).then_some(name)
}
