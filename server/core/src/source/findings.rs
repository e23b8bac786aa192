//! Collecting what is wrong with one file, all of it in one pass.

use super::{At, Source};
use crate::diagnostic::{Diagnostic, Severity};

/// How many findings are shown for one file; a broken generator can make one for every line.
const MAX_SHOWN: usize = 100;

/// The findings about one text so far.
pub(crate) struct Findings<'a> {
    pub(crate) source: Source<'a>,
    list: Vec<Diagnostic>,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(source: Source<'a>) -> Self {
        Self { source, list: Vec::new() }
    }

    pub(crate) fn error(&mut self, at: At, message: impl Into<String>, hint: impl Into<String>) {
        self.add(Severity::Error, at, message.into(), hint.into());
    }

    pub(crate) fn warning(&mut self, at: At, message: impl Into<String>, hint: impl Into<String>) {
        self.add(Severity::Warning, at, message.into(), hint.into());
    }

    fn add(&mut self, severity: Severity, at: At, message: String, hint: String) {
        let file = self.source.file.to_owned();
        self.list.push(Diagnostic {
            file,
            line: at.line,
            column: at.column,
            severity,
            message,
            hint,
        });
    }

    /// As people wrote it, with quotes and escapes.
    pub(crate) fn written(&self, at: At) -> &'a str {
        self.source.text.get(at.start..at.end).unwrap_or_default()
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.list.iter().any(Diagnostic::is_error)
    }

    /// In the order of the file, each once, no more than a person reads.
    pub(crate) fn finish(self) -> Vec<Diagnostic> {
        let mut list = self.list;
        list.sort();
        list.dedup();
        let hidden = list.len().saturating_sub(MAX_SHOWN);
        if hidden > 0 {
            // Errors first: a file must not look fine because its warnings came earlier.
            list.sort_by_key(|diagnostic| diagnostic.severity);
            list.truncate(MAX_SHOWN);
            list.sort();
            if let Some(last) = list.last_mut() {
                last.hint = format!("{} ({hidden} more findings are not shown)", last.hint);
            }
        }
        list
    }
}
