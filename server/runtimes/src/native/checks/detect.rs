//! `checks.detect`: which commands a project can be checked with, and why that is thought.

use super::projects::{self, Project};
use crate::{
    catalog::programs,
    native::{
        arguments::{Arguments, PATH},
        contract::{Context, Info, Native, Report, Stop},
        files::{self, Coverage, TextFile},
        listing::{counted, halve, listing_file, to_result},
        places::Places,
    },
};
use orchestra_core::time::Timestamp;
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};
use serde_json::Map;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::atomic::AtomicBool,
};

pub(crate) struct DetectChecks;

const INFO: Info = Info {
    name: "checks.detect",
    description: "Finds the tests, linters and formatters of the project, and proposes settings.",
    capabilities: &["checks.detect"],
    inline: false,
    arguments: &[PATH],
};

/// What a command looks at. The first ones are worth most.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum CheckKind {
    Test,
    Types,
    Lint,
    Build,
    Format,
}

/// A command with which the project can be checked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct DetectedCheck {
    pub kind: CheckKind,
    /// `cargo`, `npm`, `pnpm`, `yarn`, `bun`, `python`, `go`, `maven`, `gradle` or `make`.
    pub ecosystem: String,
    /// The program and its arguments, for the workspace's root.
    pub command: Vec<String>,
    /// For people, in one line.
    pub why: String,
    /// The file that says so.
    pub path: String,
    /// From one.
    pub line: u64,
    /// A part of that line, exactly.
    pub excerpt: String,
}

/// A program that a command needs and that is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissingProgram {
    pub program: String,
    /// How many of the commands start it.
    pub needed_by: u64,
}

/// Settings for `.orchestra/config.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Proposal {
    /// For `verify.commands`.
    pub verify: Vec<Vec<String>>,
    /// For `tree.setup`.
    pub setup: Vec<Vec<String>>,
    /// For `tree.keep`.
    pub keep: Vec<String>,
    /// The same as text; empty when there is nothing to propose.
    pub toml: String,
}

/// What `checks.detect` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChecksResult {
    /// By kind, then by ecosystem.
    pub checks: Vec<DetectedCheck>,
    /// How many there are, listed or not.
    pub total: u64,
    pub proposal: Proposal,
    /// Programs that are not on the daemon's PATH. What needs them is proposed all the same.
    pub missing: Vec<MissingProgram>,
    pub coverage: Coverage,
}

/// What a reader found in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) kind: CheckKind,
    pub(super) ecosystem: &'static str,
    pub(super) command: Vec<String>,
    pub(super) why: String,
    /// The byte in the file that says so.
    pub(super) at: usize,
}

impl Native for DetectChecks {
    fn info(&self) -> Info {
        INFO
    }

    fn result_schema(&self) -> Schema {
        schema_for!(ChecksResult)
    }

    fn run(&self, ctx: &Context<'_>) -> Result<Report, Stop> {
        let mut result = look(ctx)?;
        let listing = vec![listing_file(ctx, "signals/checks.json", &result)?];
        let summary = summary(&result);
        result.checks.truncate(LISTED);
        let result = to_result(result, |result| halve(&mut result.checks))?;
        Ok(Report { summary, result, files: listing })
    }
}

/// What the project in `root` is proposed to be checked with.
pub(super) fn propose(root: &Path, cancelled: &AtomicBool) -> Result<Proposal, Stop> {
    let context = Context {
        root,
        repo: None,
        run_name: "",
        run_description: "",
        with: &Map::new(),
        prompt: None,
        output: None,
        inputs: &[],
        cancelled,
        progress: &|_| {},
        now: Timestamp(0),
    };
    Ok(look(&context)?.proposal)
}

