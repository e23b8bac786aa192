//! What the report says, and that it quotes what is there.

use crate::support::{Bench, messy};
use orchestra_core::view::TaskStatus;
use std::{fs, path::Path, process::Command};

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
