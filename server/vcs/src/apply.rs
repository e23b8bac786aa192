//! Changing the user's own files to what was accepted, and taking that back.
//!
//! Two steps, so that whoever records what is done can do so between them. [`prepare`] works everything out
//! and writes objects and references of ours only: what the user has, what he is to have, and byte by byte
//! what lies on the disk. [`carry_out`] then changes the files, one after the other, each at once or not at
//! all; done again after a crash it goes on. Index, stash, HEAD, branches, reflogs, hooks and settings of the
//! user stay as they are.

mod capture;
mod carry_out;
mod client;
mod commit;
mod disk;
mod form;
mod import;
mod merging;
mod new_files;
mod obstacles;
mod place;
mod prepare;
mod record;
mod stage;
mod undo;
mod wanted;
mod written;

pub use carry_out::carry_out;
pub use client::{check_client, for_client};
pub use commit::{CommitRequest, Committed, commit_on, drop_branch};
pub use prepare::prepare;

use crate::snapshot;
use orchestra_core::{
    merge::Conflict,
    operation::{Favor, FilePlan},
};
use std::path::Path;

/// What is to become of the user's files.
#[derive(Debug, Clone, Copy)]
pub struct PrepareRequest<'a> {
    /// The workspace's root, canonical. The whole repository counts, also when the root lies below its top.
    pub root: &'a Path,
    /// A private folder of ours.
    pub scratch: &'a Path,
    /// The commit from which the change was made.
    pub base: &'a str,
    /// The commit that has the change.
    pub theirs: &'a str,
    pub favor: Favor,
    /// What the names of the operation's references begin with, such as
    /// `refs/orchestra/<workspace>/backup/r12-o1`.
    pub references: &'a str,
    /// Text that the client which asks has not saved; it wins over the disk, and the client is the owner of
    /// that file.
    pub buffers: &'a [snapshot::Buffer],
    /// Files that are open there and saved, relative to the workspace's root: the client owns them, too.
    pub open: &'a [String],
    /// The [`PrepareRequest::references`] of an earlier operation that is to be taken back; base and theirs are
    /// its after and before. Then the bytes that lay on the disk come back, rather than what git makes of
    /// them.
    pub undo: Option<&'a str>,
    pub limits: snapshot::Limits,
    /// The first line of the commits' messages.
    pub subject: &'a str,
    /// Whether the filters that the user has configured are run, as a checkout would run them. Who may not
    /// run programs of a workspace gets files as they lie in the commit.
    pub run_filters: bool,
}

/// What [`prepare`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prepared {
    /// Everything is kept, and nothing stands in the way.
    Ready(Transition),
    /// The user has it all.
    Nothing,
    /// What the user has does not fit. Nothing is to be written. Sorted by path.
    Conflict(Vec<Conflict>),
    /// Something else stands in the way. Nothing is to be written.
    Refused { message: String, hint: String },
}

/// What is kept, and what is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// A commit of what the user has, under `<references>/before`; its parent is HEAD, where there is one.
    pub before: String,
    /// A commit of what he is to have, under `<references>/after`; its parents are `before` and `theirs`.
    pub after: String,
    /// Sorted by path.
    pub files: Vec<FilePlan>,
}

/// Which prepared change is to be carried out.
#[derive(Debug, Clone, Copy)]
pub struct CarryOut<'a> {
    /// The workspace's root, canonical.
    pub root: &'a Path,
    /// As [`prepare`] was given them.
    pub references: &'a str,
    /// As it answered them. The client's own are passed over.
    pub files: &'a [FilePlan],
}

/// How many paths a refusal names.
const NAMED: usize = 10;
