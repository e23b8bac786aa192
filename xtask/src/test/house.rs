//! The house rules that no linter knows, checked line by line in every file that git would track.

use crate::checkout::SourceFile;
use std::{env, path::Path};

/// Ways to wait without knowing what for.
const SLEEPS: [&str; 3] = ["thread::sleep(", "time::sleep(", "sleep_ms("];

/// How the domain could reach the outside, past what its manifest allows.
const INPUT_AND_OUTPUT: [&str; 6] =
    ["std::fs", "std::net", "std::process", "std::env", "std::thread", "SystemTime::now"];

/// This file names what it looks for.
const THIS_FILE: &str = "xtask/src/test/house.rs";
/// Here is the one helper that polls, for all tests.
const TESTKIT: &str = "tests/testkit/";

pub(super) fn check(root: &Path, files: &[SourceFile]) -> anyhow::Result<()> {
    let machine = paths_of_this_machine(root, env::var("HOME").ok().as_deref());
    let problems: Vec<String> = files
        .iter()
        .filter(|file| file.path != THIS_FILE)
        .flat_map(|file| problems(file, &machine))
        .collect();
    anyhow::ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}

/// The folders that only this machine has: the home, and the one in which the checkout lies.
fn paths_of_this_machine(root: &Path, home: Option<&str>) -> Vec<String> {
    let around = root.parent().and_then(Path::to_str);
    let shared = ["/", "/tmp", "/home", "/Users"];
    let mut paths: Vec<String> = [around, home]
        .into_iter()
        .flatten()
        .filter(|path| path.starts_with('/') && !shared.contains(path))
        .map(|path| format!("{}/", path.trim_end_matches('/')))
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

fn problems(file: &SourceFile, machine: &[String]) -> Vec<String> {
    let is_rust = file.path.ends_with(".rs");
    let mut problems = Vec::new();
    if is_rust && !file.text.starts_with("//!") {
        problems.push(format!("{}:1: begin with a `//!` line that says what it is for", file.path));
    }
    let tests_begin = first_line_of_tests(file);
    for (index, line) in file.text.lines().enumerate() {
        let mut found = |problem: String| {
            problems.push(format!("{}:{}: {problem}", file.path, index + 1));
        };
        if let Some(path) = machine.iter().find(|path| has_path(line, path)) {
            found(format!("names {path}, which only this machine has"));
        }
        if !is_rust {
            continue;
        }
        if line.trim_start().starts_with("#[ignore") {
            found("a test that is ignored tests nothing; name it real_* or soak, or fix it".into());
        }
        let in_tests = tests_begin.is_some_and(|begin| index >= begin);
        if in_tests
            && !file.path.starts_with(TESTKIT)
            && let Some(sleep) = SLEEPS.iter().find(|sleep| line.contains(**sleep))
        {
            found(format!("a test waits for an event, not with {sleep})"));
        }
        if file.path.starts_with("server/core/src/")
            && !in_tests
            && let Some(way) = INPUT_AND_OUTPUT.iter().find(|way| line.contains(**way))
        {
            found(format!("core does no I/O, so it may not use {way}"));
        }
    }
    problems
}

/// From which line on (counted from 0) a Rust file holds tests.
fn first_line_of_tests(file: &SourceFile) -> Option<usize> {
    let folders = file.path.split('/');
    if folders.clone().any(|folder| folder == "tests" || folder == "tests.rs") {
        return Some(0);
    }
    file.text.lines().position(|line| line.trim_start().starts_with("#[cfg(test)]"))
}

/// Whether a path begins in the line, rather than being the middle of a longer one.
fn has_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|before| before.is_alphanumeric() || "/._-}~*".contains(before))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems_of(path: &str, text: &str) -> Vec<String> {
        let file = SourceFile { path: path.to_owned(), text: text.to_owned() };
        problems(&file, &["/home/ada/".to_owned()])
    }

    #[test]
    fn a_source_file_says_what_it_is_for() {
        assert_eq!(problems_of("server/a/src/b.rs", "//! Why.\nfn f() {}\n"), [""; 0]);
        assert_eq!(
            problems_of("server/a/src/b.rs", "fn f() {}\n"),
            ["server/a/src/b.rs:1: begin with a `//!` line that says what it is for"]
        );
    }

    #[test]
    fn sleeping_is_found_in_tests_and_left_alone_elsewhere() {
        let sleeps = "//! Why.\nfn f() { std::thread::sleep(A); }\n";
        assert_eq!(problems_of("server/a/src/b.rs", sleeps), [""; 0]);
        assert_eq!(
            problems_of("server/a/tests/b.rs", sleeps),
            ["server/a/tests/b.rs:2: a test waits for an event, not with thread::sleep()"]
        );
        let inline = "//! Why.\n#[cfg(test)]\nmod tests { fn f() { tokio::time::sleep(A); } }\n";
        assert_eq!(problems_of("server/a/src/b.rs", inline).len(), 1);
    }

    #[test]
    fn paths_of_the_machine_are_found_in_every_file_but_not_inside_longer_ones() {
        assert_eq!(
            problems_of("docs/a.md", "see /home/ada/notes\n"),
            ["docs/a.md:1: names /home/ada/, which only this machine has"]
        );
        assert_eq!(problems_of("docs/a.md", "under $ROOT/home/ada/ or data/home/ada/\n"), [""; 0]);
    }

    #[test]
    fn ignored_tests_and_a_core_with_files_are_found() {
        let ignored = "//! Why.\n#[ignore = \"slow\"]\n";
        assert_eq!(problems_of("server/a/src/b.rs", ignored).len(), 1);
        let core = "//! Why.\nuse std::fs;\n";
        assert_eq!(problems_of("server/core/src/b.rs", core).len(), 1);
        assert_eq!(problems_of("server/core/tests/b.rs", core), [""; 0]);
    }

    #[test]
    fn only_folders_that_other_machines_lack_count() {
        let paths = |root: &str, home| paths_of_this_machine(Path::new(root), home);
        assert_eq!(
            paths("/home/ada/src/orchestra", Some("/home/ada")),
            ["/home/ada/", "/home/ada/src/"]
        );
        assert_eq!(paths("/tmp/orchestra", None), [""; 0]);
    }
}
