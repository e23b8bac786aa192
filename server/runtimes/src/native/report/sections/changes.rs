//! What has changed.

use super::{
    super::{
        super::{
            changes::{DiffResult, ReviewResult, Side, TouchedSymbol},
            finding::Severity,
            listing::{counted, grouped},
        },
        markdown::{
            Align::{Left, Right},
            citation, code, text,
        },
    },
    Section, count_rows,
    findings::cite,
    listing,
};
use orchestra_core::ports::StepInput;

/// How many touched symbols of a file are cited.
const SYMBOLS: usize = 8;

fn between(from: &Side, to: &Side) -> String {
    let commit = |side: &Side| {
        let id = side.commit.as_deref().unwrap_or_default();
        let id: String = id.chars().take(10).collect();
        if id.is_empty() {
            text(&side.name)
        } else {
            format!("{} ({})", text(&side.name), code(&id))
        }
    };
    format!("from {} to {}", commit(from), commit(to))
}

/// Why there is nothing; `None` when there is something.
fn nothing(total: u64, bounded: &str, from: &Side, to: &Side) -> Option<String> {
    match (total, bounded) {
        (0, "") => Some(format!("Nothing differs {}.", between(from, to))),
        (0, bounded) => Some(format!("There is nothing to compare: {}.", text(bounded))),
        _ => None,
    }
}

pub(super) fn diff(input: &StepInput, result: &DiffResult, top: usize) -> Section {
    let mut section = Section::new("What differs");
    if let Some(nothing) = nothing(result.total, &result.bounded, &result.from, &result.to) {
        section.paragraph(&nothing);
        return section;
    }
    section.paragraph(&format!(
        "{} differ {}: {} added, {} removed. The patch is{}.",
        counted(result.total, "file", "files"),
        between(&result.from, &result.to),
        counted(result.added, "line", "lines"),
        grouped(result.removed),
        listing(input),
    ));
    if result.by_folder.len() > 1 {
        let rows = count_rows(&result.by_folder, top, true);
        section.table("By folder", &["folder", "files"], &[Left, Right], &rows);
    }
    let mut files: Vec<_> = result.files.iter().collect();
    files.sort_by(|a, b| {
        (b.added + b.removed).cmp(&(a.added + a.removed)).then_with(|| a.path.cmp(&b.path))
    });
    let rows: Vec<Vec<String>> = files
        .iter()
        .take(top)
        .map(|file| {
            let what = if file.content == "text" {
                file.status.to_string()
            } else {
                format!("{}, {}", file.status, file.content)
            };
            vec![
                code(&file.path),
                what,
                grouped(file.added),
                grouped(file.removed),
                grouped(file.hunks.len() as u64),
            ]
        })
        .collect();
    section.table(
        "Files, by changed lines",
        &["file", "what", "added", "removed", "places"],
        &[Left, Left, Right, Right, Right],
        &rows,
    );
    section.more(result.total, rows.len(), &listing(input));
    section
}

pub(super) fn review(input: &StepInput, result: &ReviewResult, top: usize) -> Section {
    let mut section = Section::new("Review of the change");
    if let Some(nothing) = nothing(result.total, &result.bounded, &result.from, &result.to) {
        section.paragraph(&nothing);
        return section;
    }
    section.paragraph(&format!(
        "{} changed {}, {} added and {} removed: {} of code, {} of tests.",
        counted(result.total, "file", "files"),
        between(&result.from, &result.to),
        counted(result.added, "line", "lines"),
        grouped(result.removed),
        counted(result.code_files, "file", "files"),
        grouped(result.test_files),
    ));
    if result.code_files > 0 && result.test_files == 0 {
        let words = "Code changed, and no test did";
        section.paragraph(&format!("**{words}.**"));
        section.highlights.push(format!("- {words}"));
    }
    if result.findings.is_empty() {
        section.paragraph(
            "The new lines hold no open points, possible credentials or conflict marks.",
        );
    } else {
        section.paragraph("**On new lines, the most important first**");
        section.citations(input, &result.findings, result.findings_total, top);
        let urgent = result.findings.iter().filter(|finding| finding.severity == Severity::High);
        section.highlights.extend(urgent.take(4).map(cite));
    }
    let touched: Vec<_> = result.files.iter().filter(|file| !file.symbols.is_empty()).collect();
    if !touched.is_empty() {
        section.paragraph("**What was touched, the largest change first**");
    }
    for file in touched.iter().take(top) {
        section.paragraph(&format!(
            "{}, {} added, {} removed",
            code(&file.path),
            counted(file.added, "line", "lines"),
            grouped(file.removed)
        ));
        for symbol in file.symbols.iter().take(SYMBOLS) {
            section.cited(citation(&file.path, symbol.line, &label(symbol), &symbol.signature));
        }
        section.more(file.symbols.len() as u64, file.symbols.len().min(SYMBOLS), &listing(input));
    }
    section.more(result.total, result.files.len().min(top.max(touched.len())), &listing(input));
    section
}

fn label(symbol: &TouchedSymbol) -> String {
    let public = if symbol.public { "public " } else { "" };
    let new = if symbol.is_new { "new " } else { "" };
    let container = if symbol.container.is_empty() {
        String::new()
    } else {
        format!(" in {}", symbol.container)
    };
    format!("{new}{public}{} {}{container}", symbol.kind.as_str(), symbol.name)
}
