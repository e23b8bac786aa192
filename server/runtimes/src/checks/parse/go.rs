//! `go test`: its text, with and without `-v`, and the lines of `-json`.

use super::LineParser;
use crate::checks::report::{Collected, TestReport, TestStatus};
use serde::Deserialize;

#[derive(Debug, Default)]
pub(super) struct Go {
    collected: Collected,
    /// Tests of the package that has not ended.
    open: Vec<(String, TestStatus)>,
    /// Tests that were started and have not ended.
    running: Vec<String>,
    has_run: bool,
    is_verbose: bool,
}

/// A line of `go test -json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    action: String,
    package: Option<String>,
    test: Option<String>,
}

impl LineParser for Go {
    fn line(&mut self, line: &str) {
        if line.starts_with("{\"") {
            if let Ok(event) = serde_json::from_str::<Event>(line) {
                self.event(event);
            }
            return;
        }
        // Newer versions begin it with a control character where a program reads it.
        let line = line.trim_start_matches('\u{16}');
        if let Some(name) = line.strip_prefix("=== RUN   ") {
            (self.has_run, self.is_verbose) = (true, true);
            self.running.push(name.to_owned());
        } else if let Some((name, status)) = line.trim_start().strip_prefix("--- ").and_then(test) {
            self.running.retain(|running| running != name);
            self.open.push((name.to_owned(), status));
        } else if let Some((word, rest)) = line.split_once('\t') {
            self.package(word.trim_end(), rest);
        }
    }

    fn finish(mut self: Box<Self>) -> Option<TestReport> {
        self.collected.is_cut |= !self.open.is_empty() || !self.running.is_empty();
        for (name, status) in std::mem::take(&mut self.open) {
            self.collected.note(&name, status);
        }
        let lists_passed = self.is_verbose;
        self.has_run.then(|| self.collected.finish_uncounted("go test", lists_passed))
    }
}

impl Go {
    /// `ok  \tpackage\t0.1s`, `FAIL\tpackage\t0.1s`, `FAIL\tpackage [build failed]`.
    fn package(&mut self, word: &str, rest: &str) {
        let package = rest.split(['\t', ' ']).next().unwrap_or_default();
        if !matches!(word, "ok" | "FAIL" | "?") || package.is_empty() {
            return;
        }
        self.has_run = true;
        let tests = std::mem::take(&mut self.open);
        let has_named = tests.iter().any(|(_, status)| *status == TestStatus::Failed);
        for (name, status) in tests {
            self.collected.note(&format!("{package} {name}"), status);
        }
        // A panic ends the tests behind it, too.
        self.collected.stopped_early |= !self.running.is_empty();
        for name in std::mem::take(&mut self.running) {
            self.collected.note(&format!("{package} {name}"), TestStatus::Failed);
        }
        if word == "FAIL" && !has_named {
            self.collected.note(package, TestStatus::Failed);
        }
    }

    fn event(&mut self, event: Event) {
        let Some(package) = event.package else { return };
        (self.has_run, self.is_verbose) = (true, true);
        let status = match event.action.as_str() {
            "pass" => TestStatus::Passed,
            "fail" => TestStatus::Failed,
            "skip" => TestStatus::Skipped,
            _ => return,
        };
        match event.test {
            Some(test) => {
                if status == TestStatus::Failed {
                    self.open.push((test.clone(), status));
                }
                self.collected.note(&format!("{package} {test}"), status);
            }
            // Tests come with their own events; a package that failed without one did not build.
            None => {
                if status == TestStatus::Failed && self.open.is_empty() {
                    self.collected.note(&package, status);
                }
                self.open.clear();
            }
        }
    }
}

/// `FAIL: TestFails/with_space (0.00s)`
fn test(line: &str) -> Option<(&str, TestStatus)> {
    let (word, rest) = line.split_once(": ")?;
    let status = match word {
        "PASS" => TestStatus::Passed,
        "FAIL" => TestStatus::Failed,
        "SKIP" => TestStatus::Skipped,
        _ => return None,
    };
    let (name, time) = rest.rsplit_once(" (")?;
    time.strip_suffix("s)")?.parse::<f64>().ok()?;
    Some((name, status))
}
