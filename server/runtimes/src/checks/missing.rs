//! Telling a check that could not run from one that failed: what is not installed is no failing test.

use super::report::TestReport;

/// The exit code by which shells and launchers say that there is no such program. Their words are in the
/// user's language, the code is not.
const NO_SUCH_PROGRAM: i32 = 127;

/// What a command that exited with `code` lacks, such as `program jest` or `module requests`; `None`: it
/// ran. `lines` are the last ones that it wrote.
pub(super) fn what(
    command: &[String],
    code: i32,
    report: Option<&TestReport>,
    lines: &[String],
) -> Option<String> {
    if code == 0 || report.is_some_and(TestReport::has_run_something) {
        return None;
    }
    let found = lines.iter().find_map(|line| missing(line.trim()));
    if found.is_none() && code == NO_SUCH_PROGRAM {
        let program = command.first().map(String::as_str).unwrap_or_default();
        return Some(format!("a program that {program} calls"));
    }
    found
}

fn missing(line: &str) -> Option<String> {
    program(line).map(|name| format!("program {name}")).or_else(|| {
        let name = module(line)?;
        Some(format!("module {name}"))
    })
}

fn program(line: &str) -> Option<String> {
    // `error: no such command: `nextest``
    if let Some(rest) = line.strip_prefix("error: no such command: `") {
        return Some(format!("cargo-{}", rest.split('`').next()?));
    }
    // `sh: 1: jest: not found`, `bash: line 1: jest: command not found`
    let before =
        line.strip_suffix(": command not found").or_else(|| line.strip_suffix(": not found"))?;
    let (shell, name) = before.rsplit_once(": ")?;
    let is_shell = shell.contains("sh") || shell.starts_with('/');
    (is_shell && is_word(name)).then(|| name.to_owned())
}

fn module(line: &str) -> Option<&str> {
    // `ModuleNotFoundError: No module named 'x'`, `python: No module named pytest`
    if let Some((_, rest)) = line.split_once("No module named ") {
        return Some(rest.trim_matches(['\'', '"'])).filter(|name| is_word(name));
    }
    for words in ["Cannot find module '", "Cannot find package '"] {
        if let Some((_, rest)) = line.split_once(words) {
            let name = rest.split('\'').next()?;
            // What is named by a path is the project's own.
            return is_package(name).then_some(name);
        }
    }
    for words in ["cannot find module providing package ", "no required module provides package "] {
        if let Some((_, rest)) = line.split_once(words) {
            return rest.split([':', ';', ' ']).next().filter(|name| !name.is_empty());
        }
    }
    None
}

fn is_package(name: &str) -> bool {
    !name.is_empty() && !name.starts_with(['.', '/', '#'])
}

fn is_word(name: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '+');
    !name.is_empty() && name.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: i32, line: &str) -> Option<String> {
        what(&["make".to_owned()], code, None, &[line.to_owned()])
    }

    #[test]
    fn every_shell_and_runner_has_its_own_words() {
        for (line, expected) in [
            ("sh: 1: jest: not found", "program jest"),
            ("bash: line 1: golangci-lint: command not found", "program golangci-lint"),
            ("/bin/sh: eslint: command not found", "program eslint"),
            ("error: no such command: `nextest`", "program cargo-nextest"),
            ("/usr/bin/python3: No module named pytest", "module pytest"),
            ("E   ModuleNotFoundError: No module named 'requests'", "module requests"),
            ("Error: Cannot find module '@scope/x'", "module @scope/x"),
            (
                "no required module provides package example.org/x; to add it:",
                "module example.org/x",
            ),
        ] {
            assert_eq!(of(1, line).as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn what_the_project_brings_is_not_missing() {
        for line in [
            "Error: Cannot find module './lib/x.js'",
            "Error: Cannot find module '/tree/x.js'",
            "assertion failed: file not found",
            "404: not found",
            "FAILED tests/a.py::test_a",
        ] {
            assert_eq!(of(1, line), None, "{line}");
        }
    }

    #[test]
    fn the_exit_code_speaks_every_language() {
        let line = "bash: Zeile 1: jest: Kommando nicht gefunden.";
        assert_eq!(of(127, line).as_deref(), Some("a program that make calls"));
        assert_eq!(of(1, line), None);
        assert_eq!(of(0, "sh: 1: jest: not found"), None);
    }
}
