//! The YAML between two lines of dashes at the top of a Markdown file.

use crate::{
    diagnostic::Diagnostic,
    source::{Findings, Source},
};

/// A file in its two parts.
pub(super) struct Split<'a> {
    /// `None`: the file does not start with front matter.
    pub(super) front: Option<Source<'a>>,
    pub(super) body: &'a str,
}

pub(super) fn split(source: Source<'_>) -> Result<Split<'_>, Box<Diagnostic>> {
    let text = source.text.strip_prefix('\u{feff}').unwrap_or(source.text);
    let mut lines = text.split_inclusive('\n');
    let first = lines.next().unwrap_or_default();
    if first.trim_end() != "---" {
        return Ok(Split { front: None, body: text });
    }
    let start = first.len();
    let mut end = start;
    for line in lines {
        if matches!(line.trim_end(), "---" | "...") {
            let front = Source { file: source.file, text: &text[start..end], lines_before: 1 };
            return Ok(Split { front: Some(front), body: &text[end + line.len()..] });
        }
        end += line.len();
    }
    let mut findings = Findings::new(source);
    let hint = "add a line `---` behind the last key";
    findings.error(source.at(0), "the front matter that starts here does not end", hint);
    let diagnostic = findings.finish().into_iter().next();
    Err(Box::new(
        diagnostic.unwrap_or_else(|| {
            Diagnostic::error(source.file, "the front matter does not end", hint)
        }),
    ))
}
