//! What is defined where.

use super::{
    super::{
        super::{
            listing::{counted, grouped},
            outline::{OutlineResult, Symbol},
        },
        markdown::{
            Align::{Left, Right},
            citation, code, text,
        },
    },
    Section, count_rows, listing,
};
use orchestra_core::ports::StepInput;
use std::collections::BTreeMap;

/// How many symbols each file shows.
const SYMBOLS: usize = 12;

/// How many undocumented symbols are cited.
const UNDOCUMENTED: usize = 10;

pub(super) fn outline(input: &StepInput, result: &OutlineResult, top: usize) -> Section {
    let mut section = Section::new("Outline of the code");
    if result.total == 0 {
        section.paragraph("No symbols were found in languages that can be outlined.");
        return section;
    }
    section.paragraph(&format!(
        "{} in {}.",
        counted(result.total, "symbol", "symbols"),
        counted(result.files, "file", "files")
    ));
    let languages: Vec<Vec<String>> = result
        .languages
        .iter()
        .map(|language| {
            vec![
                text(&language.name),
                grouped(language.files),
                grouped(language.symbols),
                grouped(language.public),
                grouped(language.documented),
            ]
        })
        .collect();
    section.table(
        "Languages",
        &["language", "files", "symbols", "public", "public and documented"],
        &[Left, Right, Right, Right, Right],
        &languages,
    );
    let rows = count_rows(&result.by_kind, top, false);
    section.table("Kinds", &["kind", "number"], &[Left, Right], &rows);
    public_by_file(&mut section, input, result, top);
    undocumented(&mut section, result, top);
    section
}

/// The files with most public symbols, each with its first ones.
fn public_by_file(section: &mut Section, input: &StepInput, result: &OutlineResult, top: usize) {
    let mut files: BTreeMap<&str, Vec<&Symbol>> = BTreeMap::new();
    for symbol in result.symbols.iter().filter(|symbol| symbol.public) {
        files.entry(&symbol.path).or_default().push(symbol);
    }
    if files.is_empty() {
        return;
    }
    let shown = files.len().min(top);
    let total = files.len() as u64;
    let mut files: Vec<(&str, Vec<&Symbol>)> = files.into_iter().collect();
    files.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(b.0)));
    files.truncate(top);
    files.sort();
    section.paragraph("**What the files with most public symbols offer**");
    for (path, mut symbols) in files {
        symbols.sort();
        section.paragraph(&code(path));
        for symbol in symbols.iter().take(SYMBOLS) {
            section.cited(cite(symbol));
        }
        let more = symbols.len().saturating_sub(SYMBOLS) as u64;
        if more > 0 {
            section.paragraph(&format!("\n… and {} more{}.", grouped(more), listing(input)));
        }
        section.body.push('\n');
    }
    if total > shown as u64 {
        let more = counted(total - shown as u64, "file", "files");
        section.paragraph(&format!("… and {more} more{}.", listing(input)));
    }
}

fn undocumented(section: &mut Section, result: &OutlineResult, top: usize) {
    let mut bare = result.symbols.iter().filter(|symbol| symbol.public && symbol.doc.is_empty());
    let public: u64 = result.languages.iter().map(|language| language.public).sum();
    let documented: u64 = result.languages.iter().map(|language| language.documented).sum();
    let missing = public.saturating_sub(documented);
    if missing == 0 {
        return;
    }
    section.paragraph(&format!(
        "**Public and without documentation: {} of {}**",
        grouped(missing),
        grouped(public)
    ));
    for symbol in bare.by_ref().take(top.min(UNDOCUMENTED)) {
        section.cited(cite(symbol));
    }
    section.body.push('\n');
    // A project that documents nothing need not be told so by name.
    if documented > 0 {
        section.highlights.push(format!(
            "- {} of {} public symbols have no documentation",
            grouped(missing),
            grouped(public)
        ));
    }
}

fn cite(symbol: &Symbol) -> String {
    let container = if symbol.container.is_empty() {
        String::new()
    } else {
        format!(" in {}", symbol.container)
    };
    let doc = if symbol.doc.is_empty() { String::new() } else { format!(", {}", symbol.doc) };
    let label = format!("{} {}{container}{doc}", symbol.kind.as_str(), symbol.name);
    citation(&symbol.path, symbol.line, &label, &symbol.signature)
}
