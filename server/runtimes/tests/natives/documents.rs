//! Documents, their headings and their links.

use crate::support::{Bench, messy};
use orchestra_runtimes::native::DocsResult;
use serde_json::json;
use std::{fs, os::unix::fs::symlink};

fn outline(bench: &Bench) -> DocsResult {
    serde_json::from_value(bench.run("docs.outline", json!({})).result).unwrap()
}

#[test]
fn documents_are_listed_with_headings_and_links_that_lead_nowhere() {
    let bench = Bench::new();
    bench.write(
        "README.md",
        "# The *thing*\r\n\r\nSee [the guide](docs/guide.rst) and [gone](docs/gone.md#x).\r\n\r\n## Use of `core`\r\n",
    );
    bench.write("docs/guide.rst", "Guide\n=====\n\nBack to `the start <../README.md>`_.\n");
    bench.write("core/a.rs", "fn a() {}\n");
    bench.write("tool/b.py", "x = 1\n");
    bench.write("own/c.go", "package own\n");
    bench.write("own/NOTES.adoc", "= Notes\n");
    bench.write("pictures/d.svg", "<svg/>\n");
    let report = bench.run("docs.outline", json!({}));
    assert_eq!(
        report.summary,
        "3 documents with 4 headings; 1 broken link, 1 folder without documentation"
    );
    let result = outline(&bench);
    let titles: Vec<_> = result
        .documents
        .iter()
        .map(|it| (it.path.as_str(), it.format.as_str(), it.title.as_str()))
        .collect();
    assert_eq!(
        titles,
        [
            ("README.md", "markdown", "The thing"),
            ("docs/guide.rst", "restructuredtext", "Guide"),
            ("own/NOTES.adoc", "asciidoc", "Notes"),
        ]
    );
    let headings: Vec<_> = result
        .headings
        .iter()
        .map(|it| (it.level, it.path.as_str(), it.line, it.text.as_str(), it.excerpt.as_str()))
        .collect();
    assert_eq!(
        headings,
        [
            (1, "README.md", 1, "The thing", "# The *thing*"),
            (1, "docs/guide.rst", 1, "Guide", "Guide"),
            (1, "own/NOTES.adoc", 1, "Notes", "= Notes"),
            (2, "README.md", 5, "Use of core", "## Use of `core`"),
        ]
    );
    let broken: Vec<_> = result
        .broken_links
        .iter()
        .map(|it| (it.path.as_str(), it.line, it.message.as_str()))
        .collect();
    assert_eq!(broken, [("README.md", 3, "docs/gone.md#x")]);
    assert_eq!((result.good_links, result.undocumented_folders), (2, vec!["tool".to_owned()]));
}

#[test]
fn links_never_lead_out_of_the_workspace() {
    let bench = Bench::new();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.md"), "x").unwrap();
    symlink(outside.path(), bench.root.join("out")).unwrap();
    symlink("loop", bench.root.join("loop")).unwrap();
    bench.write("a.md", "[a](out/none.md) [b](../../etc/passwd) [c](loop/x) [d](/out)\n");
    let result = outline(&bench);
    let broken: Vec<&str> = result.broken_links.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(broken, ["out/none.md", "loop/x"]);
}

#[test]
fn hostile_documents_neither_hang_nor_overflow() {
    let bench = messy();
    bench.write("deep.md", "> ".repeat(10_000) + "# deep\n");
    bench.write("lists.md", (0..1_000).map(|n| " ".repeat(n) + "- x\n").collect::<String>());
    bench.write("brackets.md", "[".repeat(50_000) + &"](x)".repeat(10));
    bench.write("rules.rst", "=\n".repeat(10_000));
    bench.write("links.md", "[a](none.md) ".repeat(20_000));
    let result = outline(&bench);
    assert_eq!(result.total, 5);
    assert!(result.broken_links_total >= 20_000 && result.broken_links.len() <= 500);
}
