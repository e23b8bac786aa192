//! JUnit XML, as many runners write it into files.

use crate::checks::report::{Collected, Summary, TestReport, TestStatus};
use roxmltree::{Document, Node, ParsingOptions};

/// How many elements, attributes and texts of one file are looked at.
const MAX_NODES: u32 = 4_000_000;

/// The tests of these files; `None` where there are none. A file that is no such report, or is not
/// whole, makes the report incomplete.
pub(super) fn parse(files: &[String]) -> Option<TestReport> {
    let mut collected = Collected::default();
    let (mut seen, mut summary) = (false, Summary::default());
    for text in files {
        // Without a DTD there are no entities that could grow.
        let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
        let Ok(document) = Document::parse_with_options(text, options) else {
            collected.is_cut = true;
            continue;
        };
        let root = document.root_element();
        if !matches!(root.tag_name().name(), "testsuites" | "testsuite") {
            continue;
        }
        seen = true;
        for case in root.descendants().filter(|node| node.has_tag_name("testcase")) {
            let status = status(case);
            collected.add(&name(case), status);
            summary.add(Summary {
                passed: u32::from(status == TestStatus::Passed),
                failed: u32::from(status == TestStatus::Failed),
                skipped: u32::from(status == TestStatus::Skipped),
            });
        }
    }
    seen.then(|| collected.finish("junit", Some(summary)))
}

fn status(case: Node<'_, '_>) -> TestStatus {
    let has = |names: &[&str]| {
        case.children().any(|child| child.is_element() && names.contains(&child.tag_name().name()))
    };
    if has(&["failure", "error"]) {
        TestStatus::Failed
    } else if has(&["skipped"]) {
        TestStatus::Skipped
    } else {
        TestStatus::Passed
    }
}

fn name(case: Node<'_, '_>) -> String {
    let own = case.attribute("name").unwrap_or_default();
    let suite = || case.parent().and_then(|suite| suite.attribute("name"));
    match case.attribute("classname").filter(|name| !name.is_empty()).or_else(suite) {
        Some(class) => format!("{class} {own}"),
        None => own.to_owned(),
    }
}
