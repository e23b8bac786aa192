//! Reading test output: whose it is, and which tests it names.

mod files;
mod go;
mod jest;
mod junit;
mod libtest;
mod nextest;
mod node;
mod pytest;
mod sarif;
mod vitest;

use super::{
    lines,
    report::{TestReport, TestStatus},
};
use std::{collections::HashMap, path::Path, time::SystemTime};

/// Reads the output of one runner, line by line.
trait LineParser {
    /// Without its end, without colours.
    fn line(&mut self, line: &str);

    /// `None`: there was nothing of this runner.
    fn finish(self: Box<Self>) -> Option<TestReport>;
}

/// The tests that a command ran in `directory`, as far as its output and the reports that it has written
/// since `since` tell.
///
/// What a command says is what its code says: whoever writes the tests can write the output, too.
/// It is used to tell which tests changed; whether a command is green is its exit code.
pub fn parse(
    command: &[String],
    log: &Path,
    directory: &Path,
    since: SystemTime,
) -> Option<TestReport> {
    let report = junit::parse(&files::junit(command, directory, since))
        .or_else(|| files::sarif(command, directory, since).and_then(|text| sarif::parse(&text)))
        .or_else(|| of_lines(log))
        .or_else(|| files::text(log).and_then(|text| sarif::parse(&text)))?;
    Some(relative(report, directory))
}

fn of_lines(log: &Path) -> Option<TestReport> {
    let mut parsers: [Box<dyn LineParser>; 8] = [
        Box::<libtest::Libtest>::default(),
        Box::<nextest::Nextest>::default(),
        Box::<pytest::Pytest>::default(),
        Box::<go::Go>::default(),
        Box::<jest::Jest>::default(),
        Box::<vitest::Vitest>::default(),
        Box::<node::Tap>::default(),
        Box::<node::Spec>::default(),
    ];
    let read = lines::each(log, |line| {
        for parser in &mut parsers {
            parser.line(line);
        }
    });
    let mut report = TestReport::merge(parsers.into_iter().filter_map(|p| p.finish()).collect())?;
    report.complete &= read.is_ok();
    Some(report)
}

/// The same test has the same name in another tree.
fn relative(mut report: TestReport, directory: &Path) -> TestReport {
    let prefix = format!("{}/", directory.display());
    for test in &mut report.tests {
        if test.name.contains(&prefix) {
            test.name = test.name.replace(&prefix, "");
        }
    }
    for finding in &mut report.findings {
        if let Some(path) = finding.path.strip_prefix(&prefix) {
            finding.path = path.to_owned();
        }
    }
    report.tests.sort_by(|a, b| a.name.cmp(&b.name));
    report
}

/// `2 failed, 4 passed (1 flaky)` as numbers and words.
fn counted_words(text: &str) -> impl Iterator<Item = (u32, &str)> {
    text.split(", ").filter_map(|part| {
        let (number, word) = part.trim().split_once(' ')?;
        let word = word.split_once(" (").map_or(word, |(word, _)| word);
        Some((number.parse().ok()?, word))
    })
}

/// A name without the time behind it: `adds (15 ms)`, `adds (0.1ms)`, `adds 2ms`.
fn without_duration(name: &str) -> &str {
    let is_number = |text: &str| !text.is_empty() && text.parse::<f64>().is_ok();
    let Some((before, last)) = name.rsplit_once(' ') else { return name };
    let number = |text: &str, unit: &str| text.strip_suffix(unit).is_some_and(is_number);
    if let Some(inner) = last.strip_suffix(')') {
        // `(15 ms)`
        if matches!(inner, "ms" | "s")
            && let Some((before, start)) = before.rsplit_once(" (")
            && is_number(start)
        {
            return before;
        }
        // `(0.1ms)`
        let inner = inner.strip_prefix('(').unwrap_or_default();
        return if number(inner, "ms") || number(inner, "s") { before } else { name };
    }
    if number(last, "ms") || number(last, "s") { before } else { name }
}

/// Renames tests by `split` into a name and a number by which those of the same name are ordered, because
/// runners tell them in the order in which they end.
fn numbered(
    tests: Vec<(String, TestStatus)>,
    split: impl Fn(&str) -> (String, u32),
) -> Vec<(String, TestStatus)> {
    let mut keyed: Vec<((String, u32), TestStatus)> =
        tests.into_iter().map(|(name, status)| (split(&name), status)).collect();
    keyed.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut counts: HashMap<String, u32> = HashMap::new();
    keyed
        .into_iter()
        .map(|((name, _), status)| {
            let count = counts.entry(name.clone()).or_default();
            *count += 1;
            (format!("{name} #{count}"), status)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_no_part_of_a_name() {
        for (name, expected) in [
            ("adds (15 ms)", "adds"),
            ("adds (1.5 s)", "adds"),
            ("adds (0.1ms)", "adds"),
            ("adds 2ms", "adds"),
            ("breaks (5 ms) (1 ms)", "breaks (5 ms)"),
            ("it waits (long)", "it waits (long)"),
            ("adds ms", "adds ms"),
            ("one", "one"),
        ] {
            assert_eq!(without_duration(name), expected);
        }
    }
}
