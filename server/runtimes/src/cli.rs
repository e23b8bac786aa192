//! The runtime for command line agents: what exactly is started, and with which environment.

mod command_line;
mod environment;
mod known_secrets;
mod placeholders;
mod prepare;
mod state;
mod tools;

pub use environment::{is_always_passed, looks_secret, secrets};
pub use known_secrets::KnownSecrets;
pub use prepare::{Prepared, Request, prepare};
pub use tools::Tools;
