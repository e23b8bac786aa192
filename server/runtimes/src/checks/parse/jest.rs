//! jest: with and without `--verbose`.

use super::{LineParser, counted_words, without_duration};
use crate::checks::report::{Collected, Summary, TestReport, TestStatus};

#[derive(Debug, Default)]
pub(super) struct Jest {
    collected: Collected,
    has_run: bool,
    file: String,
    /// Whether the lines since the file's name list its tests.
    lists: bool,
    /// The groups around the next test, with their indent.
    groups: Vec<(usize, String)>,
    /// Suites that could not even start, which are no tests in the summary.
    broken: u32,
    summary: Option<Summary>,
}

impl LineParser for Jest {
    fn line(&mut self, line: &str) {
        // In colour the word has blanks around it.
        let word = line.strip_prefix(' ').unwrap_or(line);
        if let Some(path) = word.strip_prefix("PASS ").or_else(|| word.strip_prefix("FAIL ")) {
            // Slow files are followed by their time.
            self.file = without_duration(path.trim_start()).to_owned();
            (self.lists, self.groups) = (true, Vec::new());
        } else if let Some(counts) = line.strip_prefix("Tests: ") {
            self.summary = Some(summary(counts));
            self.file.clear();
        } else if line.starts_with("Test Suites: ") {
            self.has_run = true;
        } else if self.file.is_empty() {
            // Nothing that is of a file.
        } else if let Some(title) = line.strip_prefix("  ● ") {
            self.lists = false;
            self.failure(title);
        } else if line.is_empty() {
            self.lists = false;
        } else if self.lists {
            self.listed(line);
        }
    }

    fn finish(self: Box<Self>) -> Option<TestReport> {
        let broken = self.broken;
        let summary = self.summary.map(|mut summary| {
            summary.failed = summary.failed.saturating_add(broken);
            summary
        });
        self.has_run.then(|| self.collected.finish("jest", summary))
    }
}

impl Jest {
    fn failure(&mut self, title: &str) {
        if title == "Test suite failed to run" {
            let before = self.collected.count(TestStatus::Failed);
            self.note(title, TestStatus::Failed);
            self.broken += self.collected.count(TestStatus::Failed) - before;
        } else if title != "Console" {
            self.note(title, TestStatus::Failed);
        }
    }

    fn listed(&mut self, line: &str) {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        self.groups.retain(|(outer, _)| *outer < indent);
        let (symbol, name) = text.split_once(' ').unwrap_or((text, ""));
        let (name, status) = match symbol {
            "✓" | "√" => (name, TestStatus::Passed),
            "✕" | "×" => (name, TestStatus::Failed),
            "○" => (name.strip_prefix("skipped ").unwrap_or(name), TestStatus::Skipped),
            "✎" => (name.strip_prefix("todo ").unwrap_or(name), TestStatus::Skipped),
            _ => {
                self.groups.push((indent, text.to_owned()));
                return;
            }
        };
        let mut path: Vec<&str> = self.groups.iter().map(|(_, group)| group.as_str()).collect();
        path.push(if status == TestStatus::Skipped { name } else { without_duration(name) });
        let path = path.join(" › ");
        self.note(&path, status);
    }

    fn note(&mut self, name: &str, status: TestStatus) {
        self.collected.note(&format!("{} › {name}", self.file), status);
    }
}

/// `2 failed, 2 skipped, 2 todo, 4 passed, 10 total`
fn summary(counts: &str) -> Summary {
    let mut summary = Summary::default();
    for (number, word) in counted_words(counts.trim()) {
        match word {
            "passed" => summary.passed = number,
            "failed" => summary.failed = number,
            "skipped" | "todo" => summary.skipped = summary.skipped.saturating_add(number),
            _ => {}
        }
    }
    summary
}
