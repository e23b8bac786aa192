//! How runs and tasks look on a terminal and in a pipe.

pub(crate) mod board;
pub(crate) mod decision;
pub(crate) mod follow;
pub(crate) mod jobs;
pub(crate) mod notes;
pub(crate) mod operation;
pub(crate) mod review;
pub(crate) mod style;
pub(crate) mod table;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod work;
