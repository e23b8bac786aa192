//! What the output of a command says about tests.

use orchestra_core::evidence::{Check, TestCounts};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// How many tests a report holds.
pub const MAX_TESTS: usize = 200_000;
/// How long the name of a test is at most, in characters.
const MAX_NAME: usize = 500;
/// How many findings a report holds.
pub(super) const MAX_FINDINGS: usize = 1_000;

/// The tests that a command ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestReport {
    /// Whose output it is, such as `cargo test`; several are joined with commas.
    pub runner: String,
    /// Sorted by name, each name once.
    pub tests: Vec<TestCase>,
    /// Tests that were counted and not named.
    pub unnamed_passed: u32,
    pub unnamed_skipped: u32,
    /// Whether the tests that passed are named, so that one that is not there is gone.
    pub lists_passed: bool,
    /// Whether what is named agrees with what the runner counted. It does not when output was cut, when
    /// a runner died, and when tests write lines that look like those of their runner.
    pub complete: bool,
    /// Whether the runner left out tests after the first that failed.
    pub stopped_early: bool,
    /// What linters found, with its place; the first 1,000.
    #[serde(default)]
    pub findings: Vec<PlacedFinding>,
}

/// One test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestCase {
    /// With all that tells it from the others: binary, file, class, package. Paths in it are relative to
    /// the folder in which the command ran.
    pub name: String,
    pub status: TestStatus,
}

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestStatus {
    Passed,
    Failed,
    Skipped,
}

/// What a linter found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedFinding {
    pub rule: String,
    /// Relative to the folder in which the command ran.
    pub path: String,
    /// From one; zero where there is none.
    pub line: u32,
    pub column: u32,
    pub message: String,
}

impl TestReport {
    /// How many tests ended how, for people and the journal.
    pub fn counts(&self) -> TestCounts {
        let failures = self.named(TestStatus::Failed);
        TestCounts {
            runner: self.runner.clone(),
            passed: self.count(TestStatus::Passed).saturating_add(self.unnamed_passed),
            failed: self.count(TestStatus::Failed),
            skipped: self.count(TestStatus::Skipped).saturating_add(self.unnamed_skipped),
            failures: failures.take(Check::MAX_NAMES).map(str::to_owned).collect(),
            cut: !self.complete,
        }
    }

    pub(super) fn named(&self, status: TestStatus) -> impl Iterator<Item = &str> {
        self.tests.iter().filter(move |test| test.status == status).map(|test| test.name.as_str())
    }

    /// Whether it ran a test that could pass.
    pub(super) fn has_run_something(&self) -> bool {
        self.unnamed_passed > 0 || self.count(TestStatus::Passed) > 0
    }

    fn count(&self, status: TestStatus) -> u32 {
        count(self.named(status).count())
    }

    /// One report of several runners in one output.
    pub(super) fn merge(reports: Vec<Self>) -> Option<Self> {
        let mut reports = reports.into_iter();
        let mut merged = reports.next()?;
        for report in reports {
            merged.runner = format!("{}, {}", merged.runner, report.runner);
            merged.tests.extend(report.tests);
            merged.unnamed_passed = merged.unnamed_passed.saturating_add(report.unnamed_passed);
            merged.unnamed_skipped = merged.unnamed_skipped.saturating_add(report.unnamed_skipped);
            merged.lists_passed &= report.lists_passed;
            merged.complete &= report.complete;
            merged.stopped_early |= report.stopped_early;
            merged.findings.extend(report.findings);
        }
        merged.complete &= merged.tests.len() <= MAX_TESTS;
        merged.tests.truncate(MAX_TESTS);
        merged.findings.truncate(MAX_FINDINGS);
        merged.tests = sorted(merged.tests);
        Some(merged)
    }
}

/// How many tests the runner itself counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Summary {
    pub(super) passed: u32,
    pub(super) failed: u32,
    pub(super) skipped: u32,
}

impl Summary {
    pub(super) fn add(&mut self, other: Self) {
        self.passed = self.passed.saturating_add(other.passed);
        self.failed = self.failed.saturating_add(other.failed);
        self.skipped = self.skipped.saturating_add(other.skipped);
    }
}