fn look(ctx: &Context<'_>) -> Result<ChecksResult, Stop> {
    let arguments = Arguments::read(INFO, ctx.with)?;
    let options = arguments.files(Some(projects::is_wanted));
    let (states, coverage) =
        files::scan(ctx, &options, BTreeMap::new, |files, file: &TextFile<'_>| {
            files.insert(file.path.to_owned(), file.text.to_owned());
        })?;
    let files: BTreeMap<String, String> = states.into_iter().flatten().collect();
    let path = std::env::var_os("PATH");
    let is_there = |program: &str| programs::find(program, ctx.root, path.as_deref()).is_some();
    Ok(detect(ctx, &files, coverage, &is_there))
}

/// How many commands a result holds.
const LISTED: usize = 500;

fn detect(
    ctx: &Context<'_>,
    files: &BTreeMap<String, String>,
    coverage: Coverage,
    is_there: &dyn Fn(&str) -> bool,
) -> ChecksResult {
    let project = Project::new(files);
    let mut checks = Vec::new();
    for (path, text) in files {
        let mut found = project.read(path, text);
        found.sort_by_key(|found| found.at);
        let mut places = Places::new(text, ctx.cancelled);
        for found in found {
            let place = places.find(found.at.min(text.len()));
            checks.push(DetectedCheck {
                kind: found.kind,
                ecosystem: found.ecosystem.to_owned(),
                command: found.command,
                why: found.why,
                path: path.clone(),
                line: place.line,
                excerpt: place.quote,
            });
        }
    }
    // Two files may say the same: the first by name speaks for both.
    let mut seen = BTreeSet::new();
    checks.retain(|check| seen.insert(check.command.clone()));
    checks.sort();
    let proposal = proposal(&checks, project.setup(), project.keep());
    ChecksResult {
        total: checks.len() as u64,
        missing: missing(&checks, is_there),
        checks,
        proposal,
        coverage,
    }
}

fn missing(checks: &[DetectedCheck], is_there: &dyn Fn(&str) -> bool) -> Vec<MissingProgram> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for check in checks {
        let Some(program) = check.command.first() else { continue };
        *counts.entry(program.clone()).or_default() += 1;
        // A subcommand of cargo is a program of its own.
        if let ("cargo", Some("nextest")) =
            (program.as_str(), check.command.get(1).map(String::as_str))
        {
            *counts.entry("cargo-nextest".to_owned()).or_default() += 1;
        }
    }
    counts
        .into_iter()
        .filter(|(program, _)| !is_there(program))
        .map(|(program, needed_by)| MissingProgram { program, needed_by })
        .collect()
}

/// What tells whether the work is right; how it is formatted is left to people.
fn proposal(checks: &[DetectedCheck], setup: Vec<Vec<String>>, keep: Vec<String>) -> Proposal {
    let is_make = |check: &DetectedCheck| check.ecosystem == "make";
    let has_tests = checks.iter().any(|check| check.kind == CheckKind::Test && !is_make(check));
    let wanted = |check: &&DetectedCheck| {
        matches!(check.kind, CheckKind::Test | CheckKind::Types | CheckKind::Lint)
            // A Makefile mostly calls what was found by itself.
            && !(has_tests && is_make(check))
    };
    let verify: Vec<Vec<String>> =
        checks.iter().filter(wanted).map(|check| check.command.clone()).collect();
    let toml = toml(&verify, &setup, &keep);
    Proposal { verify, setup, keep, toml }
}

fn toml(verify: &[Vec<String>], setup: &[Vec<String>], keep: &[String]) -> String {
    // The strings of JSON are strings of TOML.
    let json = |value: serde_json::Value| value.to_string().replace("\",\"", "\", \"");
    let list = |commands: &[Vec<String>]| {
        let lines: String = commands
            .iter()
            .map(|command| format!("    {},\n", json(command.as_slice().into())))
            .collect();
        format!("[\n{lines}]")
    };
    let mut text = String::new();
    if !setup.is_empty() || !keep.is_empty() {
        text.push_str("[tree]\n");
    }
    if !setup.is_empty() {
        text.push_str(&format!("setup = {}\n", list(setup)));
    }
    if !keep.is_empty() {
        text.push_str(&format!("keep = {}\n", json(keep.into())));
    }
    if !verify.is_empty() {
        let gap = if text.is_empty() { "" } else { "\n" };
        text.push_str(&format!("{gap}[verify]\ncommands = {}\n", list(verify)));
    }
    text
}

