//! What became of the tests between the snapshot and the result.

use super::report::{TestReport, TestStatus};
use std::collections::HashMap;

/// How the tests of two runs of the same command differ.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// Sorted. Also those that were not there before: a new test that fails is no better.
    pub newly_failing: Vec<String>,
    pub newly_passing: u32,
    /// How many are gone, as far as that can be told.
    pub removed: u32,
}

/// Compares the tests before the work with those after it.
pub fn compare(before: &TestReport, after: &TestReport) -> Comparison {
    let statuses = |report: &'_ TestReport| -> HashMap<String, TestStatus> {
        report.tests.iter().map(|test| (test.name.clone(), test.status)).collect()
    };
    let (was, is) = (statuses(before), statuses(after));
    let has_failed = |name: &str| was.get(name) == Some(&TestStatus::Failed);
    let newly_failing = after
        .named(TestStatus::Failed)
        .filter(|name| !has_failed(name))
        .map(str::to_owned)
        .collect();
    let is_fine_now = |name: &str| match is.get(name) {
        Some(status) => *status == TestStatus::Passed,
        // A runner that names only what fails is silent about it.
        None => after.complete && !after.lists_passed,
    };
    let newly_passing = before.named(TestStatus::Failed).filter(|name| is_fine_now(name)).count();
    let can_tell = after.complete && after.lists_passed && !after.stopped_early;
    let gone = before.tests.iter().filter(|test| can_tell && !is.contains_key(&test.name)).count();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Comparison { newly_failing, newly_passing: count(newly_passing), removed: count(gone) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::report::TestCase;

    fn report(tests: &[(&str, TestStatus)]) -> TestReport {
        TestReport {
            runner: "pytest".to_owned(),
            tests: tests
                .iter()
                .map(|&(name, status)| TestCase { name: name.to_owned(), status })
                .collect(),
            unnamed_passed: 0,
            unnamed_skipped: 0,
            lists_passed: true,
            complete: true,
            stopped_early: false,
            findings: Vec::new(),
        }
    }

    use TestStatus::{Failed, Passed, Skipped};

    #[test]
    fn every_way_a_test_can_go_is_told() {
        let before = report(&[
            ("broken", Passed),
            ("fixed", Failed),
            ("gone", Passed),
            ("gone too", Failed),
            ("same", Failed),
            ("skipped now", Failed),
        ]);
        let after = report(&[
            ("broken", Failed),
            ("fixed", Passed),
            ("new", Failed),
            ("same", Failed),
            ("skipped now", Skipped),
        ]);
        let expected = Comparison {
            newly_failing: vec!["broken".to_owned(), "new".to_owned()],
            newly_passing: 1,
            removed: 2,
        };
        assert_eq!(compare(&before, &after), expected);
    }

    #[test]
    fn nobody_says_that_tests_are_gone_who_did_not_see_all_of_them() {
        let before = report(&[("a", Failed), ("b", Passed)]);
        let quiet = TestReport { lists_passed: false, unnamed_passed: 2, ..report(&[]) };
        let fixed = Comparison { newly_passing: 1, ..Comparison::default() };
        assert_eq!(compare(&before, &quiet), fixed);
        let stopped = TestReport { stopped_early: true, ..report(&[("a", Failed)]) };
        assert_eq!(compare(&before, &stopped), Comparison::default());
        let cut = TestReport { complete: false, lists_passed: false, ..report(&[]) };
        assert_eq!(compare(&before, &cut), Comparison::default());
    }
}
