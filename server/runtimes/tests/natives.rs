//! All native actions over trees as messy as real ones: what they find, what they leave out, and that
//! the report quotes what is there.

#![cfg(unix)]

use orchestra_core::{
    ids::StepId,
    outcome::{Artifact, FailureKind, Output},
    ports::{Change, Commit, LogEnd, Repo, RepoError, StepInput},
    time::Timestamp,
    view::TaskStatus,
};
use orchestra_runtimes::native::{self, Context, OutputFile, Report, Stop};
use serde_json::{Map, Value, json};
use std::{
    ffi::OsStr,
    fs,
    ops::ControlFlow,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
};
use tempfile::TempDir;

/// A workspace, and what the actions have made of it.
struct Bench {
    _dir: TempDir,
    root: PathBuf,
    repo: Option<History>,
    inputs: Vec<StepInput>,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        Self { _dir: dir, root, repo: None, inputs: Vec::new() }
    }

    fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn fifo(&self, path: &str) {
        assert!(Command::new("mkfifo").arg(self.root.join(path)).status().unwrap().success());
    }

    fn run_with(&self, action: &str, with: Value, cancelled: bool) -> Result<Report, Stop> {
        let with: Map<String, Value> = with.as_object().unwrap().clone();
        let ctx = Context {
            root: &self.root,
            repo: self.repo.as_ref().map(|repo| repo as &dyn Repo),
            run_name: "audit",
            run_description: "Audit | of `things`",
            with: &with,
            prompt: None,
            output: None,
            inputs: &self.inputs,
            cancelled: &AtomicBool::new(cancelled),
            progress: &|_| {},
            now: Timestamp(1_795_000_000_000),
        };
        native::find(action).unwrap().run(&ctx)
    }

    fn run(&self, action: &str, with: Value) -> Report {
        self.run_with(action, with, false).unwrap()
    }

    /// Runs an action as the step of a workflow: its files are written, its result goes to later ones.
    fn step(&mut self, step: &str, action: &str) -> Value {
        let report = self.run(action, json!({}));
        let artifacts = report.files.iter().map(|file| self.artifact(file)).collect();
        let output =
            Output { summary: report.summary, result: report.result, artifacts, tree: None };
        let result = output.result.clone();
        self.inputs.push(StepInput {
            step: step.parse::<StepId>().unwrap(),
            executor: action.to_owned(),
            status: TaskStatus::Succeeded,
            detail: String::new(),
            output,
        });
        result
    }

    fn artifact(&self, file: &OutputFile) -> Artifact {
        self.write(Path::new(".orchestra/workspace").join(&file.path), &file.content);
        Artifact {
            path: file.path.clone(),
            bytes: file.content.len() as u64,
            sha256: String::new(),
        }
    }

    fn audit(&mut self) -> String {
        for (step, action) in [
            ("metrics", "workspace.metrics"),
            ("todo", "todo.scan"),
            ("secrets", "secrets.scan"),
            ("hotspots", "git.hotspots"),
            ("deps", "deps.list"),
        ] {
            self.step(step, action);
        }
        self.report()
    }

    fn report(&self) -> String {
        let report = self.run("report.write", json!({}));
        String::from_utf8(report.files[0].content.clone()).unwrap()
    }
}

/// A history that is told rather than read; that of real repositories is `vcs`'s to test.
struct History {
    commits: Vec<Commit>,
    end: Result<LogEnd, RepoError>,
}

impl History {
    fn commit(author: &str, second: i64, changes: &[(&str, u32, u32)]) -> Commit {
        let change = |&(path, added, removed): &(&str, u32, u32)| Change {
            path: path.into(),
            added,
            removed,
        };
        Commit {
            id: format!("{second:040x}"),
            author: author.into(),
            at: Timestamp(second * 1_000),
            subject: String::new(),
            changes: changes.iter().map(change).collect(),
        }
    }
}

impl Repo for History {
    fn log(
        &self,
        limit: usize,
        visit: &mut dyn FnMut(Commit) -> ControlFlow<()>,
    ) -> Result<LogEnd, RepoError> {
        for commit in self.commits.iter().take(limit) {
            if visit(commit.clone()).is_break() {
                return Ok(LogEnd::Stopped);
            }
        }
        self.end.clone()
    }
}

