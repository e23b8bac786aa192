//! `cargo test`: the text of libtest, of several binaries and of documentation tests.

use super::{LineParser, numbered};
use crate::checks::report::{Collected, Summary, TestReport, TestStatus};
use std::collections::{BTreeSet, VecDeque};

#[derive(Debug, Default)]
pub(super) struct Libtest {
    collected: Collected,
    /// What cargo said that it runs and whose tests have not begun. Cargo and the tests write into
    /// different pipes, so that the next may be named before the last has ended.
    announced: VecDeque<String>,
    block: Option<Block>,
    summary: Summary,
    has_run: bool,
    has_failed: bool,
    has_gone_on: bool,
}

/// The tests of one binary.
#[derive(Debug, Default)]
struct Block {
    binary: String,
    tests: Vec<(String, TestStatus)>,
    /// The last list of names behind `failures:`.
    failures: Option<BTreeSet<String>>,
}

impl LineParser for Libtest {
    fn line(&mut self, line: &str) {
        if let Some(name) = announced(line) {
            self.announced.push_back(name);
        } else if line.strip_prefix("running ").is_some_and(is_count_of_tests) {
            self.end(None);
            let binary = self.announced.pop_front().unwrap_or_default();
            self.block = Some(Block { binary, ..Block::default() });
            self.has_run = true;
        } else if let Some(result) = line.strip_prefix("test result: ") {
            self.end(summary(result));
        } else if line.starts_with("error: ") && line.contains("to rerun pass") {
            self.has_failed = true;
        } else if line.starts_with("error: ") && line.contains(" failed:") {
            self.has_gone_on = true;
        } else if let Some(block) = &mut self.block {
            block.line(line);
        }
    }

    fn finish(mut self: Box<Self>) -> Option<TestReport> {
        self.end(None);
        self.has_run.then(|| {
            // Only a cargo that goes on lists all that failed.
            self.collected.stopped_early = self.has_failed && !self.has_gone_on;
            self.collected.finish("cargo test", Some(self.summary))
        })
    }
}

impl Libtest {
    /// `counted` is `None` when the binary died.
    fn end(&mut self, counted: Option<Summary>) {
        let Some(block) = self.block.take() else { return };
        self.collected.is_cut |= counted.is_none();
        self.summary.add(counted.unwrap_or_default());
        for (name, status) in block.into_tests() {
            self.collected.add(&name, status);
        }
    }
}

impl Block {
    fn line(&mut self, line: &str) {
        if line == "failures:" {
            self.failures = Some(BTreeSet::new());
        } else if let Some(failures) = &mut self.failures {
            if let Some(name) = line.strip_prefix("    ").filter(|name| !name.starts_with(' ')) {
                failures.insert(name.to_owned());
            }
        } else if let Some((name, status)) = line.strip_prefix("test ").and_then(test) {
            self.tests.push((name, status));
        }
    }

    /// What is listed as failed has failed, whatever else was written.
    fn into_tests(self) -> Vec<(String, TestStatus)> {
        let failures = self.failures.unwrap_or_default();
        let mut tests = self.tests;
        tests.retain(|(name, status)| *status == TestStatus::Failed || !failures.contains(name));
        for name in failures {
            if !tests.iter().any(|(known, _)| *known == name) {
                tests.push((name, TestStatus::Failed));
            }
        }
        let is_doc = tests.iter().any(|(name, _)| without_line(name).1 > 0);
        let tests = if is_doc { numbered(tests, without_line) } else { tests };
        let binary = self.binary;
        let qualified = |name: String| {
            if binary.is_empty() { name } else { format!("{binary} {name}") }
        };
        tests.into_iter().map(|(name, status)| (qualified(name), status)).collect()
    }
}

/// The name by which a binary is told from the others, of a line that announces it.
fn announced(line: &str) -> Option<String> {
    if let Some(package) = line.trim_start().strip_prefix("Doc-tests ") {
        return Some(format!("doc {package}"));
    }
    let path = line.trim_start().strip_prefix("Running ")?.strip_suffix(')')?;
    let (_, path) = path.rsplit_once('(')?;
    let file = path.rsplit(['/', '\\']).next()?.trim_end_matches(".exe");
    // The hash behind the name changes with the code.
    Some(file.rsplit_once('-').map_or(file, |(name, _)| name).to_owned())
}

fn is_count_of_tests(text: &str) -> bool {
    let count = text.strip_suffix(" tests").or_else(|| text.strip_suffix(" test"));
    count.is_some_and(|count| count.parse::<u32>().is_ok())
}

fn test(line: &str) -> Option<(String, TestStatus)> {
    let (name, status) = line.rsplit_once(" ... ")?;
    let word = status.split([' ', ',']).next()?;
    let status = match word {
        "ok" | "bench:" => TestStatus::Passed,
        "FAILED" => TestStatus::Failed,
        "ignored" => TestStatus::Skipped,
        _ => return None,
    };
    let how = [" - should panic", " - compile fail", " - compile"];
    let name = how.iter().find_map(|how| name.strip_suffix(how)).unwrap_or(name);
    Some((name.to_owned(), status))
}

/// A documentation test is named by its line, which moves with every edit above it.
fn without_line(name: &str) -> (String, u32) {
    let split = || {
        let (name, rest) = name.rsplit_once(" (line ")?;
        Some((name.to_owned(), rest.strip_suffix(')')?.parse().ok()?))
    };
    split().unwrap_or_else(|| (name.to_owned(), 0))
}

fn summary(text: &str) -> Option<Summary> {
    let (_, counts) = text.split_once(". ")?;
    let mut summary = Summary::default();
    for part in counts.split("; ") {
        let Some((number, word)) = part.split_once(' ') else { continue };
        let Ok(number) = number.parse::<u32>() else { continue };
        match word {
            "passed" | "measured" => summary.passed = summary.passed.saturating_add(number),
            "failed" => summary.failed = number,
            "ignored" => summary.skipped = number,
            _ => {}
        }
    }
    Some(summary)
}
