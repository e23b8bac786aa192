//! `node --test`: the Test Anything Protocol and the reporter for people; other TAP, too.

use super::{LineParser, without_duration};
use crate::checks::report::{Collected, Summary, TestReport, TestStatus};

#[derive(Debug, Default)]
pub(super) struct Tap {
    collected: Collected,
    has_run: bool,
    /// The tests around the next line, outermost first.
    open: Vec<String>,
    /// The last result, which the lines behind it may show to be a suite.
    last: Option<(String, TestStatus)>,
    planned: Option<u32>,
    counts: Counts,
}

/// What node says at the end: `# pass 2`, `ℹ fail 1`.
#[derive(Debug, Default)]
struct Counts {
    summary: Summary,
    has_ended: bool,
}

impl LineParser for Tap {
    fn line(&mut self, line: &str) {
        let text = line.trim_start();
        let depth = (line.len() - text.len()) / 4;
        if text.starts_with("TAP version ") {
            self.has_run = true;
        } else if !self.has_run {
            // Anything may come before it.
        } else if let Some(name) = text.strip_prefix("# Subtest: ") {
            self.settle();
            self.open.truncate(depth);
            self.open.push(unescaped(name));
        } else if let Some((name, status)) = result(text) {
            self.settle();
            self.open.truncate(depth);
            let mut path: Vec<&str> = self.open.iter().map(String::as_str).collect();
            let name = unescaped(name);
            path.push(&name);
            self.last = Some((path.join(" > "), status));
        } else if text == "type: 'suite'" {
            // Its tests have been counted.
            self.last = None;
        } else if let Some(plan) = line.strip_prefix("1..") {
            self.settle();
            self.planned = plan.split(' ').next().and_then(|count| count.parse().ok());
        } else if let Some(count) = line.strip_prefix("# ") {
            self.counts.line(count);
        }
    }

    fn finish(mut self: Box<Self>) -> Option<TestReport> {
        self.settle();
        let seen = [TestStatus::Passed, TestStatus::Failed, TestStatus::Skipped];
        let seen = seen.map(|status| self.collected.count(status));
        let summary = if self.counts.has_ended {
            Some(self.counts.summary)
        } else {
            // Other programs that write this only say how many results there are.
            let [passed, failed, skipped] = seen;
            (self.planned == Some(passed + failed + skipped)).then_some(Summary {
                passed,
                failed,
                skipped,
            })
        };
        self.has_run.then(|| self.collected.finish("tap", summary))
    }
}

impl Tap {
    fn settle(&mut self) {
        if let Some((name, status)) = self.last.take() {
            self.collected.add(&name, status);
        }
    }
}

impl Counts {
    fn line(&mut self, text: &str) {
        let Some((word, number)) = text.split_once(' ') else { return };
        let Ok(number) = number.parse::<u32>() else { return };
        match word {
            "tests" => (self.summary, self.has_ended) = (Summary::default(), true),
            "pass" => self.summary.passed = number,
            "fail" | "cancelled" => {
                self.summary.failed = self.summary.failed.saturating_add(number);
            }
            "skipped" | "todo" => {
                self.summary.skipped = self.summary.skipped.saturating_add(number);
            }
            _ => {}
        }
    }
}

/// `not ok 2 - fails here # TODO later`
fn result(text: &str) -> Option<(&str, TestStatus)> {
    let (status, rest) = match text.strip_prefix("not ok") {
        Some(rest) => (TestStatus::Failed, rest),
        None => (TestStatus::Passed, text.strip_prefix("ok")?),
    };
    let rest = rest.strip_prefix(' ')?.trim_start_matches(|c: char| c.is_ascii_digit());
    let name = rest.strip_prefix(" - ").unwrap_or(rest.trim_start());
    // A `#` of the name itself is escaped.
    let directive = name.match_indices(" # ").find(|(at, _)| !name[..*at].ends_with('\\'));
    let Some((at, _)) = directive else { return Some((name, status)) };
    let directive = name[at + 3..].to_ascii_uppercase();
    let is_skipped = directive.starts_with("SKIP") || directive.starts_with("TODO");
    Some((&name[..at], if is_skipped { TestStatus::Skipped } else { status }))
}

fn unescaped(name: &str) -> String {
    name.replace("\\#", "#").replace("\\\\", "\\")
}

#[derive(Debug, Default)]
pub(super) struct Spec {
    collected: Collected,
    /// Groups that have begun, with their indent.
    open: Vec<(usize, String)>,
    counts: Counts,
}

impl LineParser for Spec {
    fn line(&mut self, line: &str) {
        if let Some(count) = line.strip_prefix("ℹ ") {
            self.counts.line(count);
            return;
        }
        // What failed is repeated behind the counts.
        if self.counts.has_ended {
            return;
        }
        let text = line.trim_start();
        let indent = line.len() - text.len();
        let Some((symbol, rest)) = text.split_once(' ') else { return };
        let (name, reason) = split_reason(rest);
        let status = match symbol {
            "✔" => TestStatus::Passed,
            "✖" => TestStatus::Failed,
            "﹣" => TestStatus::Skipped,
            "▶" => {
                self.group(indent, without_duration(name));
                return;
            }
            _ => return,
        };
        let status = if reason.is_some() { TestStatus::Skipped } else { status };
        let name = without_duration(name);
        self.open.retain(|(outer, group)| *outer < indent || (*outer == indent && group == name));
        if self.open.last().is_some_and(|(outer, _)| *outer == indent) {
            // The end of a group, whose tests have been counted.
            self.open.pop();
            return;
        }
        let mut path: Vec<&str> = self.open.iter().map(|(_, group)| group.as_str()).collect();
        path.push(name);
        let path = path.join(" > ");
        self.collected.add(&path, status);
    }

    fn finish(self: Box<Self>) -> Option<TestReport> {
        let summary = self.counts.summary;
        self.counts.has_ended.then(|| self.collected.finish("node --test", Some(summary)))
    }
}

impl Spec {
    /// Older versions end a group with the sign with which it began.
    fn group(&mut self, indent: usize, name: &str) {
        self.open.retain(|(outer, _)| *outer <= indent);
        match self.open.last() {
            Some((outer, group)) if *outer == indent && group == name => {
                self.open.pop();
            }
            Some((outer, _)) if *outer == indent => {
                self.open.pop();
                self.open.push((indent, name.to_owned()));
            }
            _ => self.open.push((indent, name.to_owned())),
        }
    }
}

/// `skipped (0.1ms) # slow`: only behind the time is it no part of the name.
fn split_reason(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(" # ") {
        Some((name, reason)) if name.ends_with("ms)") => (name, Some(reason)),
        _ => (text, None),
    }
}
