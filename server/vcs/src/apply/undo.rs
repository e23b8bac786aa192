//! Taking an operation back: by the bytes that it has kept, where they are as it left them, else by merging
//! them as they lie on the disk.

use super::{
    PrepareRequest,
    capture::Capture,
    import::{Entry, Object, Stream},
    merging::{self, Side},
    place::{Place, Room},
    prepare::Plan,
    record::{Kept, Row},
    wanted::{Form, Step},
};
use crate::{
    GitError,
    bare::line,
    collect::difference::{self, Difference, Side as Blob},
    state,
};
use orchestra_core::snapshot::Snapshot;
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt as _,
};

/// What is asked for.
pub(super) struct Undo<'a> {
    pub(super) request: &'a PrepareRequest<'a>,
    pub(super) place: &'a Place,
    pub(super) room: &'a Room<'a>,
    pub(super) before: &'a Snapshot,
    pub(super) capture: &'a Capture,
    /// From the commit after the operation to that before it.
    pub(super) changed: &'a [Difference],
    pub(super) kept: &'a Kept,
}

pub(super) fn plan(undo: &Undo<'_>) -> Result<Plan, GitError> {
    let record = &undo.kept.record;
    let is = |path: &[u8], rows: &BTreeMap<Vec<u8>, Row>| {
        is_same(undo.capture.has(path), rows.get(path))
    };
    let is_untouched =
        undo.capture.paths().all(|path| is(path, &record.after) || is(path, &record.before));
    if !is_untouched {
        return merged(undo);
    }
    let back = undo.capture.paths().filter(|path| !is(path, &record.before));
    Ok(Plan::Steps(back.map(|path| step(undo, path)).collect()))
}

fn is_same(one: Option<&Row>, other: Option<&Row>) -> bool {
    one.map(|row| &row.content) == other.map(|row| &row.content)
}

/// Brings back what was there.
fn step(undo: &Undo<'_>, path: &[u8]) -> Step {
    let row = undo.kept.record.before.get(path);
    let blob = |(row, id): (&Row, &String)| Blob {
        mode: row.content.kind.mode().to_owned(),
        id: id.clone(),
    };
    let content = row.zip(undo.kept.before.get(path)).map(blob);
    let known = undo.changed.binary_search_by(|changed| changed.path.as_slice().cmp(path));
    let committed = known.ok().and_then(|at| undo.changed.get(at));
    Step {
        path: path.to_owned(),
        form: Form::Raw { content, row: row.cloned() },
        new: committed.and_then(|changed| changed.new.clone()),
    }
}

/// Three sides of the files as they lie on the disk: as the operation left them, as they are, and as it found
/// them.
fn merged(undo: &Undo<'_>) -> Result<Plan, GitError> {
    let mut stream = Stream::create(undo.room.path("laid"))?;
    let kept = undo.kept;
    let record = &kept.record;
    let now = now(undo, &mut stream)?;
    let side = |commit, changes| Side { commit, changes };
    let sides = [
        side(undo.request.base, entries(undo, &record.after, &kept.after)),
        side(&undo.before.commit, now),
        side(undo.request.theirs, entries(undo, &record.before, &kept.before)),
    ];
    let request = undo.request;
    let sides = merging::merge(undo.room, stream, sides, request.favor, request.limits)?;
    let tree = match sides.merged {
        Ok(tree) => tree,
        Err(conflicts) => return Ok(Plan::Conflict(conflicts)),
    };
    let changed = difference::read(undo.room.git("diff-tree"), &sides.ours, &tree, false)?;
    let filters = if undo.request.run_filters {
        Vec::new()
    } else {
        state::without_filters(&undo.place.top)?
    };
    let step = |Difference { path, new, .. }: Difference| {
        if new.as_ref().map(|blob| &blob.id) == kept.before.get(&path) {
            return Ok(step(undo, &path));
        }
        let committed = new.as_ref().map(|blob| committed(undo, &path, blob, &filters));
        Ok(Step { path, new: committed.transpose()?, form: Form::Raw { content: new, row: None } })
    };
    changed.into_iter().map(step).collect::<Result<_, _>>().map(Plan::Steps)
}

/// What the user has, as it lies on the disk.
fn now(undo: &Undo<'_>, stream: &mut Stream) -> Result<Vec<(Vec<u8>, Entry)>, GitError> {
    let mut entries = Vec::new();
    for path in undo.capture.paths() {
        let entry = match undo.capture.has(path) {
            Some(row) => {
                let mode = row.content.kind.mode().to_owned();
                Some((mode, stream.file(&undo.capture.copy(path))?))
            }
            None => None,
        };
        entries.push((path.clone(), entry));
    }
    Ok(entries)
}

/// What the operation has kept of one side.
fn entries(
    undo: &Undo<'_>,
    rows: &BTreeMap<Vec<u8>, Row>,
    ids: &BTreeMap<Vec<u8>, String>,
) -> Vec<(Vec<u8>, Entry)> {
    let entry = |path: &[u8]| {
        let (row, id) = rows.get(path).zip(ids.get(path))?;
        Some((row.content.kind.mode().to_owned(), Object::Id(id.clone())))
    };
    let paths = undo.kept.record.paths();
    paths.into_iter().map(|path| (path.to_owned(), entry(path))).collect()
}

/// What git would commit of these bytes.
fn committed(
    undo: &Undo<'_>,
    path: &[u8],
    blob: &Blob,
    filters: &[(OsString, &'static str)],
) -> Result<Blob, GitError> {
    if !blob.mode.starts_with("100") {
        return Ok(blob.clone());
    }
    let bytes = undo.room.git("cat-file").args(["blob", &blob.id]).output()?;
    let mut option = OsString::from("--path=");
    option.push(OsStr::from_bytes(path));
    let git = undo.place.git("hash-object").set("core.safecrlf".into(), "false");
    let git = filters.iter().fold(git, |git, (key, value)| git.set(key.clone(), value));
    let id = git.args(["-w", "--stdin"]).args([option]).input(bytes).output()?;
    Ok(Blob { mode: blob.mode.clone(), id: line(&id) })
}
