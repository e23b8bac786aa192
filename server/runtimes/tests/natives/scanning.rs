//! What each action finds, exactly.

use crate::support::{Bench, History, finding, left_out, messy, secret};
use orchestra_core::{
    outcome::FailureKind,
    ports::{LogEnd, RepoError},
};
use orchestra_runtimes::native::Stop;
use serde_json::{Value, json};
use std::fs;

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
fn places_are_exact_and_words_in_code_are_no_open_points() {
    let bench = Bench::new();
    bench.write(
        "a.rs",
        "let TODO = \"TODO: no\"; // ä FIXME(bob): först\r\n/* one\n * TODO: two\n */\n",
    );
    let result = bench.run("todo.scan", json!({})).result;
    let line = "let TODO = \"TODO: no\"; // ä FIXME(bob): först";
    let mut assigned = finding("high", ("a.rs", 1, 29), "FIXME", "först", line);
    assigned["assignee"] = json!("bob");
    assert_eq!(
        result["findings"],
        json!([assigned, finding("low", ("a.rs", 3, 4), "TODO", "two", "* TODO: two")])
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
    bench.write("NEWS.md", "line\n".repeat(100));
    bench.repo = Some(History {
        commits: vec![
            History::commit("Bob", 3_000, &[("hot.rs", 2, 1), ("Cargo.lock", 9, 9)]),
            History::commit("Ada", 2_000, &[("hot.rs", 1, 0), ("gone.rs", 5, 5)]),
            History::commit(
                "Ada",
                1_000,
                &[("cold.rs", 15, 0), ("image.png", 0, 0), ("NEWS.md", 1, 0)],
            ),
        ],
        end: Ok(LogEnd::Limit),
        files: vec![],
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
            "authors": 2, "gone": 1, "generated": 1, "prose": 1, "not_text": 1,
        })
    );
    bench.repo = Some(History {
        commits: vec![],
        end: Err(RepoError("it is broken".into())),
        files: vec![],
    });
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
