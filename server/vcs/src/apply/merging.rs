//! What a user has and what he is to get become one tree, or a list of what does not fit together.

use super::{
    import::{Commit, Entry, Object, Stream},
    place::{Room, Store},
};
use crate::{
    GitError,
    merge::{self, merge_sides},
    snapshot,
};
use orchestra_core::{merge::Conflict, operation::Favor};

/// A tree, and what is different in it.
pub(super) struct Side<'a> {
    /// Names a tree, or a commit that has it.
    pub(super) commit: &'a str,
    pub(super) changes: Vec<(Vec<u8>, Entry)>,
}

impl<'a> Side<'a> {
    pub(super) fn of(commit: &'a str) -> Self {
        Self { commit, changes: Vec::new() }
    }
}

/// What came of it.
pub(super) struct Sides {
    /// A commit with what the user has.
    pub(super) ours: String,
    /// The merged tree, which is in the room only; the inner error: they do not fit together.
    pub(super) merged: Result<String, Vec<Conflict>>,
}

/// Merges what two sides have made of a first one, whatever the history of the commits. `stream` has the
/// objects of their changes.
pub(super) fn merge(
    room: &Room<'_>,
    mut stream: Stream,
    [base, ours, theirs]: [Side<'_>; 3],
    favor: Favor,
    limits: snapshot::Limits,
) -> Result<Sides, GitError> {
    let trees = room.trees(&[base.commit, ours.commit, theirs.commit])?;
    let mut put = |number: usize, side: Side<'_>, parents: Vec<Object>| {
        let (message, tree, changes) = ("side", trees.get(number), side.changes);
        let tree = tree.map(String::as_str);
        stream.commit(Commit { message, seconds: 0, parents, tree, changes })
    };
    let base = put(0, base, Vec::new())?;
    let ours = put(1, ours, vec![base.clone()])?;
    let theirs = put(2, theirs, vec![base])?;
    let ids = room.import(stream, Store::Own)?;
    let (ours, theirs) = (ours.id(&ids), theirs.id(&ids));
    let limits = merge::Limits { file: limits.file, total: limits.total };
    let merged = merge_sides(&room.bare, &ours, &theirs, favor, limits)?;
    Ok(Sides { ours, merged })
}