/// Tests as a parser comes upon them.
#[derive(Debug, Default)]
pub(super) struct Collected {
    tests: Vec<TestCase>,
    by_name: HashMap<String, usize>,
    /// Something is known to be missing.
    pub(super) is_cut: bool,
    pub(super) stopped_early: bool,
}

impl Collected {
    /// A test of its own, also when another has its name: two binaries may have the same tests.
    pub(super) fn add(&mut self, name: &str, status: TestStatus) {
        let name = tidy(name);
        let mut unique = name.clone();
        let mut number = 1;
        while self.by_name.contains_key(&unique) {
            number += 1;
            unique = format!("{name} #{number}");
            // A million tests of one name are one test.
            if number > 1_000 {
                self.is_cut = true;
                return;
            }
        }
        self.push(unique, status);
    }

    /// The same test as any before of that name. One that failed and also passed has failed, since its own
    /// output may claim anything.
    pub(super) fn note(&mut self, name: &str, status: TestStatus) {
        let name = tidy(name);
        match self.by_name.get(&name).and_then(|&at| self.tests.get_mut(at)) {
            Some(test) if test.status != TestStatus::Failed => test.status = status,
            Some(_) => {}
            None => self.push(name, status),
        }
    }

    /// The same test as any before of that name; the last word counts.
    pub(super) fn replace(&mut self, name: &str, status: TestStatus) {
        let name = tidy(name);
        match self.by_name.get(&name).and_then(|&at| self.tests.get_mut(at)) {
            Some(test) => test.status = status,
            None => self.push(name, status),
        }
    }

    fn push(&mut self, name: String, status: TestStatus) {
        if self.tests.len() >= MAX_TESTS {
            self.is_cut = true;
            return;
        }
        self.by_name.insert(name.clone(), self.tests.len());
        self.tests.push(TestCase { name, status });
    }

    pub(super) fn count(&self, status: TestStatus) -> u32 {
        count(self.tests.iter().filter(|test| test.status == status).count())
    }

    /// The report, checked against what the runner counted; `None`: it came to no summary.
    pub(super) fn finish(self, runner: &str, summary: Option<Summary>) -> TestReport {
        let [passed, failed, skipped] =
            [TestStatus::Passed, TestStatus::Failed, TestStatus::Skipped].map(|s| self.count(s));
        let agrees = summary.is_some_and(|summary| {
            passed <= summary.passed && failed == summary.failed && skipped <= summary.skipped
        });
        let counted = summary.unwrap_or_default();
        TestReport {
            runner: runner.to_owned(),
            unnamed_passed: counted.passed.saturating_sub(passed),
            unnamed_skipped: counted.skipped.saturating_sub(skipped),
            lists_passed: counted.passed <= passed,
            complete: agrees && !self.is_cut,
            stopped_early: self.stopped_early,
            tests: sorted(self.tests),
            findings: Vec::new(),
        }
    }

    /// The report of a runner that counts nothing.
    pub(super) fn finish_uncounted(self, runner: &str, lists_passed: bool) -> TestReport {
        let is_cut = self.is_cut;
        let summary = Summary {
            passed: self.count(TestStatus::Passed),
            failed: self.count(TestStatus::Failed),
            skipped: self.count(TestStatus::Skipped),
        };
        TestReport { lists_passed, complete: !is_cut, ..self.finish(runner, Some(summary)) }
    }
}

/// What a test was called is text of others: bounded, and harmless on a terminal.
fn tidy(name: &str) -> String {
    name.trim()
        .chars()
        .take(MAX_NAME)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// In the order of names; of the same name the one that failed.
fn sorted(mut tests: Vec<TestCase>) -> Vec<TestCase> {
    let rank = |test: &TestCase| test.status != TestStatus::Failed;
    tests.sort_by(|a, b| a.name.cmp(&b.name).then(rank(a).cmp(&rank(b))));
    tests.dedup_by(|next, first| next.name == first.name);
    tests
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
