//! The files that people write: what is accepted, what is refused, and how it is said.

mod catalogue;
mod fixtures;
