//! Three sides of the user's files become one, or a list of what does not fit together.

use super::{
    import::{Commit, Object, Stream},
    place::{Room, text},
};
use crate::GitError;
use orchestra_core::{
    merge::{Conflict, ConflictKind, Side},
    operation::Favor,
};

pub(super) enum Merged {
    /// Its id.
    Tree(String),
    Conflict(Vec<Conflict>),
}

/// Merges the trees of two commits that both come from that of a first.
pub(super) fn merge(room: &Room<'_>, sides: [&str; 3], _favor: Favor) -> Result<Merged, GitError> {
    let trees = sides.map(|side| format!("{side}^{{tree}}"));
    let output = room.git("rev-parse").args(&trees).output()?;
    let trees = text(&output);
    let mut stream = Stream::create(room.path("sides"))?;
    let mut marks: Vec<Object> = Vec::new();
    for tree in trees.lines() {
        let parents = marks.first().cloned().into_iter().collect();
        marks.push(stream.commit(Commit {
            message: "side",
            seconds: 0,
            parents,
            tree: Some(tree),
            changes: Vec::new(),
        })?);
    }
    let ids = room.import(stream)?;
    let answer = room
        .git("merge-tree")
        .args(["--write-tree", "-z", "--name-only", "--no-messages"])
        .args(&ids[1..])
        .answer()?;
    let mut records = answer.stdout.split(|&byte| byte == 0);
    let tree = text(records.next().unwrap_or_default());
    match answer.status.code() {
        Some(0) => Ok(Merged::Tree(tree)),
        Some(1) => {
            let paths = records.filter(|path| !path.is_empty());
            let conflict = |path: &[u8]| Conflict {
                path: text(path),
                kind: ConflictKind::Lines,
                ours: Side::default(),
                theirs: Side::default(),
            };
            Ok(Merged::Conflict(paths.map(conflict).collect()))
        }
        _ => Err(answer.refusal("git merge-tree".to_owned(), room.path("repository"))),
    }
}
