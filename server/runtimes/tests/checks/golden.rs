//! What real runners have written, and what is read from it. Every file below
//! `fixtures/test-output/<runner>/` is an output as it came (`UPDATE=1` rewrites what is expected of it).

use orchestra_runtimes::checks::{self, TestReport, TestStatus};
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Where the commands of the samples ran.
const DIRECTORY: &str = "/tree";

pub(crate) fn samples(runner: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/test-output");
    let entries = fs::read_dir(folder.join(runner)).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_none_or(|extension| extension != "expected"));
    files.sort();
    files
}

fn read(file: &Path) -> Option<TestReport> {
    let command = ["make".to_owned(), "test".to_owned()];
    if file.extension().is_some_and(|extension| extension == "xml") {
        // It is found beside the command's own output.
        let folder = file.parent().unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        let command = ["pytest".to_owned(), format!("--junitxml={name}")];
        return checks::parse(&command, file, folder, SystemTime::UNIX_EPOCH);
    }
    checks::parse(&command, file, Path::new(DIRECTORY), SystemTime::UNIX_EPOCH)
}

fn shown(report: Option<&TestReport>) -> String {
    let Some(report) = report else { return "no tests\n".to_owned() };
    let counts = report.counts();
    let mut text = format!(
        "{}: {} passed, {} failed, {} skipped\n",
        report.runner, counts.passed, counts.failed, counts.skipped
    );
    for (flag, name) in [
        (report.complete, "complete"),
        (report.lists_passed, "lists passed"),
        (report.stopped_early, "stopped early"),
    ] {
        if flag {
            writeln!(text, "{name}").unwrap();
        }
    }
    for test in &report.tests {
        let status = match test.status {
            TestStatus::Passed => "passed ",
            TestStatus::Failed => "FAILED ",
            TestStatus::Skipped => "skipped",
        };
        writeln!(text, "{status} {}", test.name).unwrap();
    }
    for finding in &report.findings {
        let (path, line, column) = (&finding.path, finding.line, finding.column);
        writeln!(text, "{path}:{line}:{column}: {}: {}", finding.rule, finding.message).unwrap();
    }
    text
}

#[test]
fn the_output_of_real_runners_is_understood() {
    let mut wrong = Vec::new();
    let mut count = 0;
    let runners =
        ["cargo-test", "nextest", "pytest", "go", "jest", "vitest", "node", "junit", "sarif"];
    for file in runners.iter().flat_map(|runner| samples(runner)) {
        count += 1;
        let found = shown(read(&file).as_ref());
        let expected = file.with_added_extension("expected");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&expected, &found).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != found {
            wrong.push(format!("{}:\n{found}", file.display()));
        }
    }
    assert!(count >= 30, "only {count} samples");
    assert!(wrong.is_empty(), "run with UPDATE=1 if these are right:\n{}", wrong.join("\n"));
}
