//! The daemon's API: commands with idempotency keys, events from a `seq`, and the client library
//! that finds the daemon or starts it.
//!
//! The API is HTTP/1.1 with JSON on a Unix socket that only its user can reach.

pub mod build;
pub mod client;
pub mod command;
pub mod error;
pub mod folders;
pub mod launch;
pub mod root;
pub mod routes;
pub mod stream;