/// Put together at run time, so that no file of this project holds a credential.
fn secret() -> String {
    ["ghp", "_q7Zk2Xw9Rv4Tb8Nm3Lp6Jh1Gd5Fs0Ya4Ue7c"].concat()
}

/// Everything that a tree should not have.
fn messy() -> Bench {
    let bench = Bench::new();
    bench.write("src/a.rs", "// TODO(ada): one | `two` ``three``\nfn main() {}\n");
    bench.write("src/b.py", format!("# FIXME: rotate {} soon\nx = 1\n", secret()));
    bench.write(
        "src/long.js",
        format!("{}/* TODO: far right */{}\n", "a;".repeat(1_000_000), "b;".repeat(100)),
    );
    bench.write("src/crlf.c", "int a;\r\n/* XXX: carriage\r\n * return */\r\n");
    bench.write("src/breaks.rs", "// TODO: odd\u{c}break\u{2028}here\u{85}and\rthere\n");
    bench.write("empty.rs", "");
    bench.write("no-end.rs", "// BUG: no line end");
    bench.write("with space/ä.sh", "#!/bin/sh\n# HACK: ümlaut\n");
    bench.write("binary.rs", b"// TODO: no\0\x01\x02");
    bench.write("latin1.rs", b"// TODO: caf\xe9\n");
    bench.write("large.rs", "// TODO: no\n".repeat(1_100_000));
    bench.write(Path::new(OsStr::from_bytes(b"odd\xff\nname.rs")), "// TODO: odd name\n");
    bench.write(".gitignore", "ignored/\n");
    bench.write("ignored/a.rs", "// TODO: no\n");
    bench.write("fifo-rules/a.rs", "// TODO: no\n");
    bench.fifo("fifo-rules/.gitignore");
    bench.fifo("pipe.rs");
    symlink("..", bench.root.join("src/loop")).unwrap();
    symlink("/etc/passwd", bench.root.join("outside.rs")).unwrap();
    symlink("nowhere", bench.root.join("dangling.rs")).unwrap();
    bench.write(".git/config.rs", "// TODO: no\n");
    bench.write(".orchestra/workspace/old.rs", "// TODO: no\n");
    bench.write("sub/.orchestra/old.rs", "// TODO: no\n");
    bench.write("Cargo.toml", "[dependencies]\nserde = \"1\"\n");
    let package = |version| {
        format!("[[package]]\nname = \"syn\"\nversion = \"{version}\"\nsource = \"x\"\n\n")
    };
    bench.write("Cargo.lock", format!("{}{}", package("1.0.0"), package("2.0.0")));
    bench.write("web/package.json", "{\n  \"dependencies\": {\n    \"left-pad\": \"^1\"\n  }\n}\n");
    bench.write("bad/package.json", "{ \"dependencies\": ");
    bench
}

fn left_out() -> Value {
    json!({
        "binary": { "count": 1, "paths": ["binary.rs"] },
        "too_large": { "count": 1, "paths": ["large.rs"] },
        "not_utf8": { "count": 1, "paths": ["latin1.rs"] },
        "unreadable": { "count": 1, "paths": ["fifo-rules/.gitignore"] },
        "not_regular": {
            "count": 4,
            "paths": ["dangling.rs", "outside.rs", "pipe.rs", "src/loop"]
        },
    })
}

fn finding(
    severity: &str,
    place: (&str, u64, u64),
    kind: &str,
    message: &str,
    quote: &str,
) -> Value {
    let (path, line, column) = place;
    json!({
        "severity": severity, "path": path, "line": line, "column": column,
        "kind": kind, "message": message, "excerpt": quote,
    })
}

