//! What has changed between two states of the workspace: as a difference, and as a reviewer looks at it.

mod compare;
mod comparison;
mod patch;
mod review;

pub(crate) use compare::Compare;
pub use compare::{ChangedFile, DiffResult, HunkAt};
pub use comparison::Side;
pub(crate) use review::Review;
pub use review::{ReviewResult, ReviewedFile, TouchedSymbol};
