//! The daemon's edge: HTTP on a Unix socket. It turns requests into calls of the engine and events
//! into lines, and decides when the daemon has nothing left to do.

mod caller;
mod connections;
mod events;
mod handlers;
mod server;

pub use server::{ServerOptions, serve};
