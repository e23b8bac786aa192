//! Git, for the rest of Orchestra: the history that native actions read, what of a workspace is not
//! committed, the private clones in which agents work, and what they leave there.

pub mod apply;
mod bare;
pub mod blame;
pub mod collect;
pub mod contents;
mod error;
mod folder;
mod git;
mod index;
pub mod merge;
pub mod provenance;
pub mod radar;
pub mod references;
pub mod repo;
pub mod review;
pub mod scratch;
pub mod snapshot;
pub mod state;
mod survey;
mod three_way;
pub mod trees;
mod update_index;
mod working;
pub mod wrapper;

pub use error::GitError;
