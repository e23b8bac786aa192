//! Problems: what a person should know about the journal or its projection, and the next step.

use crate::{error::Fault, keys, rows};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A lowercase fragment.
    pub what: String,
    /// The file, or the row such as `event 12` or `task r1.2`.
    pub place: String,
    /// The next step.
    pub hint: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

impl Problem {
    const KEY: &str = "projection-problem";

    /// Keeps what is in the way of the projection, for readers in other processes.
    pub(crate) fn keep(conn: &Connection, problem: Option<&Self>) -> Result<(), Fault> {
        let text = problem
            .map(serde_json::to_string)
            .transpose()
            .map_err(|error| Fault::Refused(error.to_string()))?;
        rows::set_meta(conn, Self::KEY, text.as_deref())
    }

    pub(crate) fn kept(conn: &Connection) -> Result<Option<Self>, Fault> {
        let text = rows::meta(conn, Self::KEY)?;
        text.map(|text| keys::view("the projection's problem", &text)).transpose()
    }
}
