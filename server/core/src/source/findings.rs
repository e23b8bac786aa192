//! Collecting what is wrong with one file, all of it in one pass.

use super::{At, Source, similar};
use crate::diagnostic::{Diagnostic, Severity};
use std::cell::Cell;

/// How many findings are shown for one file; a broken generator can make one for every line.
const MAX_SHOWN: usize = 100;
/// How many names are compared for the hints about one file.
const MAX_COMPARISONS: usize = 50_000;

/// The findings about one text so far.
pub(crate) struct Findings<'a> {
    pub(crate) source: Source<'a>,
    list: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
    comparisons: Cell<usize>,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(source: Source<'a>) -> Self {
        Self { source, list: Vec::new(), errors: 0, warnings: 0, comparisons: Cell::new(0) }
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

    /// Whether no further error will be shown, so that looking for more is only work.
    pub(crate) fn is_full(&self) -> bool {
        self.errors >= MAX_SHOWN
    }

    /// Up to three known names that are close to `name`. Comparing one name with twenty thousand is not
    /// free, and a file may have as many wrong ones: when the findings have cost enough, there are none.
    pub(crate) fn nearest<'k>(
        &self,
        name: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) -> Vec<&'k str> {
        let left = MAX_COMPARISONS.saturating_sub(self.comparisons.get());
        if self.is_full() || left == 0 {
            return Vec::new();
        }
        let counted = known.into_iter().take(left).inspect(|_| {
            self.comparisons.set(self.comparisons.get() + 1);
        });
        similar::nearest(name, counted)
    }

    /// A hint that names what is near.
    pub(crate) fn near<'k>(
        &self,
        name: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) -> Option<String> {
        let near = self.nearest(name, known).into_iter().next()?;
        Some(format!("did you mean `{near}`?"))
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
            last.hint = format!("{} (at least {hidden} more findings are not shown)", last.hint);
        }
        self.list
    }
}

/// Messages quote files, and a terminal would obey the control characters in them.
fn printable(text: String) -> String {
    if text.contains(char::is_control) { text.replace(char::is_control, "\u{fffd}") } else { text }
}
