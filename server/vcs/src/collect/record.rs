//! The commit of a result as text: who made it, what was held back, and what was found, so that it can
//! be told again after a crash.

use super::{Author, Request};
use orchestra_core::change::Held;

/// Followed by a [`Held`] as JSON, which has no line breaks.
const HELD: &str = "Orchestra-Held: ";

/// Followed by a [`Held`] as JSON.
const INCLUDED: &str = "Orchestra-Included: ";

/// Followed by an attempt: the commit is ours.
pub(crate) const ATTEMPT: &str = "Orchestra-Attempt: ";

/// Followed by a sentence as JSON.
const NOTE: &str = "Orchestra-Note: ";

/// What cannot be read from the commit's tree and parents.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) held: Vec<Held>,
    pub(super) notes: Vec<String>,
}

impl Record {
    /// Adds what is held back besides.
    pub(super) fn hold(&mut self, held: Vec<Held>) {
        self.held.extend(held);
        self.held.sort_by(|a, b| a.path.cmp(&b.path));
    }
}

/// A result that is there already.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) commit: String,
    pub(super) record: Record,
    /// What a person had allowed.
    included: Vec<Held>,
}

impl Kept {
    pub(super) fn read(commit: &str, message: &str) -> Self {
        let lines = |name| message.lines().filter_map(move |line| line.strip_prefix(name));
        let files = |name| lines(name).filter_map(|json| serde_json::from_str(json).ok()).collect();
        let (held, included) = (files(HELD), files(INCLUDED));
        let notes = lines(NOTE).filter_map(|json| serde_json::from_str(json).ok()).collect();
        let record = Record { held, notes };
        Self { commit: commit.to_owned(), record, included }
    }

    /// Whether a person had allowed the same.
    pub(super) fn is_as_allowed(&self, included: &[Held]) -> bool {
        self.included == included
    }
}

/// The message of a result's commit.
pub(super) fn message(request: &Request<'_>, record: &Record) -> String {
    let mut message = beginning(request.subject, &request.author);
    // Neither strings nor these types fail to become JSON.
    for json in record.held.iter().filter_map(|held| serde_json::to_string(held).ok()) {
        message += &format!("{HELD}{json}\n");
    }
    for json in request.included.iter().filter_map(|held| serde_json::to_string(held).ok()) {
        message += &format!("{INCLUDED}{json}\n");
    }
    for json in record.notes.iter().filter_map(|note| serde_json::to_string(note).ok()) {
        message += &format!("{NOTE}{json}\n");
    }
    message
}

/// The first line of a commit's message, and the trailers that say whose work it is.
pub(crate) fn beginning(subject: &str, author: &Author<'_>) -> String {
    let mut message = format!("{}\n\n", one_line(subject));
    let trailers = [
        ("Agent", Some(author.agent)),
        ("Run", Some(author.run)),
        ("Task", Some(author.task)),
        ("Attempt", Some(author.attempt)),
        ("Model", author.model),
    ];
    for (name, value) in trailers {
        if let Some(value) = value {
            message += &format!("Orchestra-{name}: {}\n", one_line(value));
        }
    }
    message
}

/// Nothing that is given from outside looks like a trailer of ours.
pub(crate) fn one_line(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
