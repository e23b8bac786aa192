//! How attempts run: natives in this process, agents as processes of their own under a shim.

pub mod attempt;
pub mod caches;
pub mod caller;
pub mod catalog;
pub mod checks;
pub mod cli;
mod clock;
pub mod confine;
mod mask;
pub mod mcp;
pub mod native;
mod process;
pub mod prompt;
pub mod shim;
