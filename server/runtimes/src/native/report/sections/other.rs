//! What has no section of its own kind.

use super::{
    super::markdown::{block, code, text},
    Section,
};
use orchestra_core::{ports::StepInput, view::TaskStatus};

/// The section of an agent, of an unknown action, and of a step that has not succeeded.
pub(super) fn other(input: &StepInput) -> Section {
    /// Enough for an answer; whole documents are artifacts.
    const SHOWN_CHARS: usize = 8_000;
    let mut section = Section::new(input.step.as_str());
    if input.status != TaskStatus::Succeeded {
        let detail = if input.detail.is_empty() {
            String::new()
        } else {
            format!(": {}", text(&input.detail))
        };
        section.paragraph(&format!("This step is {}{detail}.", input.status));
    }
    if !input.output.summary.is_empty() {
        section.paragraph(&text(&input.output.summary));
    }
    let result = match &input.output.result {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(words) => words.clone(),
        value => serde_json::to_string_pretty(value).unwrap_or_default(),
    };
    if !result.is_empty() {
        let shown: String = result.chars().take(SHOWN_CHARS).collect();
        section.paragraph(block(&shown).trim_end());
        if shown.len() < result.len() {
            section.paragraph("The result is longer; the rest is left out here.");
        }
    }
    if !input.output.artifacts.is_empty() {
        let name = |path: &str| format!("- {}", code(&format!(".orchestra/workspace/{path}")));
        let files: Vec<String> = input.output.artifacts.iter().map(|it| name(&it.path)).collect();
        section.paragraph(&format!("It has written:\n\n{}", files.join("\n")));
    }
    if section.body.is_empty() {
        section.paragraph("This step has handed nothing over.");
    }
    section
}
