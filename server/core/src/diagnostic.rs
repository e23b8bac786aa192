//! Diagnostics: what is wrong in a file that people write, where, and what to do about it.

use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// It can be used, but probably does not mean what was intended.
    Warning,
}

/// One finding in an agent file, a workflow file or a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Diagnostic {
    /// As the user would type it, usually relative to the workspace.
    pub file: String,
    /// From one.
    pub line: u32,
    /// From one, in characters.
    pub column: u32,
    pub severity: Severity,
    /// A lowercase fragment.
    pub message: String,
    /// The next step.
    pub hint: String,
}

impl Diagnostic {
    /// An error about a file as a whole: it cannot be read, it is too large.
    pub fn error(file: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::whole_file(file, Severity::Error, message.into(), hint.into())
    }

    /// A warning about a file as a whole.
    pub fn warning(file: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::whole_file(file, Severity::Warning, message.into(), hint.into())
    }

    fn whole_file(file: &str, severity: Severity, message: String, hint: String) -> Self {
        Self { file: file.to_owned(), line: 1, column: 1, severity, message, hint }
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{}:{}:{}: {severity}: {}", self.file, self.line, self.column, self.message)?;
        if !self.hint.is_empty() {
            write!(f, "\n  hint: {}", self.hint)?;
        }
        Ok(())
    }
}
