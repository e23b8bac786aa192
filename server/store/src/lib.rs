//! The journal of a workspace: what happened, recorded in SQLite before anything acts on it, the rows
//! that are made from it, the queries on them, and their projection into `.orchestra/`.
//!
//! [`Store`] is the one writer, held by the daemon. [`Reader`] reads beside it or without it.
//! [`check`], [`backups`] and [`restore`] are for a journal that is damaged.

mod artifacts;
mod backup;
mod batch;
mod boot;
mod chain;
mod database;
mod doctor;
mod error;
mod files;
mod journal;
mod keys;
mod lock;
mod problem;
mod projection;
mod reader;
mod rows;
mod store;
mod workspaces;
mod writer;

pub use artifacts::Artifacts;
pub use backup::{Backup, backups, restore};
pub use batch::{Batch, Done, Fold};
pub use doctor::check;
pub use error::{OpenError, StoreError};
pub use journal::Numbered;
pub use lock::Holder;
pub use problem::Problem;
pub use reader::{Counts, Reader, RunFilter, TaskFilter};
pub use store::{Frozen, Loaded, Options, Rebuilt, Store};
pub use workspaces::{root_of, unfinished};
