//! Byte by byte: what lies on the disk, and what is to lie there.

use super::{
    PrepareRequest,
    capture::Capture,
    disk::{Disk, Seen},
    form,
    import::{Entry, Object, Stream},
    place::{Place, Room},
    prepare::Clients,
    record::{Content, Kept, Kind, Record, Row},
    written,
};
use crate::{GitError, collect::difference::Side as Blob, survey::absolute};
use std::{
    collections::HashMap,
    fs::{self, File},
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    path::{Path, PathBuf},
};

/// What is to become of one path.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) path: Vec<u8>,
    pub(super) form: Form,
    /// What the new commit has there.
    pub(super) new: Option<Blob>,
}

/// In which form the file is written.
#[derive(Debug)]
pub(super) enum Form {
    /// As a checkout of the new commit would, in the form that the file has; the old commit has this there.
    AsGitWrites { old: Option<Blob> },
    /// As these bytes. Of an old file that comes back, all else that is known of it.
    Raw { content: Option<Blob>, row: Option<Row> },
}

/// What is asked for.
pub(super) struct Ask<'a> {
    pub(super) request: &'a PrepareRequest<'a>,
    pub(super) place: &'a Place,
    pub(super) room: &'a Room<'a>,
    pub(super) disk: &'a Disk,
    pub(super) capture: &'a Capture,
    pub(super) clients: &'a Clients<'a>,
    pub(super) undone: Option<&'a Kept>,
    pub(super) steps: Vec<Step>,
}

/// All that is known of a change.
pub(super) struct Wanted {
    pub(super) record: Record,
    pub(super) files: Vec<Planned>,
}

/// One file of it.
pub(super) struct Planned {
    pub(super) path: Vec<u8>,
    /// What the new commit has there.
    new: Option<Blob>,
    /// The old commit has a file there; not asked where the bytes on the disk are known.
    pub(super) is_in_before: Option<bool>,
    /// What was found on the disk.
    pub(super) seen: Seen,
    before: Option<Source>,
    after: Option<Source>,
    /// What lies on the disk under text that is not saved.
    saved: Option<(Kind, Source)>,
}

/// Where bytes are.
#[derive(Debug, Clone)]
enum Source {
    File(PathBuf),
    Id(String),
}

pub(super) fn work_out(ask: &Ask<'_>) -> Result<Wanted, GitError> {
    let unconverted = written::unconverted(ask)?;
    let (old, new) = written::checked_out(ask, &unconverted)?;
    let mut record = Record::default();
    let mut files = Vec::new();
    for step in &ask.steps {
        let path = &step.path;
        let before = ask.capture.has(path);
        let after = match (unconverted.get(path), &step.new, before) {
            (Some(content), Some(new), Some(before)) => Some(as_it_is(step, content, new, before)),
            _ => after(ask, step, &old, &new)?,
        };
        if let Some(row) = before {
            record.before.insert(path.clone(), row.clone());
        }
        if let Some((row, _)) = &after {
            record.after.insert(path.clone(), row.clone());
        }
        let saved = ask.clients.unsaved.get(path).and_then(|_| ask.capture.lies(path));
        let copy = |folder| Source::File(ask.capture.copy_in(folder, path));
        files.push(Planned {
            path: path.clone(),
            new: step.new.clone(),
            is_in_before: match &step.form {
                Form::AsGitWrites { old } => Some(old.is_some()),
                Form::Raw { .. } => None,
            },
            seen: ask.capture.seen(path).clone(),
            before: before.map(|_| Source::File(ask.capture.copy(path))),
            after: after.map(|(_, source)| source),
            saved: saved.map(|row| (row.content.kind, copy(ask.capture.copies()))),
        });
    }
    folders(ask, &files, &mut record)?;
    Ok(Wanted { record, files })
}

/// The folders that are there, and those that have to be there in the end.
fn folders(ask: &Ask<'_>, files: &[Planned], record: &mut Record) -> Result<(), GitError> {
    let failed = || ask.disk.failed("failed to read", b"");
    let paths = files.iter().map(|file| file.path.as_slice());
    record.stood = ask.disk.folders_above(paths).map_err(failed())?;
    for file in files {
        if file.seen == Seen::Folder && file.after.is_some() {
            let inside = ask.disk.inside(&file.path).map_err(failed())?;
            record.stood.extend(inside.folders);
        }
    }
    if let Some(kept) = ask.undone {
        record.wanted.clone_from(&kept.record.stood);
    }
    // The folder of the workspace itself, wherever it lies in the repository.
    let prefix = ask.request.root.strip_prefix(&ask.place.top).unwrap_or(Path::new(""));
    let inner = prefix.join("_");
    let above = ask.disk.folders_above([inner.as_os_str().as_bytes()].into_iter());
    record.wanted.extend(above.map_err(failed())?);
    Ok(())
}

