//! Which documents there are, and where they lead nowhere.

use super::{
    super::{
        super::{
            docs::DocsResult,
            listing::{counted, grouped},
        },
        markdown::{
            Align::{Left, Right},
            citation, code, text,
        },
    },
    Section, listing,
};
use orchestra_core::ports::StepInput;

pub(super) fn documents(input: &StepInput, result: &DocsResult, top: usize) -> Section {
    let mut section = Section::new("Documents");
    if result.total == 0 {
        section.paragraph("No Markdown, reStructuredText or AsciiDoc was found.");
    } else {
        section.paragraph(&format!(
            "{} with {}; {} of {} relative links lead nowhere.",
            counted(result.total, "document", "documents"),
            counted(result.headings_total, "heading", "headings"),
            grouped(result.broken_links_total),
            grouped(result.broken_links_total + result.good_links),
        ));
    }
    let rows: Vec<Vec<String>> = result
        .documents
        .iter()
        .take(top)
        .map(|document| {
            vec![
                code(&document.path),
                text(&document.title),
                grouped(document.headings),
                grouped(document.words),
            ]
        })
        .collect();
    section.table(
        "By path",
        &["document", "title", "headings", "words"],
        &[Left, Left, Right, Right],
        &rows,
    );
    section.more(result.total, rows.len(), &listing(input));
    if !result.headings.is_empty() {
        section.paragraph("**Their headings, the upper levels first**");
        for heading in result.headings.iter().take(top) {
            let label = format!("level {}", heading.level);
            section.cited(citation(&heading.path, heading.line, &label, &heading.excerpt));
        }
        section.more(result.headings_total, result.headings.len().min(top), &listing(input));
    }
    if !result.broken_links.is_empty() {
        section.paragraph("**Links that lead nowhere**");
        let broken = |link: &super::super::super::finding::Finding| {
            let label = format!("leads to {}, which is not there", link.message);
            citation(&link.path, link.line, &label, &link.excerpt)
        };
        for link in result.broken_links.iter().take(top) {
            section.cited(broken(link));
        }
        section.more(
            result.broken_links_total,
            result.broken_links.len().min(top),
            &listing(input),
        );
        section.highlights.extend(result.broken_links.iter().take(2).map(broken));
    }
    if !result.undocumented_folders.is_empty() {
        let folders: Vec<String> =
            result.undocumented_folders.iter().take(top).map(|folder| code(folder)).collect();
        section.paragraph(&format!(
            "{} of code at the root: no document lies in them or names them: {}.",
            counted(result.undocumented_folders.len() as u64, "folder", "folders"),
            folders.join(", ")
        ));
    }
    section
}
