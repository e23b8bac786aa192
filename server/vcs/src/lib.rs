//! vcs
pub mod repo;
