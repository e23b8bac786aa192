//! Failures of the command line: what is printed, and with which code it ends.

use anstyle::{AnsiColor, Style};
use orchestra_core::diagnostic::Diagnostic;
use orchestra_protocol::error::{ClientError, ErrorBody, ErrorKind};
use std::{fmt, process::ExitCode};

/// Why a command ended, in the classes that scripts can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// The run or the task failed, or is not in a state in which that can be done.
    Failed = 1,
    /// The command line or a file is wrong.
    Usage = 2,
    /// There is no daemon, or no connection to it.
    NoDaemon = 3,
    /// Trust or a limit forbids it.
    Refused = 4,
}

impl fmt::Display for Failure {
    /// Without its hint.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A failure that reads after "orchestra: failed to …".
#[derive(Debug)]
pub(crate) struct Failure {
    class: Class,
    message: String,
    hint: String,
    diagnostics: Vec<Diagnostic>,
}

impl Failure {
    pub(crate) fn new(class: Class, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { class, message: message.into(), hint: hint.into(), diagnostics: Vec::new() }
    }

    /// `what` is what was being done: "start the run".
    pub(crate) fn doing(what: &str, error: impl fmt::Display) -> Self {
        Self::new(Class::Failed, format!("{what}: {error}"), "")
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    pub(crate) fn with_diagnostics(mut self, diagnostics: Vec<Diagnostic>) -> Self {
        self.diagnostics = diagnostics;
        self
    }

    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(self.class as u8)
    }

    /// Prints to standard error; as one JSON object when the user asked for JSON.
    pub(crate) fn print(&self, json: bool) {
        if json {
            let value = serde_json::json!({
                "error": {
                    "code": self.class as u8,
                    "message": self.message,
                    "hint": self.hint,
                    "diagnostics": self.diagnostics,
                }
            });
            anstream::eprintln!("{value}");
            return;
        }
        let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let cyan = Style::new().fg_color(Some(AnsiColor::Cyan.into()));
        for diagnostic in &self.diagnostics {
            anstream::eprintln!("{diagnostic}");
        }
        anstream::eprintln!("{red}orchestra:{red:#} failed to {}", self.message);
        if !self.hint.is_empty() {
            anstream::eprintln!("{cyan}hint:{cyan:#} {}", self.hint);
        }
    }

    /// An error of the daemon while doing `what`.
    pub(crate) fn client(what: &str, error: ClientError) -> Self {
        match error {
            ClientError::Daemon(body) => Self::daemon(what, body),
            error => Self::new(
                Class::NoDaemon,
                format!("{what}: {error}"),
                "see `orchestra doctor` and `orchestra daemon log`",
            ),
        }
    }

    fn daemon(what: &str, body: ErrorBody) -> Self {
        let class = match body.kind {
            ErrorKind::Invalid | ErrorKind::NotFound => Class::Usage,
            ErrorKind::Refused => Class::Refused,
            ErrorKind::Leaving => Class::NoDaemon,
            ErrorKind::WrongState | ErrorKind::NotRecorded | ErrorKind::Internal => Class::Failed,
        };
        Self::new(class, format!("{what}: {}", body.message), body.hint)
            .with_diagnostics(body.diagnostics)
    }
}
