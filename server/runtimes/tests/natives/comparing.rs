//! What has changed and who changed it: comparisons, reviews and history of a repository that is told.

use crate::support::{Bench, History, file_diff, secret};
use orchestra_core::ports::{DiffContent, FileDiff, LogEnd, RepoError};
use orchestra_runtimes::native::{DiffResult, HistoryResult, ReviewResult, Stop};
use serde_json::{Value, json};

const FILE: u32 = 0o100_644;

fn bench(files: Vec<FileDiff>) -> Bench {
    let mut bench = Bench::new();
    bench.repo = Some(History { commits: vec![], end: Ok(LogEnd::Root), files });
    bench
}

#[test]
fn a_difference_is_a_list_with_places_and_a_patch_that_git_reads() {
    let binary = FileDiff {
        path: "b.png".into(),
        old_mode: FILE,
        new_mode: FILE,
        content: DiffContent::Binary,
    };
    let bench = bench(vec![
        file_diff("a.rs", (FILE, FILE), " one\n-two\n+2\n+three"),
        binary,
        file_diff("new \"x\".rs", (0, 0o100_755), "+new\n"),
        file_diff("old.rs", (FILE, 0), "-old\n"),
    ]);
    let report = bench.run("git.diff", json!({ "from": "v1", "to": "", "limit": 1 }));
    let result: DiffResult = serde_json::from_value(report.result.clone()).unwrap();
    assert_eq!((result.total, result.added, result.removed), (4, 3, 2));
    assert_eq!(
        report.result["files"],
        json!([{
            "path": "a.rs", "status": "modified", "content": "text", "added": 2, "removed": 1,
            "hunks": [{ "old_start": 1, "old_lines": 2, "new_start": 1, "new_lines": 3 }],
        }])
    );
    assert_eq!(
        report.summary,
        "4 files, 3 lines added and 2 removed, from v1 to the files as they are"
    );
    assert_eq!(report.files[0].path, "implementation/changes.diff");
    assert_eq!(
        String::from_utf8(report.files[0].content.clone()).unwrap(),
        "\
diff --git a/a.rs b/a.rs
--- a/a.rs
+++ b/a.rs
@@ -1,2 +1,3 @@
 one
-two
+2
+three
\\ No newline at end of file
diff --git a/b.png b/b.png
Binary files a/b.png and b/b.png differ
diff --git \"a/new \\\"x\\\".rs\" \"b/new \\\"x\\\".rs\"
new file mode 100755
--- /dev/null
+++ \"b/new \\\"x\\\".rs\"
@@ -0,0 +1 @@
+new
diff --git a/old.rs b/old.rs
deleted file mode 100644
--- a/old.rs
+++ /dev/null
@@ -1 +0,0 @@
-old
"
    );
}

#[test]
fn ten_thousand_changed_files_are_bounded_and_it_is_said() {
    let text = format!("+{}\n", "x".repeat(200));
    let many = (0..10_000).map(|n| file_diff(&format!("d{}/f{n}.rs", n % 30), (0, FILE), &text));
    let bench = bench(many.collect());
    let report = bench.run("git.diff", json!({ "files": 3_000, "patch_bytes": 100_000 }));
    let result: DiffResult = serde_json::from_value(report.result).unwrap();
    assert_eq!((result.total, result.files.len(), result.by_folder.len()), (10_000, 500, 20));
    assert_eq!(result.bounded, "only 3,000 of 10,000 changed files were compared");
    assert!(report.files[0].content.len() <= 100_000);
    assert!((2_600..3_000).contains(&result.not_in_patch), "{}", result.not_in_patch);
    assert!(report.summary.ends_with("(only 3,000 of 10,000 changed files were compared)"));
}

#[test]
fn a_review_names_touched_symbols_and_what_new_lines_hold() {
    let rust = format!(
        " impl Shape {{\n     fn kept(&self) {{}}\n     fn area(&self) -> u8 {{\n-        1\n+        2 // TODO(ada): units\n     }}\n }}\n // TODO: old\n+fn added() {{ let token = \"{}\"; }}\n",
        secret()
    );
    let bench = bench(vec![
        file_diff("src/shape.rs", (FILE, FILE), &rust),
        file_diff("tests/shape.rs", (FILE, FILE), "-fn gone() {}\n fn stays() {}\n"),
        file_diff("notes.md", (0, FILE), "+<<<<<<< HEAD\n+a\n+=======\n+b\n+>>>>>>> side\n"),
    ]);
    let report = bench.run("changes.review", json!({}));
    let result: ReviewResult = serde_json::from_value(report.result.clone()).unwrap();
    let symbols: Vec<_> = result
        .files
        .iter()
        .flat_map(|file| &file.symbols)
        .map(|it| (it.container.as_str(), it.name.as_str(), it.line, it.is_new))
        .collect();
    assert_eq!(
        symbols,
        [("Shape", "area", 3, false), ("", "added", 8, true), ("", "stays", 1, false)]
    );
    let findings: Vec<_> =
        result.findings.iter().map(|it| (it.path.as_str(), it.line, it.kind.as_str())).collect();
    assert_eq!(
        findings,
        [
            ("notes.md", 1, "conflict-mark"),
            ("notes.md", 5, "conflict-mark"),
            ("src/shape.rs", 8, "github-token"),
            ("src/shape.rs", 4, "TODO"),
        ]
    );
    assert_eq!((result.code_files, result.test_files, result.findings_total), (1, 1, 4));
    assert!(!report.result.to_string().contains(&secret()[5..]));
    assert_eq!(
        report.summary,
        "3 files changed (7 lines added, 2 removed), 3 symbols touched, 4 findings on new lines"
    );
}

