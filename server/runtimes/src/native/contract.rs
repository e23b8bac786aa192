//! What a native action is given, what it may say while it works, and what it hands back.

use orchestra_core::{
    outcome::{Failure, FailureKind},
    ports::{Repo, StepInput},
    time::Timestamp,
};
use schemars::Schema;
use serde_json::{Map, Value};
use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

/// Everything that a native action may see.
pub struct Context<'a> {
    /// The workspace's root, canonical.
    pub root: &'a Path,
    /// `None`: the workspace is not a git repository.
    pub repo: Option<&'a dyn Repo>,
    pub run_name: &'a str,
    pub run_description: &'a str,
    /// The rendered arguments.
    pub with: &'a Map<String, Value>,
    pub prompt: Option<&'a str>,
    /// Where the main output goes, below `.orchestra/workspace/`; already checked to stay there.
    pub output: Option<&'a str>,
    /// The results of the needed steps, in the order of the plan.
    pub inputs: &'a [StepInput],
    /// Set when the attempt is to stop; looked at every few milliseconds of work.
    pub cancelled: &'a AtomicBool,
    /// Takes the latest state of the work; cheap, and free to drop all but the last.
    pub progress: &'a (dyn Fn(Progress) + Sync),
    pub now: Timestamp,
}

impl Context<'_> {
    /// Ends the work with `?` when the attempt is to stop.
    pub(crate) fn check_cancelled(&self) -> Result<(), Stop> {
        if self.is_cancelled() { Err(Stop::Cancelled) } else { Ok(()) }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

/// How far the work has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub done: u64,
    /// `None` while it is not known how much there is.
    pub total: Option<u64>,
    /// What is counted, in the plural: `files`, `commits`.
    pub unit: &'static str,
}

/// What a native action hands over.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// One line for people.
    pub summary: String,
    /// The typed result of the action as JSON; stays below
    /// [`orchestra_core::outcome::Output::MAX_RESULT_BYTES`].
    pub result: Value,
    pub files: Vec<OutputFile>,
}

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFile {
    /// Below `.orchestra/workspace/`, with `/` between the parts.
    pub path: String,
    pub content: Vec<u8>,
}

/// Why a native action ended without a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    Cancelled,
    Failed(Failure),
}

impl Stop {
    /// The work itself is at fault: wrong arguments, a pattern that does not parse.
    pub(crate) fn work(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::failed(FailureKind::Work, message, hint)
    }

    /// The surroundings are at fault: no git repository, a root that cannot be read.
    pub(crate) fn environment(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::failed(FailureKind::Environment, message, hint)
    }

    /// Something that tests should have kept from happening.
    pub(crate) fn defect(message: impl Into<String>) -> Self {
        Self::work(message, "this is a defect of Orchestra; please report it")
    }

    fn failed(kind: FailureKind, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Failed(Failure { kind, message: message.into(), hint: Some(hint.into()) })
    }
}

/// One native action.
pub trait Native: Sync {
    fn info(&self) -> Info;

    /// The shape of [`Report::result`], with the words that document it.
    fn result_schema(&self) -> Schema;

    /// Does the work. Reads the workspace and nothing else, starts no process, writes nothing: what
    /// is to be written is handed back.
    fn run(&self, ctx: &Context<'_>) -> Result<Report, Stop>;
}

/// What a plan and a reference page need to know of a native action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Info {
    pub name: &'static str,
    /// One sentence.
    pub description: &'static str,
    /// The capabilities by which a step can ask for it.
    pub capabilities: &'static [&'static str],
    /// Whether it is pure computation without I/O, done at once.
    pub inline: bool,
    pub arguments: &'static [Argument],
}

/// One key of `with`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argument {
    pub name: &'static str,
    pub kind: ArgumentKind,
    pub default: DefaultValue,
    /// One sentence.
    pub description: &'static str,
}

/// What an argument may be. Numbers and flags may also be given as text, because that is what the
/// parameters of a command line are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentKind {
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// One text, or a list of texts.
    Texts,
    /// One command, or a list of commands, each a text or a list of arguments.
    Commands,
    Flag,
    /// A whole number within these bounds, both included.
    Count {
        min: u64,
        max: u64,
    },
    /// Any JSON value.
    Any,
}

/// What an argument is when it is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultValue {
    /// It must be given.
    Required,
    /// Nothing takes its place.
    Absent,
    Text(&'static str),
    Flag(bool),
    Count(u64),
}
