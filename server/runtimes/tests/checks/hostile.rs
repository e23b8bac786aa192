//! Output that was made to deceive, to burst, or to break the reader.

use orchestra_runtimes::checks::{self, MAX_TESTS, TestReport};
use std::{fmt::Write as _, fs, os::unix::fs::symlink, path::Path, time::SystemTime};

fn read_in(folder: &Path, command: &[&str], log: impl AsRef<[u8]>) -> Option<TestReport> {
    let path = folder.join("log");
    fs::write(&path, log).unwrap();
    let command: Vec<String> = command.iter().map(|&word| word.to_owned()).collect();
    checks::parse(&command, &path, folder, SystemTime::UNIX_EPOCH)
}

fn read(log: impl AsRef<[u8]>) -> Option<TestReport> {
    read_in(tempfile::tempdir().unwrap().path(), &["make"], log)
}

#[test]
fn what_is_no_test_output_has_no_tests() {
    for log in ["", "\n\n\n", "PASS\nFAIL\nok\n", "error: build failed\n", "\0\u{1}\u{1b}[", "{}"] {
        assert_eq!(read(log), None, "{log:?}");
    }
}

#[test]
fn a_binary_that_dies_has_not_shown_all_its_tests() {
    let report = read("running 3 tests\ntest a ... ok\n").unwrap();
    assert!(!report.complete);
    let crashed = "running 2 tests\ntest a ... ok\n\nrunning 1 test\ntest b ... ok\n\n\
                   test result: ok. 1 passed; 0 failed; 0 ignored\n";
    assert!(!read(crashed).unwrap().complete);
    let silent = "running 1 test\ntest b ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored\n\n\
                  running 5 tests\nSegmentation fault\n";
    assert!(!read(silent).unwrap().complete);
    let killed = "============ test session starts =============\ntests/a.py::b PASSED [ 50%]\n";
    assert!(!read(killed).unwrap().complete);
    assert!(!read("TAP version 13\nok 1 - a\n1..2\n").unwrap().complete);
    assert!(!read("=== RUN   TestA\n").unwrap().complete);
}

#[test]
fn lines_that_a_test_wrote_do_not_hide_its_failure() {
    let log = "running 2 tests\ntest a ... ok\ntest b ... ok\ntest b ... FAILED\n\nfailures:\n\n\
               ---- b stdout ----\nfailures:\n    nothing\ntest result: ok. 2 passed; 0 failed; 0 ignored\n\n\
               failures:\n    b\n\ntest result: FAILED. 1 passed; 1 failed; 0 ignored\n";
    assert!(!read(log).unwrap().complete);
    let go = "=== RUN   TestA\n--- PASS: TestA (0.00s)\n--- FAIL: TestA (0.00s)\nFAIL\texample.com/a\t0.1s\n";
    assert_eq!(read(go).unwrap().counts().failures, ["example.com/a TestA"]);
}

#[test]
fn output_of_two_pipes_may_overtake_itself() {
    // Cargo names the next binary before the last has said that it is done.
    let log = "     Running unittests src/lib.rs (target/debug/deps/one-0123456789abcdef)\n\
               running 1 test\ntest a ... ok\n     Running tests/two.rs (target/debug/deps/two-0123456789abcdef)\n\n\
               test result: ok. 1 passed; 0 failed; 0 ignored\n\nrunning 1 test\ntest a ... FAILED\n\n\
               failures:\n    a\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored\n";
    let report = read(log).unwrap();
    let names: Vec<&str> = report.tests.iter().map(|test| test.name.as_str()).collect();
    assert_eq!((names, report.complete), (vec!["one a", "two a"], true));
}

#[test]
fn line_ends_and_colours_of_every_kind_are_read() {
    let log = "running 1 test\r\ntest a b ... \u{1b}[32mok\u{1b}[m\r\n\r\n\
               test result: ok. 1 passed; 0 failed; 0 ignored\r\n";
    let report = read(log).unwrap();
    assert_eq!((report.tests[0].name.as_str(), report.complete), ("a b", true));
}

#[test]
fn tests_without_end_are_bounded_and_said_to_be() {
    let count = MAX_TESTS + 1;
    let mut log = format!("running {count} tests\n");
    for number in 0..count {
        writeln!(log, "test t{number} ... ok").unwrap();
    }
    writeln!(log, "test result: ok. {count} passed; 0 failed; 0 ignored").unwrap();
    let report = read(log).unwrap();
    assert_eq!((report.tests.len(), report.complete), (MAX_TESTS, false));

    let same = format!("running 1 test\n{}", "test same ... ok\n".repeat(5_000));
    let report = read(same).unwrap();
    assert!(report.tests.len() <= 1_000 && !report.complete);
}