#[test]
fn a_file_of_thousands_of_changed_symbols_is_reviewed_in_bounded_time() {
    let text: String = (0..20_000).map(|n| format!("+fn f{n}() {{}}\n")).collect();
    let bench = bench(vec![file_diff("a.rs", (0, FILE), &text)]);
    let result = bench.run("changes.review", json!({ "parse_time": 60_000 })).result;
    assert_eq!(result["files"][0]["symbols"].as_array().unwrap().len(), 50);
}

#[test]
fn without_git_nothing_differs_and_later_steps_can_go_on() {
    let bench = Bench::new();
    for (action, summary) in [
        ("git.diff", "nothing to compare: the workspace is not a git repository"),
        ("changes.review", "nothing to review: the workspace is not a git repository"),
        ("git.history", "no history: the workspace is not a git repository"),
    ] {
        assert_eq!(bench.run(action, json!({})).summary, summary);
    }
}

#[test]
fn what_git_refuses_and_wrong_arguments_are_said() {
    let mut bench = bench(vec![file_diff("a.rs", (0, FILE), "+a\n")]);
    assert_eq!(bench.run_with("git.diff", json!({}), true), Err(Stop::Cancelled));
    assert_eq!(bench.run_with("changes.review", json!({}), true), Err(Stop::Cancelled));
    let message = |bench: &Bench, action, with: Value| match bench.run_with(action, with, false) {
        Err(Stop::Failed(failure)) => failure.message,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        message(&bench, "git.history", json!({ "since": "yesterday" })),
        "argument `since` of git.history: `yesterday` is no day such as 2026-01-31 and no time such as \
         2026-01-31T12:00:00Z"
    );
    bench.repo.as_mut().unwrap().end = Err(RepoError("there is no revision `x`".into()));
    for action in ["git.diff", "changes.review"] {
        assert_eq!(message(&bench, action, json!({ "from": "x" })), "there is no revision `x`");
    }
}

#[test]
fn history_is_told_by_commit_author_file_and_month() {
    const DAY: i64 = 86_400;
    let mut bench = bench(vec![]);
    let repo = bench.repo.as_mut().unwrap();
    repo.commits = vec![
        History::commit("Ada", 40 * DAY, &[("src/a.rs", 3, 1), ("b.rs", 1, 0)]),
        History::commit("Bob", 35 * DAY, &[("src/a.rs", 1, 1)]),
        History::commit("Ada", 2 * DAY, &[("b.rs", 10, 0)]),
    ];
    let read = |bench: &Bench, with| -> HistoryResult {
        serde_json::from_value(bench.run("git.history", with).result).unwrap()
    };
    let result = read(&bench, json!({}));
    let authors: Vec<_> =
        result.authors.iter().map(|it| (it.name.as_str(), it.commits, it.added)).collect();
    assert_eq!(authors, [("Ada", 2, 14), ("Bob", 1, 2 - 1)]);
    let counts = |counts: &[orchestra_runtimes::native::Count]| -> Vec<(String, u64)> {
        counts.iter().map(|it| (it.name.clone(), it.count)).collect()
    };
    assert_eq!(counts(&result.files), [("b.rs".into(), 2), ("src/a.rs".into(), 2)]);
    assert_eq!(counts(&result.months), [("1970-02".into(), 2), ("1970-01".into(), 1)]);
    assert_eq!((result.total, result.commits[0].files, result.bounded.as_str()), (3, 2, ""));

    let below = read(&bench, json!({ "path": "src/" }));
    assert_eq!((below.total, below.commits[0].added), (2, 3));
    let since = read(&bench, json!({ "since": "1970-02-01", "limit": 1 }));
    assert_eq!((since.total, since.commits.len()), (2, 1));
    assert_eq!(since.bounded, "only commits since 1970-02-01");
}
