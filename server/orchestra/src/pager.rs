//! The pager of reviews: a whole screen with keys by which a person accepts and rejects hunks.

mod draw;
mod keys;
mod screen;
mod state;

pub(crate) use keys::Key;
pub(crate) use screen::{Event, Screen};
pub(crate) use state::{Action, Pager};
