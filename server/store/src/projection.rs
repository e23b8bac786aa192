//! The projection: runs and tasks as files below `.orchestra/`, for people, scripts and agents.
//!
//! The writer marks what has changed in the same transaction as the change; this takes the marks,
//! writes the files, and has the marks cleared. Whenever it is killed, marks are left, and the next
//! start writes those files again. It never holds up a commit.

mod decision;
mod folder;
mod layout;
mod markdown;
mod plan;
mod progress;
mod projector;
mod review;
mod status;
mod task;

pub(crate) use progress::Progress;
pub(crate) use projector::Projector;
