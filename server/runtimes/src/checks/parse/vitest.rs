//! vitest: its default and its verbose reporter.

use super::{LineParser, counted_words, without_duration};
use crate::checks::report::{Collected, Summary, TestReport, TestStatus};

#[derive(Debug, Default)]
pub(super) struct Vitest {
    collected: Collected,
    has_run: bool,
    /// Files that could not be loaded, which are no tests in the summary.
    broken: u32,
    summary: Option<Summary>,
}

impl LineParser for Vitest {
    fn line(&mut self, line: &str) {
        if let Some(name) = line.strip_prefix(" FAIL  ") {
            self.failure(name);
        } else if line.starts_with(" RUN  v") || line.starts_with(" Test Files  ") {
            self.has_run = true;
        } else if let Some(counts) = line.strip_prefix("      Tests  ") {
            self.summary = Some(summary(counts));
        } else if let Some((symbol, name)) = line.strip_prefix(' ').and_then(|l| l.split_once(' '))
            // With the default reporter these are files, and tests are not told apart by their groups.
            && name.contains(" > ")
        {
            let name = without_duration(name);
            match symbol {
                "✓" | "√" => self.collected.note(name, TestStatus::Passed),
                "×" => self.collected.note(name, TestStatus::Failed),
                "↓" | "□" => self.collected.note(name, TestStatus::Skipped),
                _ => {}
            }
        }
    }

    fn finish(self: Box<Self>) -> Option<TestReport> {
        let broken = self.broken;
        let summary = self.summary.map(|mut summary| {
            summary.failed = summary.failed.saturating_add(broken);
            summary
        });
        self.has_run.then(|| self.collected.finish("vitest", summary))
    }
}

impl Vitest {
    fn failure(&mut self, name: &str) {
        // `FAIL  a.test.ts [ a.test.ts ]`: the file itself.
        let file = name.split_once(" [ ").filter(|_| !name.contains(" > "));
        let before = self.collected.count(TestStatus::Failed);
        self.collected.note(file.map_or(name, |(file, _)| file), TestStatus::Failed);
        if file.is_some() {
            self.broken += self.collected.count(TestStatus::Failed) - before;
        }
    }
}

/// `2 failed | 4 passed | 2 skipped | 2 todo (10)`
fn summary(counts: &str) -> Summary {
    let counts = counts.split_once(" (").map_or(counts, |(counts, _)| counts);
    let mut summary = Summary::default();
    for (number, word) in counts.split(" | ").flat_map(counted_words) {
        match word {
            "passed" => summary.passed = number,
            "failed" => summary.failed = number,
            "skipped" | "todo" => summary.skipped = summary.skipped.saturating_add(number),
            _ => {}
        }
    }
    summary
}