#[test]
fn open_points_of_a_messy_tree_are_found_exactly() {
    let result = messy().run("todo.scan", json!({})).result;
    let mut assigned = finding(
        "low",
        ("src/a.rs", 1, 4),
        "TODO",
        "one | `two` ``three``",
        "// TODO(ada): one | `two` ``three``",
    );
    assigned["assignee"] = json!("ada");
    let is_far = |it: &Value| it["path"] == "src/long.js";
    let (far, others): (Vec<Value>, Vec<Value>) =
        result["findings"].as_array().unwrap().iter().cloned().partition(is_far);
    let quote = far[0]["excerpt"].as_str().unwrap();
    assert!(quote.contains(";/* TODO: far right */b;") && quote.chars().count() == 200, "{quote}");
    assert_eq!((&far[0]["line"], &far[0]["column"]), (&json!(1), &json!(2_000_004)));
    assert_eq!(
        json!(others),
        json!([
            finding("high", ("no-end.rs", 1, 4), "BUG", "no line end", "// BUG: no line end"),
            finding("high", ("src/b.py", 1, 3), "FIXME", "rotate ghp_", "# FIXME: rotate ghp_"),
            finding("medium", ("src/crlf.c", 2, 4), "XXX", "carriage", "/* XXX: carriage"),
            finding("medium", ("with space/ä.sh", 2, 3), "HACK", "ümlaut", "# HACK: ümlaut"),
            finding(
                "low",
                ("odd\u{fffd}\u{fffd}name.rs", 1, 4),
                "TODO",
                "odd name",
                "// TODO: odd name"
            ),
            assigned,
            finding(
                "low",
                ("src/breaks.rs", 1, 4),
                "TODO",
                "odd break\u{2028}here and there",
                "// TODO: odd"
            ),
        ])
    );
    assert_eq!(result["total"], json!(8));
    assert_eq!(result["coverage"]["left_out"], left_out());
    assert_eq!(
        result["by_kind"],
        json!([
            { "name": "TODO", "count": 4 }, { "name": "BUG", "count": 1 },
            { "name": "FIXME", "count": 1 }, { "name": "HACK", "count": 1 },
            { "name": "XXX", "count": 1 },
        ])
    );
}

#[test]
fn credentials_are_nowhere_in_full() {
    let mut bench = messy();
    let token = secret();
    bench.write("deploy/.env", format!("GITHUB_TOKEN={token}\nPASSWORD=changeme\n"));
    bench.write("tests/data.rs", format!("let a = \"{token}\"; let b = \"{token}\";\n"));
    let result = bench.run("secrets.scan", json!({})).result;
    let found = |severity, path, line, column, quote| {
        finding(severity, (path, line, column), "github-token", "GitHub token ghp_…", quote)
    };
    assert_eq!(
        result["findings"],
        json!([
            found("high", "deploy/.env", 1, 14, "GITHUB_TOKEN=ghp_"),
            found("high", "src/b.py", 1, 17, "# FIXME: rotate ghp_"),
            found("medium", "tests/data.rs", 1, 10, "let a = \"ghp_"),
            found("medium", "tests/data.rs", 1, 62, "\"; let b = \"ghp_"),
        ])
    );
    assert_eq!(
        (&result["total"], &result["in_tests"], &result["coverage"]["left_out"]),
        (&json!(4), &json!(2), &left_out())
    );
    let report = bench.audit();
    let search = bench.run("workspace.search", json!({ "pattern": "ghp_" }));
    assert_eq!(search.result["total"], json!(3));
    let mut shown = vec![report, search.result.to_string(), search.summary];
    shown.extend(search.files.into_iter().map(|file| String::from_utf8(file.content).unwrap()));
    for input in &bench.inputs {
        shown.push(format!("{} {}", input.output.summary, input.output.result));
        for artifact in &input.output.artifacts {
            let path = bench.root.join(".orchestra/workspace").join(&artifact.path);
            shown.push(fs::read_to_string(path).unwrap());
        }
    }
    for text in shown {
        assert!(!text.contains(&token[..9]), "{text}");
    }
}

#[test]
fn lines_are_counted_by_language() {
    let bench = Bench::new();
    bench.write("src/a.rs", "//! Doc.\n\nfn main() {\n    let a = \"// no\"; // yes\n}\n");
    bench.write("run", "#!/usr/bin/env bash\n# comment\necho hi\n");
    bench.write("data.json", "{\n}\n");
    bench.write("README.md", "# Title\n");
    let result = bench.run("workspace.metrics", json!({ "largest": 1 })).result;
    let language = |name: &str, kind: &str, counts: [u64; 4]| {
        let [files, code, comment, blank] = counts;
        json!({ "name": name, "kind": kind, "files": files, "code": code, "comment": comment, "blank": blank })
    };
    let mut expected = json!({
        "files": 4, "code": 4, "data": 2, "comment": 4, "blank": 1,
        "languages": [
            language("Rust", "programming", [1, 3, 1, 1]),
            language("JSON", "data", [1, 2, 0, 0]),
            language("Shell", "programming", [1, 1, 2, 0]),
            language("Markdown", "prose", [1, 0, 1, 0]),
        ],
        "folders": [
            { "path": "src", "files": 1, "code": 3 },
            { "path": ".", "files": 3, "code": 1 },
        ],
        "largest": [{
            "path": "src/a.rs", "language": "Rust", "code": 3, "comment": 1, "blank": 1, "bytes": 52
        }],
    });
    expected["coverage"] = result["coverage"].clone();
    assert_eq!(result, expected);
    assert_eq!(result["coverage"]["files"], json!(4));
}

