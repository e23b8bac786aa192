//! What was noticed at single lines: open points, possible credentials, matches of a search.

use super::{
    super::{
        super::{
            finding::{Finding, Severity},
            listing::{counted, grouped},
            search::SearchResult,
            secrets::SecretsResult,
            todo::TodoResult,
        },
        markdown::{
            Align::{Left, Right},
            citation, code, text,
        },
    },
    Section, count_rows, listing,
};
use orchestra_core::ports::StepInput;

impl Section {
    /// Cites the first `top` findings and says where the others are.
    pub(super) fn citations(
        &mut self,
        input: &StepInput,
        findings: &[Finding],
        total: u64,
        top: usize,
    ) {
        for finding in findings.iter().take(top) {
            self.cited(cite(finding));
        }
        self.more(total, findings.len().min(top), &listing(input));
    }
}

pub(super) fn cite(finding: &Finding) -> String {
    let label = match (finding.kind.as_str(), &finding.assignee) {
        ("match", _) => "matches".to_owned(),
        ("TODO" | "FIXME" | "XXX" | "HACK" | "BUG", Some(who)) => {
            format!("{} ({who})", finding.kind)
        }
        ("TODO" | "FIXME" | "XXX" | "HACK" | "BUG", None) => finding.kind.clone(),
        _ => format!("{}, {} confidence", finding.message, finding.severity.as_str()),
    };
    citation(&finding.path, finding.line, &label, &finding.excerpt)
}

pub(super) fn todo(input: &StepInput, result: &TodoResult, top: usize) -> Section {
    let mut section = Section::new("Open points in comments");
    if result.total == 0 {
        section.paragraph("No TODO, FIXME, HACK, XXX or BUG was found in comments.");
        return section;
    }
    let kinds: Vec<String> = result
        .by_kind
        .iter()
        .map(|count| format!("{} {}", grouped(count.count), text(&count.name)))
        .collect();
    section.paragraph(&format!(
        "{}: {}.",
        counted(result.total, "open point", "open points"),
        kinds.join(", ")
    ));
    if result.by_folder.len() > 1 {
        let rows = count_rows(&result.by_folder, top, true);
        section.table("By folder", &["folder", "open points"], &[Left, Right], &rows);
    }
    if !result.by_assignee.is_empty() {
        let rows = count_rows(&result.by_assignee, top.min(5), false);
        section.table("Named in them", &["who or what", "open points"], &[Left, Right], &rows);
    }
    section.paragraph("**Most important first**");
    section.citations(input, &result.findings, result.total, top);
    let urgent = result.findings.iter().filter(|finding| finding.severity == Severity::High);
    section.highlights = urgent.take(3).map(cite).collect();
    section
}

pub(super) fn secrets(input: &StepInput, result: &SecretsResult, top: usize) -> Section {
    let mut section = Section::new("Possible credentials");
    if result.total == 0 {
        section.paragraph(
            "No credential was found in the files that were read. The history was not searched.",
        );
        return section;
    }
    section.paragraph(&format!(
        "{}, {} of them in tests, examples or documentation, where confidence is one level lower. \
         Values are shown by their first characters only. The history was not searched. A credential \
         that was ever committed must be revoked: deleting the line does not help.",
        counted(result.total, "possible credential", "possible credentials"),
        grouped(result.in_tests)
    ));
    let rows = count_rows(&result.by_confidence, top, false);
    section.table("By confidence", &["confidence", "number"], &[Left, Right], &rows);
    if result.by_rule.len() > 1 {
        let rows = count_rows(&result.by_rule, top, true);
        section.table("By kind", &["rule", "number"], &[Left, Right], &rows);
    }
    section.paragraph("**Most certain first**");
    section.citations(input, &result.findings, result.total, top);
    let certain = result.findings.iter().filter(|finding| finding.severity <= Severity::Medium);
    section.highlights = certain.take(4).map(cite).collect();
    section
}

pub(super) fn search(input: &StepInput, result: &SearchResult, top: usize) -> Section {
    let mut section = Section::new("Search");
    section.paragraph(&format!(
        "{} for {} in {}.",
        counted(result.total, "line matches", "lines match"),
        code(&result.pattern),
        counted(result.files_with_matches, "file", "files")
    ));
    if result.by_folder.len() > 1 {
        let rows = count_rows(&result.by_folder, top, true);
        section.table("By folder", &["folder", "lines"], &[Left, Right], &rows);
    }
    section.citations(input, &result.findings, result.total, top);
    section
}
