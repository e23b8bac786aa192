//! How large the workspace is.

use super::{
    super::{
        super::{
            languages::LanguageKind,
            listing::{counted, grouped},
            metrics::{LanguageLines, MetricsResult},
        },
        markdown::{
            Align::{Left, Right},
            code, text,
        },
    },
    Section,
};

pub(super) fn metrics(result: &MetricsResult, top: usize) -> Section {
    let mut section = Section::new("Size and languages");
    section.paragraph(&format!(
        "{} with {} of code, {} of comment, {} of data and {} blank lines.",
        counted(result.files, "text file", "text files"),
        counted(result.code, "line", "lines"),
        grouped(result.comment),
        grouped(result.data),
        grouped(result.blank)
    ));
    let mut rows: Vec<Vec<String>> = result
        .languages
        .iter()
        .take(top)
        .map(|language| {
            vec![
                text(&language.name),
                kind(language.kind).to_owned(),
                grouped(language.files),
                grouped(language.code),
                grouped(language.comment),
                grouped(language.blank),
            ]
        })
        .collect();
    let rest = result.languages.get(top..).unwrap_or_default();
    if !rest.is_empty() {
        let sum = |count: fn(&LanguageLines) -> u64| grouped(rest.iter().map(count).sum());
        rows.push(vec![
            format!("{} others", rest.len()),
            String::new(),
            sum(|language| language.files),
            sum(|language| language.code),
            sum(|language| language.comment),
            sum(|language| language.blank),
        ]);
    }
    section.table(
        "Languages, by lines of code",
        &["language", "kind", "files", "code", "comment", "blank"],
        &[Left, Left, Right, Right, Right, Right],
        &rows,
    );
    let folders: Vec<Vec<String>> = result
        .folders
        .iter()
        .filter(|folder| folder.code > 0)
        .take(top)
        .map(|folder| {
            vec![
                code(&folder.path),
                grouped(folder.files),
                grouped(folder.code),
                share(folder.code, result.code),
            ]
        })
        .collect();
    if folders.len() > 1 {
        section.table(
            "Where the code is",
            &["folder", "files", "lines of code", "share"],
            &[Left, Right, Right, Right],
            &folders,
        );
    }
    let largest: Vec<Vec<String>> = result
        .largest
        .iter()
        .take(top)
        .map(|file| {
            vec![
                code(&file.path),
                text(&file.language),
                grouped(file.code),
                grouped(file.comment),
                share(file.code, result.code),
            ]
        })
        .collect();
    section.table(
        "Largest files",
        &["file", "language", "code", "comment", "share"],
        &[Left, Left, Right, Right, Right],
        &largest,
    );
    section
}

fn kind(kind: LanguageKind) -> &'static str {
    match kind {
        LanguageKind::Programming => "programming",
        LanguageKind::Markup => "markup",
        LanguageKind::Data => "data",
        LanguageKind::Prose => "prose",
        LanguageKind::Other => "other",
    }
}

/// Rounded to whole percents; computed in integers, so that it is the same everywhere.
fn share(part: u64, whole: u64) -> String {
    match (part.saturating_mul(200) + whole).checked_div(whole.saturating_mul(2)) {
        Some(0) if part > 0 => "< 1 %".to_owned(),
        Some(percent) => format!("{percent} %"),
        None => String::new(),
    }
}