#[test]
fn search_is_confined_and_filtered() {
    let bench = messy();
    let paths = |with: Value| -> Vec<String> {
        let result = bench.run("workspace.search", with).result;
        let findings = result["findings"].as_array().unwrap().clone();
        findings.iter().map(|it| it["path"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        paths(json!({ "pattern": "todo", "glob": "src/*.rs" })),
        ["src/a.rs", "src/breaks.rs"]
    );
    assert_eq!(paths(json!({ "pattern": "todo", "case": "sensitive" })), [""; 0]);
    assert_eq!(paths(json!({ "pattern": "a.rs", "fixed": true })), [""; 0]);
    assert_eq!(paths(json!({ "pattern": "^fn ma.n", "path": "src" })), ["src/a.rs"]);
    assert_eq!(paths(json!({ "pattern": "nothing like it" })), [""; 0]);
    let refused = |with: Value| match bench.run_with("workspace.search", with, false) {
        Err(Stop::Failed(failure)) => (failure.kind, failure.message),
        other => panic!("{other:?}"),
    };
    let (kind, message) = refused(json!({ "pattern": "x", "path": "../.." }));
    assert_eq!((kind, message.as_str()), (FailureKind::Work, "path `../..` leaves the workspace"));
    assert!(
        refused(json!({ "pattern": "x", "path": "outside.rs" })).1.contains("leaves the workspace")
    );
    assert!(refused(json!({ "pattern": "(" })).1.contains("does not parse"));
    assert!(refused(json!({ "pattern": "x", "glob": "{" })).1.contains("glob `{`"));
    assert!(refused(json!({ "pattern": "" })).1.contains("is empty"));
}

#[test]
fn files_are_ranked_by_how_often_they_change_and_how_large_they_are() {
    let mut bench = Bench::new();
    bench.write("hot.rs", "line\n".repeat(10));
    bench.write("cold.rs", "line\n".repeat(15));
    bench.write("Cargo.lock", "line\n");
    bench.write("image.png", b"\0");
    bench.repo = Some(History {
        commits: vec![
            History::commit("Bob", 3_000, &[("hot.rs", 2, 1), ("Cargo.lock", 9, 9)]),
            History::commit("Ada", 2_000, &[("hot.rs", 1, 0), ("gone.rs", 5, 5)]),
            History::commit("Ada", 1_000, &[("cold.rs", 15, 0), ("image.png", 0, 0)]),
        ],
        end: Ok(LogEnd::Limit),
    });
    let result = bench.run("git.hotspots", json!({})).result;
    assert_eq!(
        result,
        json!({
            "files": [
                { "path": "hot.rs", "score": 20, "commits": 2, "churn": 4, "authors": 2, "lines": 10, "last_change": 3_000_000 },
                { "path": "cold.rs", "score": 15, "commits": 1, "churn": 15, "authors": 1, "lines": 15, "last_change": 1_000_000 },
            ],
            "total": 2, "commits": 3, "since": 1_000_000, "bounded": "only the newest 3 commits",
            "authors": 2, "gone": 1, "generated": 1, "not_text": 1,
        })
    );
    bench.repo = Some(History { commits: vec![], end: Err(RepoError("it is broken".into())) });
    let Err(Stop::Failed(failure)) = bench.run_with("git.hotspots", json!({}), false) else {
        panic!("a broken repository is an error");
    };
    assert_eq!(
        (failure.kind, failure.message.as_str()),
        (FailureKind::Environment, "it is broken")
    );
}

#[test]
fn dependencies_are_listed_with_their_places() {
    let result = messy().run("deps.list", json!({})).result;
    let entry =
        |kind: &str, eco: &str, name: &str, version: &str, place: (&str, u64), quote: &str| {
            json!({
                "kind": kind, "ecosystem": eco, "name": name, "version": version,
                "path": place.0, "line": place.1, "excerpt": quote,
            })
        };
    assert_eq!(
        result["dependencies"],
        json!([
            entry("normal", "cargo", "serde", "1", ("Cargo.toml", 2), "serde = \"1\""),
            entry(
                "normal",
                "npm",
                "left-pad",
                "^1",
                ("web/package.json", 3),
                "\"left-pad\": \"^1\""
            ),
            entry("locked", "cargo", "syn", "1.0.0", ("Cargo.lock", 2), "name = \"syn\""),
            entry("locked", "cargo", "syn", "2.0.0", ("Cargo.lock", 7), "name = \"syn\""),
        ])
    );
    let version = |version: &str, line: u64| json!({ "version": version, "path": "Cargo.lock", "line": line, "excerpt": "name = \"syn\"" });
    assert_eq!(
        result["several_versions"],
        json!([{
            "ecosystem": "cargo", "name": "syn", "versions": [version("1.0.0", 2), version("2.0.0", 7)]
        }])
    );
    let problems: Vec<(&str, bool)> = result["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["path"].as_str().unwrap(), it["problem"] == ""))
        .collect();
    assert_eq!(
        problems,
        [
            ("Cargo.lock", true),
            ("Cargo.toml", true),
            ("bad/package.json", false),
            ("web/package.json", true)
        ]
    );
}

#[test]
fn an_empty_tree_is_audited_too() {
    let report = Bench::new().audit();
    for words in [
        "5 of 5 steps succeeded",
        "No TODO, FIXME, HACK, XXX or BUG was found",
        "No credential was found",
        "the workspace is not a git repository",
        "No manifest or lock file",
    ] {
        assert!(report.contains(words), "{words}: {report}");
    }
}

#[test]
fn the_report_names_what_was_left_out_and_what_failed() {
    let mut bench = messy();
    bench.audit();
    bench.inputs[3].status = TaskStatus::Failed;
    bench.inputs[3].detail = "it is | broken".into();
    let report = bench.report();
    let section = report.split("## Left out").nth(1).unwrap();
    for words in [
        "1 binary file: `binary.rs` (`metrics`, `todo`, `secrets`)",
        "1 file of more than 10 MiB: `large.rs`",
        "1 file that is not UTF-8: `latin1.rs`",
        "1 unreadable file: `fifo-rules/.gitignore`",
        "4 links and special files: `dangling.rs`, `outside.rs`, `pipe.rs`, `src/loop`",
        "`bad/package.json` was not understood",
        "the step has not succeeded, it is failed: it is \\| broken (`hotspots`)",
    ] {
        assert!(section.contains(words), "{words}: {section}");
    }
    assert!(report.starts_with("# Audit \\| of \\`things\\`\n"), "{report}");
}

#[test]
fn the_same_tree_gives_the_same_bytes() {
    let mut bench = messy();
    let first = bench.audit();
    for _ in 0..5 {
        bench.inputs.clear();
        assert_eq!(bench.audit(), first);
    }
}

/// Undoes what Markdown does to code spans; a second opinion beside `tests/check_report.py`.
fn quotes(report: &str) -> Vec<(String, usize, String)> {
    let span = |text: &str| -> (String, usize) {
        let fence = text.chars().take_while(|c| *c == '`').count();
        let mut end = fence;
        loop {
            let next = text[end..].find('`').unwrap() + end;
            let run = text[next..].chars().take_while(|c| *c == '`').count();
            if run == fence {
                let inner = &text[fence..next];
                let padded =
                    inner.starts_with(' ') && inner.ends_with(' ') && !inner.trim().is_empty();
                let inner = if padded { &inner[1..inner.len() - 1] } else { inner };
                return (inner.to_owned(), next + run);
            }
            end = next + run;
        }
    };
    let mut quotes = Vec::new();
    for line in report.lines() {
        let Some(item) = line.strip_prefix("- `").map(|_| &line[2..]) else { continue };
        let (place, end) = span(item);
        let Some((path, number)) = place.rsplit_once(':') else { continue };
        let Ok(number) = number.parse() else { continue };
        let start = item[end..].find(": `").unwrap() + end + 2;
        let (quote, length) = span(&item[start..]);
        assert_eq!(start + length, item.len(), "{line}");
        quotes.push((path.to_owned(), number, quote));
    }
    quotes
}

#[test]
fn every_quote_of_the_report_is_in_the_line_it_names() {
    let mut bench = messy();
    bench.write("ticks.rs", "// TODO: `a\n// TODO: b``\n/*TODO*/ let x = \"|\"; // TODO: ` | `\n");
    let report = bench.audit();
    let quotes = quotes(&report);
    assert!(quotes.len() >= 16, "{report}");
    for (path, number, quote) in quotes {
        if path.starts_with("odd") {
            continue;
        }
        let text = fs::read_to_string(bench.root.join(&path)).unwrap();
        let line = text.split('\n').nth(number - 1).unwrap_or_else(|| panic!("{path}:{number}"));
        assert!(line.contains(&quote), "{path}:{number}: {quote}");
    }
}

#[test]
fn the_script_that_checks_reports_agrees_and_finds_mistakes() {
    let mut bench = messy();
    let report = bench.audit();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/check_report.py");
    let check = |report: &str| {
        bench.write("report.md", report);
        let output = Command::new("python3")
            .arg(&script)
            .args([&bench.root, &bench.root.join("report.md")])
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };
    let (code, text) = check(&report);
    assert_eq!(code, Some(0), "{text}");
    let wrong_text = report.replacen("`// BUG: no line end`", "`// BUG: no line and`", 1);
    assert_ne!(wrong_text, report);
    assert_eq!(check(&wrong_text).0, Some(1));
    let (code, text) = check("- `no-end.rs:2` BUG: `x`\n- `none.rs:1` x\n");
    assert_eq!(code, Some(1));
    assert!(text.contains("2 mismatches") && text.contains("no such file"), "{text}");
    assert_eq!(check("# Nothing\n").0, Some(1));
}

#[test]
fn a_cancelled_action_stops() {
    let bench = messy();
    for action in ["workspace.metrics", "todo.scan", "secrets.scan", "deps.list"] {
        assert_eq!(bench.run_with(action, json!({}), true), Err(Stop::Cancelled), "{action}");
    }
}

#[test]
fn a_scan_stops_in_the_middle_when_it_is_cancelled() {
    let bench = Bench::new();
    for number in 0..2_000 {
        bench.write(format!("d{}/f{number}.rs", number % 50), "// TODO: x\n");
    }
    let cancelled = AtomicBool::new(false);
    let with = Map::new();
    let ctx = Context {
        root: &bench.root,
        repo: None,
        run_name: "",
        run_description: "",
        with: &with,
        prompt: None,
        output: None,
        inputs: &[],
        cancelled: &cancelled,
        progress: &|progress| {
            assert!(progress.done < 2_000);
            cancelled.store(true, Ordering::Relaxed);
        },
        now: Timestamp(0),
    };
    assert_eq!(native::find("todo.scan").unwrap().run(&ctx), Err(Stop::Cancelled));
}

#[test]
fn a_value_is_handed_on_as_it_is() {
    let bench = Bench::new();
    assert_eq!(bench.run("value.set", json!({ "value": [1, "a"] })).result, json!([1, "a"]));
    assert_eq!(bench.run("value.set", json!({})).result, Value::Null);
    let Err(Stop::Failed(failure)) = bench.run_with("value.set", json!({ "x": 1 }), false) else {
        panic!("an unknown argument is an error");
    };
    assert_eq!(failure.hint.as_deref(), Some("known arguments: value"));
}

#[test]
fn many_findings_stay_within_the_bounds_of_a_result() {
    let bench = Bench::new();
    for file in 0..20 {
        bench.write(
            format!("f{file:02}.rs"),
            format!("// TODO: {}\n", "x".repeat(300)).repeat(3_000),
        );
    }
    let report = bench.run("todo.scan", json!({ "limit": 5_000 }));
    assert_eq!(report.result["total"], json!(60_000));
    assert!(report.result.to_string().len() <= Output::MAX_RESULT_BYTES);
    let listing: Value = serde_json::from_slice(&report.files[0].content).unwrap();
    assert_eq!(listing["findings"].as_array().unwrap().len(), 50_000);
    assert_eq!(listing["total"], json!(60_000));
}