/// A file that lies on the disk as git holds it.
fn as_it_is(step: &Step, content: &Content, new: &Blob, before: &Row) -> (Row, Source) {
    let kind = match &step.form {
        // A file system may know less of modes than git does.
        Form::AsGitWrites { old: Some(old) } if old.mode == new.mode => before.content.kind,
        _ => Kind::of_mode(&new.mode).unwrap_or(Kind::Plain),
    };
    let permissions = permissions(Some(before), kind, None, None, &step.path);
    let content = Content { kind, ..content.clone() };
    (Row { content, permissions }, Source::Id(new.id.clone()))
}

/// What is to lie at a path.
fn after(
    ask: &Ask<'_>,
    step: &Step,
    old: &Path,
    new: &Path,
) -> Result<Option<(Row, Source)>, GitError> {
    let path = &step.path;
    let before = ask.capture.has(path);
    match &step.form {
        Form::Raw { content: None, .. } | Form::AsGitWrites { .. } if step.new.is_none() => {
            Ok(None)
        }
        Form::Raw { content: None, .. } => Ok(None),
        Form::Raw { content: Some(blob), row } => {
            let (row, source) = match row {
                Some(row) => (row.clone(), Source::Id(blob.id.clone())),
                None => raw(ask, path, blob)?,
            };
            let permissions =
                permissions(before, row.content.kind, row.permissions, ask.undone, path);
            Ok(Some((Row { permissions, ..row }, source)))
        }
        Form::AsGitWrites { old: old_blob } => {
            let written = absolute(new, path);
            let (mut kind, mut source) = read_written(ask, path, &written)?;
            if let (Some(old_blob), Some(new_blob), Some(before)) = (old_blob, &step.new, before) {
                // A file system may know less of modes than git does.
                if old_blob.mode == new_blob.mode {
                    kind = before.content.kind;
                }
                source = in_form(ask, path, before, &absolute(old, path), source)?;
            }
            let content = content(kind, &source)?;
            let permissions = permissions(before, kind, None, None, path);
            Ok(Some((Row { content, permissions }, Source::File(source))))
        }
    }
}

/// The permissions that a file gets: those that it has, as far as they fit.
fn permissions(
    before: Option<&Row>,
    kind: Kind,
    earlier: Option<u32>,
    undone: Option<&Kept>,
    path: &[u8],
) -> Option<u32> {
    let has = before.filter(|row| row.content.kind != Kind::Link).and_then(|row| row.permissions);
    match (has, kind) {
        (_, Kind::Link) => None,
        (None, _) => earlier,
        (Some(has), kind) => {
            let given = undone.and_then(|kept| kept.record.after.get(path)?.permissions);
            match earlier {
                // Nobody has changed them since.
                Some(earlier) if given == Some(has) => Some(earlier),
                _ => Some(match kind {
                    // As `chmod +x` has it: for whoever may read.
                    Kind::Program if has & 0o100 == 0 => has | (has & 0o444) >> 2,
                    Kind::Plain => has & !0o111,
                    _ => has,
                }),
            }
        }
    }
}

/// A file that git has written into a folder of ours, as bytes; that of a link is where it leads.
fn read_written(ask: &Ask<'_>, path: &[u8], written: &Path) -> Result<(Kind, PathBuf), GitError> {
    let failed = || GitError::io("failed to read", written);
    let found = fs::symlink_metadata(written).map_err(failed())?;
    if found.is_symlink() {
        let target = fs::read_link(written).map_err(failed())?;
        let file = other(ask, path, "link", target.as_os_str().as_bytes())?;
        return Ok((Kind::Link, file));
    }
    let is_program = found.permissions().mode() & 0o100 != 0;
    Ok((if is_program { Kind::Program } else { Kind::Plain }, written.to_owned()))
}

