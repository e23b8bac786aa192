//! Errors as they travel, and what the client itself can run into.

use orchestra_core::diagnostic::Diagnostic;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What kind of trouble it is; decides the HTTP status and the exit code of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// The request or a file it names is wrong.
    Invalid,
    /// There is no such run, task, agent or workflow.
    NotFound,
    /// It exists, but what was asked for is over, or not yet possible.
    WrongState,
    /// Trust or a limit forbids it.
    Refused,
    /// The journal could not take it: nothing was done.
    NotRecorded,
    /// The daemon is about to leave, and the command was not recorded: send it again, with its key.
    Leaving,
    /// The daemon is at fault.
    Internal,
}

impl ErrorKind {
    pub fn status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::NotFound => 404,
            Self::WrongState => 409,
            Self::Refused => 403,
            Self::NotRecorded => 507,
            Self::Leaving => 503,
            Self::Internal => 500,
        }
    }
}

/// An error of the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct ErrorBody {
    pub kind: ErrorKind,
    /// A lowercase fragment that names the file, line or id.
    pub message: String,
    /// The next step; may be empty.
    #[serde(default)]
    pub hint: String,
    /// What is wrong in files that people write.
    #[serde(default)]
    pub diagnostics: Vec<Diagnostic>,
}

impl ErrorBody {
    pub fn new(kind: ErrorKind, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: hint.into(), diagnostics: Vec::new() }
    }
}

/// Why a client got no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("no daemon answers on {}", .0.display())]
    NoDaemon(PathBuf),
    #[error("start the daemon: {0}")]
    Launch(String),
    #[error("the connection to the daemon broke: {0}")]
    Connection(String),
    #[error("the daemon answered in a form that this build does not know: {0}")]
    Malformed(String),
    #[error(transparent)]
    Daemon(#[from] ErrorBody),
}

impl ClientError {
    /// Whether another daemon may answer the same request, if it can be sent twice.
    pub fn may_be_asked_again(&self) -> bool {
        match self {
            Self::NoDaemon(_) | Self::Connection(_) => true,
            Self::Daemon(body) => body.kind == ErrorKind::Leaving,
            Self::Launch(_) | Self::Malformed(_) => false,
        }
    }
}
