//! The rows about Orchestra itself.

pub(super) mod agents;
pub(super) mod daemon;
pub(super) mod history;
pub(super) mod hop;
pub(super) mod steps;
pub(super) mod trees;
