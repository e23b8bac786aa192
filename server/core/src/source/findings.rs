//! Collecting what is wrong with one file, all of it in one pass.

use super::{At, Source, did_you_mean};
use crate::diagnostic::{Diagnostic, Severity};

/// How many findings are shown for one file; a broken generator can make one for every line.
const MAX_SHOWN: usize = 100;

/// The findings about one text so far.
pub(crate) struct Findings<'a> {
    pub(crate) source: Source<'a>,
    list: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(source: Source<'a>) -> Self {
        Self { source, list: Vec::new(), errors: 0, warnings: 0 }
    }

    pub(crate) fn error(&mut self, at: At, message: impl Into<String>, hint: impl Into<String>) {
        self.errors += 1;
        if self.errors <= MAX_SHOWN {
            self.add(Severity::Error, at, message.into(), hint.into());
        }
    }

    pub(crate) fn warning(&mut self, at: At, message: impl Into<String>, hint: impl Into<String>) {
        self.warnings += 1;
        if self.warnings <= MAX_SHOWN {
            self.add(Severity::Warning, at, message.into(), hint.into());
        }
    }

    fn add(&mut self, severity: Severity, at: At, message: String, hint: String) {
        self.list.push(Diagnostic {
            file: self.source.file.to_owned(),
            line: at.line,
            column: at.column,
            severity,
            message: printable(message),
            hint: printable(hint),
        });
    }

    /// As people wrote it, with quotes and escapes.
    pub(crate) fn written(&self, at: At) -> &'a str {
        self.source.text.get(at.start..at.end).unwrap_or_default()
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// A hint that names what is near, for as long as findings are shown: comparing one name with
    /// twenty thousand is not free, and a file may have as many wrong ones.
    pub(crate) fn near<'k>(
        &self,
        name: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) -> Option<String> {
        if self.errors >= MAX_SHOWN {
            return None;
        }
        did_you_mean(name, known).map(|near| format!("did you mean `{near}`?"))
    }

    /// In the order of the file, each once.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        self.list.sort();
        self.list.dedup();
        let hidden =
            self.errors.saturating_sub(MAX_SHOWN) + self.warnings.saturating_sub(MAX_SHOWN);
        if hidden > 0
            && let Some(last) = self.list.last_mut()
        {
            last.hint = format!("{} ({hidden} more findings are not shown)", last.hint);
        }
        self.list
    }
}

/// Messages quote files, and a terminal would obey the control characters in them.
fn printable(text: String) -> String {
    if text.contains(char::is_control) { text.replace(char::is_control, "\u{fffd}") } else { text }
}
