//! runtimes
pub mod native;
