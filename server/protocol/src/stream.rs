//! The event stream: what has happened, in order, and how far work under way has come.

use orchestra_core::{
    event::{Event, EventBody},
    ids::{AttemptId, RunId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// One line of the stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum StreamItem {
    /// Durable, in order, without gaps.
    Event(Published),
    /// The latest value only; may be skipped.
    Progress(AttemptProgress),
    /// Something keeps the workspace's work from going on, such as a full disk; `None`: it is over.
    Trouble { message: Option<String> },
    /// Everything that is durable at this moment has been sent.
    CaughtUp { seq: u64 },
}

/// A durable event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Published {
    pub seq: u64,
    pub run: RunId,
    pub at: Timestamp,
    pub body: EventBody,
}

impl Published {
    pub fn new(seq: u64, event: Event) -> Self {
        Self { seq, run: event.run, at: event.at, body: event.body }
    }

    pub fn into_event(self) -> Event {
        Event { run: self.run, at: self.at, body: self.body }
    }
}

/// How far an attempt has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttemptProgress {
    pub attempt: AttemptId,
    pub done: u64,
    #[serde(default)]
    pub total: Option<u64>,
    pub message: String,
}
