//! The engine: one actor per workspace takes commands and outcomes, has `core` decide, has the
//! store record, and only then answers, publishes and carries out.

mod actor;
mod batch;
mod clock;
mod effects;
mod engine;
mod environment;
pub mod hub;
mod memory;
mod planning;
mod recovery;
mod reviewing;
mod targets;
mod workspace;

pub use engine::{Engine, EngineOptions};
pub use workspace::{OpenError, Workspace};