/// A file of ours with these bytes.
fn other(ask: &Ask<'_>, path: &[u8], what: &str, bytes: &[u8]) -> Result<PathBuf, GitError> {
    let number = ask.steps.partition_point(|step| step.path.as_slice() < path);
    let file = ask.room.path(&format!("{what}-{number}"));
    fs::write(&file, bytes).map_err(GitError::io("failed to write", &file))?;
    Ok(file)
}

/// Gives the new text the form that the file has, where git's own is another one.
fn in_form(
    ask: &Ask<'_>,
    path: &[u8],
    before: &Row,
    old: &Path,
    new: PathBuf,
) -> Result<PathBuf, GitError> {
    let is_file = fs::symlink_metadata(old).is_ok_and(|found| found.is_file());
    if before.content.kind == Kind::Link || !is_file {
        return Ok(new);
    }
    let as_git_writes = content(before.content.kind, old)?;
    let is_large = [&before.content, &as_git_writes]
        .iter()
        .any(|content| content.bytes > ask.request.limits.file);
    if as_git_writes == before.content || is_large {
        return Ok(new);
    }
    let read = |file: &Path| fs::read(file).map_err(GitError::io("failed to read", file));
    let copy = ask.capture.copy(path);
    match form::kept(&read(&copy)?, &read(old)?, &read(&new)?) {
        Some(text) => other(ask, path, "form", &text),
        None => Ok(new),
    }
}

fn content(kind: Kind, file: &Path) -> Result<Content, GitError> {
    let failed = || GitError::io("failed to read", file);
    let opened = File::open(file).map_err(failed())?;
    Content::read(kind, opened, |_| Ok(())).map_err(failed())
}

/// The bytes of a blob.
fn raw(ask: &Ask<'_>, path: &[u8], blob: &Blob) -> Result<(Row, Source), GitError> {
    let kind = Kind::of_mode(&blob.mode).unwrap_or(Kind::Plain);
    let bytes = ask.room.git("cat-file").args(["blob", &blob.id]).output()?;
    let file = other(ask, path, "raw", &bytes)?;
    Ok((Row { content: Content::of(kind, &bytes), permissions: None }, Source::File(file)))
}

impl Wanted {
    pub(super) fn paths(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.files.iter().map(|file| &file.path)
    }

    /// What is kept of the bytes; `made` are objects of the stream, by id.
    pub(super) fn kept(
        &self,
        stream: &mut Stream,
        made: &HashMap<&str, Object>,
    ) -> Result<Vec<(Vec<u8>, Entry)>, GitError> {
        let record = stream.blob(&self.record.to_bytes())?;
        let mut changes = vec![(b"record".to_vec(), Some((Kind::Plain.mode().to_owned(), record)))];
        let mut put = |folder: &str, path: &[u8], kind: Kind, source: &Source| {
            let object = match source {
                Source::File(file) => stream.file(file)?,
                Source::Id(id) => object(id, made),
            };
            let path = [folder.as_bytes(), path].concat();
            changes.push((path, Some((kind.mode().to_owned(), object))));
            Ok(())
        };
        for Planned { path, before, after, saved, .. } in &self.files {
            let sides =
                [("before/", before, &self.record.before), ("after/", after, &self.record.after)];
            for (folder, source, rows) in sides {
                if let (Some(source), Some(row)) = (source, rows.get(path)) {
                    put(folder, path, row.content.kind, source)?;
                }
            }
            if let Some((kind, source)) = saved {
                put("saved/", path, *kind, source)?;
            }
        }
        Ok(changes)
    }

    /// The ids of what the new commit has where bytes are not brought back.
    pub(super) fn merged(&self) -> impl Iterator<Item = &str> {
        let merged = self.files.iter().filter(|file| file.is_in_before.is_some());
        merged.filter_map(|file| Some(file.new.as_ref()?.id.as_str()))
    }

    /// What the new commit has in place of what the old one has; `made` are objects of the stream, by id.
    pub(super) fn committed(&self, made: &HashMap<&str, Object>) -> Vec<(Vec<u8>, Entry)> {
        let entry = |blob: &Blob| (blob.mode.clone(), object(&blob.id, made));
        self.files.iter().map(|file| (file.path.clone(), file.new.as_ref().map(entry))).collect()
    }
}

fn object(id: &str, made: &HashMap<&str, Object>) -> Object {
    made.get(id).cloned().unwrap_or_else(|| Object::Id(id.to_owned()))
}
