//! How runs and tasks look on a terminal and in a pipe.

pub(crate) mod board;
pub(crate) mod decision;
pub(crate) mod follow;
pub(crate) mod jobs;
pub(crate) mod notes;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod work;