#[test]
fn a_line_without_end_and_a_name_without_end_are_cut() {
    let long = "x".repeat(8 << 20);
    let log = format!(
        "{long}\nrunning 1 test\ntest {} ... ok\ntest result: ok. 1 passed; 0 failed; 0 ignored\n",
        "n\u{7}".repeat(600)
    );
    let report = read(log).unwrap();
    assert_eq!(report.tests[0].name.chars().count(), 500);
    assert!(!report.tests[0].name.contains(char::is_control));
}

#[test]
fn counts_that_no_number_can_hold_do_no_harm() {
    let number = "99999999999999999999";
    for log in [
        format!("running 1 test\ntest result: ok. {number} passed; 4294967295 failed; 0 ignored\n"),
        format!("4294967295 failed, 4294967295 error, {number} passed in 1s\n"),
        format!("Test Suites: 1\nTests: 4294967295 failed, {number} passed, 1 total\n"),
        "TAP version 13\n# tests 1\n# fail 4294967295\n# cancelled 4294967295\n".to_owned(),
    ] {
        assert!(read(&log).is_none_or(|report| !report.complete), "{log}");
    }
}

#[test]
fn a_bomb_of_entities_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE s [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]>\
                <testsuite><testcase name=\"&b;\"/></testsuite>";
    fs::write(folder.path().join("r.xml"), bomb).unwrap();
    assert_eq!(read_in(folder.path(), &["pytest", "--junitxml=r.xml"], ""), None);
    let deep = format!("{}{}", "<testsuite>".repeat(100_000), "</testsuite>".repeat(100_000));
    fs::write(folder.path().join("r.xml"), deep).unwrap();
    // Whether it is refused or empty is the reader's affair; it must come back.
    let found = read_in(folder.path(), &["pytest", "--junitxml=r.xml"], "");
    assert!(found.is_none_or(|report| report.tests.is_empty()));
}

#[test]
fn a_report_outside_of_the_tree_is_not_this_trees() {
    let outside = tempfile::tempdir().unwrap();
    let report = "<testsuite><testcase name=\"a\"/></testsuite>";
    fs::write(outside.path().join("r.xml"), report).unwrap();
    let folder = tempfile::tempdir().unwrap();
    symlink(outside.path().join("r.xml"), folder.path().join("r.xml")).unwrap();
    assert_eq!(read_in(folder.path(), &["x", "r.xml"], ""), None);
    let there = outside.path().join("r.xml");
    assert_eq!(read_in(folder.path(), &["x", there.to_str().unwrap()], ""), None);
    fs::remove_file(folder.path().join("r.xml")).unwrap();
    fs::write(folder.path().join("r.xml"), report).unwrap();
    assert_eq!(read_in(folder.path(), &["x", "r.xml"], "").unwrap().tests.len(), 1);
}

#[test]
fn the_reports_of_every_module_are_found() {
    let folder = tempfile::tempdir().unwrap();
    for (path, name) in [
        ("core/target/surefire-reports", "TEST-a"),
        ("web/build/test-results/test", "TEST-b"),
        ("node_modules/x/target/surefire-reports", "TEST-c"),
    ] {
        let path = folder.path().join(path);
        fs::create_dir_all(&path).unwrap();
        let report = format!("<testsuite name=\"s\"><testcase name=\"{name}\"/></testsuite>");
        fs::write(path.join("TEST-x.xml"), report).unwrap();
    }
    // Round in circles.
    symlink("..", folder.path().join("core/loop")).unwrap();
    let report = read_in(folder.path(), &["./gradlew", "test"], "").unwrap();
    let names: Vec<&str> = report.tests.iter().map(|test| test.name.as_str()).collect();
    assert_eq!(names, ["s TEST-a", "s TEST-b"]);
}

#[test]
fn names_are_the_same_in_every_tree() {
    let folder = tempfile::tempdir().unwrap();
    let log = format!("TAP version 13\nnot ok 1 - {}/a.mjs\n1..1\n", folder.path().display());
    let report = read_in(folder.path(), &["node", "--test"], log).unwrap();
    assert_eq!(report.counts().failures, ["a.mjs"]);
}

#[test]
fn several_runners_in_one_output_are_one_report() {
    let log = "running 1 test\ntest a ... ok\ntest result: ok. 1 passed; 0 failed; 0 ignored\n\
               ===== short test summary info =====\nFAILED tests/a.py::b - no\n1 failed in 0.1s\n";
    let report = read(log).unwrap();
    assert_eq!((report.runner.as_str(), report.counts().failed), ("cargo test, pytest", 1));
}