fn summary(result: &ChecksResult) -> String {
    if result.total == 0 {
        return "no tests, linters or formatters found".to_owned();
    }
    let missing: Vec<&str> =
        result.missing.iter().map(|missing| missing.program.as_str()).collect();
    let found = counted(result.total, "check", "checks");
    match missing.as_slice() {
        [] => format!("{found} found"),
        missing => format!("{found} found; not installed: {}", missing.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orchestra_core::time::Timestamp;
    use serde_json::Map;
    use std::{path::Path, sync::atomic::AtomicBool};

    fn found(files: &[(&str, &str)], there: &[&str]) -> ChecksResult {
        let files: BTreeMap<String, String> =
            files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned())).collect();
        let (with, cancelled) = (Map::new(), AtomicBool::new(false));
        let ctx = Context {
            root: Path::new("/w"),
            repo: None,
            run_name: "",
            run_description: "",
            with: &with,
            prompt: None,
            output: None,
            inputs: &[],
            cancelled: &cancelled,
            progress: &|_| {},
            now: Timestamp(0),
        };
        detect(&ctx, &files, Coverage::default(), &|program| there.contains(&program))
    }

    fn lines(result: &ChecksResult) -> Vec<String> {
        let shown = |check: &DetectedCheck| {
            format!("{:?} {} ({}:{})", check.kind, check.command.join(" "), check.path, check.line)
        };
        result.checks.iter().map(shown).collect()
    }

    #[test]
    fn a_rust_project_is_checked_with_cargo() {
        let workspace = "[workspace]\nmembers = [\"a\"]\n";
        let result = found(
            &[
                ("Cargo.toml", workspace),
                ("a/Cargo.toml", "[package]\nname = \"a\"\n"),
                ("web/Cargo.toml.orig", ""),
            ],
            &["cargo"],
        );
        assert_eq!(
            lines(&result),
            [
                "Test cargo test --no-fail-fast (Cargo.toml:1)",
                "Lint cargo clippy --all-targets (Cargo.toml:1)",
                "Format cargo fmt --check (Cargo.toml:1)",
            ]
        );
        assert_eq!((result.missing.as_slice(), result.total), ([].as_slice(), 3));
        assert_eq!(
            result.proposal.toml,
            "[tree]\nkeep = [\"target\"]\n\n[verify]\ncommands = [\n    \
             [\"cargo\", \"test\", \"--no-fail-fast\"],\n    [\"cargo\", \"clippy\", \"--all-targets\"],\n]\n"
        );
        let nextest = found(&[("Cargo.toml", ""), (".config/nextest.toml", "")], &["cargo"]);
        assert_eq!(lines(&nextest)[0], "Test cargo nextest run --no-fail-fast (Cargo.toml:1)");
        assert_eq!(nextest.missing[0].program, "cargo-nextest");
    }

    #[test]
    fn scripts_of_a_package_are_run_with_its_package_manager() {
        let package = "{\n  \"scripts\": {\n    \"test\": \"jest\",\n    \"lint\": \"eslint .\",\n    \
                       \"type-check\": \"tsc\",\n    \"start\": \"node .\"\n  }\n}\n";
        let npm = found(&[("package.json", package), ("package-lock.json", "{}")], &[]);
        assert_eq!(
            lines(&npm),
            [
                "Test npm run test (package.json:3)",
                "Types npm run type-check (package.json:5)",
                "Lint npm run lint (package.json:4)",
            ]
        );
        assert_eq!(npm.proposal.setup, [["npm", "ci"]]);
        assert_eq!(npm.missing, [MissingProgram { program: "npm".to_owned(), needed_by: 3 }]);
        let pnpm = found(&[("web/package.json", package), ("web/pnpm-lock.yaml", "")], &["pnpm"]);
        assert_eq!(lines(&pnpm)[0], "Test pnpm --dir web run test (web/package.json:3)");
        assert_eq!(pnpm.proposal.setup[0].join(" "), "pnpm --dir web install --frozen-lockfile");
        // What npm writes into a new package is no test.
        let none = r#"{"scripts":{"test":"echo \"Error: no test specified\" && exit 1"}}"#;
        assert_eq!(found(&[("package.json", none)], &[]).total, 0);
        assert_eq!(found(&[("package.json", "{ broken"), ("x/package.json", "[]")], &[]).total, 0);
    }

    #[test]
    fn python_go_java_and_make_say_what_they_have() {
        let pyproject =
            "[project]\nname = \"a\"\n[tool.pytest.ini_options]\n[tool.ruff]\n[tool.mypy]\n";
        let python = found(&[("pyproject.toml", pyproject), ("uv.lock", "")], &["uv"]);
        assert_eq!(
            lines(&python),
            [
                "Test uv run pytest (pyproject.toml:3)",
                "Types uv run mypy . (pyproject.toml:5)",
                "Lint uv run ruff check (pyproject.toml:4)",
            ]
        );
        assert_eq!(python.proposal.setup, [["uv", "sync", "--frozen"]]);
        let tox = found(&[("tox.ini", "[tox]\nenvlist = py\n")], &[]);
        assert_eq!(lines(&tox), ["Test tox (tox.ini:1)"]);
        let go = found(&[("svc/go.mod", "module x\n")], &["go"]);
        assert_eq!(
            lines(&go),
            ["Test go -C svc test ./... (svc/go.mod:1)", "Lint go -C svc vet ./... (svc/go.mod:1)"]
        );
        let java = found(
            &[("pom.xml", "<project/>"), ("build.gradle.kts", ""), ("gradlew", "#!/bin/sh\n")],
            &["mvn"],
        );
        assert_eq!(
            lines(&java),
            ["Test ./gradlew check (build.gradle.kts:1)", "Test mvn test (pom.xml:1)"]
        );
        assert_eq!(java.missing[0].program, "./gradlew");
        let make =
            found(&[("Makefile", ".PHONY: test\nall: test\n\ntest: all\n\ttrue\nlint:\n")], &[]);
        assert_eq!(lines(&make), ["Test make test (Makefile:4)", "Lint make lint (Makefile:6)"]);
        assert_eq!(make.proposal.verify, [["make", "test"], ["make", "lint"]]);
        // Where the tests were found by themselves, a Makefile would run them twice.
        let both = found(&[("Makefile", "test:\n"), ("go.mod", "")], &[]);
        assert_eq!(both.proposal.verify.len(), 2);
        assert!(both.proposal.verify.iter().all(|command| command[0] == "go"));
    }

    #[test]
    fn what_is_brought_along_is_not_the_project() {
        for path in
            ["node_modules/x/package.json", "vendor/a/go.mod", "tests/fixtures/a/Cargo.toml"]
        {
            assert!(!projects::is_wanted(path), "{path}");
        }
        assert_eq!(found(&[], &[]).proposal, Proposal::default());
    }

    #[test]
    fn what_is_proposed_can_be_read_as_settings() {
        let files = [("Cargo.toml", ""), ("pyproject.toml", "[tool.pytest]\n"), ("uv.lock", "")];
        let toml = found(&files, &[]).proposal.toml;
        let mut config = orchestra_core::config::Config::default();
        let found = config.layer_file(orchestra_core::config::Layer::Workspace, "c", &toml);
        assert_eq!(found, [], "{toml}");
        assert_eq!(config.verify.commands.0.len(), 3);
    }
}
